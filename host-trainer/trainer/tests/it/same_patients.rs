//! What was said of pictures and patients when a run began holds for all of its steps, and for the folds
//! that its model is fitted on.

use crate::folders::{grey, png, put};
use ::phantoms::Label;
use image::imageops::{FilterType, resize};
use std::path::Path;
use std::process::Command;
use trainer::dataset::{self, DataOptions, Dataset, Part, content_hash};
use trainer::folds::{Gathered, OutOfFold, PREDICTIONS, write};
use trainer::run::{Recipe, Run};

/// Twenty pictures of each class, whose names tell no patients, as a run was started on them.
fn begun(root: &Path, run: &Path) -> (Run, Dataset) {
    for seed in 0..20 {
        put(root, &format!("NORMAL/{seed}.png"), &png(&grey(Label::Normal, 2 * seed)));
        put(root, &format!("PNEUMONIA/{seed}.png"), &png(&grey(Label::Pneumonia, 2 * seed + 1)));
    }
    let data = dataset::load(root, Part::Learning, 32, &DataOptions::default()).unwrap();
    let about = ("films".to_owned(), content_hash(&data.samples));
    let recipe = Recipe { side: 32, ..Recipe::default() };
    let run = Run::start(run, recipe, about, vec![], &data.samples, false).unwrap();
    (run, data)
}

#[test]
fn a_step_with_other_patients_than_its_runs_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (root, at, list) =
        (place.path().join("films"), place.path().join("run"), place.path().join("list.csv"));
    let (run, data) = begun(&root, &at);
    // Two pictures of each patient.
    let rows = (0..20).map(|i| format!("NORMAL/{i}.png,{}\nPNEUMONIA/{i}.png,{}\n", i / 2, 50 + i / 2));
    std::fs::write(&list, rows.fold("image,patient\n".to_owned(), |all, row| all + &row)).unwrap();
    let step = |more: &[&Path]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
        program.arg("quantize").arg("--data").arg(&root).arg("--run").arg(&at);
        let output = program.args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let error = step(&["--patients".as_ref(), list.as_path()]);
    assert!(error.contains("was started with other patients") && error.contains("--patients"), "{error}");
    // With its own it goes on, to what is missing still.
    let error = step(&[]);
    assert!(!error.contains("other patients") && error.contains("float.safetensors"), "{error}");

    // A run that is resumed, and one of an earlier version, whose split tells.
    let options = DataOptions { patients: Some(list), ..DataOptions::default() };
    let other = dataset::load(&root, Part::Learning, 32, &options).unwrap();
    let about = (run.data.clone(), run.data_sha256.clone());
    let resumed = Run::start(&at, run.recipe.clone(), about, vec![], &other.samples, true);
    assert!(resumed.unwrap_err().to_string().contains("was started with other patients"));
    let mut old = run;
    old.patients_sha256 = None;
    assert!(old.check(&other.samples).is_err());
    old.check(&data.samples).unwrap();
    // What patients are called does not matter.
    let mut renamed = data.samples.clone();
    renamed.iter_mut().for_each(|sample| sample.patient = format!("patient {}", sample.patient));
    Run::open(&at).unwrap().check(&renamed).unwrap();
    renamed[3].positive ^= true;
    assert!(Run::open(&at).unwrap().check(&renamed).unwrap_err().to_string().contains("not the data"));
}

#[test]
fn predictions_out_of_fold_of_other_pictures_or_patients_are_refused_with_both() {
    let place = tempfile::tempdir().unwrap();
    let folds = place.path().join("folds");
    let (run, data) = begun(&place.path().join("films"), &place.path().join("run"));
    let rows: Vec<OutOfFold> = data
        .samples
        .iter()
        .map(|sample| OutOfFold {
            id: sample.id.clone(),
            patient: sample.patient.clone(),
            label: u8::from(sample.positive),
            fold: 1 + usize::from(sample.id.contains('7')),
            plain: 0.5,
            shifted: 0.25,
            film: 0.0,
        })
        .collect();
    std::fs::create_dir_all(&folds).unwrap();
    write(&folds.join(PREDICTIONS), &rows).unwrap();
    let fold = |number: usize, samples: &[dataset::Sample], recipe: Recipe| {
        let folder = folds.join(format!("fold-{number}"));
        std::fs::remove_dir_all(&folder).unwrap_or_default();
        let about = ("other films".to_owned(), content_hash(samples));
        Run::start(&folder, recipe, about, vec![], samples, false).unwrap()
    };
    fold(1, &data.samples, run.recipe.clone());
    fold(2, &data.samples, run.recipe.clone());
    assert!(Gathered::open(&folds, &run).unwrap().same_recipe);
    fold(2, &data.samples, Recipe { epochs: 3, ..run.recipe.clone() });
    assert!(!Gathered::open(&folds, &run).unwrap().same_recipe);
    // The same names and labels, another picture behind one of them.
    let mut other = data.samples.clone();
    other[5].content[0] ^= 1;
    let stranger = fold(2, &other, run.recipe.clone());
    let error = Gathered::open(&folds, &run).unwrap_err().to_string();
    for part in ["of other data", &stranger.data_sha256, &run.data_sha256, "fold-2", "other films"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    let mut shared = data.samples.clone();
    shared[5].patient = shared[4].patient.clone();
    fold(2, &shared, run.recipe.clone());
    let error = Gathered::open(&folds, &run).unwrap_err().to_string();
    assert!(error.contains("of other patients") && error.contains("--patients"), "{error}");
}

#[test]
fn films_coded_anew_on_both_sides_of_the_split_are_told_until_a_list_says_whose_they_are() {
    let place = tempfile::tempdir().unwrap();
    let (root, list) = (place.path().join("films"), place.path().join("list.csv"));
    begun(&root, &place.path().join("first"));
    let mut rows = "image,patient\n".to_owned();
    for number in 0..40 {
        let (label, folder) = [(Label::Normal, "NORMAL"), (Label::Pneumonia, "PNEUMONIA")][number % 2];
        let film = format!("{folder}/{}", number / 2);
        let smaller = resize(&grey(label, number as u64), 80, 80, FilterType::Triangle);
        put(&root, &format!("{film}-again.png"), &png(&smaller));
        rows += &format!("{film}.png,{film}\n{film}-again.png,{film}\n");
    }
    std::fs::write(&list, rows).unwrap();
    let said = |run: &str, more: &[&Path]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
        program.args(["train", "--side", "32", "--epochs", "1", "--few-pictures", "--data"]).arg(&root);
        let output = program.arg("--run").arg(place.path().join(run)).args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let note = "look alike one picture trains and another validates";
    let alone = said("alone", &[]);
    assert!(alone.contains("40 groups of 80 pictures look alike") && alone.contains(note), "{alone}");
    let together = said("together", &["--patients".as_ref(), list.as_path()]);
    assert!(together.contains("look alike") && !together.contains(note), "{together}");
}
