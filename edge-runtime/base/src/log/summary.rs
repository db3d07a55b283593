//! What the log says over days: how often each state, how often faults, and whether the scores have
//! moved.

use super::drift::{self, Drift};
use super::read::{LogReadError, Reader};
use edge_core::State;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// With what the newest scores are compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// With what the model gave on its training data.
    Training {
        /// The model: the scores of a log by another one are not compared.
        model_sha256: String,
        /// Nine scores that cut those of the validation patients into ten equal parts; none where
        /// the model does not say.
        deciles: Option<[f32; 9]>,
    },
    /// With the first scores of this log, that many: it shows change since then, not whether the
    /// beginning was right.
    First(usize),
}

/// One day, UTC by the device's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Day {
    /// `2026-11-24`.
    pub day: String,
    pub decisions: u64,
    /// How many gave each state, in the order of [`State::ALL`]: the answer on each frame alone,
    /// before agreement.
    pub states: [u64; State::ALL.len()],
    /// Times that FAULT began to be shown.
    pub faults: u64,
    pub not_logged: u64,
    /// Files of a watched folder that were passed over.
    pub passed_over: u64,
    pub latency_us_mean: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub state_names: [&'static str; State::ALL.len()],
    /// Each day with a line, in the log's order.
    pub days: Vec<Day>,
    /// How often each reason, by its code: sentence without its numbers' meaning, the last one
    /// seen, and how many frames.
    pub reasons: BTreeMap<u8, (String, u64)>,
    /// The model that the newest decision is by; drift is about its scores alone.
    pub model_sha256: Option<String>,
    pub compared: String,
    /// The comparison; none where there are too few scores.
    pub drift: Option<Drift>,
    /// Lines that do not hold by themselves and were left out.
    pub damaged: u64,
}

/// Sums up the log at `path`. `newest` is how many of the last scores are compared with the
/// reference.
pub fn summarise(
    path: impl AsRef<Path>,
    reference: Reference,
    newest: usize,
) -> Result<Summary, LogReadError> {
    let mut reader = Reader::open(path)?;
    let mut days: Vec<(Day, u64)> = Vec::new();
    let mut reasons = BTreeMap::new();
    let (mut scores, mut model): (Vec<f32>, Option<String>) = (Vec::new(), None);
    for entry in &mut reader {
        let entry = entry?;
        let date = entry.time.split('T').next().unwrap_or_default();
        if days.last().is_none_or(|(day, _)| day.day != date) {
            days.push((Day { day: date.to_owned(), ..Day::default() }, 0));
        }
        let Some((day, latency)) = days.last_mut() else { continue };
        if let Some(event) = &entry.event {
            match event["what"].as_str() {
                Some("fault_began") => day.faults += 1,
                Some("passed_over") => day.passed_over += event["files"].as_u64().unwrap_or(0),
                Some("not_logged") => day.not_logged += event["lines"].as_u64().unwrap_or(0),
                _ => {}
            }
        }
        let Some(decision) = entry.decision else { continue };
        day.decisions += 1;
        *latency = latency.saturating_add(decision.latency_us);
        if let Some(state) = State::ALL.iter().position(|state| state.name() == decision.state) {
            day.states[state] += 1;
        }
        let score = decision.own_score();
        let reason = reasons.entry(decision.reason.code).or_insert((String::new(), 0));
        *reason = (decision.reason.text, reason.1 + 1);
        if model.as_ref() != Some(&decision.model_sha256) {
            scores.clear();
            model = Some(decision.model_sha256);
        }
        scores.extend(score);
    }
    let (compared, drift) = compare(&scores, model.as_deref(), reference, newest);
    let days = days.into_iter().map(|(day, latency)| Day {
        latency_us_mean: latency.checked_div(day.decisions).unwrap_or(0),
        ..day
    });
    Ok(Summary {
        state_names: State::ALL.map(State::name),
        days: days.collect(),
        reasons,
        model_sha256: model,
        compared,
        drift,
        damaged: reader.damaged(),
    })
}

fn compare(
    scores: &[f32],
    model: Option<&str>,
    reference: Reference,
    newest: usize,
) -> (String, Option<Drift>) {
    let least = drift::LEAST;
    match reference {
        Reference::Training { model_sha256, deciles } => {
            let newest = &scores[scores.len().saturating_sub(newest)..];
            let ours = model == Some(model_sha256.as_str());
            let deciles = deciles.filter(|_| ours);
            let found = deciles.and_then(|deciles| drift::drift(&deciles, None, newest));
            let what = format!(
                "the last {} scores with those of the validation patients of the training data",
                newest.len()
            );
            let why = match (ours, deciles) {
                (false, _) => "the log is by another model; name its file with --model".to_owned(),
                (true, None) => "the model does not say what they were; see --first".to_owned(),
                (true, Some(_)) => format!("it takes {least} scores or more"),
            };
            (explained(what, found.is_some(), &why), found)
        }
        Reference::First(first) => {
            let (first, later) = scores.split_at(first.min(scores.len()));
            let newest = &later[later.len().saturating_sub(newest)..];
            let found = drift::deciles(first).and_then(|deciles| drift::drift(&deciles, Some(first), newest));
            let what = format!(
                "the last {} scores with the first {} of this log, not with the training distribution",
                newest.len(),
                first.len()
            );
            (explained(what, found.is_some(), &format!("it takes {least} or more of each")), found)
        }
    }
}

fn explained(what: String, found: bool, why: &str) -> String {
    if found { what } else { format!("{what}: not compared, {why}") }
}
