//! How far a destination is, in a file that is there whole or not at all.

use base::log::Cursor;
use edge_model::files::{self, WriteError};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Where a cursor is kept; a trait so that tests can let each write fail.
pub trait CursorStore {
    /// The cursor that was kept last; the beginning where none was.
    fn load(&mut self) -> Result<Cursor, CursorError>;

    fn save(&mut self, cursor: &Cursor) -> Result<(), CursorError>;
}

#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("cannot read the cursor {}: {source}; the log is sent again from its oldest line", path.display())]
    Read { path: PathBuf, source: io::Error },
}

#[derive(Clone, Debug)]
pub struct CursorFile {
    path: PathBuf,
}

/// Longest file that is read: a cursor takes two kilobytes.
const MAX_BYTES: u64 = 64 * 1024;

const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
struct Form<C> {
    version: u32,
    cursor: C,
}

impl CursorFile {
    /// The file of a destination, in the folder of the cursors.
    pub fn new(folder: &Path, destination: &str) -> Self {
        Self { path: folder.join(format!("{destination}.cursor.json")) }
    }
}

impl CursorStore for CursorFile {
    fn load(&mut self) -> Result<Cursor, CursorError> {
        let read = || -> io::Result<Cursor> {
            let mut bytes = Vec::new();
            File::open(&self.path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
            let form: Form<Cursor> = serde_json::from_slice(&bytes)?;
            let other = || io::Error::new(ErrorKind::InvalidData, format!("expected version {VERSION}"));
            if form.version == VERSION { Ok(form.cursor) } else { Err(other()) }
        };
        match read() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Cursor::default()),
            Err(source) => Err(CursorError::Read { path: self.path.clone(), source }),
            Ok(cursor) => Ok(cursor),
        }
    }

    fn save(&mut self, cursor: &Cursor) -> Result<(), CursorError> {
        let form = Form { version: VERSION, cursor };
        let bytes = serde_json::to_vec(&form)
            .map_err(|error| CursorError::Read { path: self.path.clone(), source: error.into() })?;
        Ok(files::write(&self.path, &bytes)?)
    }
}
