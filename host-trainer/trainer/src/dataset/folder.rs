//! Folders of pictures: the Kaggle layout (`train/`, optional `val/` and `test/`, each with
//! `NORMAL` and `PNEUMONIA`), or a folder with just these two. Files are read by the edge runtime's
//! own decoder.

use super::sample::{Dataset, DatasetError, Part, PictureSource, Sample, check_both, sample_of};
use crate::progress;
use edge_model::decode;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Reads one part of the folder `path`, for a network input of `side` pixels.
pub(super) fn load(path: &Path, part: Part, side: u16) -> Result<Dataset, DatasetError> {
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
    let mut samples = read.into_iter().collect::<Result<Vec<Sample>, DatasetError>>()?;
    check_both(path, &mut samples)?;
    Ok(Dataset { samples, notes })
}

/// All pictures below `path`, in its folders too, sorted by name: without labels, for whoever wants
/// to know what a model makes of them.
///
/// # Errors
/// What cannot be read, and a folder without pictures.
pub fn unlabelled(path: &Path, side: u16) -> Result<Vec<Sample>, DatasetError> {
    let mut files = pictures_in(path)?;
    for folder in folders_in(path)? {
        files.extend(pictures_in(&folder)?);
    }
    if files.is_empty() {
        let hint = "No JPEG or PNG picture is in it.".into();
        return Err(DatasetError::Layout { path: path.to_path_buf(), hint });
    }
    let mut samples = progress::map("reading other pictures", &files, |file| read(path, file, false, side))
        .into_iter()
        .collect::<Result<Vec<Sample>, DatasetError>>()?;
    samples.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(samples)
}

/// The folders below a folder, at any depth.
fn folders_in(path: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let failed = |source| DatasetError::Io { path: path.to_path_buf(), source };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let folder = entry.map_err(failed)?.path();
        if folder.is_dir() {
            folders.extend(folders_in(&folder)?);
            folders.push(folder);
        }
    }
    Ok(folders)
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

fn read(root: &Path, file: &Path, positive: bool, side: u16) -> Result<Sample, DatasetError> {
    let bytes =
        std::fs::read(file).map_err(|source| DatasetError::Io { path: file.to_path_buf(), source })?;
    let wrong = |reason: String| DatasetError::Picture { path: file.to_path_buf(), reason };
    let picture = decode::decode(&bytes).map_err(|e| wrong(e.to_string()))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let (patient, subgroup) = patient_of(&name);
    let id = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
    let mut sample = sample_of(id, picture, side).ok_or_else(|| wrong("no pixels in it".into()))?;
    sample.content = Sha256::digest(&bytes).into();
    Ok(Sample { original: PictureSource::File(file.to_path_buf()), patient, positive, subgroup, ..sample })
}

/// Patient and subgroup by the naming of Kermany et al.: `person1199_bacteria_3149`,
/// `IM-0115-0001`, `NORMAL2-IM-0402-0001` (a suffix after the picture's number, as in
/// `IM-0435-0001-0002`, is another picture of the same patient). Any other name is a patient of its
/// own.
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
