//! Pictures by what a row of a list may call them.
//!
//! A row means the pictures whose whole path ends in all of its words: a name, some folders and a
//! name, a path with the data folder's own name in front, or an absolute one. A row that names a
//! folder in which the picture does not lie means another picture, and never this one.
//!
//! A list may have been made where the data folder had another name: `CheXpert-v1.0-small/train/...`,
//! or an absolute path of another machine. Where no row with a folder fits as it stands, nor one of a
//! picture directly in the data folder, and all whose end is a picture's whole path below it have the
//! same words in front, these words stand for the data folder ([`Files::of_list`]).

use super::walk::{id_of, is_test};
use std::collections::BTreeSet;
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
    /// Words of a list that stand for the data folder.
    front: Vec<String>,
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
        let whole = root.canonicalize().or_else(|_| std::path::absolute(root));
        let root = words(&whole.unwrap_or_else(|_| root.to_path_buf()));
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
        Self { root, names, stems, front: Vec::new() }
    }

    /// With what the names of a whole list say of the data folder's name in it.
    pub fn of_list<'a>(mut self, names: impl Iterator<Item = &'a str>) -> Self {
        let mut fronts = BTreeSet::new();
        for row in names.map(row) {
            match self.found(&row) {
                // A name alone may be that of a picture in any folder.
                Found::One(_) | Found::Several if row.len() > 1 || self.is_here(&row) => return self,
                // The shortest front: the longest path below the data folder.
                Found::Elsewhere => {
                    let at = (1..row.len()).find(|&at| self.is_here(&row[at..]));
                    fronts.extend(at.map(|at| row[..at].to_vec()));
                }
                _ => {}
            }
        }
        let part =
            |words: &[String]| words.last().is_some_and(|last| is_test(&Path::new(last).join("picture")));
        if fronts.len() == 1
            && let Some(front) = fronts.pop_first()
            && part(&front) == part(&self.root)
        {
            self.front = front;
        }
        self
    }

    /// What is to be said of how the list at `path` was read.
    pub fn note(&self, path: &Path) -> Option<String> {
        let front = self.front.join("/");
        (!front.is_empty()).then(|| format!("{front}/ in {} stands for the data folder", path.display()))
    }

    /// The picture that a list calls `name`. One that has this name whole comes before one that has it
    /// without its ending.
    pub fn find(&self, name: &str) -> Found {
        let row = row(name);
        match row.strip_prefix(&self.front[..]) {
            Some(below) if !self.front.is_empty() && self.is_here(below) => {
                self.found(&[&self.root[..], below].concat())
            }
            _ => self.found(&row),
        }
    }

    fn found(&self, row: &[String]) -> Found {
        if row.is_empty() {
            return Found::None;
        }
        let found = [&self.names, &self.stems].map(|of| self.ending_in(of, row));
        if let Some(found) = found.into_iter().find(|found| *found != Found::None) {
            return found;
        }
        match (1..row.len()).any(|at| self.is_here(&row[at..])) {
            true => Found::Elsewhere,
            false => Found::None,
        }
    }

    /// Whether these words are a picture's whole path below the data folder.
    fn is_here(&self, below: &[String]) -> bool {
        let whole = key(&[&self.root[..], below].concat());
        [&self.names, &self.stems].iter().any(|of| !beginning_with(of, &whole).is_empty())
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

/// The words of a list's name for a picture; what leads out of the list's own folder says nothing of it.
fn row(name: &str) -> Vec<String> {
    let name = name.replace('\\', "/");
    let words = name.split('/').map(str::trim).filter(|word| !matches!(*word, "" | "."));
    words.skip_while(|word| *word == "..").map(str::to_owned).collect()
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
    fn one_folder_in_front_of_a_whole_list_stands_for_the_data_folder() {
        let of = |root: &str, known: &[&str], list: &[&str]| {
            let files = files(root, known).of_list(list.iter().copied());
            list.iter().map(|row| files.find(row)).collect::<Vec<_>>()
        };
        let found = [Found::One(0), Found::One(1)];
        let two = ["train/p1/v.jpg", "valid/p2/v.jpg"];
        assert_eq!(
            of("/x/chexpert", &two, &["CheXpert-small/train/p1/v.jpg", "CheXpert-small/valid/p2/v.jpg"]),
            found
        );
        assert_eq!(
            of("/films", &["a.png", "b.png"], &["C:\\cxr\\images\\a.png", "C:\\cxr\\images\\b.png"]),
            found
        );
        assert_eq!(of("/films", &["a/1.png", "b/1.png"], &["../a/1.png", "../b/1.png"]), found);
        // Two folders in front are two collections, and what fits as it stands is no other's.
        let elsewhere = [Found::Elsewhere; 2];
        assert_eq!(of("/films", &["1.png", "2.png"], &["hospitalA/1.png", "hospitalB/2.png"]), elsewhere);
        let train = ["NORMAL/1.png", "NORMAL/2.png"];
        let list = ["train/NORMAL/1.png", "test/NORMAL/2.png"];
        assert_eq!(of("/films/train", &train, &list), [Found::One(0), Found::Elsewhere]);
        assert_eq!(of("/films/train", &train, &["test/NORMAL/1.png", "test/NORMAL/2.png"]), elsewhere);
    }

    #[test]
    fn a_whole_path_is_its_own_files() {
        let files = files("/films", &["a/x.png", "b/a/x.png"]);
        assert_eq!((files.find("a/x.png"), files.find("b/a/x.png")), (Found::One(0), Found::One(1)));
        assert_eq!(files.find("x.png"), Found::Several);
    }
}
