//! Puts a new configuration in the place of the old one, which stays beside it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[error("{} was not written: {source}; /etc belongs to root (`sudo edge-runtime setup`); the old one is as it was", path.display())]
pub struct ReplaceError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// Writes `text` to `path`: under a temporary name, synced, then renamed. The old file stays as
/// `FILE.bak`, whose path is returned; the new one has its owner and rights, since a configuration
/// may hold a camera's password. A link is followed.
///
/// # Errors
/// [`ReplaceError`].
pub fn replace(path: &Path, text: &str) -> Result<Option<PathBuf>, ReplaceError> {
    put(path, text).map_err(|source| ReplaceError { path: path.to_owned(), source })
}

fn put(path: &Path, text: &str) -> io::Result<Option<PathBuf>> {
    let path = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let old = fs::metadata(&path).ok();
    let mut new = tempfile::Builder::new().suffix(".tmp").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    let mode = old.as_ref().map_or(0o644, |old| old.mode() & 0o7777);
    if let Some(old) = &old {
        let made = new.as_file().metadata()?;
        if (old.uid(), old.gid()) != (made.uid(), made.gid()) {
            fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
        }
    }
    new.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    new.as_file().sync_all()?;
    let backup = old.map(|_| keep(&path, folder)).transpose()?;
    new.persist(&path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()?;
    Ok(backup)
}

/// The old file under another name; at no time is there none under its own.
fn keep(path: &Path, folder: &Path) -> io::Result<PathBuf> {
    let mut backup = path.as_os_str().to_owned();
    backup.push(".bak");
    let backup = PathBuf::from(backup);
    let place = tempfile::Builder::new().suffix(".bak.tmp").tempdir_in(folder)?;
    let link = place.path().join("old");
    fs::hard_link(path, &link).or_else(|_| {
        // Some file systems of memory cards have no second names.
        fs::copy(path, &link).and_then(|_| File::open(&link)?.sync_all())
    })?;
    fs::rename(&link, &backup)?;
    Ok(backup)
}
