//! The training loop that float training and int8 fine-tuning share; resumable after every epoch.
//!
//! What is validated and handed on is the exponential moving average of the parameters. No
//! checkpoint is selected by its validation score: the last one counts, so the validation figures
//! are not flattered by the choice.

use crate::augment::batches::{self, Changes};
use crate::dataset::Sample;
use crate::progress;
use crate::run::{Epoch, Phase, Run};
use crate::train::distillation::{Distillation, Teacher};
use crate::train::net;
use crate::train::objective::{self, Objective, Outputs, Targets};
use crate::train::optimizer::{AdamW, class_weights, cosine, values};
use crate::train::others::OtherPictures;
use crate::train::tensors;
use crate::train::validation::Validation;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::time::Instant;
use tch::{Device, Tensor};

/// Largest norm of a gradient, in the units of the parameters.
const CLIP: f64 = 2.0;

/// A network that [`fit`] can train. Pictures come as steps around the preprocessing's zero point,
/// see [`net::to_steps`].
pub trait Trainable {
    fn logits(&self, parameters: &Tensor, steps: &Tensor) -> Tensor;
    /// Answers while training, to a batch and the pictures beside it; `parameters` require gradients.
    fn train_outputs(&self, parameters: &Tensor, steps: &Tensor, _others: Option<&Tensor>) -> Outputs {
        Outputs::of(self.logits(parameters, steps))
    }
    /// Called after each step of the optimizer, with the decay of the moving average.
    fn after_step(&mut self, _decay: f64) {}
    /// Tensors besides the parameters that change while training; saved and restored by name.
    fn buffers(&self) -> Vec<(&'static str, &Tensor)> {
        vec![]
    }
}

/// What keeps a network from learning its training pictures by heart; nothing of it by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regularisation {
    /// See [`Objective`].
    pub smoothing: f64,
    /// Alpha of [`objective::own_part`]; 0 to mix nothing.
    pub mixup: f64,
    /// How far [`AdamW::sharpness_aware_step`] climbs; 0 for plain steps.
    pub sam: f64,
    /// See [`Objective`].
    pub auxiliary: f64,
}

#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    /// Which training, for the history.
    pub phase: Phase,
    /// File of the state after the last finished epoch.
    pub checkpoint: &'a str,
    pub epochs: usize,
    pub rate: f64,
    pub regularisation: Regularisation,
    /// A teacher beside the labels.
    pub lessons: Option<&'a Distillation<'a>>,
    /// Pictures that the model is not for, for a network with a head for them.
    pub others: Option<&'a OtherPictures>,
}

/// Trains until all epochs are done, going on from the checkpoint where there is one.
pub fn fit(
    run: &mut Run,
    samples: &[Sample],
    schedule: &Schedule,
    optimizer: &mut AdamW,
    network: &mut dyn Trainable,
    device: Device,
) -> Result<()> {
    let recipe = run.recipe.clone();
    let (train, validate) = run.indices(samples)?;
    let checkpoint = run.path(schedule.checkpoint);
    let done = if checkpoint.exists() { load(&checkpoint, optimizer, network, device)? } else { 0 };
    run.truncate(schedule.phase, done);
    if done >= schedule.epochs {
        return Ok(());
    }
    let validation = Validation::new(samples, &validate, recipe.side, &run.folder, device)?;
    let weights = class_weights(train.iter().filter(|&&i| samples[i].positive).count(), train.len());
    let Regularisation { smoothing, mixup, sam, auxiliary } = schedule.regularisation;
    let objective =
        Objective { weights, smoothing, lessons: schedule.lessons, auxiliary, others: schedule.others };
    let steps = train.len().div_ceil(recipe.batch);
    // The network's own side, then the teacher's.
    let teachers = schedule.lessons.map_or(&[][..], |lessons| lessons.teacher.sides());
    let sides: Vec<u16> = std::iter::once(recipe.side).chain(teachers.iter().copied()).collect();
    for epoch in done..schedule.epochs {
        let started = Instant::now();
        let bar =
            progress::bar(&format!("{} epoch {} of {}", schedule.phase, epoch + 1, schedule.epochs), steps);
        // Sum of the loss, pictures on the right side of a logit of 0, and all pictures.
        let (mut loss_sum, mut right, mut count) = (0.0, 0.0, 0f64);
        std::thread::scope(|scope| -> Result<()> {
            // Fine-tuning sees other orders than float training did, and other changes unless draws are shared.
            let number = epoch as u64 + schedule.phase.first_epoch();
            let order = batches::shuffled(&train, recipe.seed, number);
            let draw = epoch as u64 % recipe.draws.max(1);
            let changes = match recipe.draws {
                0 => Changes::of_epoch(recipe.seed, number),
                _ => Changes::shared(draw),
            }
            .with_film(recipe.film);
            let (receiver, worker) =
                batches::start(scope, samples, order, changes, (recipe.batch, sides.clone()));
            for (index, batch) in receiver.iter().enumerate() {
                let rate = cosine(epoch * steps + index, steps, schedule.epochs * steps, schedule.rate);
                let mut seen = batch.pictures.iter().zip(&sides).map(|(pictures, &side)| {
                    let pictures = pictures.iter().map(Vec::as_slice);
                    net::channels_last(&net::to_steps(pictures, i64::from(side), device))
                });
                let pictures = seen.next().context("a batch without pictures")?;
                let targets = Targets {
                    labels: Tensor::from_slice(&batch.labels).to_device(device),
                    subtypes: Tensor::from_slice(&subtypes(samples, &batch.indices)).to_device(device),
                    taught: match schedule.lessons.map(|lessons| &lessons.teacher) {
                        None => None,
                        Some(Teacher::Asked { teach, .. }) => {
                            Some(tch::no_grad(|| teach(&seen.collect::<Vec<_>>())))
                        }
                        Some(Teacher::Kept(kept)) => {
                            Some(Tensor::from_slice(&kept.logits(draw, &batch.indices)?).to_device(device))
                        }
                    },
                };
                let own = match mixup {
                    0.0 => 1.0,
                    alpha => objective::own_part((recipe.seed, number), index, alpha),
                };
                let pictures = match own {
                    1.0 => pictures,
                    own => net::channels_last(&objective::mix(&pictures, own)),
                };
                let others = schedule.others.map(|others| {
                    let others = others.beside((recipe.seed, number), index, recipe.film, recipe.side);
                    let others = others.iter().map(Vec::as_slice);
                    net::channels_last(&net::to_steps(others, i64::from(recipe.side), device))
                });
                let outputs = network.train_outputs(&optimizer.parameters, &pictures, others.as_ref());
                let loss = objective.loss(&outputs, &targets, own);
                loss_sum += loss.double_value(&[]) * batch.labels.len() as f64;
                let hits = values(&outputs.logits)
                    .iter()
                    .zip(&batch.labels)
                    .filter(|(z, y)| (**z > 0.0) == (**y > 0.5))
                    .count();
                right += hits as f64;
                count += batch.labels.len() as f64;
                let decay = match sam {
                    0.0 => optimizer.step(&loss, rate, CLIP),
                    rho => unmoved(network, |network| {
                        let mut again = |parameters: &Tensor| {
                            let outputs = network.train_outputs(parameters, &pictures, others.as_ref());
                            objective.loss(&outputs, &targets, own)
                        };
                        optimizer.sharpness_aware_step(&loss, &mut again, rho, (rate, CLIP))
                    }),
                };
                network.after_step(decay);
                bar.inc(1);
            }
            ensure!(worker.join().is_ok(), "the thread that prepares pictures stopped");
            Ok(())
        })?;
        bar.finish_and_clear();
        let forward = |steps: &Tensor| network.logits(&optimizer.average, steps);
        let [plain, shifted, film] = validation.score(weights, &forward);
        // The checkpoint says how far the run is; a history that is one epoch ahead of it is cut
        // when the run goes on.
        run.record(Epoch {
            epoch: epoch + 1,
            phase: schedule.phase,
            train_loss: loss_sum / count.max(1.0),
            train_accuracy: right / count.max(1.0),
            val_loss: plain.loss,
            val_accuracy: plain.accuracy,
            val_auc: plain.auc,
            shifted_loss: shifted.loss,
            shifted_accuracy: shifted.accuracy,
            shifted_auc: shifted.auc,
            film_loss: Some(film.loss),
            film_accuracy: Some(film.accuracy),
            film_auc: Some(film.auc),
            seconds: started.elapsed().as_secs_f64(),
        })?;
        save(&checkpoint, optimizer, network, epoch + 1)?;
    }
    Ok(())
}

/// 1 for viral, 0 for bacterial, -1 where the file name does not tell.
fn subtypes(samples: &[Sample], indices: &[usize]) -> Vec<f32> {
    let of = |&i: &usize| match samples[i].subgroup {
        "virus" => 1.0,
        "bacteria" => 0.0,
        _ => -1.0,
    };
    indices.iter().map(of).collect()
}

/// What `step` returns, with the network's buffers as they were: a second look at a batch is not
/// another batch. They are put back after the whole step, because its gradient needs what it saw.
fn unmoved<T>(network: &dyn Trainable, step: impl FnOnce(&dyn Trainable) -> T) -> T {
    let before: Vec<Tensor> = network.buffers().iter().map(|(_, buffer)| buffer.copy()).collect();
    let result = step(network);
    for ((_, buffer), before) in network.buffers().into_iter().zip(before) {
        tch::no_grad(|| buffer.shallow_clone().copy_(&before));
    }
    result
}

/// Everything that changes while training, by name.
fn state<'a>(optimizer: &'a AdamW, network: &'a dyn Trainable) -> Vec<(&'static str, &'a Tensor)> {
    let mut state = vec![
        ("parameters", &optimizer.parameters),
        ("first", &optimizer.first_moment),
        ("second", &optimizer.second_moment),
        ("average", &optimizer.average),
    ];
    state.extend(network.buffers());
    state
}

fn save(path: &Path, optimizer: &AdamW, network: &dyn Trainable, epochs: usize) -> Result<()> {
    let progress = Tensor::from_slice(&[optimizer.steps, epochs as i64]);
    let mut tensors = state(optimizer, network);
    tensors.push(("progress", &progress));
    tensors::save(path, &tensors)
}

/// Restores the state in place and returns the number of finished epochs.
fn load(path: &Path, optimizer: &mut AdamW, network: &dyn Trainable, device: Device) -> Result<usize> {
    let found = tensors::load(path, device)?;
    let get = |name: &str| found.get(name).with_context(|| format!("{}: no tensor `{name}`", path.display()));
    for (name, tensor) in state(optimizer, network) {
        let saved = get(name)?;
        ensure!(saved.size() == tensor.size(), "{}: `{name}` is of another network", path.display());
        tch::no_grad(|| tensor.shallow_clone().copy_(saved));
    }
    let progress = get("progress")?.to_device(Device::Cpu);
    optimizer.steps = progress.int64_value(&[0]);
    Ok(usize::try_from(progress.int64_value(&[1]))?)
}
