//! `model install`: checks, self-test, then the store.

use super::place::{Place, store};
use super::{owner, restart};
use crate::model::{self, Refused};
use crate::outcome::Outcome;
use crate::report::{self, Output};
use anyhow::{Context, Result};
use clap::Args;
use edge_model::engine::EngineKind;
use edge_model::prevalence::PriorShift;
use edge_model::self_test::golden;
use edge_model::signed::{SignedModel, SignedModelError};
use edge_runtime::config::Config;
use edge_runtime::models::{Installed, KeptModel, StoreError, now, read_keys};
use edge_runtime::site::Site;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Most bytes of a bundle: a model for a device is a hundredth of it.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Args, Debug)]
pub struct Install {
    #[command(flatten)]
    place: Place,
    /// The signed model, or `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Let it run without the configured site file, which is for another model: with its own
    /// thresholds.
    #[arg(long)]
    without_site: bool,
    /// Restart the service, so that it is tried now.
    #[arg(long)]
    restart: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    state: &'static str,
    model_sha256: &'a str,
    model_name: &'a str,
    model_version: &'a str,
    store: &'a Path,
    warning: Option<String>,
}

pub fn run(options: &Install, engine: Option<EngineKind>, output: Output) -> Result<Outcome> {
    let config = options.place.configuration()?;
    let store = store(&config)?;
    let read = || format!("cannot read {}", options.file.display());
    let done = match owner::other_than_root(store.folder()) {
        Some(owner) => {
            let file = if options.file == Path::new("-") { None } else { Some(&options.file) };
            let file = file.map(File::open).transpose().with_context(read)?;
            let mut words: Vec<PathBuf> = vec!["install".into(), "-".into()];
            words.extend(options.place.words());
            words.extend(options.without_site.then(|| "--without-site".into()));
            words.extend(engine.into_iter().flat_map(|engine| ["--engine".into(), engine.name().into()]));
            owner.again(&words, file, output)?
        }
        None => {
            let mut bytes = Vec::new();
            let mut from: Box<dyn Read> = match &options.file {
                file if file == Path::new("-") => Box::new(io::stdin().lock()),
                file => Box::new(File::open(file).with_context(read)?),
            };
            from.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(read)?;
            install(options, &config, engine, &bytes, output)?
        }
    };
    restart::if_wished(options.restart, done)
}

fn install(
    options: &Install,
    config: &Config,
    engine: Option<EngineKind>,
    bytes: &[u8],
    output: Output,
) -> Result<Outcome> {
    let name = options.file.display().to_string();
    let refused = |why: String| Refused::new(&name, why);
    if bytes.len() as u64 > MAX_BYTES {
        return Err(
            refused(format!("expected at most {MAX_BYTES} bytes, got more; take a signed model")).into()
        );
    }
    let keys = read_keys(&config.model.keys)?;
    let signed = SignedModel::open(bytes, &keys).map_err(|error| match error {
        SignedModelError::Key { .. } => refused(format!("{error}: {}", config.model.keys.display())),
        error => refused(error.to_string()),
    })?;
    let model = signed.model();
    let mut computing = model::engine(engine.unwrap_or(config.model.engine), model)?;
    golden(model, &mut *computing)
        .and_then(|()| signed.self_test(&mut *computing))
        .map_err(|error| refused(format!("self-test: {error}")))?;
    check_site(options, config, &signed).map_err(refused)?;

    let metadata = model.metadata();
    let kept = KeptModel {
        sha256: model.sha256().to_owned(),
        name: metadata.name.clone(),
        version: signed.version(),
        installed: now(),
        key: format!("{:016x}", signed.key()),
        without_site: options.without_site,
        rejected: None,
    };
    let mut store = store(config)?;
    let installed = store.install(bytes, kept, &model::built_in()?).map_err(|error| match error {
        StoreError::Refused(why) => anyhow::Error::new(refused(why.to_string())),
        error => error.into(),
    })?;
    let (state, said) = match installed {
        Installed::Pending => {
            ("pending", "it is tried at the next start (sudo systemctl restart pneumoscope)")
        }
        Installed::RunsAlready => ("confirmed", "it runs already; nothing was changed"),
    };
    let warning = config.model.file.as_ref().map(|file| {
        let file = file.display();
        format!("the configuration names {file}, which goes before it: remove [model] file, or it never runs")
    });
    let answer = Answer {
        state,
        model_sha256: model.sha256(),
        model_name: &metadata.name,
        model_version: &metadata.version,
        store: store.folder(),
        warning,
    };
    report::answer(output, &answer, |out| {
        let Answer { model_name, model_version, model_sha256, .. } = answer;
        let name = report::printable(&format!("{model_name} {model_version}"));
        writeln!(out, "{name}, SHA-256 {model_sha256}: {said}")?;
        if let Some(warning) = &answer.warning {
            writeln!(out, "{warning}")?;
        }
        Ok(())
    })
}

/// Whether the site's thresholds or prevalence would keep a device from starting with the model.
fn check_site(options: &Install, config: &Config, signed: &SignedModel) -> Result<(), String> {
    if let Some(share) = config.site.prevalence {
        PriorShift::new(share, signed.model().fitted_prevalence())
            .map_err(|error| format!("[site] prevalence: {error}"))?;
    }
    let Some(path) = &config.model.site else { return Ok(()) };
    match Site::load(path, signed.model()) {
        Ok(_) => Ok(()),
        Err(error) if error.is_for_another_model() && options.without_site => Ok(()),
        Err(error) => Err(format!(
            "site file {}: {error}; calibrate with `--model {}` first and put both models' files into one folder, which \
             [model] site names, or install it with --without-site, which leaves it its own thresholds",
            path.display(),
            options.file.display()
        )),
    }
}
