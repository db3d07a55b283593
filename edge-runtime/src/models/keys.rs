//! The public keys of those whose models this device takes.

use bundle::key_file::{KeyFileError, parse_public};
use edge_model::signed::PublicKey;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Reads the keys at `path`: the files ending in `.pub` of a folder, or one file. A folder that is
/// not there holds none.
///
/// # Errors
/// [`KeysError`]: a file cannot be read, or is no key.
pub fn read_keys(path: &Path) -> Result<Vec<PublicKey>, KeysError> {
    if !path.is_dir() {
        return match path.try_exists() {
            Ok(false) => Ok(Vec::new()),
            _ => Ok(vec![read(path)?]),
        };
    }
    let failed = |source| KeysError::Read { path: path.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|extension| extension == "pub") {
            files.push(file);
        }
    }
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn read(path: &Path) -> Result<PublicKey, KeysError> {
    let text =
        fs::read_to_string(path).map_err(|source| KeysError::Read { path: path.to_owned(), source })?;
    parse_public(&text).map_err(|source| KeysError::Key { path: path.to_owned(), source })
}

/// Why the keys are not known.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("cannot read the key {}: {source}; make it readable for the service's user", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Key { path: PathBuf, source: KeyFileError },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_holds_no_key_and_a_file_may_be_one() {
        let folder = tempfile::TempDir::new().unwrap();
        assert!(read_keys(&folder.path().join("no folder")).unwrap().is_empty());
        // The neutral point of the curve.
        let key = format!("01{}", "00".repeat(31));
        for name in ["b.pub", "a.pub", "notes.txt"] {
            fs::write(folder.path().join(name), &key).unwrap();
        }
        assert_eq!(read_keys(folder.path()).unwrap().len(), 2);
        assert_eq!(read_keys(&folder.path().join("notes.txt")).unwrap().len(), 1);
    }
}
