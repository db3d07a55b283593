//! Finding boards: every `board.toml` in a folder of boards, in a board's own folder or one below
//! it.

use crate::board::{Board, Error};
use std::fs;
use std::path::{Path, PathBuf};

/// Every board below `folder` with its own folder, by name.
pub fn all(folder: &Path) -> Result<Vec<(PathBuf, Board)>, Error> {
    let mut boards = Vec::new();
    for package in folders(folder)? {
        for place in std::iter::once(package.clone()).chain(folders(&package)?) {
            if place.join("board.toml").is_file() {
                let board = Board::read(&place)?;
                boards.push((place, board));
            }
        }
    }
    boards.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    Ok(boards)
}

/// The board of that name below `folder`, and its own folder.
pub fn find(folder: &Path, name: &str) -> Result<(PathBuf, Board), Error> {
    let mut boards = all(folder)?;
    match boards.iter().position(|(_, board)| board.name == name) {
        Some(place) => Ok(boards.swap_remove(place)),
        None => {
            let known = boards.into_iter().map(|(_, board)| board.name).collect();
            Err(Error::Unknown { name: name.into(), folder: folder.display().to_string(), known })
        }
    }
}

fn folders(of: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |source| Error::Read { path: of.display().to_string(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(of).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::BOARD;

    #[test]
    fn boards_are_found_at_both_depths_and_an_unknown_one_lists_them() {
        let folder = std::env::temp_dir().join(format!("boards.{}", std::process::id()));
        for (place, name) in [("one", "one"), ("emulated/two", "two"), ("emulated/three/deep", "deep")] {
            fs::create_dir_all(folder.join(place)).unwrap();
            let text = BOARD.replace("name = \"desk\"", &format!("name = {name:?}"));
            fs::write(folder.join(place).join("board.toml"), text).unwrap();
        }
        let (place, board) = find(&folder, "two").unwrap();
        assert_eq!((place, board.name), (folder.join("emulated/two"), "two".to_owned()));
        let error = find(&folder, "deep").unwrap_err().to_string();
        assert_eq!(
            error,
            format!("there is no board `deep` in {}; the boards are: one, two", folder.display())
        );
        let error = find(&folder.join("one"), "deep").unwrap_err().to_string();
        assert!(error.ends_with("there is no board.toml"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
