//! Pictures kept beside the log, where somebody asked for them: what the network saw, when what is
//! shown changed.
//!
//! They are pictures of patients. Without `[log] pictures = true` none is kept; those that are,
//! only the owner may read.

use crate::log::Hash;
use edge_model::files::{self, WriteError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Keeper {
    folder: PathBuf,
    side: u16,
}

impl Keeper {
    /// Keeps pictures in the folder `NAME.pictures` beside the log `NAME`; `side` is that of the
    /// network's input.
    pub fn beside(log: &Path, side: u16) -> Self {
        let mut folder = log.as_os_str().to_owned();
        folder.push(".pictures");
        Self { folder: folder.into(), side }
    }

    /// Keeps the network's input as `HASH.png`, where `frame_sha256` of the log's line is the hash.
    pub fn keep(&self, input: &[u8], hash: Hash) -> Result<PathBuf, WriteError> {
        let path = self.folder.join(format!("{hash}.png"));
        if path.exists() {
            return Ok(path);
        }
        let failed = |source| WriteError { path: path.clone(), source };
        let mut folders = std::fs::DirBuilder::new();
        folders.recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.side.into(), self.side.into());
        encoder.set_color(png::ColorType::Grayscale);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(input));
        written.map_err(|error| failed(std::io::Error::other(error)))?;
        files::write_private(&path, &bytes)?;
        Ok(path)
    }
}
