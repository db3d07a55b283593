//! Pictures by what a row of a list may call them.
//!
//! A row means the pictures whose whole path ends in all of its words: a name, some folders and a
//! name, a path with the data folder's own name in front, or an absolute one. A row that names a
//! folder in which the picture does not lie means another picture, and never this one.

use super::walk::id_of;
use std::path::{Component, Path};

/// The pictures of a data folder.
pub(super) struct Files {
    /// Words of the data folder's absolute path.
    root: Vec<String>,
    /// Each picture's absolute path with the last word first, each with a `/` behind it, and the
    /// picture's number; sorted.
    names: Vec<(String, usize)>,
    /// The same without the names' endings.
    stems: Vec<(String, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    One(usize),
    /// Several pictures could be meant, in several folders.
    Several,
    /// Below the data folder lies such a picture, but the row has another folder around it.
    Elsewhere,
    None,
}

impl Files {
    /// Of pictures below `root`, numbered in their order.
    pub fn new<'a>(root: &Path, files: impl Iterator<Item = &'a Path>) -> Self {
        let root = words(&std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf()));
        let (mut names, mut stems) = (Vec::new(), Vec::new());
        for (index, file) in files.enumerate() {
            let mut path = [root.clone(), words(file)].concat();
            names.push((key(&path), index));
            if let (Some(last), Some(stem)) = (path.last_mut(), file.file_stem()) {
                *last = id_of(Path::new(stem));
                stems.push((key(&path), index));
            }
        }
        names.sort_unstable();
        stems.sort_unstable();
        Self { root, names, stems }
    }

    /// The picture that a list calls `name`. One that has this name whole comes before one that has it
    /// without its ending.
    pub fn find(&self, name: &str) -> Found {
        let name = name.replace('\\', "/");
        let row: Vec<String> =
            name.split('/').map(str::trim).filter(|w| !matches!(*w, "" | ".")).map(str::to_owned).collect();
        if row.is_empty() {
            return Found::None;
        }
        let found = [&self.names, &self.stems].map(|of| self.ending_in(of, &row));
        if let Some(found) = found.into_iter().find(|found| *found != Found::None) {
            return found;
        }
        let is_here = |below: &[String]| {
            let whole = key(&[&self.root[..], below].concat());
            [&self.names, &self.stems].iter().any(|of| !beginning_with(of, &whole).is_empty())
        };
        match (1..row.len()).any(|at| is_here(&row[at..])) {
            true => Found::Elsewhere,
            false => Found::None,
        }
    }

    fn ending_in(&self, of: &[(String, usize)], row: &[String]) -> Found {
        match beginning_with(of, &key(row)) {
            [] => Found::None,
            [(_, index)] => Found::One(*index),
            // A path with folders that is whole below the data folder is that picture's.
            _ => match beginning_with(of, &key(&[&self.root[..], row].concat())) {
                [(_, index)] if row.len() > 1 => Found::One(*index),
                _ => Found::Several,
            },
        }
    }
}

/// Those of a sorted list that begin with `start`.
fn beginning_with<'a>(of: &'a [(String, usize)], start: &str) -> &'a [(String, usize)] {
    let from = of.partition_point(|(key, _)| key.as_str() < start);
    let rest = &of[from..];
    &rest[..rest.partition_point(|(key, _)| key.starts_with(start))]
}

fn words(path: &Path) -> Vec<String> {
    let word = |part: Component| match part {
        Component::RootDir | Component::CurDir => None,
        part => Some(id_of(Path::new(part.as_os_str()))),
    };
    path.components().filter_map(word).collect()
}

fn key(words: &[String]) -> String {
    words.iter().rev().fold(String::new(), |key, word| key + word + "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &str, files: &[&str]) -> Files {
        Files::new(Path::new(root), files.iter().map(Path::new))
    }

    #[test]
    fn a_file_is_found_by_path_name_or_stem_and_never_by_guessing() {
        let files = files("/films/data", &["a/x.png", "b/x.png", "b/y.png", "b/y.png.jpg"]);
        assert_eq!(files.find("a/x.png"), Found::One(0));
        for row in ["./data\\b\\x.png", "/films/data/b/x.png", "films//data/b/x", " b/x.png"] {
            assert_eq!(files.find(row), Found::One(1), "{row}");
        }
        assert_eq!((files.find("y.png"), files.find("y")), (Found::One(2), Found::One(2)));
        assert_eq!((files.find("x.png"), files.find("x")), (Found::Several, Found::Several));
        assert_eq!((files.find("z"), files.find("")), (Found::None, Found::None));
        assert_eq!((files.find("ta/b/x.png"), files.find("x.p")), (Found::Elsewhere, Found::None));
    }

    #[test]
    fn a_row_with_a_folder_never_means_a_picture_of_another_one() {
        let train = files("/films", &["train/NORMAL/1.png", "train/PNEUMONIA/1.png"]);
        for row in ["test/NORMAL/1.png", "other/1.png", "PNEUMONIA/NORMAL/1.png"] {
            assert_eq!(train.find(row), Found::None, "{row}");
        }
        assert_eq!(train.find("NORMAL/1.png"), Found::One(0));
        assert_eq!(files("/films", &["hospitalA/1.png"]).find("hospitalB/1.png"), Found::None);
        // Around what is known of a picture stands the data folder's own path and nothing else.
        let inside = files("/films/train", &["NORMAL/1.png"]);
        assert_eq!(inside.find("train/NORMAL/1.png"), Found::One(0));
        for row in ["test/NORMAL/1.png", "/elsewhere/train/NORMAL/1.png"] {
            assert_eq!(inside.find(row), Found::Elsewhere, "{row}");
        }
        assert_eq!(files("/hospitalA/images", &["1.png"]).find("hospitalB/images/1.png"), Found::Elsewhere);
    }

    #[test]
    fn a_whole_path_is_its_own_files() {
        let files = files("/films", &["a/x.png", "b/a/x.png"]);
        assert_eq!((files.find("a/x.png"), files.find("b/a/x.png")), (Found::One(0), Found::One(1)));
        assert_eq!(files.find("x.png"), Found::Several);
    }
}
