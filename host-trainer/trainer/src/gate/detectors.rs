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

#[cfg(test)]
mod tests {
    use super::*;

    /// A map of 4 x 4 positions of two channels, each of one value.
    fn map(a: i32, b: i32) -> Seen {
        let position = [a, b].map(|v| u8::try_from(v).unwrap());
        Seen { logit: 0.0, features: position.repeat(16) }
    }

    /// Two channels that rise and fall together.
    fn chests() -> Vec<Seen> {
        (0..200).map(|i| map(100 + i * 7 % 41 - 20, 100 + i * 7 % 41 - 20 + i * 3 % 5 - 2)).collect()
    }

    fn of(detectors: &[Detector], name: &str, seen: &Seen) -> f64 {
        (detectors.iter().find(|d| d.name == name).unwrap().figure)(seen).unwrap()
    }

    #[test]
    fn the_whole_covariance_knows_what_goes_together_and_its_diagonal_does_not() {
        let detectors = fit_all(&chests(), &[], 2).unwrap();
        assert!(detectors.iter().all(|d| d.name != LINEAR), "nothing to tell them from");
        // As far from the mean in each channel, with the channels together and against each other.
        let (usual, odd) = (map(115, 115), map(115, 85));
        for name in [MAHALANOBIS_POOLED, MAHALANOBIS_CELLS] {
            assert!(of(&detectors, name, &odd) < 20.0 * of(&detectors, name, &usual), "{name}");
        }
        let diagonal = |seen| of(&detectors, "Mahalanobis, pooled, diagonal", seen);
        assert!((diagonal(&odd) / diagonal(&usual) - 1.0).abs() < 0.1);
        let nearest = |seen| of(&detectors, "10th nearest, pooled", seen);
        assert!(nearest(&odd) < nearest(&usual) && nearest(&usual) < 1.0 + 1e-6);
    }

    #[test]
    fn only_the_linear_figure_learns_from_others_and_it_sees_where() {
        // The same values, but in the upper half and not in the lower one: pooled alike.
        let halves = |upper: u8, lower: u8| {
            let features = [[upper; 2].repeat(8), [lower; 2].repeat(8)].concat();
            Seen { logit: 0.0, features }
        };
        let group =
            |upper: u8, lower: u8| (0..60).map(|i| halves(upper + i % 9, lower + i % 9)).collect::<Vec<_>>();
        let detectors = fit_all(&group(150, 50), &group(50, 150), 2).unwrap();
        let (chest, other) = (halves(152, 52), halves(52, 152));
        assert!(of(&detectors, LINEAR, &chest) > of(&detectors, LINEAR, &other));
        assert_eq!(of(&detectors, MAHALANOBIS_POOLED, &chest), of(&detectors, MAHALANOBIS_POOLED, &other));
    }

    #[test]
    fn two_together_find_what_either_finds() {
        let by = |name, of: fn(&Seen) -> f64| Detector {
            name,
            bytes: 3,
            multiply_accumulates: 5,
            figure: Arc::new(move |seen| Ok(of(seen))),
        };
        let first = by("first", |seen| f64::from(seen.features[0]));
        let second = by("second", |seen| 1000.0 * f64::from(seen.features[1]));
        let both = together("both", [&first, &second], &chests()).unwrap();
        let figure = |seen: &Seen| (both.figure)(seen).unwrap();
        assert_eq!((both.bytes, both.multiply_accumulates), (6, 10));
        assert_eq!((figure(&map(0, 200)), figure(&map(200, 0))), (0.0, 0.0));
        assert_eq!(figure(&map(200, 200)), 200.0);
        let middle = figure(&map(100, 200));
        assert!((80.0..120.0).contains(&middle), "{middle}");
    }

    #[test]
    fn a_covariance_of_many_samples_is_left_as_it_is_and_one_of_few_drawn_to_the_mean_variance() {
        let (n, given) = (2, vec![4.0, f64::NAN, 1.0, 2.0]);
        let many = shrunk(given.clone(), n, 1e12);
        assert!((many[0] - 4.0).abs() < 1e-9 && (many[2] - 1.0).abs() < 1e-9);
        let one = shrunk(given.clone(), n, 1.0);
        assert_eq!((one[0], one[2], one[3]), (3.0, 0.0, 3.0));
        // By hand: squares 4*4 + 2*2 + 2*1 = 22, trace 6, so for ten samples the share is
        // 36 / (10 * (22 - 18)) = 0.9.
        let ten = shrunk(given, n, 10.0);
        assert!((ten[2] - 0.1).abs() < 1e-12 && (ten[0] - 3.1).abs() < 1e-12, "{ten:?}");
    }
}
