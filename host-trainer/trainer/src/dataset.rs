//! From a folder or an `.npz` file to pictures with label, patient and content hash.
//!
//! Known forms: the Kaggle layout (`train/`, optional `val/` and `test/`, each with `NORMAL` and `PNEUMONIA`), a folder with just
//! these two, and MedMNIST's `.npz` files (28 to 224 pixels). Pictures are read by the edge runtime's own decoder and
//! squashed by edge-core's preprocessing, so that training sees what a device sees.
//!
//! `test/` is never read for training: it belongs to `evaluate`.

use crate::evaluate::Source;
use crate::npz;
use crate::progress;
use edge_core::{Frame, Geometry, PixelFormat, Preprocess, Scratch, Stats};
use edge_model::decode::{self, Picture};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Side of the squashed picture that augmentation starts from, in pixels.
pub const WORKING_SIDE: u16 = 224;

/// A picture as the network takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// `side * side` bytes, rows from the top.
    pub bytes: Vec<u8>,
    /// Exposure of the picture, for the gate's limits.
    pub stats: Stats,
}

#[derive(Clone, Debug)]
pub struct Case {
    /// Path below the data folder, or name and index in an `.npz` file. Unique.
    pub id: String,
    /// The original: a file, or pixels where it came from no file of its own.
    pub original: Source,
    /// Whose picture it is, as far as the file name tells.
    pub patient: String,
    /// True for PNEUMONIA.
    pub positive: bool,
    /// `bacteria` or `virus` where the file name tells, else empty.
    pub subgroup: &'static str,
    /// SHA-256 of the file (or the pixels), for duplicates and for the data's own hash.
    pub content: [u8; 32],
    /// Width and height of the original.
    pub size: (u16, u16),
    /// [`WORKING_SIDE`] squared grey pixels, squashed.
    pub working: Vec<u8>,
    /// The original as a device would take it.
    pub input: Input,
}

#[derive(Debug)]
pub struct Dataset {
    pub cases: Vec<Case>,
    /// For the report: the form and what was noticed.
    pub notes: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error(
        "{path}: expected train/NORMAL and train/PNEUMONIA (or NORMAL and PNEUMONIA), or a MedMNIST .npz file; found neither. {hint}"
    )]
    Layout {
        /// What was asked for.
        path: PathBuf,
        hint: String,
    },
    #[error(
        "{path}: expected JPEG or PNG pictures of both classes, found {normal} NORMAL and {pneumonia} PNEUMONIA"
    )]
    Empty {
        /// What was asked for.
        path: PathBuf,
        normal: usize,
        pneumonia: usize,
    },
    /// A picture that cannot be read. Training data is not silently thinned out.
    #[error("{path}: {reason}; remove or replace this file")]
    Picture { path: PathBuf, reason: String },
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {reason}")]
    Npz { path: PathBuf, reason: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `train/` and `val/`: what may be learned from.
    Learning,
    /// `test/`, or the folder itself where it has no parts: what is only measured.
    Test,
}

/// Reads one part of `path`, for a network input of `side`.
pub fn load(path: &Path, part: Part, side: u16) -> Result<Dataset, DatasetError> {
    if path.extension().is_some_and(|e| e == "npz") {
        return npz::load(path, part, side);
    }
    let mut notes = Vec::new();
    let mut roots = Vec::new();
    let has = |folder: &Path| folder.join("NORMAL").is_dir() && folder.join("PNEUMONIA").is_dir();
    match part {
        Part::Learning if has(&path.join("train")) => {
            roots.push(path.join("train"));
            if has(&path.join("val")) {
                roots.push(path.join("val"));
                notes.push(
                    "val/ merged into training: validation patients are drawn anew, grouped by patient"
                        .into(),
                );
            }
        }
        Part::Test if has(&path.join("test")) => roots.push(path.join("test")),
        _ if has(path) => roots.push(path.to_path_buf()),
        _ => {
            let hint =
                if part == Part::Learning && has(&path.join("test")) { "Only test/ is there." } else { "" };
            return Err(DatasetError::Layout { path: path.to_path_buf(), hint: hint.into() });
        }
    }
    let mut files = Vec::new();
    for root in &roots {
        for (class, positive) in [("NORMAL", false), ("PNEUMONIA", true)] {
            let found = pictures_in(&root.join(class))?;
            if root.ends_with("val") {
                notes.push(format!("val/{class} has {} pictures", found.len()));
            }
            files.extend(found.into_iter().map(|file| (file, positive)));
        }
    }
    let read =
        progress::map("reading pictures", &files, |(file, positive)| read(path, file, *positive, side));
    let mut cases = read.into_iter().collect::<Result<Vec<Case>, DatasetError>>()?;
    check_both(path, &mut cases)?;
    Ok(Dataset { cases, notes })
}

/// Both classes must be there; sorts by id.
pub(crate) fn check_both(path: &Path, cases: &mut [Case]) -> Result<(), DatasetError> {
    let pneumonia = cases.iter().filter(|c| c.positive).count();
    let normal = cases.len() - pneumonia;
    if normal == 0 || pneumonia == 0 {
        return Err(DatasetError::Empty { path: path.to_path_buf(), normal, pneumonia });
    }
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(())
}

fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let failed = |source| DatasetError::Io { path: folder.to_path_buf(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(root: &Path, file: &Path, positive: bool, side: u16) -> Result<Case, DatasetError> {
    let bytes =
        std::fs::read(file).map_err(|source| DatasetError::Io { path: file.to_path_buf(), source })?;
    let wrong = |reason: String| DatasetError::Picture { path: file.to_path_buf(), reason };
    let picture = decode::decode(&bytes).map_err(|e| wrong(e.to_string()))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let (patient, subgroup) = patient_of(&name);
    let id = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
    let mut case = case_of(id, picture, side).ok_or_else(|| wrong("no pixels in it".into()))?;
    case.content = Sha256::digest(&bytes).into();
    Ok(Case { original: Source::File(file.to_path_buf()), patient, positive, subgroup, ..case })
}

/// A case from a decoded picture, with a patient and content of its own and no label yet.
pub(crate) fn case_of(id: String, picture: Picture, side: u16) -> Option<Case> {
    let geometry = picture.geometry();
    let (working, _) = squash(&picture.frame(), WORKING_SIDE)?;
    let (_, input) = squash(&picture.frame(), side)?;
    Some(Case {
        patient: id.clone(),
        id,
        positive: false,
        subgroup: "",
        content: Sha256::digest(picture.bytes()).into(),
        original: Source::Memory(Arc::new(picture)),
        size: (geometry.width(), geometry.height()),
        working,
        input,
    })
}

/// Patient and subgroup by the naming of Kermany et al.: `person1199_bacteria_3149`, `IM-0115-0001`, `NORMAL2-IM-0402-0001`
/// (a suffix after the picture's number, as in `IM-0435-0001-0002`, is another picture of the same patient). Any other
/// name is a patient of its own.
pub fn patient_of(name: &str) -> (String, &'static str) {
    if let Some((person, rest)) = name.split_once('_').filter(|(p, _)| p.starts_with("person")) {
        let subgroup = match rest.split('_').next() {
            Some("bacteria") => "bacteria",
            Some("virus") => "virus",
            _ => "",
        };
        return (person.to_owned(), subgroup);
    }
    if let Some(at) = name.find("IM-") {
        let end = name[at + 3..].find('-').map_or(name.len(), |dash| at + 3 + dash);
        return (name[..end].to_owned(), "");
    }
    (name.to_owned(), "")
}

/// edge-core's preprocessing of a whole picture: the cell means as 8-bit grey, and the standardised input.
fn squash(frame: &Frame, side: u16) -> Option<(Vec<u8>, Input)> {
    let n = usize::from(side);
    let (mut row, mut line, mut cells) = (vec![0; n], vec![0; n], vec![0; n * n]);
    let mut bytes = vec![0; n * n];
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    let mut run = Preprocess::begin(frame.geometry(), side, scratch).ok()?;
    frame.rows().try_for_each(|r| run.row(r)).ok()?;
    let stats = run.finish(&mut bytes).ok()?;
    // Round to nearest: 65535 / 255 = 257.
    let grey = cells.iter().map(|&c| ((u32::from(c) + 128) / 257) as u8).collect();
    Some((grey, Input { bytes, stats }))
}

/// The network's input from `from` x `from` grey pixels. `pixels` shorter than that give a blank input.
pub fn prepare(pixels: &[u8], from: u32, side: u16) -> Input {
    let blank = || Input {
        bytes: vec![edge_core::preprocess::ZERO_POINT; usize::from(side) * usize::from(side)],
        stats: Stats { mean: 0, deviation: 0, black_permille: 0, white_permille: 0 },
    };
    let geometry = Geometry::new(from, from, PixelFormat::Gray8);
    geometry
        .ok()
        .and_then(|g| Frame::packed(g, pixels).ok())
        .and_then(|f| squash(&f, side))
        .map_or_else(blank, |s| s.1)
}

/// SHA-256 over ids, labels and contents: names the data that a model was trained on.
pub fn content_hash(cases: &[Case]) -> String {
    let mut hash = Sha256::new();
    for case in cases {
        hash.update(case.id.as_bytes());
        hash.update([0, u8::from(case.positive)]);
        hash.update(case.content);
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
