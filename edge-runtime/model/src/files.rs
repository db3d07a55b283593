//! Files that are there whole or not at all: a temporary name in the same folder, sync, rename.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a file was not written; one that was there stayed as it was.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}; check that the folder exists, is writable and has room", path.display())]
pub struct WriteError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Makes temporary files that anybody may read once they have their name: the default is the owner
/// alone.
pub fn temporary(suffix: &str) -> tempfile::Builder<'_, '_> {
    let mut builder = tempfile::Builder::new();
    builder.suffix(suffix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder
}

/// Writes `bytes` to `path`; a file of that name is replaced at once or stays as it was.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    put(path, bytes, &temporary(".tmp"))
}

/// The same for what only the owner may read, such as the picture of a patient.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    put(path, bytes, tempfile::Builder::new().suffix(".tmp"))
}

fn put(path: &Path, bytes: &[u8], kind: &tempfile::Builder<'_, '_>) -> Result<(), WriteError> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let put = || -> io::Result<()> {
        let mut temporary = kind.tempfile_in(folder)?;
        temporary.write_all(bytes)?;
        temporary.as_file().sync_all()?;
        temporary.persist(path).map_err(|e| e.error)?;
        sync_folder(folder)
    };
    put().map_err(|source| WriteError { path: path.to_path_buf(), source })
}

/// A rename lasts only when the folder is on disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Elsewhere a folder is no file that could be synced; the system keeps a journal of its names.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_private_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str, write: fn(&Path, &[u8]) -> Result<(), WriteError>| {
            let path = folder.path().join(name);
            write(&path, b"x").unwrap();
            path.metadata().unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode("picture", write_private), 0o600);
        assert_ne!(mode("report", write) & 0o044, 0, "a report is for others too");
    }
}
