//! When the certificates of screen, delivery and broker end: from then on a browser warns, a broker
//! refuses this device, or this device the broker.

use super::{Finding, Machine};
use crate::certificate::{SOON_DAYS, days_left, end};
use jiff::Timestamp;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use toml::{Table, Value};

/// Where packages have their configurations.
const FOLDER: &str = "/etc/pneumoscope";

const DELIVER: &str = "pneumoscope-deliver";

/// A certificate that a program shows to others.
struct Shown {
    name: &'static str,
    file: PathBuf,
    remedy: String,
}

/// One finding a certificate: of the programs that are installed and show one, and of the broker that
/// delivery has talked to.
pub fn certificates(machine: &Machine, now: SystemTime) -> Vec<Finding> {
    // A clock outside of every calendar is the clock's finding.
    let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let ours = [screen(machine), delivery(machine)].into_iter().flatten();
    ours.map(|shown| judged(machine, &shown, now)).chain(broker(machine, now)).collect()
}

/// The one that the screen made for itself; on the loopback alone it has none.
fn screen(machine: &Machine) -> Option<Shown> {
    machine.program("pneumoscope-screen")?;
    let config = configuration(machine, "screen.toml");
    let folder = text(&config, "access", "folder").unwrap_or("/var/lib/pneumoscope-screen");
    let file = Path::new(FOLDER).join(folder).join("certificate.der");
    if let Ok(false) = machine.under(&file).try_exists() {
        return None;
    }
    let remedy = format!(
        "remove certificate.der and key.der in {folder}, then `systemctl restart pneumoscope-screen`, which makes new \
         ones; browsers ask once more, so compare what `sudo pneumoscope-screen fingerprint` says"
    );
    Some(Shown { name: "screen certificate", file, remedy })
}

/// The one that delivery shows to the broker, where it has one.
fn delivery(machine: &Machine) -> Option<Shown> {
    let config = encrypted_delivery(machine)?;
    let file = Path::new(FOLDER).join(text(&config, "mqtt", "certificate")?);
    let remedy = format!(
        "have whoever runs the broker sign a new one, put it into {}, then `systemctl restart pneumoscope-deliver`",
        file.display()
    );
    Some(Shown { name: "delivery certificate", file, remedy })
}

/// The one that the broker showed when delivery last connected. The doctor has no network: delivery tells.
fn broker(machine: &Machine, now: Timestamp) -> Option<Finding> {
    encrypted_delivery(machine)?;
    let said = machine.ask(DELIVER, &["status", "--json"])?.said;
    let status: serde_json::Value = serde_json::from_str(&said).ok()?;
    let mqtt = status["destinations"].as_array()?.iter().find(|one| one["name"] == "mqtt")?;
    let end = mqtt["certificate_ends"].as_str()?.parse().ok()?;
    let whose = mqtt["address"].as_str().unwrap_or("the broker's");
    let remedy = "have whoever runs the broker put a new one there before; without it nothing is delivered";
    Some(by_end("broker certificate", whose, end, now, remedy))
}

/// The configuration of delivery to a broker over TLS, where that is installed and switched on.
fn encrypted_delivery(machine: &Machine) -> Option<Table> {
    machine.program(DELIVER)?;
    let config = configuration(machine, "deliver.toml");
    let is = |key| config.get("mqtt").and_then(|mqtt| mqtt.get(key)).and_then(Value::as_bool);
    (is("enabled") == Some(true) && is("tls") != Some(false)).then_some(config)
}

/// What a program is configured with; nothing where that cannot be read, of which the program's own
/// check tells.
fn configuration(machine: &Machine, name: &str) -> Table {
    let text = machine.read(&machine.under(&Path::new(FOLDER).join(name)));
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn text<'c>(config: &'c Table, section: &str, key: &str) -> Option<&'c str> {
    config.get(section)?.get(key)?.as_str()
}

fn judged(machine: &Machine, Shown { name, file, remedy }: &Shown, now: Timestamp) -> Finding {
    let shown = file.display();
    let bytes = match machine.bytes(&machine.under(file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Finding::warning(name, format!("{shown}: {error}"), "ask as root");
        }
        Err(error) => return Finding::failed(name, format!("{shown}: {error}"), remedy),
    };
    match end(&bytes) {
        Some(end) => by_end(name, &shown.to_string(), end, now, remedy),
        None => Finding::failed(name, format!("{shown}: expected a certificate, got something else"), remedy),
    }
}

/// What is found of a certificate that ends then.
fn by_end(name: &'static str, shown: &str, end: Timestamp, now: Timestamp, remedy: &str) -> Finding {
    match days_left(end, now) {
        ..0 => Finding::failed(name, format!("{shown} ended at {end}"), remedy),
        days @ 0..SOON_DAYS => {
            Finding::warning(name, format!("{shown} ends at {end}, in {days} days"), remedy)
        }
        _ => Finding::ok(name, format!("{shown} ends at {end}")),
    }
}
