//! A labelled picture as training sees it: the original, its grey square, and the network's input.
//!
//! Pictures are squashed by edge-core's preprocessing, so that training sees what a device sees.

use super::findings::Findings;
use super::pixels::Pixels;
use edge_core::{Frame, FrameError, Geometry, PixelFormat, PixelStats, Preprocess, Scratch};
use edge_model::decode::{self, DecodeError, Picture};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Side of the squashed picture that augmentation starts from, in pixels.
pub const WORKING_SIDE: u16 = 224;

/// A picture as the network takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInput {
    /// `side * side` bytes, rows from the top.
    pub bytes: Pixels,
    /// Exposure of the picture, for the gate's limits.
    pub stats: PixelStats,
}

/// A labelled picture of a data set.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Path below the data folder, or name and index in an `.npz` file. Unique.
    pub id: String,
    /// The original: a file, or pixels where it came from no file of its own.
    pub original: PictureSource,
    /// Whose picture it is, as far as a list or the file's name tells.
    pub patient: String,
    /// True for PNEUMONIA.
    pub positive: bool,
    /// `bacteria` or `virus` where the name of file or folder tells, else empty.
    pub subgroup: &'static str,
    /// SHA-256 of the file (or the pixels), for duplicates and for the data's own hash.
    pub content: [u8; 32],
    /// Width and height of the original.
    pub size: (u16, u16),
    /// [`WORKING_SIDE`] squared grey pixels, squashed.
    pub working: Pixels,
    /// The original as a device would take it.
    pub input: ModelInput,
}

/// What a picture is split by into training and validation: not what it shows.
pub trait Labelled {
    fn id(&self) -> &str;
    /// Whose picture it is, as far as that is known.
    fn patient(&self) -> &str;
    /// True for PNEUMONIA.
    fn positive(&self) -> bool;
    /// SHA-256 of the file, or of the pixels.
    fn content(&self) -> &[u8; 32];
}

impl Labelled for Sample {
    fn id(&self) -> &str {
        &self.id
    }

    fn patient(&self) -> &str {
        &self.patient
    }

    fn positive(&self) -> bool {
        self.positive
    }

    fn content(&self) -> &[u8; 32] {
        &self.content
    }
}

#[derive(Debug, Default)]
pub struct Dataset {
    pub samples: Vec<Sample>,
    /// For the report: the form and what was noticed.
    pub notes: Vec<String>,
    pub findings: Findings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `train/` and `val/`: what may be learned from.
    Learning,
    /// `test/`, or the folder itself where it has no parts: what is only measured.
    Test,
}

/// A picture on disk or one that is still to be made, opened when its turn comes, or one already in
/// memory.
#[derive(Clone)]
pub enum PictureSource {
    File(PathBuf),
    Memory(Arc<Picture>),
    Made(Make),
}

/// Makes a picture, the same one each time.
pub type Make = Arc<dyn Fn() -> Result<Picture, FrameError> + Send + Sync>;

impl PictureSource {
    pub fn open(&self) -> Result<Arc<Picture>, DecodeError> {
        match self {
            PictureSource::File(path) => decode::open(path).map(Arc::new),
            PictureSource::Memory(picture) => Ok(Arc::clone(picture)),
            PictureSource::Made(make) => Ok(Arc::new(make()?)),
        }
    }
}

impl fmt::Debug for PictureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PictureSource::File(path) => write!(f, "File({})", path.display()),
            PictureSource::Memory(picture) => write!(f, "Memory({:?})", picture.geometry()),
            PictureSource::Made(_) => f.write_str("Made"),
        }
    }
}

/// A sample from a decoded picture, with a patient and content of its own and no label yet.
pub(super) fn sample_of(id: String, picture: Picture, side: u16) -> Option<Sample> {
    let geometry = picture.geometry();
    let (working, input) = squashed(&picture, side)?;
    Some(Sample {
        patient: id.clone(),
        id,
        positive: false,
        subgroup: "",
        content: Sha256::digest(picture.bytes()).into(),
        original: PictureSource::Memory(Arc::new(picture)),
        size: (geometry.width(), geometry.height()),
        working,
        input,
    })
}

/// Working square and network's input of a picture; none where it cannot be scaled.
pub(super) fn squashed(picture: &Picture, side: u16) -> Option<(Pixels, ModelInput)> {
    let (working, _) = squash(&picture.frame(), WORKING_SIDE)?;
    let (_, input) = squash(&picture.frame(), side)?;
    Some((working.into(), input))
}

/// edge-core's preprocessing of a whole picture: the cell means as 8-bit grey, and the standardised
/// input.
fn squash(frame: &Frame, side: u16) -> Option<(Vec<u8>, ModelInput)> {
    let n = usize::from(side);
    let (mut row, mut line, mut cells) = (vec![0; n], vec![0; n], vec![0; n * n]);
    let mut bytes = vec![0; n * n];
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    let mut run = Preprocess::begin(frame.geometry(), side, scratch).ok()?;
    frame.rows().try_for_each(|r| run.row(r)).ok()?;
    let stats = run.finish(&mut bytes).ok()?;
    // Round to nearest: 65535 / 255 = 257.
    let grey = cells.iter().map(|&c| ((u32::from(c) + 128) / 257) as u8).collect();
    Some((grey, ModelInput { bytes: bytes.into(), stats }))
}

/// The network's input from `from` x `from` grey pixels. `pixels` shorter than that give a blank
/// input.
pub fn prepare(pixels: &[u8], from: u32, side: u16) -> ModelInput {
    let blank = || ModelInput {
        bytes: vec![edge_core::preprocess::ZERO_POINT; usize::from(side) * usize::from(side)].into(),
        stats: PixelStats { mean: 0, deviation: 0, black_permille: 0, white_permille: 0 },
    };
    let geometry = Geometry::new(from, from, PixelFormat::Gray8);
    geometry
        .ok()
        .and_then(|g| Frame::packed(g, pixels).ok())
        .and_then(|f| squash(&f, side))
        .map_or_else(blank, |s| s.1)
}

/// SHA-256 over ids, labels and contents: names the data that a model was trained on.
pub fn content_hash(samples: &[Sample]) -> String {
    hash_of(samples.iter().map(|sample| (sample.id.as_str(), sample.positive, &sample.content)))
}

/// SHA-256 over which of the samples, in their order, are of one patient; what patients are called does
/// not matter.
pub fn patients_hash(samples: &[Sample]) -> String {
    let (mut first, mut hash) = (HashMap::new(), Sha256::new());
    for (i, sample) in samples.iter().enumerate() {
        let patient: usize = *first.entry(sample.patient.as_str()).or_insert(i);
        hash.update((patient as u64).to_le_bytes());
    }
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// [`content_hash`] of ids, labels and contents, in their order.
pub(super) fn hash_of<'a>(pictures: impl Iterator<Item = (&'a str, bool, &'a [u8; 32])>) -> String {
    let mut hash = Sha256::new();
    for (id, positive, content) in pictures {
        hash.update(id.as_bytes());
        hash.update([0, u8::from(positive)]);
        hash.update(content);
    }
    hex(hash)
}
