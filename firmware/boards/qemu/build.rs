//! The memory map and the constants of the chosen board, from its board.toml, and the linker's
//! scripts.

use std::path::Path;
use std::{env, fs};

/// Where the world outside the chip lies: memory that no reset clears.
const WORLD: &str = "SECTIONS { .world (NOLOAD) : ALIGN(8) { *(.world .world.*); } > WORLD }\n";

fn main() {
    let chosen = ["an386", "an500", "an505"]
        .into_iter()
        .filter(|board| env::var_os(format!("CARGO_FEATURE_{}", board.to_uppercase())).is_some())
        .collect::<Vec<_>>();
    let [board] = chosen[..] else {
        panic!("choose one board by a feature: an386, an500 or an505; got {chosen:?}");
    };
    board_config::build_from(&Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join(board));
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("world.x"), WORLD).expect("OUT_DIR can be written");
    for argument in ["-Tlink.x", "-Tdefmt.x", "-Tworld.x", "--nmagic"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
