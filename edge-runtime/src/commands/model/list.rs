//! `model list`.

use super::place::store;
use crate::model;
use crate::outcome::Outcome;
use crate::report::{self, Output};
use anyhow::Result;
use edge_runtime::config::Config;
use edge_runtime::models::{KeptModel, State, Which};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    version: String,
    sha256: &'a str,
    state: &'static str,
    /// Why it is rejected.
    why: Option<&'a str>,
    /// None for the built-in one, as the next.
    installed: Option<&'a str>,
    key: Option<&'a str>,
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct List<'a> {
    store: &'a Path,
    /// The file that goes before the store.
    named_file: Option<&'a Path>,
    minimum_version: String,
    /// Changes that the device's log does not have yet.
    unlogged: usize,
    models: Vec<Row<'a>>,
}

pub fn run(config: &Config, output: Output) -> Result<Outcome> {
    let store = store(config)?;
    let state = store.state()?;
    let built_in = model::load(None)?;
    let metadata = built_in.metadata();
    let mut models = vec![Row {
        name: &metadata.name,
        version: metadata.version.clone(),
        sha256: built_in.sha256(),
        state: named(&state, &Which::BuiltIn).unwrap_or("built in"),
        why: None,
        installed: None,
        key: None,
        file: None,
    }];
    models.extend(state.models.iter().map(|kept| Row {
        name: &kept.name,
        version: kept.version.to_string(),
        sha256: &kept.sha256,
        state: state_of(&state, kept),
        why: kept.rejected.as_deref(),
        installed: Some(&kept.installed),
        key: Some(&kept.key),
        file: Some(store.file(&kept.sha256)),
    }));
    let list = List {
        store: store.folder(),
        named_file: config.model.file.as_deref(),
        minimum_version: state.minimum_version.to_string(),
        unlogged: state.changes.len(),
        models,
    };
    report::answer(output, &list, |out| {
        let mut table = report::table(["Model", "Version", "SHA-256", "State", "Installed", "Why"], []);
        for row in &list.models {
            let name = report::printable(row.name);
            let installed = row.installed.unwrap_or("with the program");
            let why = report::printable(row.why.unwrap_or(""));
            table.add_row([&name, &row.version, row.sha256, row.state, installed, &why]);
        }
        writeln!(out, "{table}")?;
        match list.named_file {
            Some(file) => writeln!(out, "{} runs: the configuration names it", file.display()),
            None => Ok(()),
        }
    })
}

/// The state of a model that is neither rejected nor on trial.
fn named(state: &State, which: &Which) -> Option<&'static str> {
    if state.current == *which {
        Some("confirmed")
    } else {
        (state.previous.as_ref() == Some(which)).then_some("previous")
    }
}

pub fn state_of(state: &State, kept: &KeptModel) -> &'static str {
    let pending = state.pending.as_ref().is_some_and(|pending| pending.sha256 == kept.sha256);
    let other = named(state, &Which::Model(kept.sha256.clone())).unwrap_or("rejected");
    if pending { "pending" } else { other }
}
