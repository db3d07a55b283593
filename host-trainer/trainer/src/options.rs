//! What can be asked of training: one list for the command line, for a recipe file and for the
//! experiments of a sweep.

use crate::run::Recipe;
use anyhow::{Result, ensure};
use clap::Args;
use serde::Deserialize;

/// Changes of a [`Recipe`]; what is not said stays as it is.
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainOptions {
    /// Side of the network's input in pixels: 32, 64 or 128, the default (the exact form pools a power
    /// of two of positions)
    #[arg(long, value_name = "PIXELS")]
    pub side: Option<u16>,
    /// Width multiplier of the channels below half the side, 0.25 to 4; 1, the default, is the network
    /// that ships
    #[arg(long, value_name = "TIMES")]
    pub width: Option<f64>,
    /// Epochs in float; 24 on X-rays, 8 on drawings
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Pictures a step, 1 to 1024
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,
    /// Largest learning rate, in float
    #[arg(long, value_name = "RATE")]
    pub rate: Option<f64>,
    /// Weight decay, a step of learning rate 1
    #[arg(long, value_name = "DECAY")]
    pub decay: Option<f64>,
    /// Decay of the weights' moving average a step, which is what is validated and shipped; 0 to below 1
    #[arg(long, value_name = "DECAY")]
    pub average: Option<f64>,
    /// Label smoothing: share of each label that goes to both classes alike, 0 to 0.5
    #[arg(long, value_name = "SHARE")]
    pub smoothing: Option<f64>,
    /// Mixup: alpha of the Beta distribution of how much of a neighbour is mixed into a picture, 0.05 to
    /// 1; 0 for nothing
    #[arg(long, value_name = "ALPHA")]
    pub mixup: Option<f64>,
    /// Sharpness-aware minimisation: how far the weights climb before their gradient is taken, 0 to 1;
    /// doubles the time of an epoch
    #[arg(long, value_name = "RHO")]
    pub sam: Option<f64>,
    /// Weight of an auxiliary head's loss, bacterial against viral by the files' names, 0 to 10; the head
    /// is dropped after training
    #[arg(long, value_name = "WEIGHT")]
    pub auxiliary: Option<f64>,
    /// Epochs of fine-tuning in int8
    #[arg(long, value_name = "N")]
    pub quantized_epochs: Option<usize>,
    /// Largest learning rate in int8, in steps of the weights
    #[arg(long, value_name = "RATE")]
    pub quantized_rate: Option<f64>,
    /// In int8, weight of the loss of a head that tells training pictures from those of --unfamiliar and
    /// --not-chests that the gate is fitted on, 0 to 10; the head is dropped after training
    #[arg(long, value_name = "WEIGHT")]
    pub others: Option<f64>,
    /// Threads of libtorch, 1 to 64; 1, the default: the bytes depend on it. More are faster on cores that
    /// have nothing else to do, and much slower beside other programs
    #[arg(long, value_name = "N")]
    pub threads: Option<u8>,
    /// Each picture has so many draws of its changes, the same in every run on this data; 0, the
    /// default: a new one each epoch. Teachers are then asked once about each draw, not in every epoch
    #[arg(long, value_name = "N")]
    pub draws: Option<u64>,
    /// Share of the training pictures that are photographed from a film, 0 to 1: askew, with glare,
    /// moire, noise; 0, the default, for none
    #[arg(long, value_name = "SHARE")]
    pub film: Option<f64>,
    /// Which patients train, where it is not --seed that decides: for networks of several seeds that
    /// share teachers
    #[arg(long, value_name = "SEED")]
    pub split_seed: Option<u64>,
    /// In a file, the teachers by name; on the command line their folders are given.
    #[arg(skip)]
    pub teachers: Option<Vec<String>>,
    /// Divides the logits of teachers and pupil, so that how sure a teacher is tells more; 2 by default
    #[arg(long)]
    pub temperature: Option<f64>,
    /// Share of the teachers in the loss, 0 to 1, by default 0.7; the rest is the labels'
    #[arg(long, value_name = "SHARE")]
    pub teacher_share: Option<f64>,
}

impl TrainOptions {
    /// These options; what they do not say is as `others` say.
    pub fn or(&self, others: &Self) -> Self {
        Self {
            side: self.side.or(others.side),
            width: self.width.or(others.width),
            epochs: self.epochs.or(others.epochs),
            batch: self.batch.or(others.batch),
            rate: self.rate.or(others.rate),
            decay: self.decay.or(others.decay),
            average: self.average.or(others.average),
            smoothing: self.smoothing.or(others.smoothing),
            mixup: self.mixup.or(others.mixup),
            sam: self.sam.or(others.sam),
            auxiliary: self.auxiliary.or(others.auxiliary),
            quantized_epochs: self.quantized_epochs.or(others.quantized_epochs),
            quantized_rate: self.quantized_rate.or(others.quantized_rate),
            others: self.others.or(others.others),
            threads: self.threads.or(others.threads),
            draws: self.draws.or(others.draws),
            film: self.film.or(others.film),
            split_seed: self.split_seed.or(others.split_seed),
            teachers: self.teachers.clone().or_else(|| others.teachers.clone()),
            temperature: self.temperature.or(others.temperature),
            teacher_share: self.teacher_share.or(others.teacher_share),
        }
    }

    /// Whether a file names teachers here.
    pub fn names_teachers(&self) -> bool {
        self.teachers.as_ref().is_some_and(|names| !names.is_empty())
    }

    /// An error where something is said of teachers, and there is none.
    ///
    /// # Errors
    /// A temperature or a share that nothing would use.
    pub fn check_teachers(&self, are_there: bool) -> Result<()> {
        ensure!(
            are_there || (self.temperature.is_none() && self.teacher_share.is_none()),
            "temperature and teacher share are of teachers; expected --teacher DIR, or `teachers` in the file, beside them"
        );
        Ok(())
    }

    /// `recipe` as these options change it; by whom it is taught is left to whoever has the teachers.
    ///
    /// # Errors
    /// A number out of its range.
    pub fn apply(&self, recipe: Recipe) -> Result<Recipe> {
        self.check()?;
        Ok(Recipe {
            side: self.side.unwrap_or(recipe.side),
            width: self.width.unwrap_or(recipe.width),
            epochs: self.epochs.unwrap_or(recipe.epochs),
            batch: self.batch.unwrap_or(recipe.batch),
            rate: self.rate.unwrap_or(recipe.rate),
            decay: self.decay.unwrap_or(recipe.decay),
            average: self.average.unwrap_or(recipe.average),
            smoothing: self.smoothing.unwrap_or(recipe.smoothing),
            mixup: self.mixup.unwrap_or(recipe.mixup),
            sam: self.sam.unwrap_or(recipe.sam),
            auxiliary: self.auxiliary.unwrap_or(recipe.auxiliary),
            quantized_epochs: self.quantized_epochs.unwrap_or(recipe.quantized_epochs),
            quantized_rate: self.quantized_rate.unwrap_or(recipe.quantized_rate),
            others: self.others.unwrap_or(recipe.others),
            threads: self.threads.unwrap_or(recipe.threads),
            draws: self.draws.unwrap_or(recipe.draws),
            film: self.film.unwrap_or(recipe.film),
            split_seed: self.split_seed.or(recipe.split_seed),
            ..recipe
        })
    }

    fn check(&self) -> Result<()> {
        ensure!(
            self.side.is_none_or(|side| matches!(side, 32 | 64 | 128)),
            "side: expected 32, 64 or 128, got {}; the exact form pools a power of two of positions",
            self.side.unwrap_or_default()
        );
        ensure!(
            self.batch.is_none_or(|batch| (1..=1024).contains(&batch)),
            "batch: expected 1 to 1024, got {}",
            self.batch.unwrap_or_default()
        );
        ensure!(
            self.threads.is_none_or(|threads| (1..=64).contains(&threads)),
            "threads: expected 1 to 64, got {}",
            self.threads.unwrap_or_default()
        );
        ensure!(
            self.draws.is_none_or(|draws| draws <= 1000),
            "draws: expected 0 to 1000, got {}",
            self.draws.unwrap_or_default()
        );
        ensure!(self.epochs != Some(0), "epochs: expected 1 or more, got 0");
        ensure!(
            self.mixup.is_none_or(|alpha| alpha == 0.0 || alpha >= 0.05),
            "mixup: expected 0 or an alpha from 0.05 to 1, got {}",
            self.mixup.unwrap_or_default()
        );
        let below_one = 1f64.next_down();
        let ranges = [
            ("width", self.width, 0.25..=4.0),
            ("rate", self.rate, 1e-6..=1.0),
            ("decay", self.decay, 0.0..=1.0),
            ("average", self.average, 0.0..=below_one),
            ("smoothing", self.smoothing, 0.0..=0.5),
            ("mixup", self.mixup, 0.0..=1.0),
            ("sam", self.sam, 0.0..=1.0),
            ("auxiliary", self.auxiliary, 0.0..=10.0),
            ("quantized_rate", self.quantized_rate, 1e-6..=1.0),
            ("others", self.others, 0.0..=10.0),
            ("film", self.film, 0.0..=1.0),
            ("temperature", self.temperature, 0.1..=100.0),
            ("teacher_share", self.teacher_share, 0.0..=1.0),
        ];
        for (name, value, range) in ranges {
            let (low, high) = (range.start(), range.end());
            ensure!(
                value.is_none_or(|value| range.contains(&value)),
                "{name}: expected a number from {low} to {high}, got {}",
                value.unwrap_or_default()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let options: TrainOptions = toml::from_str(text).unwrap();
        options.apply(Recipe::default()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_said_stays() {
        assert_eq!(TrainOptions::default().apply(Recipe::default()).unwrap(), Recipe::default());
        let base: TrainOptions = toml::from_str("epochs = 30\nmixup = 0.2\nteachers = ['a']").unwrap();
        let one: TrainOptions = toml::from_str("mixup = 0.0\nteachers = []").unwrap();
        let both = one.or(&base);
        assert_eq!(both.teachers, Some(vec![]), "an experiment can do without the teacher of all");
        let expected = Recipe { epochs: 30, ..Recipe::default() };
        assert_eq!(both.apply(Recipe::default()).unwrap(), expected);
        assert_eq!(base.or(&one).apply(Recipe::default()).unwrap(), Recipe { mixup: 0.2, ..expected });
    }

    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        assert_eq!(
            refused("side = 160"),
            "side: expected 32, 64 or 128, got 160; the exact form pools a power of two of positions"
        );
        assert_eq!(refused("threads = 0"), "threads: expected 1 to 64, got 0");
        assert_eq!(refused("smoothing = 0.6"), "smoothing: expected a number from 0 to 0.5, got 0.6");
        assert_eq!(refused("mixup = 0.01"), "mixup: expected 0 or an alpha from 0.05 to 1, got 0.01");
        assert!(refused("sam = nan").starts_with("sam: expected a number"));
        assert!(refused("average = 1.0").starts_with("average: expected a number"));
    }
}
