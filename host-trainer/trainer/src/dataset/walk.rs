//! All files below a folder, but for what operating systems and archivers leave there; and which part a folder is.

use super::error::{Bad, DatasetError};
use super::findings::LeftOut;
use edge_model::decode;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Names of files and folders that no person put there, in lower case; names that begin with a dot
/// are such too (`._x.jpg` of a Mac's copy, `.DS_Store`).
const SYSTEM: [&str; 7] = [
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "@eadir",
    "$recycle.bin",
    "system volume information",
];

/// Endings of pictures beside those that the decoder takes from folders, in lower case. What is read
/// the decoder decides, by content; what it does not read is refused, not passed over.
const ENDINGS: [&str; 15] = [
    "jpe", "jfif", "apng", "bmp", "webp", "tif", "tiff", "gif", "dcm", "dicom", "ima", "avif", "heic", "jp2",
    "pgm",
];

/// Files and folders below a root.
pub(super) struct Tree {
    pub root: PathBuf,
    /// Below the root, sorted by name in each folder.
    pub files: Vec<PathBuf>,
    pub folders: Vec<PathBuf>,
    pub left_out: LeftOut,
    /// Links that lead nowhere or back, folders that cannot be listed.
    pub bad: Vec<Bad>,
}

/// What a file is by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Picture,
    /// Without an ending, or with a number for one, as DICOM files have it: its content tells.
    Unknown,
    Other,
}

/// Lists a folder to any depth; links are followed.
///
/// # Errors
/// The folder itself cannot be read or is none.
pub(super) fn walk(root: &Path) -> Result<Tree, DatasetError> {
    let metadata = root.metadata().map_err(|error| DatasetError::Io { path: root.to_path_buf(), error })?;
    if !metadata.is_dir() {
        let hint = "This is a file; give the folder of the pictures, and a list of labels with --labels.";
        return Err(DatasetError::Layout { path: root.to_path_buf(), hint: hint.into() });
    }
    let mut tree = Tree {
        root: root.to_path_buf(),
        files: vec![],
        folders: vec![],
        left_out: LeftOut::default(),
        bad: vec![],
    };
    let below = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_path_buf();
    for entry in WalkDir::new(root).min_depth(1).follow_links(true).sort_by_file_name() {
        let path = match &entry {
            Ok(entry) => below(entry.path()),
            Err(error) => below(error.path().unwrap_or(root)),
        };
        let is_system = path.iter().any(|part| is_system(&part.to_string_lossy()));
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                if !is_system {
                    tree.folders.push(path);
                }
            }
            _ if is_system => tree.left_out.add("files of an operating system", id_of(&path)),
            Ok(entry) if entry.file_type().is_file() => tree.files.push(path),
            Ok(_) => tree.left_out.add("neither files nor folders", id_of(&path)),
            Err(error) => {
                let reason = match error.loop_ancestor() {
                    Some(_) => "this link leads back to a folder above it".to_owned(),
                    None if root.join(&path).is_symlink() => "this link leads nowhere".to_owned(),
                    None => error.io_error().map_or_else(|| error.to_string(), ToString::to_string),
                };
                tree.bad.push(Bad { name: id_of(&path), reason });
            }
        }
    }
    Ok(tree)
}

fn is_system(name: &str) -> bool {
    name.starts_with('.') || SYSTEM.contains(&name.to_lowercase().as_str())
}

/// A path below the root with `/` between its parts. Bytes that are no text become `\xNN`, so that
/// two names stay two.
pub(super) fn id_of(path: &Path) -> String {
    let mut id = String::new();
    for part in path.iter() {
        if !id.is_empty() {
            id.push('/');
        }
        for chunk in part.as_encoded_bytes().utf8_chunks() {
            id.push_str(chunk.valid());
            // Writing to a String cannot fail.
            chunk.invalid().iter().for_each(|byte| write!(id, "\\x{byte:02x}").unwrap_or(()));
        }
    }
    id
}

/// A file's ending in lower case; empty without one.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase())
}

pub(super) fn kind(path: &Path) -> Kind {
    let ending = ending(path);
    match ending.as_str() {
        known if decode::has_ending(path) || ENDINGS.contains(&known) => Kind::Picture,
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => Kind::Unknown,
        _ => Kind::Other,
    }
}

/// Why a file that is no picture by its name is left out.
pub(super) fn no_picture(path: &Path) -> String {
    format!("no picture by its ending .{}", ending(path))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartFolder {
    Train,
    Validation,
    Test,
}

/// Which part a folder of this name holds.
pub(super) fn part_folder(name: &str) -> Option<PartFolder> {
    Some(match name.to_lowercase().as_str() {
        "train" | "training" => PartFolder::Train,
        "val" | "valid" | "validation" => PartFolder::Validation,
        "test" | "testing" => PartFolder::Test,
        _ => return None,
    })
}

/// Whether a folder of this name holds validation pictures.
pub(super) fn is_validation(name: &str) -> bool {
    part_folder(name) == Some(PartFolder::Validation)
}

/// Whether a path lies in a folder for testing.
pub(super) fn is_test(path: &Path) -> bool {
    let folders = path.parent().into_iter().flat_map(Path::iter);
    folders.into_iter().any(|name| part_folder(&name.to_string_lossy()) == Some(PartFolder::Test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_files_are_counted_and_everything_else_is_listed() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "a/x.jpg",
            "a/._x.jpg",
            "a/.DS_Store",
            "a/Thumbs.db",
            "__MACOSX/a/y.jpg",
            ".git/config",
            "list.csv",
        ] {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let tree = walk(root.path()).unwrap();
        assert_eq!(tree.files, [Path::new("a/x.jpg"), Path::new("list.csv")]);
        assert_eq!((tree.folders.len(), tree.left_out.count()), (1, 5));
        assert!(tree.bad.is_empty());
        let file = walk(&root.path().join("list.csv")).map(|tree| tree.files).unwrap_err().to_string();
        assert!(file.contains("--labels"), "{file}");
        assert!(matches!(walk(&root.path().join("none")), Err(DatasetError::Io { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_nowhere_or_back_are_bad_and_others_are_followed() {
        let root = tempfile::tempdir().unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.path().join(name)).unwrap();
        std::fs::create_dir(root.path().join("real")).unwrap();
        std::fs::write(root.path().join("real/x.jpg"), "x").unwrap();
        link("real", "also");
        link("/nonexistent/x.jpg", "gone.jpg");
        link("loop.jpg", "loop.jpg");
        link("..", "real/up");
        let tree = walk(root.path()).unwrap();
        assert!(tree.files.contains(&"also/x.jpg".into()), "{:?}", tree.files);
        let of = |name: &str| tree.bad.iter().find(|bad| bad.name == name).map(|bad| bad.reason.as_str());
        assert_eq!(of("gone.jpg"), Some("this link leads nowhere"));
        assert_eq!(of("loop.jpg"), Some("this link leads nowhere"));
        assert_eq!(of("real/up"), Some("this link leads back to a folder above it"));
    }

    #[cfg(unix)]
    #[test]
    fn two_names_that_are_no_text_stay_two() {
        use std::os::unix::ffi::OsStrExt;
        let id = |bytes: &[u8]| id_of(Path::new(std::ffi::OsStr::from_bytes(bytes)));
        assert_eq!(id(b"a/\xff\xe4.jpg"), "a/\\xff\\xe4.jpg");
        assert_ne!(id(b"\xff\xe4.jpg"), id(b"\xff\xe5.jpg"));
        assert_eq!(id("a b/胸片 1.jpg".as_bytes()), "a b/胸片 1.jpg");
    }

    #[test]
    fn a_number_for_an_ending_says_nothing() {
        let kinds = ["x.JPG", "IM000001", "1.2.840.113", "notes.txt", "x.jpg.jpg", "x.dcm"];
        let expected =
            [Kind::Picture, Kind::Unknown, Kind::Unknown, Kind::Other, Kind::Picture, Kind::Picture];
        assert_eq!(kinds.map(|name| kind(Path::new(name))), expected);
    }
}
