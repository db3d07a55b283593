//! What a fitted gate lets through, along the device's own path: scores, and refusals by kind of
//! picture and reason.

use super::not_chests::{CHANGES, blurred, picture};
use super::others::Others;
use crate::augment::batches::shifted_picture;
use crate::dataset::Sample;
use crate::evaluate::scoring::EnginePool;
use crate::progress;
use crate::random::{Purpose, SeededRng};
use anyhow::{Context, Result, ensure};
use edge_core::{Reason, State};
use edge_model::decode::Picture;
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::ModelFile;
use std::collections::BTreeMap;
use std::fmt;

/// Nine scores in millionths that cut those of pictures, as the data has them, into ten equal
/// parts: what the scores of a device are compared with later. To be taken from validation
/// patients: on those that it was trained on, a network is surer than on others.
pub fn score_deciles(model: &ModelFile, samples: &[Sample], indices: &[usize]) -> Result<[u32; 9]> {
    let make = || engine_of(model);
    let engines = EnginePool::new(model, &make)?;
    let scores = progress::map("scoring validation patients", indices, |&i| {
        engines.classify(&as_it_is(&samples[i])?).score
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
pub fn check_training(model: &ModelFile, samples: &[Sample], train: &[usize]) -> Result<GateReport> {
    let make = || engine_of(model);
    let engines = EnginePool::new(model, &make)?;
    let kind = refused(&engines, "training patients, as they are", train, &|i| as_it_is(&samples[i]))?;
    let passed = (kind.pictures - kind.refused) as f64 / kind.pictures.max(1) as f64;
    ensure!(
        passed >= PASSED,
        "expected the gate to let {:.1} % of the training pictures through, got {:.2} %: look at what it refuses:\n{}",
        100.0 * PASSED,
        100.0 * passed,
        GateReport(vec![kind])
    );
    Ok(GateReport(vec![kind]))
}

/// Measures the gate on the samples at `indices`: as they are, shifted, and made into others by
/// draws that no fit uses.
pub fn measure_gate(model: &ModelFile, samples: &[Sample], indices: &[usize]) -> Result<GateReport> {
    let make = || engine_of(model);
    let engines = EnginePool::new(model, &make)?;
    let mut kinds = vec![
        refused(&engines, "as they are", indices, &|i| as_it_is(&samples[i]))?,
        refused(&engines, "shifted", indices, &|i| shifted_picture(&samples[i]).ok())?,
    ];
    for (kind, (name, change)) in (0..).zip(CHANGES) {
        let rng = |i: usize| SeededRng::new(1, Purpose::GateReport, kind, i as u64);
        kinds
            .push(refused(&engines, name, indices, &|i| picture(&change(&samples[i].working, &mut rng(i))))?);
    }
    for percent in [1.0, 1.5, 2.0, 2.5, 3.0] {
        let name = format!("blurred, sigma {percent} % of side");
        let blur = |i: usize| picture(&blurred(&samples[i].working, percent / 100.0));
        kinds.push(refused(&engines, &name, indices, &blur)?);
    }
    Ok(GateReport(kinds))
}

/// Measures the gate on real pictures that the model is not for: the halves that no fit has seen.
pub fn measure_others(model: &ModelFile, others: &Others) -> Result<GateReport> {
    let make = || engine_of(model);
    let engines = EnginePool::new(model, &make)?;
    let kinds = [
        (&others.not_chests, "no chests, other half"),
        (&others.unfamiliar, "other chests, other half"),
        (&others.measured, "not fitted on"),
    ];
    let mut groups = Vec::new();
    for (folders, kind) in kinds {
        for folder in folders {
            let all: Vec<usize> = (0..folder.measured.len()).collect();
            let name = format!("{}: {kind}", folder.name);
            groups.push(refused(&engines, &name, &all, &|i| as_it_is(&folder.measured[i]))?);
        }
    }
    Ok(GateReport(groups))
}

fn as_it_is(sample: &Sample) -> Option<Picture> {
    sample.original.open().ok().map(|picture| (*picture).clone())
}

fn engine_of(model: &ModelFile) -> Result<Box<dyn Engine>> {
    Ok(EngineKind::default().load(model)?)
}

/// Sends the pictures that `make` makes along the device's own path.
fn refused(
    engines: &EnginePool,
    name: &str,
    indices: &[usize],
    make: &(dyn Fn(usize) -> Option<Picture> + Sync),
) -> Result<GroupOutcomes> {
    let outcomes = progress::map("measuring the gate", indices, |&i| Some(engines.classify(&make(i)?)));
    let mut kind = GroupOutcomes { name: name.to_owned(), pictures: indices.len(), ..Default::default() };
    for outcome in outcomes {
        let outcome = outcome.with_context(|| format!("{name}: a picture could not be made"))?;
        ensure!(outcome.state != Some(State::Fault), "{name}: {}", outcome.note);
        let code = outcome.reason_code.unwrap_or(0);
        match outcome.state {
            Some(State::Invalid) => {
                kind.refused += 1;
                *kind.reasons.entry(code).or_default() += 1;
            }
            Some(State::Positive) => kind.positive += 1,
            Some(State::Negative) => kind.negative += 1,
            _ if code == UNFAMILIAR => kind.unfamiliar += 1,
            _ => {}
        }
    }
    Ok(kind)
}

/// Code of the reason that refers a chest of another kind.
const UNFAMILIAR: u8 = Reason::Unfamiliar(0, 0).code();

/// What became of one kind of pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupOutcomes {
    pub name: String,
    pub pictures: usize,
    /// INVALID.
    pub refused: usize,
    /// REFER, because the model was not measured on such chests.
    pub unfamiliar: usize,
    pub positive: usize,
    pub negative: usize,
    /// How many of those by each reason's code.
    pub reasons: BTreeMap<u8, usize>,
}

/// How many pictures of each kind the gate of a model refuses; prints as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport(pub Vec<GroupOutcomes>);

impl fmt::Display for GateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<40}{:>9}{:>9}{:>9}{:>12}{:>10}{:>10}   refused by reason",
            "", "pictures", "refused", "", "unfamiliar", "POSITIVE", "NEGATIVE"
        )?;
        for GroupOutcomes { name, pictures, refused, unfamiliar, positive, negative, reasons } in &self.0 {
            let share = 100.0 * *refused as f64 / (*pictures).max(1) as f64;
            let reasons: Vec<String> = reasons.iter().map(|(code, n)| format!("{code}: {n}")).collect();
            write!(
                f,
                "\n{name:<40}{pictures:>9}{refused:>9}{share:>8.1}%{unfamiliar:>12}{positive:>10}{negative:>10}   {}",
                reasons.join(", ")
            )?;
        }
        Ok(())
    }
}
