//! `edge-runtime doctor`: goes through what goes wrong in clinics, with what to do about each.

use crate::commands::check_config;
use crate::outcome::Outcome;
use crate::report::Output;
use crate::{model, report};
use anyhow::Result;
use edge_core::{Decision, Reason, State};
use edge_model::classify::Classifier;
use edge_runtime::capture::{self, CaptureOptions};
use edge_runtime::config::{Config, Configuration};
use edge_runtime::doctor::{self, Finding, Machine};
use edge_runtime::self_test::{Check, Verdict, log_folder};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How long a camera may take to show a frame.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long camera, lights or log may take together.
const LIMIT: Duration = Duration::from_secs(60);

pub fn run(config: &Path, output: Output) -> Result<Outcome> {
    let machine = Machine::new("/");
    let running = doctor::is_active(&machine);
    let mut findings = Vec::new();
    match Config::load(config) {
        Err(error) => {
            let check = Check::new("configuration", Err::<&str, _>(error));
            let remedy = "mend it as it says, or have `edge-runtime setup` write one; all that it names is not looked at";
            findings.push(Finding::of(check, remedy));
        }
        Ok(config_read) => {
            let checks = check_config::of_files(config, &config_read);
            let sound = checks.iter().all(|check| check.verdict != Verdict::Failed);
            findings.extend(checks.into_iter().map(of_configuration));
            findings.extend(of_device(config_read, running, sound));
        }
    }
    findings.push(doctor::clock(&machine, SystemTime::now()));
    findings.extend([doctor::power(&machine), doctor::temperature(&machine), doctor::service(&machine)]);
    findings.extend(doctor::companions(&machine));
    findings.extend(doctor::certificates(&machine, SystemTime::now()));
    Ok(report::findings(&findings, output)?)
}

fn of_configuration(check: Check) -> Finding {
    let remedy = match check.name {
        "model" | "engine" => "install a model that this program takes, or leave out [model] file",
        "site" => "have `edge-runtime calibrate` write one for this model, or leave out [model] site",
        "prevalence" => "mend [site] prevalence, or leave it out",
        "source" => "mend [capture] source",
        _ => "mend it as it says",
    };
    Finding::of(check, remedy)
}

/// What the configuration names: network, camera, lines, log.
fn of_device(config: Config, running: bool, sound: bool) -> Vec<Finding> {
    let (lights, log) = (config.lights.clone(), config.log.clone());
    let screen = config.screen.folder.is_some();
    let mut findings = Vec::new();
    if sound {
        findings.extend(doctor::within("camera", LIMIT, move || network_and_sight(&config, running)));
    }
    findings.extend(doctor::within("lights", LIMIT, move || doctor::lights(&lights, running, screen)));
    findings.extend(doctor::within("log", LIMIT, move || {
        let writable = "make the folder, and give it to the user pneumoscope; ask as root, or as that user";
        let folder = Finding::of(log_folder(&log.file), writable);
        let folder = Finding { name: "log folder", ..folder };
        vec![folder, doctor::room(&log), doctor::log_sound(&log.file)]
    }));
    findings
}

fn network_and_sight(config: &Config, running: bool) -> Vec<Finding> {
    const REPAIR: &str =
        "memory or program is damaged: install the package again; if it stays so, change the board";
    let tested = || -> Result<_> {
        let chosen = model::chosen(&config.model)?;
        let mut engine = model::engine(config.model.engine, chosen.model())?;
        chosen.self_test(&mut *engine)?;
        Ok((chosen.into_model(), engine))
    };
    let (model, engine) = match tested() {
        Ok(tested) => tested,
        Err(error) => return vec![Finding::failed("self-test", format!("{error:#}"), REPAIR)],
    };
    let said = format!("{}: the very bits that were expected", engine.name());
    let mut findings = vec![Finding::ok("self-test", said)];
    if running {
        findings.extend(doctor::seen_by_device(config.screen.folder.as_deref()));
        return findings;
    }
    let mut classifier = Classifier::new(&model, engine);
    // Files that lie in a folder already serve as well as new ones.
    let wishes = CaptureOptions { existing: true, ..config.capture.clone() };
    let patience = if wishes.source.is_live() { PATIENCE } else { Duration::from_secs(1) };
    match capture::open(&wishes) {
        Err(error) => {
            findings.push(Finding::failed("camera", error.to_string(), "mend [capture], or what it names"))
        }
        Ok(mut source) => findings.extend(doctor::camera(&mut *source, patience, |frame| {
            let failed =
                Decision { state: State::Fault, reason: Reason::EngineFailed, logit: None, score: None };
            classifier.classify(frame).map_or(failed, |classified| classified.decision)
        })),
    }
    findings
}
