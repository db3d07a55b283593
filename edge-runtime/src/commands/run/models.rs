//! The store's part in a start of the device: which model is tried, whether it runs well, and what
//! the log must say of it.

use crate::model::{self, Chosen};
use crate::report;
use anyhow::{Result, bail};
use edge_core::{Decision, Reason};
use edge_runtime::config;
use edge_runtime::log::Event;
use edge_runtime::models::{State, Store, Trial, Verdict, Which};

/// The store while the device runs; without one everything here does nothing.
pub struct Models<'c> {
    config: &'c config::Model,
    store: Option<Store>,
    /// SHA-256 of the model on trial, and how it goes.
    trial: Option<(String, Trial)>,
}

impl<'c> Models<'c> {
    pub fn new(config: &'c config::Model) -> Self {
        Self { config, store: model::store(config), trial: None }
    }

    /// A device of the first model that is `ready`: the new one, whose start is counted before it is
    /// looked at, else the one that runs.
    pub fn begin<T>(&mut self, ready: impl Fn(Chosen) -> Result<T>, now_ms: impl Fn() -> u64) -> Result<T> {
        let Some(store) = &mut self.store else { return ready(model::chosen(self.config)?) };
        // The new one only with a record that it is tried: where none can be written, the old one runs.
        let first = store.begin().unwrap_or_else(|error| {
            report::error(&format!("no new model is tried: {error}"));
            Which::BuiltIn
        });
        let state = store.state()?;
        if let Some(sha256) = on_trial(&state, &first) {
            let tried = model::from_store(self.config, store, &state, &first).and_then(&ready);
            match tried {
                Ok(tried) => {
                    self.trial = Some((sha256, Trial::begin(now_ms(), self.config.trial_s)));
                    return Ok(tried);
                }
                Err(error) => {
                    let why = format!("{error:#}");
                    report::error(&format!("the new model is rejected: {why}"));
                    if let Err(error) = store.reject(&why) {
                        report::error(&error);
                    }
                }
            }
        }
        ready(model::from_store(self.config, store, &state, &state.current)?)
    }

    /// Writes the changes that wait for it into the log, and forgets those that are there.
    pub fn log_changes(&mut self, mut write: impl FnMut(&Event) -> bool) {
        let Some(store) = &mut self.store else { return };
        // A state that cannot be read is told where the model is chosen.
        let changes = store.state().map(|state| state.changes).unwrap_or_default();
        let written = changes.iter().take_while(|change| write(&change.event())).last();
        if let Some(last) = written
            && let Err(error) = store.logged(last.number)
        {
            report::error(&format!("the log says changes of the model again at the next start: {error}"));
        }
    }

    /// Takes the decision on a frame, if a turn brought one; true once the model on trial was
    /// confirmed.
    ///
    /// # Errors
    /// The model on trial fails: this start counts against it.
    pub fn turn(&mut self, decision: Option<&Decision>, now_ms: u64) -> Result<bool> {
        let (Some(store), Some((sha256, trial))) = (&mut self.store, &mut self.trial) else {
            return Ok(false);
        };
        decision.into_iter().for_each(|decision| trial.frame(decision));
        match trial.verdict(now_ms) {
            Verdict::Running => Ok(false),
            Verdict::Failed => bail!("the new model failed on a picture: {}", Reason::EngineFailed),
            Verdict::Passed => {
                if let Err(error) = store.confirm(sha256) {
                    // It stays on trial, and is tried again after as long.
                    report::error(&format!("the new model is not confirmed yet: {error}"));
                    *trial = Trial::begin(now_ms, self.config.trial_s);
                    return Ok(false);
                }
                self.trial = None;
                Ok(true)
            }
        }
    }

    /// Somebody stopped the device.
    pub fn stopped(&mut self) {
        if let (Some(store), Some(_)) = (&mut self.store, &self.trial)
            && let Err(error) = store.stopped()
        {
            report::error(&error);
        }
    }
}

/// SHA-256 of what is to be tried, where it is the one on trial.
fn on_trial(state: &State, which: &Which) -> Option<String> {
    let pending = state.pending.as_ref()?;
    (which.sha256() == Some(&pending.sha256)).then(|| pending.sha256.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::State as Answer;
    use edge_runtime::models::{BuiltIn, KeptModel, STARTS};

    #[test]
    fn a_picture_that_cannot_be_computed_ends_the_start_and_counts() {
        let folder = tempfile::tempdir().unwrap();
        let sha256 = "a".repeat(64);
        let kept = KeptModel {
            sha256: sha256.clone(),
            name: "a model".into(),
            version: bundle::Version(1),
            installed: String::new(),
            key: String::new(),
            without_site: false,
            rejected: None,
        };
        let built_in = BuiltIn { sha256: "b".repeat(64), version: bundle::Version(0) };
        let config =
            config::Model { store: Some(folder.path().into()), trial_s: 1, ..config::Model::default() };
        let mut store = Store::at(folder.path());
        store.install(b"a bundle", kept, &built_in).unwrap();
        let frame = |reason, logit| Decision { state: Answer::Refer, reason, logit, score: None };
        let judged = frame(Reason::BetweenThresholds, Some(0.0));
        for start in 1..=STARTS {
            assert_eq!(store.begin().unwrap().sha256(), Some(&*sha256), "start {start}");
            let mut models = Models::new(&config);
            models.trial = Some((sha256.clone(), Trial::begin(0, 1)));
            (0..9).for_each(|_| assert!(!models.turn(Some(&judged), 0).unwrap()));
            let failed = models.turn(Some(&frame(Reason::EngineFailed, None)), 2000).unwrap_err();
            assert!(failed.to_string().contains("the new model failed on a picture"), "{failed}");
        }
        assert_eq!(store.begin().unwrap(), Which::BuiltIn, "it goes back");
        // And where none fails, the last turn confirms it, with a frame or without.
        let state = store.state().unwrap();
        store
            .install(b"a bundle", KeptModel { rejected: None, ..state.models[0].clone() }, &built_in)
            .unwrap();
        store.begin().unwrap();
        let mut models = Models::new(&config);
        models.trial = Some((sha256.clone(), Trial::begin(0, 1)));
        (0..3).for_each(|_| assert!(!models.turn(Some(&judged), 0).unwrap()));
        assert!(models.turn(None, 1000).unwrap());
        assert_eq!(store.state().unwrap().current, Which::Model(sha256));
    }
}
