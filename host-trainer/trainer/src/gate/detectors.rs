//! Figures that could tell pictures unlike the training chests, to be compared: each is fitted on
//! features, gives a number that is high on what it knows, and says what it costs a device.
//!
//! Only the linear one sees examples of what it is to find. The others know the chests alone:
//! Mahalanobis' distance to their mean (Lee et al., NeurIPS 2018), the distance to the k-th nearest of
//! them (Sun et al., ICML 2022), and the energy of the logit (Liu et al., NeurIPS 2020).

use super::fit::cells;
use super::linear::{self, Moments};
use anyhow::{Context, Result};
use edge_core::gate::{FEATURE_CELLS, FEATURE_SIDE, LinearDetector};
use rayon::prelude::*;
use std::sync::Arc;

/// What the network made of one picture.
#[derive(Clone, Debug)]
pub struct Seen {
    pub logit: f32,
    /// The last feature map, height x width x channels.
    pub features: Vec<u8>,
}

/// A figure of a picture, high on what is familiar.
type Figure = Arc<dyn Fn(&Seen) -> Result<f64> + Send + Sync>;

/// A fitted detector and what it costs.
#[derive(Clone)]
pub struct Detector {
    pub name: &'static str,
    /// What must be kept of the fit, in the integers that a device would keep it in.
    pub bytes: usize,
    /// Multiply-accumulates a picture, beside the sums over cells.
    pub multiply_accumulates: usize,
    pub figure: Figure,
}

pub const LINEAR: &str = "linear, 4 x 4 cells";
pub const MAHALANOBIS_POOLED: &str = "Mahalanobis, pooled";
pub const MAHALANOBIS_CELLS: &str = "Mahalanobis, 2 x 2 cells";

/// Which of the k nearest chests counts.
const NEAREST: usize = 10;
/// Chests that are kept to look for near ones among.
const KEPT: usize = 2048;
/// Bytes of a weight of a quadratic form, and of a mean, on a device.
const WIDE: usize = 2;

/// Fits all detectors on chests, as they are and changed, and the linear one against `others` too
/// where there are any. All features have `channels` channels.
pub fn fit_all(chests: &[Seen], others: &[Seen], channels: usize) -> Result<Vec<Detector>> {
    let mut detectors = Vec::new();
    if !others.is_empty() {
        detectors.push(linear(chests, others, channels)?);
    }
    detectors.push(mahalanobis::<1>(MAHALANOBIS_POOLED, chests, channels, false)?);
    detectors.push(mahalanobis::<1>("Mahalanobis, pooled, diagonal", chests, channels, true)?);
    detectors.push(mahalanobis::<2>(MAHALANOBIS_CELLS, chests, channels, false)?);
    detectors.push(nearest(chests, channels)?);
    let energy = |seen: &Seen| Ok(f64::from(seen.logit.abs()));
    detectors.push(Detector {
        name: "energy of the logit",
        bytes: 0,
        multiply_accumulates: 0,
        figure: Arc::new(energy),
    });
    Ok(detectors)
}

/// Two detectors in one: the figure is the smaller of the numbers of `chests` that each puts below a
/// picture, so that both refuse as many of those.
pub fn together(name: &'static str, [first, second]: [&Detector; 2], chests: &[Seen]) -> Result<Detector> {
    let [first_chests, second_chests] = [first, second].map(|detector| figures(detector, chests));
    let (first_chests, second_chests) = (sorted(first_chests?), sorted(second_chests?));
    let (bytes, multiply_accumulates) =
        (first.bytes + second.bytes, first.multiply_accumulates + second.multiply_accumulates);
    // Both have seen as many, so numbers of chests compare as shares do.
    let below = |chests: &[f64], figure: f64| chests.partition_point(|chest| *chest < figure) as f64;
    let (first, second) = (Arc::clone(&first.figure), Arc::clone(&second.figure));
    let figure: Figure =
        Arc::new(
            move |seen| Ok(below(&first_chests, first(seen)?).min(below(&second_chests, second(seen)?))),
        );
    Ok(Detector { name, bytes, multiply_accumulates, figure })
}

/// The figures of many pictures.
pub fn figures(detector: &Detector, pictures: &[Seen]) -> Result<Vec<f64>> {
    pictures.par_iter().map(|seen| (detector.figure)(seen)).collect()
}

/// In order, the least first.
pub fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

/// The gate's own form.
fn linear(chests: &[Seen], others: &[Seen], channels: usize) -> Result<Detector> {
    let moments =
        |pictures: &[Seen]| anyhow::Ok(Moments::of(&all_cells::<FEATURE_SIDE>(pictures, channels)?));
    let direction = linear::direction(&moments(chests)?, &moments(others)?)
        .context("the chests and the others have the same features; is this a trained model?")?;
    let positions = chests.first().map_or(0, |seen| seen.features.len());
    Ok(of_weights(LINEAR, linear::weights(&direction), positions))
}

/// A linear figure as devices compute it, over feature maps of so many bytes.
pub fn of_weights(name: &'static str, weights: Vec<i8>, features: usize) -> Detector {
    debug_assert_eq!(weights.len() % FEATURE_CELLS, 0);
    let detector = LinearDetector { weights, least: 0 };
    let bytes = detector.weights.len() + size_of::<i32>();
    let figure: Figure = Arc::new(move |seen| Ok(detector.of_features(&seen.features).into()));
    Detector { name, bytes, multiply_accumulates: features, figure }
}

/// Minus the squared distance to the mean, in deviations: by the whole covariance or its diagonal.
fn mahalanobis<const ACROSS: usize>(
    name: &'static str,
    chests: &[Seen],
    channels: usize,
    diagonal: bool,
) -> Result<Detector> {
    let n = ACROSS * ACROSS * channels;
    let moments = Moments::of(&all_cells::<ACROSS>(chests, channels)?);
    let mean = moments.mean();
    let mut factor = shrunk(moments.covariance(), n, moments.count());
    if diagonal {
        (0..n).for_each(|i| factor[i * n..i * n + i].fill(0.0));
    }
    linear::cholesky(&mut factor, n).context("the features of the chests do not vary")?;
    let weights = if diagonal { n } else { n * (n + 1) / 2 };
    let figure: Figure = Arc::new(move |seen| {
        let cells = cells::<ACROSS>(&seen.features, channels, 0.0)?;
        let mut off: Vec<f64> = cells.iter().zip(&mean).map(|(x, mean)| f64::from(*x) - mean).collect();
        linear::forward(&factor, &mut off);
        Ok(-off.iter().map(|x| x * x).sum::<f64>())
    });
    Ok(Detector { name, bytes: WIDE * (n + weights), multiply_accumulates: weights + n, figure })
}

/// A covariance (lower triangle) drawn towards one number on the diagonal, by as much as its count of
/// samples calls for: OAS (Chen, Wiesel, Eldar, Hero, IEEE Trans. Signal Process. 58, 2010).
fn shrunk(mut covariance: Vec<f64>, n: usize, count: f64) -> Vec<f64> {
    let trace: f64 = (0..n).map(|i| covariance[i * n + i]).sum();
    let squares: f64 = (0..n)
        .map(|i| {
            let row = &covariance[i * n..i * n + i];
            covariance[i * n + i].powi(2) + 2.0 * row.iter().map(|x| x * x).sum::<f64>()
        })
        .sum();
    let p = n as f64;
    let (above, below) =
        ((1.0 - 2.0 / p) * squares + trace * trace, (count + 1.0 - 2.0 / p) * (squares - trace * trace / p));
    let share = if below > 0.0 { (above / below).min(1.0) } else { 1.0 };
    for i in 0..n {
        covariance[i * n..=i * n + i].iter_mut().for_each(|x| *x *= 1.0 - share);
        covariance[i * n + i] += share * trace / p;
    }
    covariance
}

/// Likeness (cosine) to the k-th nearest of the chests that are kept, over pooled features.
fn nearest(chests: &[Seen], channels: usize) -> Result<Detector> {
    let step = chests.len().div_ceil(KEPT).max(1);
    let unit = move |seen: &Seen| -> Result<Vec<f32>> {
        let pooled = cells::<1>(&seen.features, channels, 0.0)?;
        let length = pooled.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        Ok(pooled.iter().map(|x| x / length).collect())
    };
    let kept: Vec<Vec<f32>> = chests.iter().step_by(step).map(unit).collect::<Result<_>>()?;
    let weights = kept.len() * channels;
    let at = NEAREST.min(kept.len()) - 1;
    let figure: Figure = Arc::new(move |seen| {
        let this = unit(seen)?;
        let like = |kept: &Vec<f32>| f64::from(kept.iter().zip(&this).map(|(a, b)| a * b).sum::<f32>());
        let mut likenesses: Vec<f64> = kept.iter().map(like).collect();
        Ok(*likenesses.select_nth_unstable_by(at, |a, b| b.total_cmp(a)).1)
    });
    Ok(Detector { name: "10th nearest, pooled", bytes: weights, multiply_accumulates: weights, figure })
}

fn all_cells<const ACROSS: usize>(pictures: &[Seen], channels: usize) -> Result<Vec<Vec<f32>>> {
    pictures.par_iter().map(|seen| cells::<ACROSS>(&seen.features, channels, 0.0)).collect()
}
