//! `edge-runtime check-config`: what a device would find of its configuration on this machine.

use crate::outcome::Outcome;
use crate::report::Output;
use crate::{model, report};
use anyhow::Result;
use edge_model::model_file::ModelFile;
use edge_model::prevalence::PriorShift;
use edge_runtime::capture::CaptureOptions;
use edge_runtime::config::{Config, Configuration};
use edge_runtime::self_test::{Check, lines, log_folder, screen};
use edge_runtime::site::{Site, SiteFile};
use std::path::{Path, PathBuf};

pub fn run(file: &Path, output: Output) -> Result<Outcome> {
    Ok(report::checks(&checks(file), output)?)
}

/// All that a device would find.
pub fn checks(file: &Path) -> Vec<Check> {
    match Config::load(file) {
        Ok(config) => check(file, &config),
        Err(error) => vec![Check::new("configuration", Err::<&str, _>(error))],
    }
}

fn check(file: &Path, config: &Config) -> Vec<Check> {
    let mut checks = of_files(file, config);
    checks.push(log_folder(&config.log.file));
    checks.extend(screen(&config.screen));
    checks.extend(lines(&config.lights));
    checks
}

/// The configuration, and what it names in files: model, site, the source's program.
pub fn of_files(file: &Path, config: &Config) -> Vec<Check> {
    let mut checks = vec![Check::new("configuration", Ok::<_, String>(file.display()))];
    let chosen = model::chosen(&config.model);
    let name = chosen.as_ref().map(|chosen| {
        let (model, why) = (chosen.model(), chosen.why());
        let m = model.metadata();
        format!("{} {}, SHA-256 {}: {why}", m.name, m.version, model.sha256())
    });
    checks.push(Check::new("model", name));
    let model = chosen.as_ref().map(|chosen| chosen.model());
    if let Ok(model) = &model {
        let engine = config.model.engine;
        checks.push(Check::new("engine", model::engine(engine, model).map(|_| engine)));
    }
    if let Some(site) = &config.model.site {
        let loaded = match &chosen {
            Ok(chosen) => model::site_of(&config.model, chosen)
                .map(|loaded| site_said(site, loaded.as_ref()))
                .map_err(|error| format!("{error:#}")),
            Err(_) => Err(format!("{}: it cannot be checked without its model", site.display())),
        };
        checks.push(Check::new("site", loaded));
    }
    if let Some(prevalence) = config.site.prevalence {
        let shown = match &model {
            Ok(model) => PriorShift::new(prevalence, model.fitted_prevalence())
                .map(|prior| prior_said(&prior, model))
                .map_err(|error| error.to_string()),
            Err(_) => Err(format!("{prevalence}: it cannot be checked without its model")),
        };
        checks.push(Check::new("prevalence", shown));
    }
    checks.push(source(&config.capture));
    checks
}

/// The source; of a program, whether it is there.
fn source(options: &CaptureOptions) -> Check {
    let Some(program) = options.words().and_then(|words| words.first()) else {
        return Check::new("source", Ok::<_, String>(&options.source));
    };
    let found = if program.contains('/') {
        Some(PathBuf::from(program)).filter(|path| path.is_file())
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
    };
    let found = found.map(|path| format!("exec: {}", path.display()));
    Check::new(
        "source",
        found.ok_or(format!(
            "exec: there is no program `{program}`; install it, or name it by its whole path"
        )),
    )
}

/// A site file, and what it widens.
fn site_said(path: &Path, site: Option<&Site>) -> String {
    let path = path.display();
    match site.map(Site::file) {
        Some(SiteFile { widening: Some(widening), date, .. }) => format!("{path}: {date}, {widening}"),
        Some(_) => path.to_string(),
        None => format!("{path} is for another model; this one runs without, as its installation said"),
    }
}

/// What a prevalence makes of the model's score and thresholds.
fn prior_said(prior: &PriorShift, model: &ModelFile) -> String {
    let thresholds = prior.thresholds(model.metadata().thresholds);
    format!(
        "{} here, {} where the score was fitted: {:+.3} on the score's logit, NEGATIVE below {:.4}, POSITIVE above {:.4}",
        prior.prevalence,
        prior.fitted_prevalence,
        prior.logit_shift(),
        thresholds.negative_below,
        thresholds.positive_above
    )
}
