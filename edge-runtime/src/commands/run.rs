//! `edge-runtime run`: the device itself. Wiring only: configuration to source, engine, log and
//! lights, then turn after turn.

mod judge;
mod models;
mod view;

use crate::cli::RunOptions;
use crate::outcome::Outcome;
use crate::report::{self, Output};
use anyhow::{Context as _, Result, anyhow};
use edge_core::agree::{AgreementPolicy, Indication};
use edge_core::device::Settings;
use edge_core::worklist::Rules;
use edge_core::{Reason, State};
use edge_model::classify::Classifier;
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::sha256_hex;
use edge_runtime::capture::{self, Logged, Monotonic, PassedOver, Remembered, SourceSpec, now_ms};
use edge_runtime::config::{self, Config, Configuration, Mode};
use edge_runtime::device::Device;
use edge_runtime::joining::Joining;
use edge_runtime::keep::Keeper;
use edge_runtime::log::{Event, Log, Options, last_decision};
use edge_runtime::publish::Publisher;
use edge_runtime::run::{FrontPanel, JudgedFrame, Run};
use edge_runtime::service::Service;
use edge_runtime::signal::{self, GpioLines, LightsThread, stop_on_signals};
use judge::Judge;
use models::Models;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use view::View;

/// How long a turn may wait for a frame: short, so that SIGTERM, a button and a frame's age are
/// seen in time.
const WAIT: Duration = Duration::from_millis(100);

/// How long a device that cannot begin shows it before it ends.
const FAULT_SHOWN: Duration = Duration::from_secs(10);

pub fn run(
    options: &RunOptions,
    model: Option<&Path>,
    engine: Option<EngineKind>,
    output: Output,
) -> Result<Outcome> {
    let (mut config, config_sha256) = configuration(options, model, engine)?;
    // The lights come first: from the first moment on they say that there is no answer yet.
    let stop = stop_on_signals().context("cannot watch for SIGTERM")?;
    let panel = panel(&config, &stop).context("cannot start the thread of the lights")?;

    let &config::Log { rotate_bytes: max_bytes, keep, names: log_names, .. } = &config.log;
    let mut log = Log::new(&config.log.file, Options { max_bytes, keep, sync_every: 1, log_names });
    config.capture.memory = remembered(&config.log.file);
    let mut models = Models::new(&config.model);
    let prepared = prepare(&config, &mut models);
    // Before anything else: who reads the log from here knows the model.
    models.log_changes(|event| log.event(event).is_ok());
    let Ready { judge: Judge { model, engine, context }, source, joining } = match prepared {
        Ok(ready) => ready,
        Err(error) => {
            // A source that cannot be made is no failure of a new model.
            models.stopped();
            tell(&error, &mut log, panel, &stop);
            return Err(error);
        }
    };
    // Not the words of a program: they may hold a password.
    let name = source.name().to_owned();
    let mut classifier = Classifier::new(&model, engine);
    if let Some(least) = context.familiar_widened_to {
        classifier = classifier.with_familiar_from(least);
    }
    // A prevalence moves what is told, score and thresholds alike; a picture's state is decided before.
    classifier = match context.prior {
        Some(prior) => classifier.with_told_score(prior.calibration(model.metadata().calibration)),
        None => classifier.with_thresholds(context.thresholds),
    };
    let mut device = Device::new(source, classifier, settings(&config), Monotonic);
    if let Some(rules) = worklist(&config) {
        device = device.with_worklist(rules, config.lights.button.is_some());
    }
    let publisher = Publisher::start(&config.screen, &config.device.name, &context, &model);
    let publisher = publisher.unwrap_or_else(|error| {
        report::error(&format!("a screen gets nothing to show: {error}; lights and log go on"));
        None
    });
    if publisher.is_some() && config.screen.picture {
        device = device.with_pictures();
    }
    let view = View::new(&config, &context, output);
    let panel = panel.map(|panel| Box::new(panel) as Box<dyn FrontPanel>);
    let mut run = Run::new(device, log, context, panel).with_joining(joining);

    run.event(&Event::Started {
        version: env!("CARGO_PKG_VERSION"),
        config_sha256: config_sha256.as_deref(),
        model_sha256: model.sha256(),
        model_version: &model.metadata().version,
        source: &name,
    });
    let keeper = config.log.pictures.then(|| Keeper::beside(&config.log.file, model.metadata().input_side));
    let ended = attend(&mut run, view, keeper.as_ref(), publisher, &mut models, options.frames, &stop);
    match ended {
        Ok(why) => {
            models.stopped();
            run.event(&Event::Stopped { why });
            Ok(Outcome::Complete)
        }
        Err(error) => {
            run.event(&Event::Stopped { why: &format!("{error:#}") });
            Err(error)
        }
    }
}

/// The file beside the log in which a watched folder's answered files are remembered, with the
/// decision that its last line is held against. A log that cannot be read says nothing.
fn remembered(log: &Path) -> Option<Remembered> {
    let mut file = log.as_os_str().to_owned();
    file.push(".answered");
    let last = last_decision(log).ok().flatten();
    let last = last.and_then(|last| Some(Logged { name: last.name_hash()?, frame: last.frame_sha256 }));
    Some(Remembered { file: file.into(), last })
}

/// What a device needs before it may say anything, checked.
struct Ready {
    judge: Judge,
    source: Box<dyn capture::Source + Send>,
    joining: Joining,
}

/// Chooses the model, tests it, and makes the source; a camera may still be absent.
fn prepare(config: &Config, models: &mut Models) -> Result<Ready> {
    let judge = models.begin(|chosen| Judge::of(config, chosen), now_ms)?;
    let source = capture::open(&config.capture)?;
    let joining = Joining::beside(&config.log.file, config.log.studies)?;
    Ok(Ready { judge, source, joining })
}

/// Why a device cannot begin: in the log, and as FAULT on its lights for [`FAULT_SHOWN`] or until a
/// signal; then the program ends, and systemd tries again.
fn tell(error: &anyhow::Error, log: &mut Log, panel: Option<LightsThread>, stop: &AtomicBool) {
    let reason = Reason::SelfTestFailed;
    // A log that fails too is one trouble more, and changes nothing.
    let _ = log
        .event(&Event::FaultBegan { reason })
        .and(log.event(&Event::Stopped { why: &format!("{error:#}") }));
    let Some(panel) = panel else { return };
    let start = Instant::now();
    while start.elapsed() < FAULT_SHOWN && !stop.load(Ordering::Relaxed) {
        panel.show(Some(Indication { state: State::Fault, reason }));
        std::thread::sleep(WAIT);
    }
}

/// Step after step, until a signal, the number of frames, or the end of a replay; returns which.
fn attend<E: Engine>(
    run: &mut Run<E, Monotonic>,
    mut view: View,
    keeper: Option<&Keeper>,
    mut publisher: Option<Publisher>,
    models: &mut Models,
    frames: Option<u64>,
    stop: &AtomicBool,
) -> Result<&'static str> {
    let mut service = Service::from_environment();
    let (mut answered, mut ready, mut last, mut trouble, mut unread) = (0, false, None, None, false);
    loop {
        for (case, pictures) in publisher.iter_mut().flat_map(Publisher::taps) {
            run.acknowledge(case, pictures);
        }
        let mut report = run.step(WAIT);
        if let Err(error) = view.show(&report)
            && !std::mem::replace(&mut unread, true)
        {
            report::error(&format!("nobody reads the JSON lines ({error}); lights and log go on"));
        }
        if let (Some(keeper), Some(answered)) = (keeper, &report.answered)
            && let Some(input) = answered.input
            && (answered.case.is_some() || last != Some(report.shown.map(|shown| shown.state)))
            && let Err(error) = keeper.keep(run.input(), input)
        {
            report.trouble.get_or_insert(error.to_string());
        }
        if let Some(PassedOver { why, files, name }) = &report.passed_over {
            let more = if *files > 1 { format!(" and {} more", files - 1) } else { String::new() };
            report::error(&format!("{}{more}: not answered: {why}", view.name(name)));
        }
        // For an engineer; once, not with every turn.
        let trouble_said = report.trouble.take().map(|said| match &report.answered {
            Some(JudgedFrame { case: Some((name, _)), .. }) => said.replace(name, &view.name(name)),
            _ => said,
        });
        let problem = trouble_said.or_else(|| run.lights_problem());
        if problem != trouble {
            if let Some(problem) = &problem {
                report::error(problem);
            }
            trouble = problem;
        }
        if let Some(publisher) = &mut publisher {
            publisher.tell(run, &report, trouble.as_deref());
            publisher.problems().iter().for_each(report::error);
        }
        if models.turn(report.answered.as_ref().map(|answered| &answered.decision), now_ms())? {
            models.log_changes(|event| run.event(event));
        }
        answered += u64::from(report.answered.is_some());
        // What systemd says of it is worth no light: its socket may come and go.
        let state = report.shown.map(|shown| shown.state);
        if !std::mem::replace(&mut ready, true) {
            let _ = service.ready();
        }
        if last.replace(state) != Some(state) {
            let _ = service.status(state.map_or("READY", State::name));
        }
        let _ = service.alive(now_ms());
        let why = match () {
            () if stop.load(Ordering::Relaxed) => "signal",
            () if report.ended => "the replay has ended",
            () if frames.is_some_and(|frames| answered >= frames) => "the number of frames is reached",
            () => continue,
        };
        let _ = service.stopping();
        if let Some(publisher) = publisher {
            publisher.end().iter().for_each(report::error);
        }
        return Ok(why);
    }
}

/// The configuration with what the command line says instead, and its hash.
fn configuration(
    options: &RunOptions,
    model: Option<&Path>,
    engine: Option<EngineKind>,
) -> Result<(Config, Option<String>)> {
    let path = options.config.as_deref();
    let (mut config, text) = match path.map(Config::load_with_text).transpose()? {
        Some((config, text)) => (config, Some(text)),
        None => (Config { model: config::Model::unconfigured(), ..Config::default() }, None),
    };
    let sha256 = text.map(|text| sha256_hex(text.as_bytes()));
    config.capture.source = options.source.clone().unwrap_or(config.capture.source);
    config.log.file = options.log.clone().unwrap_or(config.log.file);
    config.model.file = model.map(Path::to_owned).or(config.model.file);
    config.model.engine = engine.unwrap_or(config.model.engine);
    config.check().map_err(|what| anyhow!("the configuration with what the command line says: {what}"))?;
    Ok((config, sha256))
}

fn panel(config: &Config, stop: &Arc<AtomicBool>) -> io::Result<Option<LightsThread>> {
    if config.lights.lines().next().is_none() {
        return Ok(None);
    }
    let options = signal::Options {
        fed_within_ms: config.watchdog.lights_ms,
        debounce_ms: config.lights.debounce_ms,
        test: config.lights.test,
        stop: Arc::clone(stop),
    };
    LightsThread::start(GpioLines::new(&config.lights), options).map(Some)
}

/// How often frames are answered, how many must agree, and how long an answer holds. Files of a
/// folder are still pictures of different people: none has to agree with another.
fn settings(config: &Config) -> Settings {
    let decision = &config.decision;
    let stale_after_ms = match config.capture.source {
        SourceSpec::Folder(_) => decision.hold_ms,
        _ => decision.stale_after_ms,
    };
    let policy = AgreementPolicy { frames: decision.agree_frames, stale_after_ms };
    let hold_ms = (decision.mode == Mode::Button).then_some(decision.hold_ms);
    let settle_ms = if config.capture.source.is_live() { config.capture.settle_ms } else { 0 };
    Settings { policy, interval_ms: decision.interval_ms, settle_ms, hold_ms }
}

/// How the answers on files of a watched folder are shown.
fn worklist(config: &Config) -> Option<Rules> {
    let &config::Decision { hold_ms, study_ms, .. } = &config.decision;
    let button = config.lights.button.is_some() || config.screen.acknowledge.is_some();
    let folder = matches!(config.capture.source, SourceSpec::Folder(_));
    folder.then_some(Rules { hold_ms, study_ms, button })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cameras_first_frames_wait_and_a_files_do_not() {
        let of = |source: &str| {
            let mut config = Config::default();
            (config.capture.source, config.capture.settle_ms) = (source.parse().unwrap(), 700);
            (config.decision.stale_after_ms, config.decision.hold_ms) = (1100, 9000);
            settings(&config)
        };
        for (source, settle_ms, stale_after_ms) in
            [("v4l2:/dev/video0", 700, 1100), ("folder:/films", 0, 9000), ("replay:/films", 0, 1100)]
        {
            let settings = of(source);
            assert_eq!((settings.settle_ms, settings.policy.stale_after_ms), (settle_ms, stale_after_ms));
        }
    }
}
