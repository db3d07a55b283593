//! What is built on macOS and Windows too names nothing that only Linux or Unix has, but for items
//! that are said to be for such a system (`#[cfg(unix)]`, `#[cfg(target_os = ...)]`).

use super::source::tokens;
use super::{rust_files, write};
use std::path::{Path, PathBuf};

/// The packages that a workstation of any system builds: the trainer, and what it stands on.
const ANYWHERE: [&str; 9] = [
    "edge-runtime/bundle",
    "edge-runtime/core",
    "edge-runtime/model",
    "edge-runtime/told",
    "host-trainer",
    "host-trainer/phantoms",
    "host-trainer/trainer",
    "host-trainer/wheels",
    "xtask/debian-packages",
];

/// Crates that build on some systems only.
const NATIVE: [&str; 6] = ["gpiocdev", "libc", "moq_v4l", "nix", "rustix", "sd_notify"];
/// Modules of `std::os` that are one system's.
const SYSTEMS: [&str; 4] = ["unix", "linux", "fd", "windows"];

/// Names of one system's things in a file, outside items for that system or for tests.
fn native_names(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let at = |i: usize| tokens.get(i).map_or("", String::as_str);
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if at(i) == "#" && at(i + 1) == "[" && at(i + 2) == "cfg" {
            let end = closing(&tokens, i + 1);
            let says = |word: &str| tokens[i..end].iter().any(|token| token == word);
            let is_for_some = ["unix", "windows", "target_os", "test"].into_iter().any(says);
            i = if is_for_some { after_item(&tokens, end) } else { end };
            continue;
        }
        let path = at(i + 1) == "::" && at(i.wrapping_sub(1)) != "::";
        if path && at(i) == "std" && at(i + 2) == "os" && SYSTEMS.contains(&at(i + 4)) {
            found.push(format!("std::os::{}", at(i + 4)));
        }
        if path && NATIVE.contains(&at(i)) {
            found.push(at(i).to_owned());
        }
        i += 1;
    }
    found
}

/// The place behind the bracket that opens at `open`.
fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

/// The place behind an item or statement, its other attributes included.
fn after_item(tokens: &[String], mut i: usize) -> usize {
    while i < tokens.len() {
        match tokens[i].as_str() {
            ";" => return i + 1,
            "{" => return closing(tokens, i),
            "(" | "[" => i = closing(tokens, i),
            _ => i += 1,
        }
    }
    i
}

/// All such names of a package, with their files. A file that its parent declares for one system only
/// is named after the system.
fn violations(package: &Path) -> Vec<String> {
    let is_native = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        SYSTEMS.contains(&stem.as_ref())
    };
    let files = rust_files(&package.join("src")).into_iter().filter(|path| !is_native(path));
    let named = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a file of the package");
        native_names(&text).into_iter().map(move |name| format!("{}: {name}", path.display()))
    };
    let mut found: Vec<String> = files.flat_map(named).collect();
    let manifest = package.join("Cargo.toml");
    if let Ok(text) = std::fs::read_to_string(&manifest) {
        let table: toml::Table = text.parse().expect("TOML");
        let names =
            table.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(|t| t.keys());
        let native = names.filter(|name| NATIVE.contains(&name.replace('-', "_").as_str()));
        found.extend(native.map(|name| format!("{}: {name}", manifest.display())));
    }
    found
}

#[test]
fn what_a_workstation_builds_names_no_single_system() {
    let root = conformance::root();
    let found: Vec<String> = ANYWHERE.iter().flat_map(|package| violations(&root.join(package))).collect();
    assert!(
        found.is_empty(),
        "put these under `#[cfg(unix)]`, or in a file of its own with a twin:\n{}",
        found.join("\n")
    );
}

#[test]
fn a_planted_name_of_one_system_is_found() {
    let package = tempfile::tempdir().expect("a folder");
    write(
        package.path(),
        &[
            ("lib.rs", "use std::os::unix::fs::symlink;\nfn f() { rustix::io::write(); }"),
            (
                "fine.rs",
                "#[cfg(unix)]\n#[inline]\nfn f(a: [u8; 2]) { std::os::unix::x(); }\n// std::os::unix::\n",
            ),
            ("twin/unix.rs", "use std::os::unix::process::CommandExt;"),
            ("half.rs", "#[cfg(unix)]\nuse std::os::unix::x;\nuse std::os::fd::OwnedFd;"),
            (
                "other.rs",
                "#[cfg(feature = \"x\")]\nuse std::os::linux::x;\nfn os() { my::std::os::unix::x() }",
            ),
        ],
    );
    std::fs::write(
        package.path().join("Cargo.toml"),
        "[dependencies]\nlibc = '1'\n[target.x.dependencies]\nnix = '1'\n",
    )
    .expect("a planted manifest");
    let mut found = violations(package.path());
    found.iter_mut().for_each(|line| *line = line.rsplit('/').next().unwrap_or_default().to_owned());
    found.sort();
    let expected = [
        "Cargo.toml: libc",
        "half.rs: std::os::fd",
        "lib.rs: rustix",
        "lib.rs: std::os::unix",
        "other.rs: std::os::linux",
    ];
    assert_eq!(found, expected);
}
