//! Pictures through engines, on all cores, in the order of the input.

use super::{Item, Prediction};
use crate::progress;
use anyhow::Result;
use edge_core::{Decision, State};
use edge_model::classify::Classifier;
use edge_model::decode::Picture;
use edge_model::engine::Engine;
use edge_model::model_file::ModelFile;
use std::sync::Mutex;

/// Makes one engine for the model; called once a worker thread.
pub type MakeEngine<'a> = dyn Fn() -> Result<Box<dyn Engine>> + Sync + 'a;

/// Classifiers that wait for work; as many are made as threads work at once.
pub(crate) struct Engines<'a> {
    model: &'a ModelFile,
    make: &'a MakeEngine<'a>,
    free: Mutex<Vec<Classifier<Box<dyn Engine>>>>,
}

impl<'a> Engines<'a> {
    /// Makes the first engine, so that a model that cannot be computed is found before any picture is read.
    pub fn new(model: &'a ModelFile, make: &'a MakeEngine<'a>) -> Result<Self> {
        let first = Classifier::new(model, make()?);
        Ok(Self { model, make, free: Mutex::new(vec![first]) })
    }

    /// Classifies one picture; an engine's failure is a FAULT with its text.
    pub fn classify(&self, picture: &Picture) -> Outcome {
        let taken = self.free.lock().ok().and_then(|mut free| free.pop());
        let made = taken.map_or_else(|| (self.make)().map(|e| Classifier::new(self.model, e)), Ok);
        let mut classifier = match made {
            Ok(classifier) => classifier,
            Err(e) => return Outcome::none(Some(State::Fault), format!("{e:#}")),
        };
        let result = classifier.classify(&picture.frame());
        if let Ok(mut free) = self.free.lock() {
            free.push(classifier);
        }
        match result {
            Ok(classified) => Outcome::of(&classified.decision),
            Err(e) => Outcome::none(Some(State::Fault), e),
        }
    }
}

/// What a picture gave; `state` is none where it could not be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub state: Option<State>,
    pub logit: Option<f32>,
    pub score: Option<f32>,
    pub reason_code: Option<u8>,
    pub note: String,
}

impl Outcome {
    fn of(decision: &Decision) -> Self {
        let scored = decision.score.is_some();
        Self {
            state: Some(decision.state),
            logit: decision.logit.filter(|_| scored),
            score: decision.score,
            reason_code: Some(decision.reason.code()),
            note: if scored { String::new() } else { decision.reason.to_string() },
        }
    }

    pub fn none(state: Option<State>, note: impl ToString) -> Self {
        Self { state, logit: None, score: None, reason_code: None, note: note.to_string() }
    }
}

pub(crate) fn score_all(engines: &Engines, items: &[Item]) -> Vec<Prediction> {
    progress::map("scoring pictures", items, |item| {
        let outcome = match item.source.open() {
            Ok(picture) => engines.classify(&picture),
            Err(e) => Outcome::none(None, e),
        };
        Prediction::new(item, outcome)
    })
}
