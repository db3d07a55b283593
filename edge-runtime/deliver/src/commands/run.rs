//! `pneumoscope-deliver run`: a thread a destination, and the report that `status` reads.

use anyhow::{Context, Result, ensure};
use base::service::Service;
use deliver::board::{Place, Report, Running};
use deliver::config::Loaded;
use deliver::cursor_file::CursorFile;
use deliver::outbox::Outbox;
use deliver::{mqtt, pacs};
use edge_runtime::signal::stop_on_signals;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the report is written.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How long a destination may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

pub fn run(config: &Path) -> Result<u8> {
    let loaded = Loaded::load(config)?;
    // Without it, as without the report, `status` says less.
    let _running = Running::claim(&loaded.config.files.status);
    let stop = stop_on_signals().context("cannot watch for SIGTERM")?;
    let destinations = start(&loaded, &stop)?;
    let places: Vec<Place> = destinations.iter().map(|(place, _)| place.clone()).collect();
    let service = Service::from_environment();
    // Without systemd nobody is told.
    let _ = service.ready();
    let (mut reported, mut said) = (None::<Instant>, Vec::new());
    let mut died = false;
    while !stop.load(Ordering::Relaxed) && !died {
        if reported.is_none_or(|last| last.elapsed() >= REPORT_EVERY) {
            reported = Some(Instant::now());
            let report = Report::of(&places);
            say(&report, &mut said);
            // In memory; without it `status` says less, and delivery goes on.
            let _ = report.write(&loaded.config.files.status);
            let _ = service.status(&line(&report));
        }
        thread::sleep(Duration::from_millis(50));
        died = destinations.iter().any(|(_, thread)| thread.is_finished());
    }
    let _ = service.stopping();
    stop.store(true, Ordering::Relaxed);
    let until = Instant::now() + ENDS_WITHIN;
    let running = || destinations.iter().any(|(_, thread)| !thread.is_finished());
    while running() && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    ensure!(!died, "a destination ended by itself; systemd starts all anew");
    Ok(0)
}

fn start(loaded: &Loaded, stop: &Arc<AtomicBool>) -> Result<Vec<(Place, JoinHandle<()>)>> {
    let mut started = Vec::new();
    let files = &loaded.config.files;
    let mqtt = &loaded.config.mqtt;
    if mqtt.enabled {
        let place = Place::new("mqtt", format!("{}:{}", mqtt.host, mqtt.port));
        let outbox = Outbox::open(&loaded.log, CursorFile::new(&files.state, "mqtt"));
        let (loaded, its, stop) = (loaded.clone(), place.clone(), Arc::clone(stop));
        let run = move || {
            if let Err(error) = mqtt::deliver(&loaded, outbox, &its, &stop) {
                its.set(|place| place.why = Some(format!("{error:#}")));
            }
        };
        started.push((place, thread::Builder::new().name("mqtt".into()).spawn(run)?));
    }
    let archive = &loaded.config.pacs;
    if archive.enabled {
        let place = Place::new("pacs", format!("{}:{}", archive.host, archive.port));
        let outbox = Outbox::open(&loaded.log, CursorFile::new(&files.state, "pacs"));
        let (loaded, its, stop) = (loaded.clone(), place.clone(), Arc::clone(stop));
        let run = move || pacs::deliver(&loaded, outbox, &its, &stop);
        started.push((place, thread::Builder::new().name("pacs".into()).spawn(run)?));
    }
    Ok(started)
}

/// Says on standard error, which is the journal, what has changed.
fn say(report: &Report, said: &mut Vec<String>) {
    let now: Vec<String> = report
        .destinations
        .iter()
        .flat_map(|destination| {
            // The certificate once a day: its days are another number then.
            let troubles = [destination.why.clone(), destination.trouble.clone(), destination.renewal()];
            troubles
                .into_iter()
                .flatten()
                .map(|what| format!("{}: {what}", destination.name))
                .collect::<Vec<_>>()
        })
        .collect();
    for what in now.iter().filter(|what| !said.contains(what)) {
        let _ = writeln!(std::io::stderr(), "{what}");
    }
    *said = now;
}

/// One line for `systemctl status`.
fn line(report: &Report) -> String {
    let one = |destination: &deliver::board::Destination| {
        let line = destination.last.map_or("nothing".to_owned(), |point| format!("line {}", point.seq));
        format!("{} {:?}, {line} delivered", destination.name, destination.phase)
    };
    let all: Vec<String> = report.destinations.iter().map(one).collect();
    if all.is_empty() { "nothing is enabled".to_owned() } else { all.join("; ") }
}
