//! Hands the linker the memory map of the bare machine.

use std::path::PathBuf;
use std::{env, fs};

/// Maps by the beginning of the target's name.
const MAPS: [(&str, &str); 2] = [("thumbv7em", "mps2-an386.x"), ("thumbv8m", "mps2-an505.x")];

fn main() {
    for (_, map) in MAPS {
        println!("cargo:rerun-if-changed={map}");
    }
    let target = env::var("TARGET").expect("cargo sets it");
    let Some((_, map)) = MAPS.iter().find(|(begin, _)| target.starts_with(begin)) else {
        return;
    };
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::copy(map, out.join("memory.x")).expect("OUT_DIR can be written");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
}
