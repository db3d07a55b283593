//! `pneumoscope-deliver check-config`: what the service would find on this machine.

use anyhow::Result;
use base::log::newest;
use deliver::board::Place;
use deliver::config::Loaded;
use deliver::cursor_file::{CursorFile, CursorStore};
use deliver::mqtt::tls_config;
use deliver::pacs;
use edge_runtime::self_test::{Check, Verdict, passed};
use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

/// How long an address may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

pub fn run(file: &Path, connect: bool) -> Result<u8> {
    let checks = match Loaded::load(file) {
        Ok(loaded) => check(&loaded, connect),
        Err(error) => vec![Check::new("configuration", Err::<&str, _>(error))],
    };
    let mut out = io::stdout().lock();
    for Check { name, verdict, detail } in &checks {
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
        };
        writeln!(out, "{word:<7}  {name:<13}  {}", detail.escape_debug())?;
    }
    Ok(if passed(&checks) { 0 } else { 5 })
}

fn check(loaded: &Loaded, connect: bool) -> Vec<Check> {
    let Loaded { config, site, device, log, .. } = loaded;
    let mut checks = vec![Check::new("configuration", Ok::<_, String>(format!("{site}/{device}")))];
    let last = newest(log).map(|last| match last {
        Some(point) => format!("{}, last line {}", log.display(), point.seq),
        None => format!("{}, nothing in it yet", log.display()),
    });
    checks.push(Check::new("log", last.map_err(|error| format!("{}: {error}", log.display()))));
    let writable = tempfile::tempfile_in(&config.files.state);
    let folder = config.files.state.display();
    let said = writable.map(|_| folder.to_string());
    checks.push(Check::new(
        "cursors",
        said.map_err(|error| format!("{folder}: cannot be written to: {error}")),
    ));
    let mqtt = &config.mqtt;
    if mqtt.enabled {
        let cursor = CursorFile::new(&config.files.state, "mqtt").load();
        checks.push(Check::new(
            "mqtt cursor",
            cursor.map(|cursor| match cursor.last() {
                Some(point) => format!("line {} delivered", point.seq),
                None => "nothing delivered yet".to_owned(),
            }),
        ));
        if mqtt.tls {
            let nobody = Place::new("mqtt", String::new());
            let made = tls_config(mqtt, &nobody).map(|_| mqtt.ca.display().to_string());
            checks.push(Check::new("mqtt tls", made.map_err(|error| format!("{error:#}"))));
        }
        if let Some(path) = &mqtt.password_file {
            let read = std::fs::read_to_string(path).map(|_| path.display().to_string());
            checks.push(Check::new(
                "mqtt password",
                read.map_err(|error| format!("{}: {error}", path.display())),
            ));
        }
        if connect {
            checks.push(Check::new("mqtt address", reached(&mqtt.host, mqtt.port)));
        }
    }
    let archive = &config.pacs;
    if archive.enabled {
        let folder = loaded.folder.as_deref().ok_or("the device's source is no folder: no file has a study");
        checks.push(Check::new("pacs folder", folder.map(|folder| folder.display())));
        let program = archive.program.metadata().map(|_| archive.program.display());
        checks.push(Check::new(
            "pacs program",
            program.map_err(|error| format!("{}: {error}", archive.program.display())),
        ));
        if connect {
            let answer = pacs::echo(archive).map(|()| format!("{}:{} answers", archive.host, archive.port));
            checks.push(Check::new("pacs echo", answer.map_err(|error| format!("{error:#}"))));
        }
    }
    if !mqtt.enabled && !archive.enabled {
        let what = "nothing is enabled: set [mqtt] enabled or [pacs] enabled";
        checks.push(Check { name: "destinations", verdict: Verdict::Warning, detail: what.to_owned() });
    }
    checks
}

fn reached(host: &str, port: u16) -> Result<String, String> {
    let address = format!("{host}:{port}");
    let failed = |error: io::Error| format!("{address}: {error}; check name, port, cable and firewall");
    let mut last = None;
    for one in (host, port).to_socket_addrs().map_err(failed)? {
        match TcpStream::connect_timeout(&one, ANSWERS_WITHIN) {
            Ok(_) => return Ok(address),
            Err(error) => last = Some(error),
        }
    }
    Err(failed(last.unwrap_or(io::ErrorKind::NotFound.into())))
}
