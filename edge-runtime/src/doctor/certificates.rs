//! When the certificates of screen and delivery end: from then on a browser warns, and a broker refuses
//! this device.

use super::{Finding, Machine};
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use toml::{Table, Value};

/// From so many days before its end on somebody should see to a certificate.
const SOON_DAYS: i64 = 30;

/// Where packages have their configurations.
const FOLDER: &str = "/etc/pneumoscope";

/// A certificate that a program shows to others.
struct Shown {
    name: &'static str,
    file: PathBuf,
    remedy: String,
}

/// One finding a certificate, of the programs that are installed and show one.
pub fn certificates(machine: &Machine, now: SystemTime) -> Vec<Finding> {
    [screen(machine), delivery(machine)]
        .into_iter()
        .flatten()
        .map(|shown| judged(machine, &shown, now))
        .collect()
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
    machine.program("pneumoscope-deliver")?;
    let config = configuration(machine, "deliver.toml");
    let is = |key| config.get("mqtt").and_then(|mqtt| mqtt.get(key)).and_then(Value::as_bool);
    if is("enabled") != Some(true) || is("tls") == Some(false) {
        return None;
    }
    let file = Path::new(FOLDER).join(text(&config, "mqtt", "certificate")?);
    let remedy = format!(
        "have whoever runs the broker sign a new one, put it into {}, then `systemctl restart pneumoscope-deliver`",
        file.display()
    );
    Some(Shown { name: "delivery certificate", file, remedy })
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

fn judged(machine: &Machine, Shown { name, file, remedy }: &Shown, now: SystemTime) -> Finding {
    let shown = file.display();
    let bytes = match machine.bytes(&machine.under(file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Finding::warning(name, format!("{shown}: {error}"), "ask as root");
        }
        Err(error) => return Finding::failed(name, format!("{shown}: {error}"), remedy),
    };
    let Some(end) = end(&bytes) else {
        return Finding::failed(name, format!("{shown}: expected a certificate, got something else"), remedy);
    };
    // A clock outside of every calendar is the clock's finding.
    let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let days = (end.as_second() - now.as_second()).div_euclid(86_400);
    match days {
        ..0 => Finding::failed(name, format!("{shown} ended at {end}"), remedy),
        0..SOON_DAYS => Finding::warning(name, format!("{shown} ends at {end}, in {days} days"), remedy),
        _ => Finding::ok(name, format!("{shown} ends at {end}")),
    }
}

/// When the certificate ends that these bytes are, DER or PEM; of several, which is a chain, the first of
/// their ends.
fn end(bytes: &[u8]) -> Option<Timestamp> {
    let all: Vec<CertificateDer> = match CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>() {
        Ok(all) if !Vec::is_empty(&all) => all,
        _ => vec![bytes.into()],
    };
    all.iter().map(|one| not_after(one)).collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// The field `notAfter` of a certificate (RFC 5280, 4.1.2.5).
fn not_after(der: &[u8]) -> Option<Timestamp> {
    let parts =
        |der: &[u8]| yasna::parse_der(der, |reader| reader.collect_sequence_of(|part| part.read_der())).ok();
    let signed = parts(parts(der)?.first()?)?;
    // Behind a version, where there is one, and serial number, algorithm and issuer.
    let before = if signed.first()?.first() == Some(&0xA0) { 4 } else { 3 };
    let validity = parts(signed.get(before)?)?;
    let time = yasna::parse_der(validity.get(1)?, |reader| reader.read_tagged_der()).ok()?;
    let digits = str::from_utf8(time.value()).ok().filter(|text| text.is_ascii())?.strip_suffix('Z')?;
    // Two digits of a year are of 1950 to 2049.
    let (century, digits) = match digits.len() {
        12 if digits < "50" => ("20", digits),
        12 => ("19", digits),
        14 => digits.split_at(2),
        _ => return None,
    };
    let pair = |at: usize| digits.get(at..at + 2);
    let [year, month, day, hour, minute, second] =
        [pair(0)?, pair(2)?, pair(4)?, pair(6)?, pair(8)?, pair(10)?];
    format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}
