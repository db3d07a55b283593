//! Tells the linker where `layout.x` is, for every board that depends on this package.

fn main() {
    println!("cargo:rerun-if-changed=layout.x");
    println!("cargo:rustc-link-search={}", std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
}
