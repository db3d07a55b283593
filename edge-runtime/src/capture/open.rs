//! From a source's name and its options to the source.

use super::{CaptureOptions, Exec, Folder, OptionsError, Replay, ReplayError, Source, SourceSpec, V4l2};
use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(
        "{}: cannot be read: {source}; it holds which files were answered: mend it, or remove it to have all \
         that lies in the folder taken for old", path.display()
    )]
    Memory { path: PathBuf, source: io::Error },
}

/// Makes the source that `options` name. A camera or folder that is not there yet is no error here:
/// the source says so when it is asked for a frame, and finds it when it comes.
pub fn open(options: &CaptureOptions) -> Result<Box<dyn Source + Send>, OpenError> {
    options.check()?;
    Ok(match &options.source {
        SourceSpec::V4l2(place) => Box::new(V4l2::new(place, options)),
        SourceSpec::Exec(_) => Box::new(Exec::new(options)?),
        SourceSpec::Folder(path) => Box::new(match &options.memory {
            None => Folder::new(path, options),
            Some(memory) => Folder::with_memory(path, options, &memory.file, memory.last)
                .map_err(|source| OpenError::Memory { path: memory.file.clone(), source })?,
        }),
        SourceSpec::Replay { path, repeat } => {
            let repeat = *repeat || options.repeat;
            Box::new(Replay::new(path, &CaptureOptions { repeat, ..options.clone() })?)
        }
    })
}
