//! Fine-tunes a teacher: the same loop, augmentation and validation as the small network's, with
//! smoothed labels and a smaller learning rate.

use super::efficientnet::{Size, parameters};
use crate::dataset::Sample;
use crate::run::{Phase, Recipe, Run, TeacherRecipe};
use crate::train::fit::{Regularisation, Schedule, fit};
use crate::train::optimizer::AdamW;
use crate::train::{FloatNet, FloatTraining};
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Device, Tensor};

/// The finished teacher, in its folder.
const FILE: &str = "teacher.safetensors";
/// Share of each label that goes to both classes: the training set's labels are not all right.
const SMOOTHING: f64 = 0.04;

/// What is asked of a teacher by default; longer schedules were not tried.
pub fn recipe(side: u16, seed: u64, teacher: TeacherRecipe) -> Recipe {
    Recipe {
        seed,
        side,
        epochs: 7,
        rate: 6e-4,
        average: 0.998,
        quantized_epochs: 0,
        teacher: Some(teacher),
        ..Recipe::default()
    }
}

/// Trains from `published` weights (drawn ones where there are none), or goes on from the last
/// finished epoch, and writes the teacher into its folder.
pub fn finetune(
    run: &mut Run,
    samples: &[Sample],
    published: Option<BTreeMap<String, Tensor>>,
    device: Device,
) -> Result<()> {
    let recipe = run.recipe.clone();
    let net = size(run)?.net(i64::from(recipe.side));
    let (first, statistics) = match published {
        Some(published) => parameters(&net, published)?,
        None => (net.first_parameters(recipe.seed), net.first_statistics()),
    };
    let mut optimizer = AdamW::new(
        &first.to_device(device),
        net.decay_mask().to_device(device),
        recipe.decay,
        recipe.average,
    );
    let mut network = FloatTraining::new(net, statistics.to_device(device));
    let schedule = Schedule {
        phase: Phase::Teacher,
        checkpoint: "teach.safetensors",
        epochs: recipe.epochs,
        rate: recipe.rate,
        regularisation: Regularisation { smoothing: SMOOTHING, ..Regularisation::default() },
        others: None,
        lessons: None,
    };
    fit(run, samples, &schedule, &mut optimizer, &mut network, device)?;
    network.finish(optimizer).save(&run.path(FILE))
}

/// The finished teacher of a folder.
pub fn load(run: &Run, device: Device) -> Result<FloatNet> {
    FloatNet::read(&run.path(FILE), size(run)?.net(i64::from(run.recipe.side)), device)
}

/// SHA-256 of the finished teacher in a folder.
pub fn sha256(folder: &Path) -> Result<String> {
    let path = folder.join(FILE);
    wheels::sha256(&path)
        .with_context(|| format!("{}: no finished teacher; make one with `teach`", path.display()))
}

fn size(run: &Run) -> Result<Size> {
    let at = || format!("{}: expected a teacher's folder, as `teach` makes it", run.folder.display());
    let teacher = run.recipe.teacher.as_ref().with_context(at)?;
    Size::from_str(&teacher.size, true)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{}: the size of a teacher", run.folder.display()))
}
