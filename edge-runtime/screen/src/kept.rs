//! Files of `access.folder`: the PIN's hash, certificate and key.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// Writes a file for the folder's owner alone, whole or not at all. Whoever looks after the device
/// does it as root, and the service must be able to read it all the same.
///
/// # Errors
/// The folder is not there, or belongs to somebody else.
pub fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let owner = fs::metadata(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
    if file.as_file().metadata()?.uid() != owner.uid() {
        chown(file.path(), Some(owner.uid()), Some(owner.gid()))?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sudo pneumoscope-screen fingerprint` left a key that the service could not read.
    #[test]
    fn a_file_belongs_to_the_folder_s_owner_and_to_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let own = fs::metadata(folder.path()).unwrap().uid();
        // Only root can give a folder away.
        let owner = if own == 0 { 12_345 } else { own };
        chown(folder.path(), Some(owner), None).unwrap();
        let path = folder.path().join("key.der");
        put(&path, b"key").unwrap();
        let of = fs::metadata(&path).unwrap();
        assert_eq!((of.uid(), of.permissions().mode() & 0o777), (owner, 0o600));
        assert_eq!(fs::read(&path).unwrap(), b"key");
    }
}
