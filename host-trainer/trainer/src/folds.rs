//! Predictions out of fold: what networks said of patients that they had not learned from.
//!
//! Every picture is judged once under each condition, by the network of the fold that held its
//! patient (or its whole cluster of acquisition) out. `predictions.csv` in a folds folder has a line a
//! picture, `figures.json` what they amount to. Score and thresholds of an export can be fitted on
//! them.

pub mod baselines;
pub mod figures;

use crate::cell;
use crate::run::{Recipe, Run, TaughtRecipe};
use anyhow::{Context, Result, ensure};
use edge_model::files;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// Name of the file of predictions, in a fold's folder and in that of all folds.
pub const PREDICTIONS: &str = "predictions.csv";
/// The figures' file as a run keeps it, where its model was fitted on these predictions.
pub const IN_RUN: &str = "out-of-fold.json";
/// Name of the file of figures.
pub const FIGURES: &str = "figures.json";

/// One picture, judged by a network that knows neither it nor its patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutOfFold {
    #[serde(with = "cell")]
    pub id: String,
    #[serde(with = "cell")]
    pub patient: String,
    /// 1 for pneumonia.
    pub label: u8,
    /// From 1.
    pub fold: usize,
    /// Logit of the picture as it is.
    pub plain: f32,
    /// Logit of the shifted picture.
    pub shifted: f32,
    /// Logit of the photograph of a film.
    pub film: f32,
}

impl OutOfFold {
    pub fn positive(&self) -> bool {
        self.label == 1
    }

    /// In the order of [`crate::augment::condition::Condition::ALL`].
    pub fn logits(&self) -> [f32; 3] {
        [self.plain, self.shifted, self.film]
    }
}

/// A folds folder, gathered for the model of a run.
#[derive(Clone, Debug)]
pub struct Gathered {
    pub rows: Vec<OutOfFold>,
    /// Whether the folds were all trained by the run's own recipe, but for who validates. Networks of another
    /// one, with fewer epochs for example, may have logits on another scale.
    pub same_recipe: bool,
}

impl Gathered {
    /// # Errors
    /// Folds of other data or of other patients than the run's: their networks may have learned from what
    /// they judge here.
    pub fn open(folder: &Path, run: &Run) -> Result<Self> {
        let rows = read(&folder.join(PREDICTIONS))?;
        let numbers: BTreeSet<usize> = rows.iter().map(|row| row.fold).collect();
        let mut same_recipe = true;
        for number in numbers {
            let fold = Run::open(&folder.join(format!("fold-{number}")))?;
            ensure!(
                fold.data_sha256 == run.data_sha256,
                "the predictions out of fold are of other data: {} was trained on {} (SHA-256 {}), {} on {} (SHA-256 {}); run \
                 `folds` on the --data of the run",
                fold.folder.display(),
                fold.data,
                fold.data_sha256,
                run.folder.display(),
                run.data,
                run.data_sha256
            );
            // Of two of a version before this was kept nothing is known.
            ensure!(
                fold.patients_sha256 == run.patients_sha256,
                "the predictions out of fold are of other patients: {} and {} are of the same pictures, but whose they are is \
                 not the same; run `folds` with the run's --patients, --labels and --patient-column",
                fold.folder.display(),
                run.folder.display()
            );
            same_recipe &= same_but_for_patients(fold.recipe, &run.recipe);
        }
        Ok(Self { rows, same_recipe })
    }
}

/// Whether the recipe of a fold is that of a run, but for who validates, and for teachers that have
/// learned from others for that reason.
fn same_but_for_patients(fold: Recipe, run: &Recipe) -> bool {
    let teachers = run.taught.as_ref().map_or_else(Vec::new, |taught| taught.teachers.clone());
    let taught = fold.taught.map(|taught| TaughtRecipe { teachers, ..taught });
    Recipe { split: run.split, threads: run.threads, taught, ..fold } == *run
}

/// Writes one line a picture.
pub fn write(path: &Path, rows: &[OutOfFold]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter().try_for_each(|row| writer.serialize(row))?;
    Ok(files::write_private(path, &writer.into_inner()?)?)
}

/// Reads what [`write`] wrote; an error where a picture is there twice, a logit is no number or a label
/// is neither 0 nor 1.
pub fn read(path: &Path) -> Result<Vec<OutOfFold>> {
    let name = || path.display().to_string();
    let mut reader = csv::Reader::from_path(path)
        .with_context(|| format!("{}: no predictions out of fold; make them with `folds`", name()))?;
    let rows: Vec<OutOfFold> = reader.deserialize().collect::<Result<_, _>>().with_context(name)?;
    let mut seen = HashSet::new();
    for row in &rows {
        ensure!(seen.insert(&row.id), "{}: {} is there twice", name(), row.id);
        ensure!(row.label <= 1, "{}: {}: expected a label of 0 or 1, got {}", name(), row.id, row.label);
        ensure!(row.logits().iter().all(|z| z.is_finite()), "{}: {}: a logit is no number", name(), row.id);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::split::{Fold, SplitKind};

    #[test]
    fn teachers_of_a_fold_are_others_and_the_recipe_is_the_same() {
        let by = |teachers: &[&str], share| {
            let teachers: Vec<String> = teachers.iter().map(|&sha256| sha256.into()).collect();
            let taught = TaughtRecipe { sides: vec![160; teachers.len()], teachers, temperature: 2.0, share };
            Recipe { taught: Some(taught), ..Recipe::default() }
        };
        let split = SplitKind::PatientFold(Fold { number: 2, of: 5 });
        let fold = |recipe| Recipe { split, ..recipe };
        let run = by(&["a"], 0.7);
        assert!(same_but_for_patients(fold(by(&["b"], 0.7)), &run));
        assert!(same_but_for_patients(fold(Recipe::default()), &Recipe::default()));
        assert!(!same_but_for_patients(fold(by(&["a"], 0.5)), &run), "another share of the teacher");
        assert!(!same_but_for_patients(fold(by(&["a", "b"], 0.7)), &run), "a teacher more");
        assert!(!same_but_for_patients(fold(Recipe::default()), &run), "no teacher");
        assert!(!same_but_for_patients(fold(run.clone()), &Recipe::default()), "a teacher");
        assert!(!same_but_for_patients(fold(Recipe { epochs: 9, ..by(&["a"], 0.7) }), &run));
    }
}
