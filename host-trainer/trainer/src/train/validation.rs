//! The validation sets, one a [`Condition`], and a network's figures on them. All are always measured:
//! a plain validation score alone says little, since the shortcuts of the training data hold in it too.

use crate::augment::condition::Condition;
use crate::dataset::{Pixels, Sample};
use crate::evaluate::metrics;
use crate::progress;
use crate::train::net::{channels_last, to_steps};
use crate::train::optimizer::{balanced_loss, values};
use anyhow::{Context, Result};
use std::path::Path;
use tch::{Device, Tensor};

const CHUNK: usize = 64;

/// Preprocessed pictures of the validation patients under every condition: made once, and on disk where
/// the samples are.
#[derive(Debug)]
pub struct Validation {
    /// In the order of [`Condition::ALL`], each in the order of the patients' pictures.
    pub pictures: [Vec<Pixels>; 3],
    /// True for pneumonia.
    pub labels: Vec<bool>,
    side: u16,
    device: Device,
}

/// A network's figures on one set.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationMetrics {
    pub loss: f64,
    /// Share on the right side of a logit of 0.
    pub accuracy: f64,
    /// Area under the ROC curve; NaN where a class is absent.
    pub auc: f64,
}

impl Validation {
    /// Of the samples at `indices`, for an input of `side` pixels. What goes to disk goes into `folder`,
    /// without a name.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn new(
        samples: &[Sample],
        indices: &[usize],
        side: u16,
        folder: &Path,
        device: Device,
    ) -> Result<Self> {
        let inputs = |condition: Condition| {
            let inputs = condition.inputs(samples, indices, side, folder);
            inputs.with_context(|| format!("cannot keep validation pictures in {}", folder.display()))
        };
        let [plain, shifted, film] = Condition::ALL.map(inputs);
        let labels = indices.iter().map(|&i| samples[i].positive).collect();
        Ok(Self { pictures: [plain?, shifted?, film?], labels, side, device })
    }

    /// Runs `forward` (steps in, logits out) over the pictures of each condition.
    pub fn logits(&self, forward: &dyn Fn(&Tensor) -> Tensor) -> [Vec<f32>; 3] {
        self.pictures.each_ref().map(|pictures| {
            let bar = progress::bar("validating", pictures.len().div_ceil(CHUNK));
            let chunks = pictures.chunks(CHUNK).flat_map(|chunk| {
                let pictures = chunk.iter().map(|pixels| &pixels[..]);
                let steps = to_steps(pictures, i64::from(self.side), self.device);
                bar.inc(1);
                values(&tch::no_grad(|| forward(&channels_last(&steps))))
            });
            let logits = chunks.collect();
            bar.finish_and_clear();
            logits
        })
    }

    /// The figures of `forward` under each condition.
    pub fn score(&self, weights: [f32; 2], forward: &dyn Fn(&Tensor) -> Tensor) -> [ValidationMetrics; 3] {
        let labels = &self.labels;
        let targets: Vec<f32> = labels.iter().map(|&l| f32::from(u8::from(l))).collect();
        self.logits(forward).map(|logits| {
            let tensors = (Tensor::from_slice(&logits), Tensor::from_slice(&targets));
            let loss = balanced_loss(&tensors.0, &tensors.1, weights).double_value(&[]);
            let right = logits.iter().zip(labels).filter(|(z, l)| (**z > 0.0) == **l).count();
            let wide: Vec<f64> = logits.iter().map(|&z| f64::from(z)).collect();
            let auc = metrics::auc(&wide, labels).unwrap_or(f64::NAN);
            ValidationMetrics { loss, accuracy: right as f64 / labels.len().max(1) as f64, auc }
        })
    }
}
