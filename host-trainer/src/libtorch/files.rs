//! Files that are whole or not there.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::error::{Error, at};

/// Writes a whole file and waits until it is on the disk.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = File::create(path).map_err(at("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at("write", path))
}
