//! Lists of labels and of patients: each row means its own picture.

use crate::folders::{grey, png, put};
use ::phantoms::Label;
use std::path::Path;
use trainer::dataset::{self, DataOptions, Dataset, DatasetError, Part};

/// Pictures of these names, ill where a folder says so.
fn films(root: &Path, names: &[&str]) {
    for (seed, name) in (0..).zip(names) {
        let label = if name.contains("PNEUMONIA") { Label::Pneumonia } else { Label::Normal };
        put(root, name, &png(&grey(label, seed)));
    }
}

fn load(root: &Path, part: Part, options: &DataOptions) -> Result<Dataset, DatasetError> {
    dataset::load(root, part, 32, options)
}

/// The learning part with a list of patients.
fn with_patients(root: &Path, rows: &str) -> Result<Vec<(String, String)>, String> {
    let path = root.join("patients.csv");
    std::fs::write(&path, format!("image,patient\n{rows}")).unwrap();
    let options = DataOptions { patients: Some(path), ..DataOptions::default() };
    let data = load(root, Part::Learning, &options).map_err(|error| error.to_string())?;
    Ok(data.samples.into_iter().map(|sample| (sample.id, sample.patient)).collect())
}

#[test]
fn a_row_of_test_is_never_a_training_pictures() {
    let root = tempfile::tempdir().unwrap();
    let train = ["train/NORMAL/1.png", "train/NORMAL/2.png", "train/PNEUMONIA/1.png"];
    films(root.path(), &train);
    films(root.path(), &["test/NORMAL/1.png", "test/PNEUMONIA/9.png"]);
    let rows: String = train.iter().map(|name| format!("{name},anna\n")).collect();
    // A picture of test/, one that is not there, and the same with the data folder's whole path.
    let data = root.path().display();
    for other in
        ["test/NORMAL/1.png", "test/NORMAL/2.png", "elsewhere/1.png", &format!("{data}/test/NORMAL/1.png")]
    {
        let read = with_patients(root.path(), &format!("{rows}{other},bob\n")).unwrap();
        assert_eq!(read.len(), 3);
        assert!(read.iter().all(|(_, patient)| patient == "anna"), "{other}: {read:?}");
    }
    // What is not known of several is no patient of theirs all.
    let unknown = rows.replace("anna", "N/A");
    let error = with_patients(root.path(), &unknown).unwrap_err();
    assert!(error.contains("names no patient of these pictures: 3"), "{error}");
    // By name alone three pictures could be meant.
    let error = with_patients(root.path(), &format!("{rows}1.png,bob\n")).unwrap_err();
    assert!(error.contains("1.png fits several files in several folders"), "{error}");
    // Two rows for one picture, written in two ways.
    let error = with_patients(root.path(), &format!("{rows}{data}/train/NORMAL/1.png,bob\n")).unwrap_err();
    assert!(error.contains("two patients: 1 (train/NORMAL/1.png in lines 2, 5: anna and bob)"), "{error}");
    assert!(with_patients(root.path(), &format!("{rows}{data}/train/NORMAL/1.png,anna\n")).is_ok());
}

#[test]
fn a_list_of_another_folder_names_nobody_here_and_that_is_said() {
    let root = tempfile::tempdir().unwrap();
    films(root.path(), &["hospitalA/NORMAL/1.png", "hospitalA/PNEUMONIA/2.png"]);
    let here = root.path().join("hospitalA");
    let read = with_patients(&here, "hospitalA/NORMAL/1.png,anna\nPNEUMONIA/2.png,bob\n").unwrap();
    assert_eq!(read.iter().map(|(_, patient)| patient.as_str()).collect::<Vec<_>>(), ["anna", "bob"]);
    let error = with_patients(&here, "hospitalB/NORMAL/1.png,anna\nPNEUMONIA/2.png,bob\n").unwrap_err();
    assert!(error.contains("no patient of these pictures: 1 (NORMAL/1.png)"), "{error}");
    assert!(error.contains("passed over") && error.contains("1 (hospitalB/NORMAL/1.png)"), "{error}");
}

#[test]
fn rows_of_a_wrapped_folder_are_found_from_each_of_its_levels() {
    let root = tempfile::tempdir().unwrap();
    films(root.path(), &["set/chest_xray/train/NORMAL/1.png", "set/chest_xray/train/PNEUMONIA/1.png"]);
    let set = root.path().join("set");
    for above in ["", "train/", "chest_xray/train/", "./set/chest_xray/train/"] {
        let rows = format!("{above}NORMAL/1.png,anna\n{above}PNEUMONIA\\1,bob\n");
        let read = with_patients(&set, &rows).unwrap();
        assert_eq!(
            read.iter().map(|(_, patient)| patient.as_str()).collect::<Vec<_>>(),
            ["anna", "bob"],
            "{above}"
        );
    }
}

#[test]
fn names_that_stand_for_both_classes_are_refused() {
    let root = tempfile::tempdir().unwrap();
    films(root.path(), &["a/1.png", "PNEUMONIA/2.png"]);
    let options = |pairs: &[&str]| DataOptions {
        classes: pairs.iter().map(|pair| pair.parse().unwrap()).collect(),
        ..DataOptions::default()
    };
    assert!(load(root.path(), Part::Learning, &options(&["NORMAL=a"])).is_ok());
    for pairs in [&["NORMAL=a", "PNEUMONIA=A"][..], &["NORMAL=pneumonia"]] {
        let error = load(root.path(), Part::Learning, &options(pairs)).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("stands for NORMAL and for PNEUMONIA"), "{error}");
    }
}
