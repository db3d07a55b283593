//! The firmware's boards: which there are, and their programs, built as they are shipped.
//!
//! A board is a package of the workspace `firmware/boards`, or a feature of one: then its
//! `board.toml` lies in a folder of the feature's name in the package's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use board_config::Board;

use crate::cross::{self, Target};
use crate::{process, root};

/// The workspace of the boards, from the repository's folder.
const BOARDS: &str = "firmware/boards";

/// All boards, or the one of that name, each with the folder of its `board.toml`.
pub fn boards(name: Option<&str>) -> anyhow::Result<Vec<(PathBuf, Board)>> {
    let folder = root().join(BOARDS);
    match name {
        Some(name) => Ok(vec![board_config::find(&folder, name)?]),
        None => {
            let boards = board_config::all(&folder)?;
            ensure!(!boards.is_empty(), "there is no board in {BOARDS}");
            Ok(boards)
        }
    }
}

/// The feature of a real board that makes its program the checklist of a first start.
const BRING_UP: &str = "bring-up";

/// Builds a board's program as it is shipped and says where it is. Boards that share a package do
/// not overwrite each other's.
pub fn build(folder: &Path, board: &Board) -> anyhow::Result<PathBuf> {
    build_with(folder, board, &[], &board.name)
}

/// The same of the checklist of a board's first start.
pub fn build_bring_up(folder: &Path, board: &Board) -> anyhow::Result<PathBuf> {
    build_with(folder, board, &["--features", BRING_UP], &format!("{}-{BRING_UP}", board.name))
}

fn build_with(folder: &Path, board: &Board, more: &[&str], name: &str) -> anyhow::Result<PathBuf> {
    let (package, _) = names(&root().join(BOARDS), folder)?;
    let mut build = cargo(folder, board, "build")?;
    process::run(build.args(["--quiet", "--profile", "chip", "--bin", &package]).args(more))?;
    let target = Target::of(&board.target)?;
    let built = cross::folder().join(target.triple()).join("chip").join(package);
    let kept = cross::folder().join("firmware").join(name);
    fs::create_dir_all(kept.parent().unwrap_or(&kept))?;
    fs::copy(&built, &kept)
        .with_context(|| format!("cannot copy {} to {}", built.display(), kept.display()))?;
    Ok(kept)
}

/// `cargo SUBCOMMAND` for a board's package, as it is built for the board.
pub fn cargo(folder: &Path, board: &Board, subcommand: &str) -> anyhow::Result<Command> {
    let (package, feature) = names(&root().join(BOARDS), folder)?;
    let mut cargo = cross::cargo(Target::of(&board.target)?, subcommand)?;
    cargo.arg("--manifest-path").arg(format!("{BOARDS}/{package}/Cargo.toml"));
    cargo.args(feature.iter().flat_map(|feature| ["--features", feature]));
    Ok(cargo)
}

/// The package of a board and the feature that chooses it, by the folder of its `board.toml`.
fn names(boards: &Path, folder: &Path) -> anyhow::Result<(String, Option<String>)> {
    let place =
        folder.strip_prefix(boards).with_context(|| format!("{} is not in {BOARDS}", folder.display()))?;
    let mut parts = place.iter().map(|part| part.to_string_lossy().into_owned());
    let package =
        parts.next().with_context(|| format!("a board.toml lies in no package: {}", folder.display()))?;
    Ok((package, parts.next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_a_package_or_a_feature_of_one() {
        let of = |place: &str| names(Path::new("/b"), Path::new(place)).ok();
        assert_eq!(of("/b/rp2350"), Some(("rp2350".into(), None)));
        assert_eq!(of("/b/qemu/an386"), Some(("qemu".into(), Some("an386".into()))));
        assert_eq!(of("/b"), None);
        assert_eq!(of("/c/rp2350"), None);
    }
}
