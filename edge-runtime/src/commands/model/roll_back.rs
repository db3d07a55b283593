//! `model rollback`.

use super::place::{Place, store};
use super::{owner, restart};
use crate::model::{self, Refused};
use crate::outcome::Outcome;
use crate::report::{self, Output};
use anyhow::{Context, Result};
use clap::Args;
use edge_model::engine::EngineKind;
use edge_model::prevalence::PriorShift;
use edge_runtime::config::Config;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct RollBack {
    #[command(flatten)]
    place: Place,
    /// Restart the service, so that it runs now.
    #[arg(long)]
    restart: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    model_sha256: &'a str,
    model_version: &'a str,
}

pub fn run(options: &RollBack, engine: Option<EngineKind>, output: Output) -> Result<Outcome> {
    let config = options.place.configuration()?;
    let done = match owner::other_than_root(store(&config)?.folder()) {
        Some(owner) => {
            let mut words: Vec<PathBuf> = vec!["rollback".into()];
            words.extend(options.place.words());
            words.extend(engine.into_iter().flat_map(|engine| ["--engine".into(), engine.name().into()]));
            owner.again(&words, None, output)?
        }
        None => roll_back(&config, engine, output)?,
    };
    restart::if_wished(options.restart, done)
}

fn roll_back(config: &Config, engine: Option<EngineKind>, output: Output) -> Result<Outcome> {
    let mut store = store(config)?;
    let state = store.state()?;
    // What cannot run is not gone back to.
    let chosen = model::from_store(&config.model, &store, &state, state.before()?)?;
    let model = chosen.model();
    let mut computing = model::engine(engine.unwrap_or(config.model.engine), model)?;
    chosen.self_test(&mut *computing).context("self-test")?;
    // The device would be refused by these at its start, and stand still with a FAULT.
    let refused = |why: String| Refused::new(&model.metadata().name, why);
    model::site_of(&config.model, &chosen).map_err(|error| refused(format!("{error:#}")))?;
    let prior =
        config.site.prevalence.map(|share| PriorShift::new(share, model.fitted_prevalence())).transpose();
    prior.map_err(|error| refused(format!("[site] prevalence: {error}")))?;
    store.roll_back()?;
    let answer = Answer { model_sha256: model.sha256(), model_version: &model.metadata().version };
    report::answer(output, &answer, |out| {
        let name = report::printable(&format!("{} {}", model.metadata().name, answer.model_version));
        writeln!(
            out,
            "{name}, SHA-256 {}: it runs from the next start on (sudo systemctl restart pneumoscope)",
            answer.model_sha256
        )
    })
}
