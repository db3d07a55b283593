//! Tells the linker where the program begins; there is no run time around it.

fn main() {
    println!("cargo:rustc-link-arg-bins=--entry=step");
    println!("cargo:rustc-link-arg-bins=--undefined=frame");
    println!("cargo:rustc-link-arg-bins=--gc-sections");
}
