//! `edge-runtime lights`: the lamps by hand. systemd runs `lights safe` after the program has
//! ended, even where it was killed.

use crate::cli::Show;
use crate::outcome::Outcome;
use anyhow::{Result, bail};
use edge_core::agree::Indication;
use edge_core::ports::LampDriver;
use edge_core::signal::{LIGHT_TEST_MS, Lamp, Pattern, levels};
use edge_core::{Reason, State};
use edge_runtime::config::{Config, Configuration};
use edge_runtime::run::FrontPanel;
use edge_runtime::signal::{GpioLines, LightsThread, Options, PanelLines, stop_on_signals};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub fn run(config: &Path, what: Show, seconds: u32) -> Result<Outcome> {
    let config = Config::load(config)?;
    let lights = &config.lights;
    if lights.red.is_none() {
        writeln!(io::stdout(), "There are no lights in this configuration.")?;
        return Ok(Outcome::Complete);
    }
    let mut lines = GpioLines::new(lights);
    let state = match what {
        Show::Safe => {
            set(&mut lines, Pattern::Safe, 0)?;
            return Ok(Outcome::Complete);
        }
        Show::Test => return test(lines),
        Show::Positive => State::Positive,
        Show::Negative => State::Negative,
        Show::Refer => State::Refer,
        Show::Invalid => State::Invalid,
        Show::Fault => State::Fault,
    };
    let stop = stop_on_signals()?;
    let (fed_within_ms, debounce_ms) = (config.watchdog.lights_ms, lights.debounce_ms);
    let panel =
        LightsThread::start(lines, Options { fed_within_ms, debounce_ms, test: false, stop: stop.clone() })?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds.into()) && !stop.load(Ordering::Relaxed) {
        panel.show(Some(Indication { state, reason: Reason::Starting }));
        if panel.pressed() {
            writeln!(io::stdout(), "The button was pressed.")?;
        }
        if let Some(problem) = panel.problem() {
            bail!("{problem}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(Outcome::Complete)
}

/// Two lamps at a time, a second each, named.
fn test(mut lines: GpioLines) -> Result<Outcome> {
    let stop = stop_on_signals()?;
    let mut out = io::stdout();
    for (step, names) in ["red and amber", "amber and green", "red and green"].iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        set(&mut lines, Pattern::LightTest, step as u64 * LIGHT_TEST_MS / 3)?;
        writeln!(out, "{names}")?;
        std::thread::sleep(Duration::from_secs(1));
    }
    lines.set(&levels(Pattern::LightTest, LIGHT_TEST_MS - 1), true);
    writeln!(out, "heartbeat and buzzer, where there are any")?;
    std::thread::sleep(Duration::from_millis(300));
    set(&mut lines, Pattern::Safe, 0)?;
    writeln!(out, "red and amber: safe")?;
    Ok(Outcome::Complete)
}

/// Sets the lamps; whoever asked must know of those that could not be.
fn set(lines: &mut GpioLines, pattern: Pattern, ms: u64) -> Result<()> {
    let failed = lines.set(&levels(pattern, ms), false);
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = failed.iter().map(Lamp::name).collect();
    bail!("cannot set {}: {}", names.join(", "), lines.problem().unwrap_or_default())
}
