//! Fits the gate of an exported model: what a picture must look like, to the preprocessing and to the network, to be judged at all.
//!
//! It shows the int8 network, through edge-core, three kinds of *chests*: the training patients' pictures as they are, the same changed
//! as by another camera ([`Strength::SHIFTED`]), and drawn phantoms, which stand for X-rays wherever there are none; and *others*: the same
//! chests turned, inverted or half covered, and drawings of anything else ([`others`]). Two linear figures tell them apart ([`linear`]);
//! their limits, and that of sharpness, are quantiles of the chests alone. No validation patient is looked at before the report.

pub mod linear;
pub mod others;

use crate::augment::{Strength, augmented};
use crate::batches::shifted_picture;
use crate::calibrate;
use crate::dataset::{Case, WORKING_SIDE, prepare};
use crate::evaluate::scoring::Engines;
use crate::progress;
use crate::random::{Dice, Purpose};
use crate::robustness::Change;
use anyhow::{Context, Result, anyhow, ensure};
use edge_core::gate::{FEATURE_CELLS, LAYOUT_CELLS, Likeness, Limits, sharpness};
use edge_core::kernels;
use edge_core::{Geometry, PixelFormat, State};
use edge_model::decode::Picture;
use edge_model::engine::{Engine, EngineKind};
use edge_model::infer_core::CoreEngine;
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use linear::Sums;
use others::{CHANGES, DRAWINGS};
use phantoms::{Label, draw};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt;

/// Share of the training pictures, as they are, that each figure alone may refuse.
const REFUSED_PLAIN: f64 = 0.001;
/// The same of changed training pictures, by layout and by features.
const REFUSED_CHANGED: [f64; 2] = [0.005, 0.02];
/// The same of pictures with a blur of 1 % of the side, by sharpness.
const REFUSED_BLURRED: f64 = 0.003;
/// Phantoms of each label in the fit; their seeds are far from those that programs and tests draw.
const PHANTOMS: u64 = 250;
const FIRST_PHANTOM: u64 = 2_000_000;
/// Others of each kind: at most, and at least.
const OTHERS: (usize, usize) = (700, 60);

/// Fits the limits of `model` on the training pictures.
pub fn fit(model: &ModelFile, cases: &[Case], train: &[usize], seed: u64) -> Result<Limits> {
    ensure!(
        train.len() >= 20,
        "expected at least 20 training pictures to fit a gate on, got {}",
        train.len()
    );
    let side = model.metadata().input_side;
    let dice = |epoch: u64, index: usize| Dice::new(seed, Purpose::Gate, epoch, index as u64);
    let phantoms = phantoms();
    let plain: Vec<Vec<u8>> = train.iter().map(|&i| cases[i].input.bytes.clone()).collect();
    let numbered: Vec<(usize, &[u8])> = train
        .iter()
        .map(|&i| &cases[i].working[..])
        .chain(phantoms.iter().map(|p| &p[..]))
        .enumerate()
        .collect();
    let changed = progress::map("changing chests", &numbered, |(i, chest)| {
        augmented(chest, &Strength::SHIFTED, side, &mut dice(0, *i)).bytes
    });
    let drawn: Vec<Vec<u8>> = phantoms.iter().map(|p| input(p, side)).collect();
    let others = others(&numbered, side, train.len(), &dice);
    let (changed, changed_phantoms) = changed.split_at(train.len());

    let pictures = [&plain[..], changed, &drawn, changed_phantoms, &others];
    let features: Vec<_> = pictures.iter().map(|group| features(model, group)).collect::<Result<_>>()?;

    let limits = Limits {
        min_sharpness: sharpest_limit(&numbered[..train.len()], changed, side)?,
        ..calibrate::limits(cases, train)
    };
    let layout = |input: &[u8]| cells(input, 1, LAYOUT_CELLS, 128.0);
    let layout =
        fit_one(&pictures, layout, REFUSED_CHANGED[0], |l: &Likeness<LAYOUT_CELLS>, p| l.of_picture(p))?;
    // Weights of an earlier fit may be for another network.
    let channels = pack(model)?.features().shape.channels;
    let groups = std::array::from_fn(|group| &features[group][..]);
    let cells = |features: &[u8]| cells(features, channels, FEATURE_CELLS, 0.0);
    let features = fit_one(&groups, cells, REFUSED_CHANGED[1], Likeness::of_features)?;
    Ok(Limits { layout, features, ..limits })
}

/// Weights and limit of one figure. The groups are plain, changed, phantoms, changed phantoms, others; `cells` gives what is weighed and
/// `measure` the device's own figure.
fn fit_one<const N: usize>(
    groups: &[&[Vec<u8>]; 5],
    cells: impl Fn(&[u8]) -> Vec<f32> + Sync,
    refused_changed: f64,
    measure: impl Fn(&Likeness<N>, &[u8]) -> i32,
) -> Result<Likeness<N>> {
    let sums = |groups: &[&[Vec<u8>]]| {
        let pictures: Vec<&Vec<u8>> = groups.iter().copied().flatten().collect();
        let samples: Vec<Vec<f32>> = pictures.par_iter().map(|p| cells(p)).collect();
        Sums::of(&samples)
    };
    let direction = linear::direction(&sums(&groups[..4]), &sums(&groups[4..]))
        .context("the chests and the others are the same to this figure; is this a trained model?")?;
    let weights = linear::weights(&direction).into_iter().collect();
    let mut likeness = Likeness { weights, least: i32::MIN };
    let least =
        |group: usize, share| quantile(groups[group].iter().map(|p| measure(&likeness, p)).collect(), share);
    let phantoms = least(2, 0.0); // all of them
    likeness.least = phantoms.min(least(0, REFUSED_PLAIN)).min(least(1, refused_changed));
    Ok(likeness)
}

fn quantile<T: Ord + Copy>(mut figures: Vec<T>, share: f64) -> T {
    figures.sort_unstable();
    figures[(share * figures.len() as f64) as usize]
}

/// The least sharpness: a blur of 1 % of the side passes, and so does nearly every changed picture.
fn sharpest_limit(chests: &[(usize, &[u8])], changed: &[Vec<u8>], side: u16) -> Result<u16> {
    let sample: Vec<&[u8]> = chests.iter().step_by(chests.len().div_ceil(1500)).map(|(_, c)| *c).collect();
    let blurred = progress::map("blurring chests", &sample, |chest| {
        let blurred = Change::Blur.apply(&picture(chest)?)?;
        Some(sharpness(&input(blurred.bytes(), side)))
    });
    let blurred =
        blurred.into_iter().collect::<Option<Vec<u16>>>().context("a chest could not be blurred")?;
    let changed: Vec<u16> = changed.iter().map(|input| sharpness(input)).collect();
    Ok(quantile(blurred, REFUSED_BLURRED).min(quantile(changed, REFUSED_PLAIN)))
}

/// Square grey pictures of [`WORKING_SIDE`].
fn phantoms() -> Vec<Vec<u8>> {
    let seeds: Vec<u64> = (0..PHANTOMS).collect();
    let drawn = progress::map("drawing phantoms", &seeds, |seed| {
        [Label::Normal, Label::Pneumonia]
            .map(|label| draw(label, FIRST_PHANTOM + seed, WORKING_SIDE).bytes().to_vec())
    });
    drawn.into_iter().flatten().collect()
}

/// Pictures that are no chests, or no whole and upright ones, as the network would see them.
fn others(
    chests: &[(usize, &[u8])],
    side: u16,
    patients: usize,
    dice: &(impl Fn(u64, usize) -> Dice + Sync),
) -> Vec<Vec<u8>> {
    let count = (patients / 6).clamp(OTHERS.1, OTHERS.0);
    let jobs: Vec<(usize, usize)> =
        (0..CHANGES.len() + DRAWINGS.len()).flat_map(|kind| (0..count).map(move |i| (kind, i))).collect();
    progress::map("making other pictures", &jobs, |&(kind, i)| {
        let mut dice = dice(1 + kind as u64, i);
        let square = match CHANGES.get(kind) {
            Some((_, change)) => change(chests[dice.below(chests.len())].1, &mut dice),
            None => (DRAWINGS[kind - CHANGES.len()].1)(&mut dice),
        };
        input(&square, side)
    })
}

fn input(square: &[u8], side: u16) -> Vec<u8> {
    prepare(square, WORKING_SIDE.into(), side).bytes
}

fn picture(square: &[u8]) -> Option<Picture> {
    let side = u32::from(WORKING_SIDE);
    Picture::new(Geometry::new(side, side, PixelFormat::Gray8).ok()?, square.to_vec()).ok()
}

/// Sums of values above `zero`, channel by channel, over the `count` cells of a grid over a picture or over features.
fn cells(values: &[u8], channels: usize, count: usize, zero: f32) -> Vec<f32> {
    let (side, across) = ((values.len() / channels).isqrt(), count.isqrt());
    let mut cells = vec![0.0; count * channels];
    for (at, position) in values.chunks_exact(channels).enumerate() {
        let (x, y) = (at % side, at / side);
        let cell = y * across / side * across + x * across / side;
        for (sum, &value) in cells[cell * channels..].iter_mut().zip(position) {
            *sum += f32::from(value) - zero;
        }
    }
    cells
}

/// What the head of the int8 network reads, as devices compute it.
fn features(model: &ModelFile, pictures: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
    let bar = progress::bar("reading features", pictures.len());
    let chunk = |pictures: &[Vec<u8>]| -> Result<Vec<Vec<u8>>> {
        let mut engine = CoreEngine::new(pack(model)?, kernels::best());
        let one = |picture: &Vec<u8>| -> Result<Vec<u8>> {
            engine.infer(picture)?;
            bar.inc(1);
            Ok(engine.features().to_vec())
        };
        pictures.iter().map(one).collect()
    };
    let read: Result<Vec<Vec<Vec<u8>>>> = pictures.par_chunks(256).map(chunk).collect();
    bar.finish_and_clear();
    Ok(read?.into_iter().flatten().collect())
}

/// The file of `model` with other limits, and another version where one is given, sealed again.
pub fn bind(
    model: &ModelFile,
    limits: Limits,
    score_deciles_ppm: [u32; 9],
    version: Option<&str>,
) -> Result<Vec<u8>> {
    let mut metadata = model.metadata().clone();
    metadata.gate = limits;
    metadata.score_deciles_ppm = score_deciles_ppm;
    if let Some(version) = version {
        metadata.version = heapless::String::try_from(version)
            .map_err(|_| anyhow!("expected a version of at most 64 bytes, got `{version}`"))?;
    }
    let bytes = model.with_metadata(&metadata).context("metadata")?;
    // Read back, and packed, as a device would before anybody relies on it.
    pack(&ModelFile::from_bytes(&bytes)?)?;
    Ok(bytes)
}

/// Nine scores in millionths that cut those of pictures, as the data has them, into ten equal parts: what the scores of a device are
/// compared with later. To be taken from validation patients: on those that it was trained on, a network is surer than on others.
pub fn score_deciles(model: &ModelFile, cases: &[Case], indices: &[usize]) -> Result<[u32; 9]> {
    let make = || engine_of(model);
    let engines = Engines::new(model, &make)?;
    let scores = progress::map("scoring validation patients", indices, |&i| {
        engines.classify(&as_it_is(&cases[i])?).score
    });
    let mut scores: Vec<f32> =
        scores.into_iter().collect::<Option<_>>().context("a validation picture got no score")?;
    ensure!(!scores.is_empty(), "expected validation pictures, got none");
    scores.sort_by(f32::total_cmp);
    let at = |tenth: usize| (tenth * scores.len()).div_ceil(10).saturating_sub(1);
    Ok(std::array::from_fn(|i| (scores[at(i + 1)] * 1e6).round() as u32))
}

/// Least share of the training pictures that must pass the gate as a whole.
const PASSED: f64 = 0.993;

/// Measures the gate on what it was fitted on, which says nothing of other pictures but must hold.
/// An error where too many are refused.
pub fn check_training(model: &ModelFile, cases: &[Case], train: &[usize]) -> Result<Refusals> {
    let make = || engine_of(model);
    let engines = Engines::new(model, &make)?;
    let kind = refused(&engines, "training patients, as they are", train, &|i| as_it_is(&cases[i]))?;
    let passed = (kind.pictures - kind.refused) as f64 / kind.pictures.max(1) as f64;
    ensure!(
        passed >= PASSED,
        "expected the gate to let {:.1} % of the training pictures through, got {:.2} %: look at what it refuses:\n{}",
        100.0 * PASSED,
        100.0 * passed,
        Refusals(vec![kind])
    );
    Ok(Refusals(vec![kind]))
}

/// Measures the gate on the cases at `indices`: as they are, shifted, and made into others by draws that no fit uses.
pub fn measure(model: &ModelFile, cases: &[Case], indices: &[usize]) -> Result<Refusals> {
    let make = || engine_of(model);
    let engines = Engines::new(model, &make)?;
    let mut kinds = vec![
        refused(&engines, "as they are", indices, &|i| as_it_is(&cases[i]))?,
        refused(&engines, "shifted", indices, &|i| shifted_picture(&cases[i]).ok())?,
    ];
    for (kind, (name, change)) in (0..).zip(CHANGES) {
        let dice = |i: usize| Dice::new(1, Purpose::GateReport, kind, i as u64);
        kinds.push(refused(&engines, name, indices, &|i| picture(&change(&cases[i].working, &mut dice(i))))?);
    }
    for percent in [1.0, 1.5, 2.0, 2.5, 3.0] {
        let name = format!("blurred, sigma {percent} % of side");
        let blur = |i: usize| picture(&others::blurred(&cases[i].working, percent / 100.0));
        kinds.push(refused(&engines, &name, indices, &blur)?);
    }
    Ok(Refusals(kinds))
}

fn as_it_is(case: &Case) -> Option<Picture> {
    case.original.open().ok().map(|picture| (*picture).clone())
}

fn engine_of(model: &ModelFile) -> Result<Box<dyn Engine>> {
    Ok(EngineKind::default().load(model)?)
}

/// Sends the pictures that `make` makes along the device's own path.
fn refused(
    engines: &Engines,
    name: &str,
    indices: &[usize],
    make: &(dyn Fn(usize) -> Option<Picture> + Sync),
) -> Result<Kind> {
    let outcomes = progress::map("measuring the gate", indices, |&i| Some(engines.classify(&make(i)?)));
    let mut kind =
        Kind { name: name.to_owned(), pictures: indices.len(), refused: 0, reasons: BTreeMap::new() };
    for outcome in outcomes {
        let outcome = outcome.with_context(|| format!("{name}: a picture could not be made"))?;
        ensure!(outcome.state != Some(State::Fault), "{name}: {}", outcome.note);
        if outcome.state == Some(State::Invalid) {
            kind.refused += 1;
            *kind.reasons.entry(outcome.reason_code.unwrap_or(0)).or_default() += 1;
        }
    }
    Ok(kind)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    pub name: String,
    pub pictures: usize,
    pub refused: usize,
    /// How many of those by each reason's code.
    pub reasons: BTreeMap<u8, usize>,
}

/// How many pictures of each kind the gate of a model refuses; prints as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals(pub Vec<Kind>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32}{:>9}{:>9}{:>9}   by reason", "", "pictures", "refused", "")?;
        for Kind { name, pictures, refused, reasons } in &self.0 {
            let share = 100.0 * *refused as f64 / (*pictures).max(1) as f64;
            let reasons: Vec<String> = reasons.iter().map(|(code, n)| format!("{code}: {n}")).collect();
            write!(f, "\n{name:<32}{pictures:>9}{refused:>9}{share:>8.1}%   {}", reasons.join(", "))?;
        }
        Ok(())
    }
}
