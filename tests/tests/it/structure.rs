//! How the code of this workspace hangs together: no file names another in a circle, and none is
//! long.
//!
//! The rule: **a file points to another where it names an item of it by path**, in a `use` or in
//! code, and no way along these arrows leads back to where it started. What is passed on (`pub
//! use`) is an item of the file that defines it; to declare a child (`mod x;`) or to pass its items
//! on points nowhere. `use module;` points nowhere until `module::item` is written, `use module::*`
//! points to the module's own file. So a folder's top file either uses what lies in it, or is used
//! by it. Tests in a file (`#[cfg(test)]`) may look anywhere. Method calls name no file, so a
//! trait's implementation is free.

mod graph;
mod portable;
mod source;

use graph::FileGraph;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Most lines of a file of Rust.
const MOST_LINES: usize = 450;

/// The folders of this workspace's packages, from its Cargo.toml.
fn packages() -> Vec<String> {
    let manifest =
        std::fs::read_to_string(conformance::root().join("Cargo.toml")).expect("the workspace's manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let members = manifest["workspace"]["members"].as_array().expect("a list of members");
    members.iter().map(|member| member.as_str().expect("a folder").to_owned()).collect()
}

/// Each circle of a package as `a.rs -> b.rs -> a.rs`, with paths below its `src`.
fn circles(package: &Path) -> BTreeSet<String> {
    FileGraph::read(&package.join("src")).circles()
}

#[test]
fn no_file_names_another_in_a_circle() {
    let named = |package: &String| {
        let circles = circles(&conformance::root().join(package));
        circles.into_iter().map(|circle| format!("{package}: {circle}")).collect::<Vec<_>>()
    };
    let found: Vec<String> = packages().iter().flat_map(named).collect();
    assert!(found.is_empty(), "move what is shared below both files:\n{}", found.join("\n"));
}

fn write(package: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = package.join("src").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the planted file");
        std::fs::write(path, text).expect("the planted file");
    }
}

#[test]
fn a_planted_circle_is_found_and_named() {
    let package = tempfile::tempdir().expect("a folder");
    write(
        package.path(),
        &[
            ("lib.rs", "mod shape;\nmod side;\nmod paint;\npub use shape::Shape;"),
            // By a re-export, by a module that is named first, and by `super`, past what only looks
            // like paths.
            (
                "shape.rs",
                "use crate::side;\npub struct Shape(side::Side);\nfn f() { \"crate::paint::Ink\"; }",
            ),
            ("side.rs", "// super::Shape\nuse crate::paint::Ink;\npub struct Side(Ink);"),
            ("paint.rs", "mod ink;\npub use ink::Ink;\npub struct Brush;"),
            ("paint/ink.rs", "pub struct Ink;\nfn f(shape: &super::super::Shape) {}"),
        ],
    );
    let expected = "paint/ink.rs -> shape.rs -> side.rs -> paint/ink.rs".to_owned();
    assert_eq!(circles(package.path()), BTreeSet::from([expected]));
    // A child that names its parent's own item closes a circle with a parent that names the
    // child's.
    write(
        package.path(),
        &[("shape.rs", "pub struct Shape;"), ("paint/ink.rs", "pub struct Ink(super::Brush);")],
    );
    assert_eq!(circles(package.path()), BTreeSet::new());
    write(package.path(), &[("paint.rs", "mod ink;\npub struct Brush;\nfn f() -> ink::Ink { todo!() }")]);
    assert_eq!(circles(package.path()), BTreeSet::from(["paint.rs -> paint/ink.rs -> paint.rs".to_owned()]));
    // What only tests name does not count.
    let test_only =
        "mod ink;\npub struct Brush;\n#[cfg(test)]\nmod tests { use super::ink::Ink; fn f(_: Ink) {} }";
    write(package.path(), &[("paint.rs", test_only)]);
    assert_eq!(circles(package.path()), BTreeSet::new());
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    below.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Files of `packages` that are longer than [`MOST_LINES`].
fn too_long(packages: &[PathBuf]) -> Vec<String> {
    let files =
        packages.iter().flat_map(|p| ["src", "tests", "examples"].map(|f| rust_files(&p.join(f)))).flatten();
    let lines = |path: &Path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count());
    let counted: BTreeSet<(PathBuf, usize)> = files.map(|path| (path.clone(), lines(&path))).collect();
    let long = counted.into_iter().filter(|(_, lines)| *lines > MOST_LINES);
    long.map(|(path, lines)| format!("{}: {lines} lines", path.display())).collect()
}

#[test]
fn no_file_is_long() {
    let packages: Vec<PathBuf> = packages().iter().map(|package| conformance::root().join(package)).collect();
    assert_eq!(too_long(&packages), Vec::<String>::new(), "at most {MOST_LINES} lines: split by subject");
    let planted = tempfile::tempdir().expect("a folder");
    write(
        planted.path(),
        &[("long.rs", &"\n".repeat(MOST_LINES + 1)), ("fits.rs", &"\n".repeat(MOST_LINES))],
    );
    let found = too_long(&[planted.path().to_owned()]);
    assert!(matches!(&found[..], [one] if one.contains("long.rs: 451 lines")), "{found:?}");
}
