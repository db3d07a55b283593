//! From a folder or an `.npz` file to pictures with label, patient and content hash, and to
//! patients that train and patients that validate.
//!
//! ```text
//! walk -> layout (by folders) or labels (by a list) -> patients -> folder (read) -> likeness -> split
//! ```
//!
//! `test/` is never learned from: it belongs to `evaluate`. It is looked at only to say which of its
//! pictures are in training too.

mod acquisition;
mod classes;
pub mod cluster;
mod error;
mod files;
pub mod findings;
mod folder;
mod kmeans;
mod labels;
mod layout;
mod likeness;
mod npz;
pub mod options;
mod patients;
pub mod phantoms;
mod pixels;
mod prepared;
mod sample;
pub mod split;
mod table;
mod walk;

pub use acquisition::figures;
pub use error::{AllBad, Bad, DatasetError};
pub use findings::{Findings, LeftOut};
pub use folder::unlabelled;
pub use likeness::{Fingerprint, Survey};
pub use options::{DataArgs, DataOptions};
pub use patients::patients_of;
pub use pixels::{Pixels, keep};
pub use sample::{
    Dataset, Labelled, ModelInput, Part, PictureSource, Sample, WORKING_SIDE, content_hash, patients_hash,
    prepare,
};

use std::path::Path;
use walk::PartFolder;

/// Reads one part of `path`, for a network input of `side` pixels.
///
/// # Errors
/// Data of another form than expected, with the option that would read it; all files that cannot be
/// read; one picture with both labels.
pub fn load(path: &Path, part: Part, side: u16, options: &DataOptions) -> Result<Dataset, DatasetError> {
    match is_npz(path) {
        true => npz::load(path, part, side, options),
        false => folder::load(path, part, side, options),
    }
}

/// What may be learned from `path`, without keeping a picture in memory.
///
/// # Errors
/// As [`load`].
pub fn survey(path: &Path, options: &DataOptions) -> Result<Survey, DatasetError> {
    match is_npz(path) {
        true => npz::load(path, Part::Learning, 32, options).map(|data| Survey {
            prints: data.samples.iter().map(Fingerprint::of).collect(),
            notes: data.notes,
            findings: data.findings,
        }),
        false => folder::survey(path, Part::Learning, options),
    }
}

/// Whether what was read of `path`, with the hash `sha256`, was learned from by a model of data with the hash
/// `learned`: it is these data, or their `train/` or `val/`, read from their folder.
pub fn was_learned_from(path: &Path, sha256: &str, learned: &str, options: &DataOptions) -> bool {
    let whole = || {
        let path = path.canonicalize().ok()?;
        let part = walk::part_folder(path.file_name()?.to_str()?)?;
        let Survey { findings, .. } =
            survey(path.parent().filter(|_| part != PartFolder::Test)?, options).ok()?;
        Some(findings.sha256 == learned)
    };
    sha256 == learned || whole().unwrap_or(false)
}

fn is_npz(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "npz")
}
