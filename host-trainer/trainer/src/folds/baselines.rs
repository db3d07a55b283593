//! What can be told without a trained network: the figures that a network must beat.
//!
//! Each baseline turns a picture into numbers; a linear classifier (ridge regression, as in the gate)
//! learns them from a fold's training patients and ranks the others. What it reaches without the lungs
//! is what the data give away by how they were taken.

use crate::augment::condition::Condition;
use crate::dataset::{Sample, figures, prepare};
use crate::evaluate::metrics::auc;
use crate::gate::linear::{Moments, direction};
use crate::progress;
use anyhow::{Result, ensure};
use edge_core::preprocess::ZERO_POINT;
use serde::{Deserialize, Serialize};

/// Side of the thumbnails.
const SIDE: u16 = 16;
/// Part of each side, around the middle, that covers the lungs, the heart and what lies between.
const COVERED: std::ops::Range<f32> = 0.12..0.88;

/// One baseline over all folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineFigures {
    pub name: String,
    /// Area under the ROC curve of each fold, in the order of [`Condition::ALL`]; none where it was not
    /// measured or a class is absent.
    pub folds: Vec<[Option<f64>; 3]>,
}

impl BaselineFigures {
    /// Mean over the folds in the order of [`Condition::ALL`].
    pub fn mean(&self) -> [Option<f64>; 3] {
        [0, 1, 2].map(|at| {
            let areas: Vec<f64> = self.folds.iter().filter_map(|fold| fold[at]).collect();
            (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
        })
    }
}

/// A baseline's numbers for every sample; empty for a condition that it does not know.
#[derive(Clone, Debug)]
pub struct Features {
    pub name: &'static str,
    /// In the order of [`Condition::ALL`].
    pub of: [Vec<Vec<f32>>; 3],
}

/// The baselines that need no network: figures of size, geometry, tone and file alone; a thumbnail with
/// the lungs covered; the whole thumbnail.
pub fn without_network(samples: &[Sample]) -> Result<[Features; 3]> {
    let statistics = figures(samples).into_iter().map(|figures| figures.to_vec()).collect();
    let thumbnails = |covered: bool| -> Result<[Vec<Vec<f32>>; 3]> {
        let of = Condition::ALL.map(|condition| {
            let made =
                progress::map(condition.name(), samples, |sample| thumbnail(condition, sample, covered));
            made.into_iter().collect::<Result<Vec<_>>>()
        });
        let [plain, shifted, film] = of;
        Ok([plain?, shifted?, film?])
    };
    Ok([
        Features { name: "size, geometry, tone and file", of: [statistics, vec![], vec![]] },
        Features { name: "16 x 16 pixels, lungs covered", of: thumbnails(true)? },
        Features { name: "16 x 16 pixels", of: thumbnails(false)? },
    ])
}

/// The picture under a condition at [`SIDE`] pixels a side, as steps around its mean. Where it is covered,
/// it is covered before the preprocessing, whose mean and deviation would tell of the lungs.
fn thumbnail(condition: Condition, sample: &Sample, covered: bool) -> Result<Vec<f32>> {
    let (side, mut pixels) = condition.square(sample)?;
    if covered {
        cover(&mut pixels, side);
    }
    let input = prepare(&pixels, side, SIDE);
    Ok(input.bytes.iter().map(|&v| f32::from(v) - f32::from(ZERO_POINT)).collect())
}

fn cover(pixels: &mut [u8], side: u32) {
    let at = |share: f32| (share * side as f32) as usize;
    let (from, to, side) = (at(COVERED.start), at(COVERED.end), side as usize);
    pixels.chunks_exact_mut(side).take(to).skip(from).for_each(|row| row[from..to].fill(128));
}

/// How a baseline ranks the samples at `validate` after it has learned those at `train`.
pub fn rank(
    features: &Features,
    samples: &[Sample],
    (train, validate): &(Vec<usize>, Vec<usize>),
) -> Result<[Option<f64>; 3]> {
    ensure!(features.of[0].len() == samples.len(), "{}: expected features of every picture", features.name);
    let plain = &features.of[0];
    let scale = Scale::of(train.iter().map(|&i| plain[i].as_slice()));
    let class = |positive: bool| {
        let mine = train.iter().filter(|&&i| samples[i].positive == positive);
        Moments::of(&mine.map(|&i| scale.apply(&plain[i])).collect::<Vec<_>>())
    };
    let Some(weights) = direction(&class(true), &class(false)) else { return Ok([None; 3]) };
    let labels: Vec<bool> = validate.iter().map(|&i| samples[i].positive).collect();
    Ok(features.of.each_ref().map(|of| {
        let score = |i: usize| -> Option<f64> {
            let x = scale.apply(of.get(i)?);
            Some(x.iter().zip(&weights).map(|(x, w)| f64::from(*x) * w).sum())
        };
        let scores = validate.iter().map(|&i| score(i)).collect::<Option<Vec<f64>>>()?;
        auc(&scores, &labels)
    }))
}

/// Mean and deviation of each number over the training samples.
struct Scale(Vec<(f64, f64)>);

impl Scale {
    fn of<'a>(samples: impl Iterator<Item = &'a [f32]> + Clone) -> Self {
        let count = samples.clone().count().max(1) as f64;
        let numbers = samples.clone().next().map_or(0, <[f32]>::len);
        let one = |at: usize| {
            let values = || samples.clone().map(|sample| f64::from(sample[at]));
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
            (mean, variance.sqrt())
        };
        Self((0..numbers).map(one).collect())
    }

    /// What never varies is 0.
    fn apply(&self, sample: &[f32]) -> Vec<f32> {
        let one = |(value, (mean, deviation)): (&f32, &(f64, f64))| match *deviation > 1e-6 {
            true => ((f64::from(*value) - mean) / deviation) as f32,
            false => 0.0,
        };
        sample.iter().zip(&self.0).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{WORKING_SIDE, phantoms};

    const N: usize = WORKING_SIDE as usize;

    /// Grey pictures in which class shows by a brighter patch at this place.
    fn with_patch(rows: std::ops::Range<usize>) -> Vec<Sample> {
        let first = phantoms::load(40, 32).samples[0].clone();
        let one = |i: usize| {
            let positive = i.is_multiple_of(2);
            let mut working: Vec<u8> = (0..N * N).map(|at| ((at * 7 + i * 31) % 97) as u8 + 60).collect();
            if positive {
                rows.clone().for_each(|y| working[y * N + 40..y * N + 180].fill(200));
            }
            Sample {
                id: i.to_string(),
                patient: i.to_string(),
                positive,
                working: working.into(),
                content: [i as u8; 32],
                ..first.clone()
            }
        };
        (0..80).map(one).collect()
    }

    fn plain(samples: &[Sample], covered: bool) -> f64 {
        let plain = samples.iter().map(|s| thumbnail(Condition::Plain, s, covered).unwrap()).collect();
        let features = Features { name: "test", of: [plain, vec![], vec![]] };
        let split = ((0..60).collect(), (60..80).collect());
        let [plain, shifted, film] = rank(&features, samples, &split).unwrap();
        assert_eq!((shifted, film), (None, None), "not measured is not 0");
        plain.unwrap()
    }

    #[test]
    fn covered_lungs_tell_nothing_and_what_is_beside_them_does() {
        let lungs = with_patch(90..140);
        assert!(plain(&lungs, false) > 0.95);
        let covered = plain(&lungs, true);
        assert!((0.2..0.8).contains(&covered), "{covered}");
        let border = with_patch(0..20);
        assert!(plain(&border, true) > 0.95, "what stands at the border is not covered");
    }
}
