//! Reading and replacing a file whole, between programs that do not trust each other.

use rustix::fs::OFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Longest file that is read.
pub const MAX_BYTES: u64 = 1 << 20;

/// Flags that keep an opening from waiting for a pipe's other end, and from following a link.
const OPEN: i32 = OFlags::NONBLOCK.union(OFlags::NOFOLLOW).bits() as i32;

/// What carries its version, so that two programs of different age notice.
pub trait Versioned {
    /// The version that this program writes and reads.
    const VERSION: u32;

    /// The version that a value has.
    fn version(&self) -> u32;
}

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: expected a file of at most {MAX_BYTES} bytes; something else lies there", .0.display())]
    NoFile(PathBuf),
    // It may quote what stands there, such as a control character.
    #[error("{}: expected JSON as this program writes it: {}", .path.display(), .source.to_string().escape_debug())]
    Form { path: PathBuf, source: serde_json::Error },
    #[error("{}: expected version {expected}, got {got}: install programs of one version together", .path.display())]
    Version { path: PathBuf, expected: u32, got: u32 },
}

/// Reads the file at `path`.
///
/// # Errors
/// [`StatusError`]: it is not there, too long, of another form or version. It may come later.
pub fn read<T: Versioned + DeserializeOwned>(path: &Path) -> Result<T, StatusError> {
    let failed = |source| StatusError::Io { path: path.to_owned(), source };
    let file = OpenOptions::new().read(true).custom_flags(OPEN).open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(StatusError::NoFile(path.to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(StatusError::NoFile(path.to_owned()));
    }
    parse(&bytes, path)
}

/// What [`read`] makes of a file's bytes; `path` is what errors call it.
///
/// # Errors
/// [`StatusError::Form`] and [`StatusError::Version`].
pub fn parse<T: Versioned + DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<T, StatusError> {
    let form = |source| StatusError::Form { path: path.to_owned(), source };
    // The version first: a later one may have another form.
    #[derive(serde::Deserialize)]
    struct Head {
        version: u32,
    }
    let Head { version: got } = serde_json::from_slice(bytes).map_err(form)?;
    if got != T::VERSION {
        return Err(StatusError::Version { path: path.to_owned(), expected: T::VERSION, got });
    }
    serde_json::from_slice(bytes).map_err(form)
}

/// Replaces the file at `path`, readable for its group. It lies in memory, so nothing is synced.
///
/// # Errors
/// The folder is not there, or full; the file of before stays.
pub fn write<T: Versioned + Serialize>(path: &Path, value: &T) -> io::Result<()> {
    write_bytes(path, &serde_json::to_vec(value)?)
}

/// The same for a picture beside a status.
///
/// # Errors
/// As [`write`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    create(&temporary)?.write_all(bytes)?;
    fs::rename(&temporary, path)
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).custom_flags(OPEN).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ACKNOWLEDGED, Acknowledgement, Acknowledgements};

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(ACKNOWLEDGED);
        (folder, file)
    }

    #[test]
    fn what_is_no_such_file_is_an_error_that_says_what_lies_there() {
        let (_folder, file) = file();
        let read = || read::<Acknowledgements>(&file).unwrap_err();
        assert!(matches!(read(), StatusError::Io { .. }));
        for (text, told) in [
            (String::new(), "expected JSON"),
            ("{\"version\":1}".into(), "missing field `entries`"),
            ("{\"version\":2,\"taps\":[]}".into(), "expected version 1, got 2"),
            (" ".repeat(MAX_BYTES as usize + 1), "at most"),
        ] {
            fs::write(&file, text).unwrap();
            assert!(read().to_string().contains(told), "{}", read());
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(matches!(read(), StatusError::NoFile(_)));
        // A link would have a program read with its own rights what another one chose.
        fs::remove_dir(&file).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &file).unwrap();
        assert!(matches!(read(), StatusError::Io { .. }));
    }

    #[test]
    fn an_error_is_one_line_whatever_it_quotes() {
        let bytes = b"{\"version\":1,\"shown\":{\"state\":\"A\x7f\\n\"}}";
        let error = parse::<crate::Status>(bytes, Path::new("file")).unwrap_err().to_string();
        assert!(error.contains("unknown variant") && !error.contains(char::is_control), "{error:?}");
    }

    #[test]
    fn a_file_is_replaced_whole_and_readable_for_its_group_only() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, file) = file();
        let entry = |number| Acknowledgement { number, run: "r".into(), case: 1, pictures: 1 };
        for count in [100, 1] {
            write(&file, &Acknowledgements::new((1..=count).map(entry).collect())).unwrap();
            let entries = read::<Acknowledgements>(&file).unwrap().entries;
            assert_eq!(entries.len(), (count as usize).min(crate::MOST_ACKNOWLEDGEMENTS));
            assert_eq!(entries.last().unwrap().number, count);
        }
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o137, 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
