//! The memory map from board.toml, and the linker's scripts.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// The chip's boot code looks for the image's definition in the first 4 kB: it comes behind the
/// vectors, and the program behind it.
const IMAGE: &str = "
SECTIONS { .start_block : ALIGN(4) { KEEP(*(.start_block)); } > FLASH } INSERT AFTER .vector_table;
_stext = ADDR(.start_block) + SIZEOF(.start_block);
";

fn main() {
    board_config::build();
    let memory = Path::new(&std::env::var("OUT_DIR").expect("cargo sets it")).join("memory.x");
    let mut memory = OpenOptions::new().append(true).open(memory).expect("it was just written");
    memory.write_all(IMAGE.as_bytes()).expect("OUT_DIR can be written");
    for script in ["link.x", "layout.x", "defmt.x"] {
        println!("cargo:rustc-link-arg-bins=-T{script}");
    }
}
