//! Real pictures that the model is not for: what is no chest, and chests of another kind than those
//! that it is measured on, adults' for example. They lie in folders of their own, without labels.
//!
//! Half of each folder is fitted on, the other half only measured: patients go to the halves in
//! turn, whatever folders below it their pictures lie in. Whose a picture is tell the names of known
//! collections and DICOM files, as in training; else the part of the name before its first underscore,
//! where it has a digit and is not the same in all; else each file counts as a patient.

use crate::dataset::{DatasetError, Sample, unlabelled};
use std::collections::{HashMap, HashSet};
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
    // One picture's id may stand for the patient of several.
    let told: HashSet<&str> =
        samples.iter().filter(|s| s.patient != s.id).map(|s| s.patient.as_str()).collect();
    let number = |sample: &Sample| {
        number_of(&sample.id).filter(|_| !told.contains(sample.patient.as_str())).map(str::to_owned)
    };
    let numbers: Vec<Option<String>> = samples.iter().map(number).collect();
    let tell = numbers.iter().flatten().collect::<HashSet<_>>().len() > 1;
    let mut known: HashMap<String, usize> = HashMap::new();
    for (sample, number) in samples.into_iter().zip(numbers) {
        let patient = number.filter(|_| tell).unwrap_or_else(|| sample.patient.clone());
        let next = known.len();
        let number = *known.entry(patient).or_insert(next);
        if number.is_multiple_of(2) { halves.fitted.push(sample) } else { halves.measured.push(sample) }
    }
    halves
}

/// What may be a patient's number in a name that is of no known collection: the part before the first
/// underscore, where it has a digit. The folders say nothing of the patient.
fn number_of(id: &str) -> Option<&str> {
    let name = id.rsplit('/').next()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.split('_').next().filter(|number| number.contains(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{patients_of, phantoms};

    /// Names of the fitted and of the measured half.
    fn halved(ids: &[&str]) -> [Vec<String>; 2] {
        let one = phantoms::load(2, 32).samples.remove(0);
        let pairs: Vec<(String, bool)> = ids.iter().map(|id| ((*id).to_owned(), false)).collect();
        let sample =
            |((id, _), patient): (&(String, bool), String)| Sample { id: id.clone(), patient, ..one.clone() };
        let samples = pairs.iter().zip(patients_of(&pairs)).map(sample).collect();
        let halves = in_halves(Path::new("x/adults"), samples);
        assert_eq!(halves.name, "adults");
        [halves.fitted, halves.measured].map(|half| half.into_iter().map(|sample| sample.id).collect())
    }

    #[test]
    fn a_patient_stands_in_one_half_whatever_folders_his_pictures_lie_in() {
        // As NIH ChestX-ray14 names them: follow-ups with and without a finding.
        let [fitted, measured] = halved(&[
            "no_finding/00001734_001.jpg",
            "no_finding/00002572_000.jpg",
            "no_finding/00002572_003.jpg",
            "no_finding/00002846_011.jpg",
            "pneumonia/00001734_005.jpg",
            "pneumonia/00002572_001.jpg",
            "pneumonia/00003000_000.jpg",
        ]);
        let expected =
            ["no_finding/00001734_001.jpg", "no_finding/00002846_011.jpg", "pneumonia/00001734_005.jpg"];
        assert_eq!(fitted, expected);
        assert_eq!(measured.len(), 4);
        // Numbers of no known collection.
        let [fitted, measured] =
            halved(&["a/1_0.png", "a/1_1.png", "a/2_0.png", "b/1_2.png", "b/2.png", "b/3_0.png"]);
        assert_eq!(fitted, ["a/1_0.png", "a/1_1.png", "b/1_2.png", "b/3_0.png"]);
        assert_eq!(measured, ["a/2_0.png", "b/2.png"]);
    }

    #[test]
    fn names_that_tell_nothing_are_halved_by_file() {
        for names in [["part_1.png", "part_2.png", "part_3.png"], ["s2_1.png", "s2_2.png", "s2_3.png"]] {
            assert_eq!(halved(&names).map(|half| half.len()), [2, 1], "{names:?}");
        }
        // DICOM files that tell it: the first one's name stands for a patient of two.
        let one = phantoms::load(2, 32).samples.remove(0);
        let of =
            |(id, patient): (&str, &str)| Sample { id: id.into(), patient: patient.into(), ..one.clone() };
        let films = [("1.dcm", "1.dcm"), ("2.dcm", "2.dcm"), ("3.dcm", "1.dcm"), ("4.dcm", "4.dcm")].map(of);
        let halves = in_halves(Path::new("films"), films.to_vec());
        let measured: Vec<&str> = halves.measured.iter().map(|sample| sample.id.as_str()).collect();
        assert_eq!((halves.fitted.len(), measured), (3, vec!["2.dcm"]));
        assert_eq!(halved(&["a/x.png", "b/x.png", "b/y.png"]).map(|half| half.len()), [2, 1]);
    }
}
