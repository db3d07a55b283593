//! Fits the gate's limits on the training pictures: the two linear figures, and the least
//! sharpness.

use super::linear::{self, Moments};
use super::not_chests::{CHANGES, DRAWINGS, picture};
use super::others::{Halves, Others};
use crate::augment::{AugmentParams, augment_and_preprocess};
use crate::dataset::{Sample, WORKING_SIDE, prepare};
use crate::evaluate::perturbation::Perturbation;
use crate::export::calibrate;
use crate::progress;
use crate::random::{Purpose, SeededRng};
use anyhow::{Context, Result, ensure};
use edge_core::gate::{FEATURE_SIDE, GateThresholds, LAYOUT_SIDE, LinearDetector, cell_runs, sharpness};
use edge_core::kernels;
use edge_model::engine::Engine;
use edge_model::infer_core::CoreEngine;
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use phantoms::{Label, draw};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;

/// So many training pictures a gate is fitted on at most, drawn where there are more: each takes some
/// 64 kB of memory meanwhile.
const MOST_CHESTS: usize = 10_000;
/// Share of the training pictures that a figure alone may refuse, as they are and changed, and of the
/// phantoms.
const REFUSED_BY_LAYOUT: [f64; 3] = [REFUSED_PLAIN, 0.005, 0.0];
const REFUSED_BY_FEATURES: [f64; 3] = [REFUSED_PLAIN, 0.02, 0.0];
const REFUSED_PLAIN: f64 = 0.001;
/// The same of those that may be referred as unfamiliar. Drawings are not to say what is familiar: an
/// odd one of 500 would open the gate for adults.
const UNFAMILIAR: [f64; 3] = [0.01, 0.04, 0.01];
/// How often a real picture that is no chest is shown beside those that are drawn, changed each time:
/// with more, chests that are half covered are found less often.
const NOT_CHEST_COPIES: usize = 4;
/// How often it, and a chest of another kind, is shown where real chests are told from what is not
/// familiar: there nothing is drawn.
const UNFAMILIAR_COPIES: usize = 40;
/// How many pictures come of either in all, at most.
const MOST_COPIES: usize = 6000;
/// The same of pictures with a blur of 1 % of the side, by sharpness.
const REFUSED_BLURRED: f64 = 0.003;
/// Phantoms of each label in the fit; their seeds are far from those that programs and tests draw.
const PHANTOMS: u64 = 250;
const FIRST_PHANTOM: u64 = 2_000_000;
/// Pictures of each kind that is no chest: at most, and at least.
const NOT_CHESTS: (usize, usize) = (700, 60);

/// Fits the limits of `model` on the training pictures.
pub fn fit_limits(
    model: &ModelFile,
    samples: &[Sample],
    train: &[usize],
    others: &Others,
    seed: u64,
) -> Result<GateThresholds<Vec<i8>>> {
    ensure!(
        train.len() >= 20,
        "expected at least 20 training pictures to fit a gate on, got {}",
        train.len()
    );
    let side = model.metadata().input_side;
    let rng = |epoch: u64, index: usize| SeededRng::new(seed, Purpose::Gate, epoch, index as u64);
    let exposure = calibrate::limits(samples, train);
    let train = &chests_of(train, seed)[..];
    let phantoms = phantoms();
    let plain: Vec<Vec<u8>> = train.iter().map(|&i| samples[i].input.bytes.to_vec()).collect();
    let numbered: Vec<(usize, &[u8])> = train
        .iter()
        .map(|&i| &samples[i].working[..])
        .chain(phantoms.iter().map(|p| &p[..]))
        .enumerate()
        .collect();
    let changed = progress::map("changing chests", &numbered, |(i, chest)| {
        augment_and_preprocess(chest, &AugmentParams::SHIFTED, side, &mut rng(0, *i)).bytes.into()
    });
    let drawn: Vec<Vec<u8>> = phantoms.iter().map(|p| input(p, side)).collect();
    let mut not_chests = not_chests(&numbered, side, train.len(), &rng);
    not_chests.extend(copies(&others.not_chests, NOT_CHEST_COPIES, side, &|i| rng(1000, i)));
    let unfamiliar = unfamiliar(others, side, seed);
    let (changed, changed_phantoms) = changed.split_at(train.len());

    let pictures = [&plain[..], changed, &drawn, changed_phantoms, &not_chests, &unfamiliar];
    let features: Vec<_> = pictures.iter().map(|group| features(model, group)).collect::<Result<_>>()?;

    let limits = GateThresholds {
        min_sharpness: sharpest_limit(&numbered[..train.len()], changed, side)?,
        ..exposure
    };
    let layout = |input: &[u8]| cells::<LAYOUT_SIDE>(input, 1, 128.0);
    let layout = fit_one(&chests_and_not(pictures), layout, REFUSED_BY_LAYOUT, LinearDetector::of_picture)?;
    // Weights of an earlier fit may be for another network.
    let channels = pack(model)?.plan()?.features()?.shape.channels;
    let groups: [&[Vec<u8>]; 6] = std::array::from_fn(|group| &features[group][..]);
    let cells = |features: &[u8]| cells::<FEATURE_SIDE>(features, channels, 0.0);
    let of_features = LinearDetector::of_features;
    let familiar = match groups {
        [.., []] => LinearDetector::default(),
        [plain, changed, drawn, changed_drawn, _, unfamiliar] => {
            fit_one(&[plain, changed, drawn, changed_drawn, unfamiliar], cells, UNFAMILIAR, of_features)?
        }
    };
    let features = fit_one(&chests_and_not(groups), cells, REFUSED_BY_FEATURES, of_features)?;
    Ok(GateThresholds { layout, features, familiar, ..limits })
}

/// The file of a run that says what its model's gate was fitted on, as [`FittedOn`].
pub const FITTED_ON: &str = "gate.json";

/// How many of the training pictures a gate was fitted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FittedOn {
    pub chests: usize,
    /// All that trained.
    pub of: usize,
    /// Of the draw, where not all were taken.
    pub seed: u64,
}

impl FittedOn {
    /// Of a fit on so many training pictures.
    pub fn new(train: usize, seed: u64) -> Self {
        Self { chests: train.min(MOST_CHESTS), of: train, seed }
    }
}

impl fmt::Display for FittedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chests, of, seed } = self;
        match chests == of {
            true => write!(f, "fitted on all {of} training pictures"),
            false => write!(f, "fitted on {chests} of {of} training pictures, drawn by seed {seed}"),
        }
    }
}

/// All of `indices`, or [`MOST_CHESTS`] of them, drawn by the seed, in their order.
pub fn chests_of(indices: &[usize], seed: u64) -> Vec<usize> {
    let mut drawn = indices.to_vec();
    if drawn.len() > MOST_CHESTS {
        SeededRng::new(seed, Purpose::Gate, 1003, 0).shuffle(&mut drawn);
        drawn.truncate(MOST_CHESTS);
        drawn.sort_unstable();
    }
    drawn
}

/// What is told from real chests as unfamiliar, as the network would see it.
pub fn unfamiliar(others: &Others, side: u16, seed: u64) -> Vec<Vec<u8>> {
    let rng = |epoch: u64, index: usize| SeededRng::new(seed, Purpose::Gate, epoch, index as u64);
    let mut pictures = copies(&others.unfamiliar, UNFAMILIAR_COPIES, side, &|i| rng(1001, i));
    pictures.extend(copies(&others.not_chests, UNFAMILIAR_COPIES, side, &|i| rng(1002, i)));
    pictures
}

/// The half of each folder that may be fitted on: each picture as it is, and changed as by other
/// cameras, `most` times in all or as many as there is room for.
fn copies(
    folders: &[Halves],
    most: usize,
    side: u16,
    rng: &(impl Fn(usize) -> SeededRng + Sync),
) -> Vec<Vec<u8>> {
    let pictures: Vec<&Sample> = folders.iter().flat_map(|folder| &folder.fitted).collect();
    let each = (MOST_COPIES / pictures.len().max(1)).clamp(1, most);
    let jobs: Vec<(usize, &Sample)> =
        pictures.iter().flat_map(|sample| std::iter::repeat_n(*sample, each)).enumerate().collect();
    progress::map("changing other pictures", &jobs, |(i, sample)| {
        if i % each == 0 {
            return sample.input.bytes.to_vec();
        }
        augment_and_preprocess(&sample.working, &AugmentParams::SHIFTED, side, &mut rng(*i)).bytes.into()
    })
}

/// The four groups of chests, and what is none.
fn chests_and_not(groups: [&[Vec<u8>]; 6]) -> [&[Vec<u8>]; 5] {
    let [plain, changed, drawn, changed_drawn, not_chests, _] = groups;
    [plain, changed, drawn, changed_drawn, not_chests]
}

/// Weights and limit of one figure. The groups are plain, changed, phantoms, changed phantoms,
/// and what is to be told from them; `cells` gives what is weighed, `refused` the share of plain and
/// changed chests and of phantoms that may lie below the limit, and `measure` the device's own figure.
fn fit_one(
    groups: &[&[Vec<u8>]; 5],
    cells: impl Fn(&[u8]) -> Result<Vec<f32>> + Sync,
    refused: [f64; 3],
    measure: impl Fn(&LinearDetector<Vec<i8>>, &[u8]) -> i32,
) -> Result<LinearDetector<Vec<i8>>> {
    let sums = |groups: &[&[Vec<u8>]]| {
        let pictures: Vec<&Vec<u8>> = groups.iter().copied().flatten().collect();
        let samples: Vec<Vec<f32>> = pictures.par_iter().map(|p| cells(p)).collect::<Result<_>>()?;
        anyhow::Ok(Moments::of(&samples))
    };
    let direction = linear::direction(&sums(&groups[..4])?, &sums(&groups[4..])?)
        .context("the chests and the others are the same to this figure; is this a trained model?")?;
    let weights = linear::weights(&direction);
    let mut likeness = LinearDetector { weights, least: i32::MIN };
    let least =
        |group: usize, share| quantile(groups[group].iter().map(|p| measure(&likeness, p)).collect(), share);
    let [plain, changed, phantoms] = [0, 1, 2].map(|group| least(group, refused[group]));
    likeness.least = plain.min(changed).min(phantoms);
    Ok(likeness)
}

/// The figure below which no more than the share `share` of all lies.
fn quantile<T: Ord + Copy>(mut figures: Vec<T>, share: f64) -> T {
    figures.sort_unstable();
    figures[(share * figures.len() as f64) as usize]
}

/// The least sharpness: a blur of 1 % of the side passes, and so does nearly every changed picture.
fn sharpest_limit(chests: &[(usize, &[u8])], changed: &[Vec<u8>], side: u16) -> Result<u16> {
    let sample: Vec<&[u8]> = chests.iter().step_by(chests.len().div_ceil(1500)).map(|(_, c)| *c).collect();
    let blurred = progress::map("blurring chests", &sample, |chest| {
        let blurred = Perturbation::Blur.apply(&picture(chest)?)?;
        Some(sharpness(&input(blurred.bytes(), side)))
    });
    let blurred =
        blurred.into_iter().collect::<Option<Vec<u16>>>().context("a chest could not be blurred")?;
    let changed: Vec<u16> = changed.iter().map(|input| sharpness(input)).collect();
    Ok(quantile(blurred, REFUSED_BLURRED).min(quantile(changed, REFUSED_PLAIN)))
}

/// Drawn chests, grey squares of [`WORKING_SIDE`].
fn phantoms() -> Vec<Vec<u8>> {
    let seeds: Vec<u64> = (0..PHANTOMS).collect();
    let drawn = progress::map("drawing phantoms", &seeds, |seed| {
        [Label::Normal, Label::Pneumonia]
            .map(|label| draw(label, FIRST_PHANTOM + seed, WORKING_SIDE).bytes().to_vec())
    });
    drawn.into_iter().flatten().collect()
}

/// Pictures that are no chests, or no whole and upright ones, as the network would see them.
fn not_chests(
    chests: &[(usize, &[u8])],
    side: u16,
    patients: usize,
    rng: &(impl Fn(u64, usize) -> SeededRng + Sync),
) -> Vec<Vec<u8>> {
    let count = (patients / 6).clamp(NOT_CHESTS.1, NOT_CHESTS.0);
    let jobs: Vec<(usize, usize)> =
        (0..CHANGES.len() + DRAWINGS.len()).flat_map(|kind| (0..count).map(move |i| (kind, i))).collect();
    progress::map("making other pictures", &jobs, |&(kind, i)| {
        let mut rng = rng(1 + kind as u64, i);
        let square = match CHANGES.get(kind) {
            Some((_, change)) => change(chests[rng.below(chests.len())].1, &mut rng),
            None => (DRAWINGS[kind - CHANGES.len()].1)(&mut rng),
        };
        input(&square, side)
    })
}

fn input(square: &[u8], side: u16) -> Vec<u8> {
    prepare(square, WORKING_SIDE.into(), side).bytes.into()
}

/// Sums of values above `zero`, channel by channel, over the cells of the grid that a device weighs
/// them by.
pub fn cells<const ACROSS: usize>(values: &[u8], channels: usize, zero: f32) -> Result<Vec<f32>> {
    let mut cells = vec![0.0; ACROSS * ACROSS * channels];
    let add = |cell: usize, run: &[u8]| {
        let sums = &mut cells[cell * channels..][..channels];
        for position in run.chunks_exact(channels) {
            for (sum, &value) in sums.iter_mut().zip(position) {
                *sum += f32::from(value) - zero;
            }
        }
        Some(())
    };
    cell_runs::<ACROSS>(values, channels, add).context("expected a square picture or feature map")?;
    Ok(cells)
}

/// What the head of the int8 network reads, as devices compute it.
fn features(model: &ModelFile, pictures: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
    infer_all(model, pictures, |_, features| features.to_vec())
}

/// What `read` makes of the logit and the last features of each picture, which is the network's input.
pub fn infer_all<T: Send>(
    model: &ModelFile,
    pictures: &[Vec<u8>],
    read: impl Fn(f32, &[u8]) -> T + Sync,
) -> Result<Vec<T>> {
    let bar = progress::bar("reading features", pictures.len());
    let chunk = |pictures: &[Vec<u8>]| -> Result<Vec<T>> {
        let mut engine = CoreEngine::new(pack(model)?, kernels::best());
        let one = |picture: &Vec<u8>| -> Result<T> {
            let logit = engine.infer(picture)?;
            bar.inc(1);
            Ok(read(logit, engine.features()?))
        };
        pictures.iter().map(one).collect()
    };
    let read: Result<Vec<Vec<T>>> = pictures.par_chunks(256).map(chunk).collect();
    bar.finish_and_clear();
    Ok(read?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One figure over pictures of one grey: `low` pictures of the greys listed, the rest of 200.
    fn greys(low: &[u8], count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|i| vec![low.get(i).copied().unwrap_or(200)]).collect()
    }

    fn limit(plain: &[Vec<u8>], changed: &[Vec<u8>], phantoms: &[Vec<u8>]) -> i32 {
        limit_at([0.001, 0.02, 0.0], plain, changed, phantoms)
    }

    fn limit_at(refused: [f64; 3], plain: &[Vec<u8>], changed: &[Vec<u8>], phantoms: &[Vec<u8>]) -> i32 {
        let groups =
            [plain, changed, phantoms, phantoms, &greys(&[], 10).iter().map(|_| vec![0]).collect::<Vec<_>>()];
        let cells = |picture: &[u8]| Ok(vec![f32::from(picture[0])]);
        let fitted = fit_one(&groups, cells, refused, |_, picture| picture[0].into()).unwrap();
        assert_eq!(fitted.weights[..], [127], "high on chests");
        fitted.least
    }

    #[test]
    fn a_gate_is_fitted_on_all_chests_or_on_as_many_as_there_is_memory_for() {
        let some: Vec<usize> = (0..MOST_CHESTS).map(|i| 3 * i).collect();
        assert_eq!(chests_of(&some, 1), some);
        let many: Vec<usize> = (0..3 * MOST_CHESTS).collect();
        let drawn = chests_of(&many, 1);
        assert_eq!(drawn.len(), MOST_CHESTS);
        // What is said of it is what was done.
        let told = [some.len(), many.len()].map(|train| FittedOn::new(train, 7));
        assert_eq!(told.map(|told| told.chests), [chests_of(&some, 7).len(), chests_of(&many, 7).len()]);
        assert_eq!(told[0].to_string(), "fitted on all 10000 training pictures");
        assert_eq!(told[1].to_string(), "fitted on 10000 of 30000 training pictures, drawn by seed 7");
        assert!(drawn.is_sorted_by(|a, b| a < b) && drawn != chests_of(&many, 2));
        // From everywhere, not from the front.
        let late = drawn.iter().filter(|i| **i >= 2 * MOST_CHESTS).count();
        assert!(late.abs_diff(MOST_CHESTS / 3) < 300, "{late}");
    }

    #[test]
    fn a_figure_refuses_its_share_of_pictures_and_no_phantom() {
        let (plain, changed) = (greys(&[10, 11, 150], 2000), greys(&[9; 20], 1000));
        // One in a thousand of 2,000 plain pictures may lie below, one in fifty of 1,000 changed
        // ones, no phantom.
        assert_eq!(limit(&plain, &changed, &greys(&[], 50)), 150);
        assert_eq!(limit(&plain, &changed, &greys(&[140], 50)), 140);
        assert_eq!(limit(&plain, &greys(&[130; 21], 1000), &greys(&[], 50)), 130);
        // What is familiar hangs on no odd phantom: the chests set it, until more than one in a hundred are odd.
        let familiar = |odd: usize| {
            limit_at(UNFAMILIAR, &greys(&[160; 21], 2000), &greys(&[], 1000), &greys(&vec![10; odd], 200))
        };
        assert_eq!([familiar(0), familiar(2), familiar(3)], [160, 160, 10]);
    }

    #[test]
    fn the_least_sharpness_is_that_of_chests_a_little_out_of_focus() {
        let side = 128;
        let sharp = draw(Label::Normal, 1, WORKING_SIDE).bytes().to_vec();
        let blurred = |share: f32| super::super::not_chests::blurred(&sharp, share);
        let of = |chests: &[Vec<u8>], changed: &[Vec<u8>]| {
            let numbered: Vec<(usize, &[u8])> = chests.iter().map(Vec::as_slice).enumerate().collect();
            sharpest_limit(&numbered, changed, side).unwrap()
        };
        // One of 334 may lie below: the one that was out of focus before.
        let mut chests = vec![sharp.clone(); 334];
        chests[0] = blurred(0.05);
        let changed = [input(&sharp, side)];
        let least = of(&chests, &changed);
        let figures = [0.005, 0.015].map(|share| sharpness(&input(&blurred(share), side)));
        assert!(figures[0] > least && least > figures[1], "a blur of 1 %: {least} between {figures:?}");
        // A changed picture that is less sharp than that moves the limit down to itself.
        let soft = input(&blurred(0.03), side);
        assert_eq!(of(&chests, &[soft.clone(), input(&sharp, side)]), sharpness(&soft));
    }
}
