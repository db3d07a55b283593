//! `model verify`.

use super::list::state_of;
use super::place::store;
use crate::model;
use crate::outcome::Outcome;
use crate::report::{self, Output};
use anyhow::{Context, Result};
use edge_model::engine::EngineKind;
use edge_runtime::config::Config;
use edge_runtime::models::{KeptModel, State, Store, Which};
use edge_runtime::self_test::Check;

pub fn run(config: &Config, engine: Option<EngineKind>, output: Output) -> Result<Outcome> {
    let store = store(config)?;
    let engine = engine.unwrap_or(config.model.engine);
    let checks = match store.state() {
        Err(error) => vec![Check::new("store", Err::<&str, _>(error))],
        Ok(state) => {
            let folder = store.folder().display();
            let said =
                format!("{folder}: {} models, none below {}", state.models.len(), state.minimum_version);
            let mut checks = vec![Check::new("store", Ok::<_, String>(said))];
            checks.extend(state.models.iter().map(|kept| checked(config, &store, &state, kept, engine)));
            checks
        }
    };
    Ok(report::checks(&checks, output)?)
}

fn checked(config: &Config, store: &Store, state: &State, kept: &KeptModel, engine: EngineKind) -> Check {
    let place = state_of(state, kept);
    let check = || -> Result<String> {
        let which = Which::Model(kept.sha256.clone());
        let chosen = model::from_store(&config.model, store, state, &which)?;
        let mut computing = model::engine(engine, chosen.model())?;
        chosen.self_test(&mut *computing).context("self-test")?;
        Ok(format!("{} {}, SHA-256 {}, {place}: sound", kept.name, kept.version, kept.sha256))
    };
    let check = Check::new("model", check().map_err(|error| format!("{} ({place}): {error:#}", kept.sha256)));
    if kept.rejected.is_some() { check.or_warn() } else { check }
}
