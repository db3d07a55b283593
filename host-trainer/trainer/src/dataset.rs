//! From a folder or an `.npz` file to pictures with label, patient and content hash, and to
//! patients that train and patients that validate.
//!
//! `test/` is never read for training: it belongs to `evaluate`.

mod acquisition;
pub mod cluster;
mod folder;
mod kmeans;
mod npz;
pub mod phantoms;
mod sample;
pub mod split;

pub use acquisition::figures;
pub use folder::{patient_of, unlabelled};
pub use sample::{
    Dataset, DatasetError, ModelInput, Part, PictureSource, Sample, WORKING_SIDE, content_hash, prepare,
};

use std::path::Path;

/// Reads one part of `path`, for a network input of `side` pixels.
pub fn load(path: &Path, part: Part, side: u16) -> Result<Dataset, DatasetError> {
    match path.extension().is_some_and(|extension| extension == "npz") {
        true => npz::load(path, part, side),
        false => folder::load(path, part, side),
    }
}
