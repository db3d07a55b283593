//! Compares detectors of what the model is not for, all at the same price: the limit of each passes
//! [`PASSED`] of training patients that it was not fitted on. Validation patients and the halves of
//! other pictures that no fit has seen are only measured.

use super::detectors::{
    Detector, LINEAR, MAHALANOBIS_CELLS, MAHALANOBIS_POOLED, Seen, figures, fit_all, of_weights, sorted,
    together,
};
use super::fit::{chests_of, infer_all, unfamiliar};
use super::not_chests::{DRAWINGS, picture};
use super::others::Others;
use crate::augment::batches::shifted_picture;
use crate::augment::{AugmentParams, augment_and_preprocess};
use crate::dataset::Sample;
use crate::evaluate::scoring::EnginePool;
use crate::progress;
use crate::random::{Purpose, SeededRng};
use anyhow::{Context, Result, ensure};
use edge_core::State;
use edge_core::gate::LinearDetector;
use edge_model::decode::Picture;
use edge_model::engine::EngineKind;
use edge_model::intervals::{Z_95, wilson};
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// Share of the training patients' pictures, as they are and changed, that a limit passes.
const PASSED: f64 = 0.97;
/// Every how many-th training patient sets limits instead of being fitted on.
const LIMIT_PATIENTS: usize = 5;
/// Drawings of each kind.
const DRAWN: usize = 100;

/// How all detectors did on all sets.
#[derive(Clone, Debug, Serialize)]
pub struct DetectorComparison {
    pub model_sha256: String,
    /// Share of training pictures that each limit passes.
    pub passed: f64,
    /// Training pictures that detectors were fitted on, as they are and changed.
    pub fitted: usize,
    /// Training pictures that set the limits, of other patients.
    pub limits: usize,
    /// Pictures, changed ones counted, that the linear detectors were fitted against.
    pub against: usize,
    pub detectors: Vec<DetectorResult>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DetectorResult {
    pub name: &'static str,
    pub bytes: usize,
    pub multiply_accumulates: usize,
    pub sets: Vec<SetResult>,
}

/// What one detector made of one set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetResult {
    pub name: String,
    pub pictures: usize,
    /// Beyond the limit, whatever else the gate says.
    pub beyond: usize,
    /// Wilson's 95 % interval of their share.
    pub interval: (f64, f64),
    /// POSITIVE from a device whose gate asks this detector too.
    pub positive: usize,
    /// NEGATIVE from such a device.
    pub negative: usize,
}

/// A set of pictures along the device's own path: what the network saw, and the state without any
/// detector of the unfamiliar.
struct Set {
    name: String,
    seen: Vec<Seen>,
    states: Vec<State>,
}

/// Fits the detectors for `model` and measures them.
///
/// # Errors
/// Fewer than 20 training pictures, features that tell nothing, a picture that cannot be made.
pub fn compare(
    model: &ModelFile,
    samples: &[Sample],
    (train, validate): (&[usize], &[usize]),
    others: &Others,
    seed: u64,
) -> Result<DetectorComparison> {
    ensure!(
        train.len() >= 20,
        "expected at least 20 training pictures to fit detectors on, got {}",
        train.len()
    );
    let side = model.metadata().input_side;
    let (train, validate) = (&chests_of(train, seed)[..], &chests_of(validate, seed)[..]);
    let (fitted, limits) = by_patient(samples, train);
    let chests = chests(model, samples, &fitted, seed)?;
    let held = self::chests(model, samples, &limits, seed)?;
    let against = seen(model, &unfamiliar(others, side, seed))?;
    let channels = pack(model)?.plan()?.features()?.shape.channels;

    let mut detectors = fit_all(&chests, &against, channels)?;
    let named = |name: &str| detectors.iter().find(|detector| detector.name == name);
    let mut pairs = Vec::new();
    for (name, second) in [
        ("linear and Mahalanobis, pooled", MAHALANOBIS_POOLED),
        ("linear and Mahalanobis, 2 x 2 cells", MAHALANOBIS_CELLS),
    ] {
        if let (Some(first), Some(second)) = (named(LINEAR), named(second)) {
            pairs.push(together(name, [first, second], &held)?);
        }
    }
    detectors.extend(pairs);
    let sets = sets(model, samples, validate, others, seed)?;
    let mut results: Vec<DetectorResult> = Vec::new();
    for detector in &detectors {
        let held = sorted(figures(detector, &held)?);
        let limit = held[((1.0 - PASSED) * held.len() as f64) as usize];
        results.push(measure(detector, limit, &sets)?);
    }
    let own = &model.metadata().gate.familiar;
    if !own.weights.is_empty() {
        let features = chests.first().map_or(0, |seen| seen.features.len());
        let detector = of_weights("the model's own, at its own limit", own.weights.clone(), features);
        results.insert(0, measure(&detector, own.least.into(), &sets)?);
    }
    Ok(DetectorComparison {
        model_sha256: model.sha256().to_owned(),
        passed: PASSED,
        fitted: fitted.len(),
        limits: limits.len(),
        against: against.len(),
        detectors: results,
    })
}

/// Training pictures of the patients that detectors are fitted on, and of those that set limits.
fn by_patient(samples: &[Sample], train: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let patients: BTreeSet<&str> = train.iter().map(|&i| samples[i].patient.as_str()).collect();
    let limits: BTreeSet<&str> = patients.into_iter().skip(1).step_by(LIMIT_PATIENTS).collect();
    train.iter().partition(|i| !limits.contains(samples[**i].patient.as_str()))
}

/// What the network sees in training pictures, as they are and changed as by other cameras.
fn chests(model: &ModelFile, samples: &[Sample], indices: &[usize], seed: u64) -> Result<Vec<Seen>> {
    let side = model.metadata().input_side;
    let mut inputs: Vec<Vec<u8>> = indices.iter().map(|&i| samples[i].input.bytes.to_vec()).collect();
    inputs.extend(progress::map("changing chests", indices, |&i| {
        let mut rng = SeededRng::new(seed, Purpose::Gate, 0, i as u64);
        augment_and_preprocess(&samples[i].working, &AugmentParams::SHIFTED, side, &mut rng).bytes.into()
    }));
    seen(model, &inputs)
}

fn seen(model: &ModelFile, inputs: &[Vec<u8>]) -> Result<Vec<Seen>> {
    infer_all(model, inputs, |logit, features| Seen { logit, features: features.to_vec() })
}

/// Everything that is only measured.
fn sets(
    model: &ModelFile,
    samples: &[Sample],
    validate: &[usize],
    others: &Others,
    seed: u64,
) -> Result<Vec<Set>> {
    let mut metadata = model.metadata().clone();
    metadata.gate.familiar = LinearDetector::default();
    let without = ModelFile::from_bytes(&model.with_metadata(&metadata).context("metadata")?)?;
    let make = || Ok(EngineKind::default().load(&without)?);
    let engines = EnginePool::new(&without, &make)?;
    let set = |name: String, pictures: Vec<Option<Picture>>| -> Result<Set> {
        let pictures: Option<Vec<Picture>> = pictures.into_iter().collect();
        let pictures = pictures.with_context(|| format!("{name}: a picture could not be made"))?;
        let states = progress::map("judging pictures", &pictures, |picture| engines.classify(picture).state);
        let states: Option<Vec<State>> = states.into_iter().collect();
        let states = states.with_context(|| format!("{name}: a picture got no state"))?;
        let side = model.metadata().input_side;
        let inputs = progress::map("preparing pictures", &pictures, |p| input(p, side));
        let inputs: Result<Vec<Vec<u8>>> = inputs.into_iter().collect();
        Ok(Set { name, seen: seen(model, &inputs?)?, states })
    };
    let open = |sample: &Sample| sample.original.open().ok().map(|picture| (*picture).clone());
    let children = validate.iter().map(|&i| &samples[i]);
    let mut sets = vec![
        set("children, validation".into(), children.clone().map(open).collect())?,
        set("the same, shifted".into(), children.map(|s| shifted_picture(s).ok()).collect())?,
    ];
    for folder in others.unfamiliar.iter().chain(&others.not_chests).chain(&others.measured) {
        sets.push(set(folder.name.clone(), folder.measured.iter().map(open).collect())?);
    }
    for (kind, (name, draw)) in (0..).zip(DRAWINGS) {
        let rng = |i| SeededRng::new(seed, Purpose::GateReport, 1000 + kind, i as u64);
        sets.push(set(format!("drawn: {name}"), (0..DRAWN).map(|i| picture(&draw(&mut rng(i)))).collect())?);
    }
    Ok(sets)
}

/// A picture as the network would see it, preprocessed as on a device.
fn input(picture: &Picture, side: u16) -> Result<Vec<u8>> {
    let n = usize::from(side);
    let (mut row, mut line, mut cells) = (vec![0; n], vec![0; n], vec![0; n * n]);
    let scratch = edge_core::Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    let mut input = vec![0; n * n];
    edge_core::preprocess(&picture.frame(), side, scratch, &mut input)?;
    Ok(input)
}

fn measure(detector: &Detector, limit: f64, sets: &[Set]) -> Result<DetectorResult> {
    let one = |set: &Set| -> Result<SetResult> {
        let known: Vec<bool> = figures(detector, &set.seen)?.iter().map(|figure| *figure >= limit).collect();
        let (pictures, beyond) = (known.len(), known.iter().filter(|known| !**known).count());
        let answered =
            |state: State| known.iter().zip(&set.states).filter(|&(k, s)| *k && *s == state).count();
        Ok(SetResult {
            name: set.name.clone(),
            pictures,
            beyond,
            interval: wilson(beyond, pictures, Z_95).unwrap_or((0.0, 1.0)),
            positive: answered(State::Positive),
            negative: answered(State::Negative),
        })
    };
    let &Detector { name, bytes, multiply_accumulates, .. } = detector;
    let sets = sets.iter().map(one).collect::<Result<_>>()?;
    Ok(DetectorResult { name, bytes, multiply_accumulates, sets })
}

impl fmt::Display for DetectorComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, fitted, limits, against, .. } = self;
        write!(
            f,
            "fitted on {fitted} training pictures, as they are and changed, the linear ones against {against} others; \
             limits pass {:.0} % of {limits} more, as they are and changed",
            100.0 * passed
        )?;
        for DetectorResult { name, bytes, multiply_accumulates, sets } in &self.detectors {
            write!(f, "\n\n{name}: {bytes} bytes, {multiply_accumulates} multiply-accumulates")?;
            let header = ["pictures", "beyond", "share, %", "POSITIVE", "NEGATIVE"];
            let [pictures, beyond, share, positive, negative] = header;
            write!(f, "\n{:<28}{pictures:>9}{beyond:>8}{share:>22}{positive:>10}{negative:>10}", "")?;
            for SetResult { name, pictures, beyond, interval: (low, high), positive, negative } in sets {
                let percent = |share: f64| 100.0 * share;
                let share = format!(
                    "{:.1} ({:.1} to {:.1})",
                    percent(*beyond as f64 / (*pictures).max(1) as f64),
                    percent(*low),
                    percent(*high)
                );
                write!(f, "\n{name:<28}{pictures:>9}{beyond:>8}{share:>22}{positive:>10}{negative:>10}")?;
            }
        }
        Ok(())
    }
}
