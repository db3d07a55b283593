//! Real pictures that the model is not for: what is no chest, and chests of another kind than those
//! that it is measured on, adults' for example. They lie in folders of their own, without labels.
//!
//! Half of each folder is fitted on, the other half only measured: patients go to the halves in
//! turn, by the part of the file's name before the first underscore, or files where that is the same
//! for all.

use crate::dataset::{DatasetError, Sample, unlabelled};
use std::path::{Path, PathBuf};

/// A folder's pictures, in halves.
#[derive(Clone, Debug, Default)]
pub struct Halves {
    /// The folder's name, for tables.
    pub name: String,
    /// What may be fitted on.
    pub fitted: Vec<Sample>,
    /// What is only measured.
    pub measured: Vec<Sample>,
}

/// All folders of real pictures that the model is not for.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// No chests: INVALID is right.
    pub not_chests: Vec<Halves>,
    /// Chests of another kind: REFER is right.
    pub unfamiliar: Vec<Halves>,
    /// Neither is fitted on; nothing but POSITIVE and NEGATIVE is wrong.
    pub measured: Vec<Halves>,
}

impl Others {
    /// Reads the folders, for a network input of `side` pixels.
    ///
    /// # Errors
    /// A folder or a picture that cannot be read, or a folder without pictures.
    pub fn load(
        not_chests: &[PathBuf],
        unfamiliar: &[PathBuf],
        measured: &[PathBuf],
        side: u16,
    ) -> Result<Self, DatasetError> {
        let halves = |folders: &[PathBuf]| -> Result<Vec<Halves>, DatasetError> {
            folders.iter().map(|folder| Ok(in_halves(folder, read(folder, side)?))).collect()
        };
        let whole = |halves: Halves| Halves {
            measured: halves.fitted.into_iter().chain(halves.measured).collect(),
            fitted: Vec::new(),
            name: halves.name,
        };
        Ok(Self {
            not_chests: halves(not_chests)?,
            unfamiliar: halves(unfamiliar)?,
            measured: halves(measured)?.into_iter().map(whole).collect(),
        })
    }
}

/// The pictures of a folder; what is left out of it is said.
fn read(folder: &Path, side: u16) -> Result<Vec<Sample>, DatasetError> {
    let (samples, left_out) = unlabelled(folder, side)?;
    for (why, names) in &left_out.0 {
        eprintln!("{}: left out: {why}: {names}", folder.display());
    }
    Ok(samples)
}

fn in_halves(folder: &Path, samples: Vec<Sample>) -> Halves {
    let name =
        folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into());
    let mut halves = Halves { name, ..Halves::default() };
    let mut patients: Vec<String> = Vec::new();
    // One name for all says nothing of patients: then each file counts as one.
    let tells = samples.windows(2).any(|pair| patient_of(&pair[0].id) != patient_of(&pair[1].id));
    for sample in samples {
        let patient = if tells { patient_of(&sample.id) } else { sample.id.clone() };
        if patients.last() != Some(&patient) {
            patients.push(patient);
        }
        if patients.len() % 2 == 1 { halves.fitted.push(sample) } else { halves.measured.push(sample) }
    }
    halves
}

/// The folders and the name up to its first underscore.
fn patient_of(id: &str) -> String {
    let (folders, name) = id.rsplit_once('/').unwrap_or(("", id));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("{folders}/{}", stem.split('_').next().unwrap_or(stem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::phantoms;

    #[test]
    fn a_patient_stands_in_one_half() {
        let one = phantoms::load(2, 32).samples.remove(0);
        let ids = ["a/1_0.png", "a/1_1.png", "a/2_0.png", "a/3.png", "b/3.png", "b/4_0.png"];
        let samples = ids.map(|id| Sample { id: id.to_owned(), ..one.clone() });
        let halves = in_halves(Path::new("x/adults"), samples.to_vec());
        let names = |samples: &[Sample]| samples.iter().map(|s| s.id.clone()).collect::<Vec<_>>();
        assert_eq!(halves.name, "adults");
        assert_eq!(names(&halves.fitted), ["a/1_0.png", "a/1_1.png", "a/3.png", "b/4_0.png"]);
        assert_eq!(names(&halves.measured), ["a/2_0.png", "b/3.png"]);
        let alike = ["part_1.png", "part_2.png", "part_3.png"];
        let alike = alike.map(|id| Sample { id: id.to_owned(), ..one.clone() });
        let halves = in_halves(Path::new("parts"), alike.to_vec());
        assert_eq!((halves.fitted.len(), halves.measured.len()), (2, 1));
    }
}
