//! The memory map from board.toml, and the linker's scripts.

fn main() {
    board_config::build();
    for script in ["link.x", "layout.x", "defmt.x"] {
        println!("cargo:rustc-link-arg-bins=-T{script}");
    }
}
