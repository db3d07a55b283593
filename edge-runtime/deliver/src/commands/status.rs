//! `pneumoscope-deliver status`: from the report of the program that runs, and where none does from
//! the cursors and the log.

use anyhow::Result;
use base::log::newest;
use deliver::board::{Destination, Phase, Report};
use deliver::config::Loaded;
use deliver::cursor_file::{CursorFile, CursorStore};
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

#[derive(Serialize)]
struct Answer {
    running: bool,
    /// Number of the log's last line; none where there is no log, or it cannot be read.
    newest: Option<u64>,
    destinations: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    enabled: bool,
    /// Lines of the log that it has not got; none where that is not known.
    behind: Option<u64>,
    /// Number of the last line that it has.
    delivered: Option<u64>,
    /// Of a program that runs.
    #[serde(flatten)]
    now: Option<Destination>,
}

pub fn run(config: &Path, json: bool) -> Result<u8> {
    let loaded = Loaded::load(config)?;
    let report = Report::read(&loaded.config.files.status)?;
    let answer = answer(&loaded, report);
    let mut out = io::stdout().lock();
    match json {
        true => writeln!(out, "{}", serde_json::to_string(&answer)?)?,
        false => print(&mut out, &answer)?,
    }
    let enabled = || answer.destinations.iter().filter(|one| one.enabled);
    let well = |now: &Destination| now.phase == Phase::Connected && now.trouble.is_none();
    let waits = |one: &Shown| !one.now.as_ref().is_some_and(well);
    Ok(if enabled().any(waits) || enabled().next().is_none() { 3 } else { 0 })
}

fn answer(loaded: &Loaded, report: Option<Report>) -> Answer {
    let newest = newest(&loaded.log).ok().flatten().map(|point| point.seq);
    let running = report.is_some();
    let reported = report.map(|report| report.destinations).unwrap_or_default();
    let config = &loaded.config;
    let one = |(name, enabled): (&str, bool)| {
        let now = reported.iter().find(|destination| destination.name == name).cloned();
        let kept = || CursorFile::new(&config.files.state, name).load().ok()?.last();
        let delivered = now.as_ref().map_or_else(kept, |now| now.last).map(|point| point.seq);
        let behind = newest.map(|newest| delivered.map_or(newest + 1, |done| newest.saturating_sub(done)));
        Shown { name: name.to_owned(), enabled, behind, delivered, now }
    };
    let destinations = [("mqtt", config.mqtt.enabled), ("pacs", config.pacs.enabled)].map(one).into();
    Answer { running, newest, destinations }
}

fn print(out: &mut impl Write, answer: &Answer) -> io::Result<()> {
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    if !answer.running {
        writeln!(
            out,
            "Nothing delivers: pneumoscope-deliver is not running (systemctl status pneumoscope-deliver)"
        )?;
    }
    writeln!(out, "Log: last line {}", number(answer.newest))?;
    for one in &answer.destinations {
        let Some(now) = &one.now else {
            let off = if one.enabled { "not running" } else { "not enabled" };
            writeln!(
                out,
                "{}: {off}, line {} delivered, {} behind",
                one.name,
                number(one.delivered),
                number(one.behind)
            )?;
            continue;
        };
        let phase = match now.phase {
            Phase::Connecting => "connecting",
            Phase::Connected => "connected",
            Phase::Waiting => "waiting",
        };
        writeln!(
            out,
            "{} ({}): {phase}, line {} delivered, {} behind",
            one.name,
            now.address,
            number(one.delivered),
            number(one.behind)
        )?;
        for (what, said) in [("why", &now.why), ("trouble", &now.trouble)] {
            if let Some(said) = said {
                writeln!(out, "  {what}: {}", said.escape_debug())?;
            }
        }
        if let Some(end) = now.certificate_ends {
            let ends = || format!("the broker's certificate ends at {end}");
            writeln!(out, "  {}", now.renewal().unwrap_or_else(ends))?;
        }
        if let Some(next) = now.next_attempt {
            writeln!(out, "  next attempt: {next}")?;
        }
        if now.refused > 0 {
            writeln!(out, "  refused for good in this run: {} (see the journal)", now.refused)?;
        }
        if now.gaps > 0 {
            writeln!(out, "  gaps told in this run: {}", now.gaps)?;
        }
    }
    Ok(())
}
