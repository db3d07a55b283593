//! Pictures through engines, on all cores, in the order of the input.

use super::prediction::{LabelledPicture, Outcome, Prediction};
use crate::progress;
use anyhow::Result;
use edge_core::State;
use edge_model::classify::Classifier;
use edge_model::decode::Picture;
use edge_model::engine::Engine;
use edge_model::model_file::ModelFile;
use std::sync::Mutex;

/// Makes one engine for the model; called once a worker thread.
pub type MakeEngine<'a> = dyn Fn() -> Result<Box<dyn Engine>> + Sync + 'a;

/// Classifiers that wait for work; as many are made as threads work at once.
pub(crate) struct EnginePool<'a> {
    model: &'a ModelFile,
    make: &'a MakeEngine<'a>,
    free: Mutex<Vec<Classifier<Box<dyn Engine>>>>,
}

impl<'a> EnginePool<'a> {
    /// Makes the first engine, so that a model that cannot be computed is found before any picture
    /// is read.
    pub fn new(model: &'a ModelFile, make: &'a MakeEngine<'a>) -> Result<Self> {
        let first = Classifier::new(model, make()?);
        Ok(Self { model, make, free: Mutex::new(vec![first]) })
    }

    /// Classifies one picture; an engine's failure is a FAULT with its text.
    pub fn classify(&self, picture: &Picture) -> Outcome {
        self.classify_and(picture, |_| ()).0
    }

    /// The same with what `look` takes from the classifier afterwards; none without an answer.
    pub fn classify_and<T>(
        &self,
        picture: &Picture,
        look: impl FnOnce(&Classifier<Box<dyn Engine>>) -> T,
    ) -> (Outcome, Option<T>) {
        let taken = self.free.lock().ok().and_then(|mut free| free.pop());
        let made = taken.map_or_else(|| (self.make)().map(|e| Classifier::new(self.model, e)), Ok);
        let mut classifier = match made {
            Ok(classifier) => classifier,
            Err(e) => return (Outcome::none(Some(State::Fault), format!("{e:#}")), None),
        };
        let result = classifier.classify_unless(&picture.frame(), picture.refused());
        let looked = result.is_ok().then(|| look(&classifier));
        if let Ok(mut free) = self.free.lock() {
            free.push(classifier);
        }
        let outcome = match result {
            Ok(classified) => Outcome::of(&classified.decision),
            Err(e) => Outcome::none(Some(State::Fault), e),
        };
        (outcome, looked)
    }
}

pub(crate) fn score_all(engines: &EnginePool, items: &[LabelledPicture]) -> Vec<Prediction> {
    progress::map("scoring pictures", items, |item| {
        let outcome = match item.source.open() {
            Ok(picture) => engines.classify(&picture),
            Err(e) => Outcome::none(None, e),
        };
        Prediction::new(item, outcome)
    })
}
