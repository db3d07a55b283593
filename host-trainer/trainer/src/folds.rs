//! Predictions out of fold: what networks said of patients that they had not learned from.
//!
//! Every picture is judged once under each condition, by the network of the fold that held its
//! patient (or its whole cluster of acquisition) out. `predictions.csv` in a folds folder has a line a
//! picture, `figures.json` what they amount to. Score and thresholds of an export can be fitted on
//! them.

pub mod baselines;
pub mod figures;

use crate::run::{Recipe, Run};
use anyhow::{Context, Result, ensure};
use edge_model::files;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
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
    pub id: String,
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
    /// Whether the folds were trained by the run's own recipe, but for who validates. Networks of another
    /// one, with fewer epochs for example, may have logits on another scale.
    pub same_recipe: bool,
}

impl Gathered {
    pub fn open(folder: &Path, recipe: &Recipe) -> Result<Self> {
        let rows = read(&folder.join(PREDICTIONS))?;
        let fold = Run::open(&folder.join("fold-1"))?;
        let same_recipe = Recipe { split: recipe.split, ..fold.recipe } == *recipe;
        Ok(Self { rows, same_recipe })
    }
}

/// Writes one line a picture.
pub fn write(path: &Path, rows: &[OutOfFold]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter().try_for_each(|row| writer.serialize(row))?;
    Ok(files::write(path, &writer.into_inner()?)?)
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
