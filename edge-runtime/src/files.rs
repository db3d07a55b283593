//! Files that are there whole or not at all: a temporary name in the same folder, sync, rename.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}; check that the folder exists, is writable and has room", path.display())]
pub struct WriteError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// Makes temporary files that anybody may read once they have their name: the default is the owner alone.
pub fn temporary(suffix: &str) -> tempfile::Builder<'_, '_> {
    let mut builder = tempfile::Builder::new();
    builder.suffix(suffix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder
}

/// Writes `bytes` to `path`; a file of that name is replaced at once or stays as it was.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let put = || -> io::Result<()> {
        let mut temporary = temporary(".tmp").tempfile_in(folder)?;
        temporary.write_all(bytes)?;
        temporary.as_file().sync_all()?;
        temporary.persist(path).map_err(|e| e.error)?;
        // The rename itself lasts only when the folder is on disk too.
        File::open(folder)?.sync_all()
    };
    put().map_err(|source| WriteError { path: path.to_path_buf(), source })
}
