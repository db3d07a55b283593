//! How far each destination is and why it waits: kept by those who deliver, written for `status`.

use crate::moment::Moment;
use anyhow::{Context, Result};
use base::certificate::SOON_DAYS;
use base::log::Point;
use edge_model::files;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub const VERSION: u32 = 3;

/// A report that is older is that of a program that hangs.
pub const STALE_AFTER_S: i64 = 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub version: u32,
    /// When it was written.
    pub time: Moment,
    pub destinations: Vec<Destination>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// `mqtt` or `pacs`.
    pub name: String,
    /// Where it is.
    pub address: String,
    pub phase: Phase,
    /// Why it waits, or what went wrong last.
    pub why: Option<String>,
    /// When the next attempt is made.
    pub next_attempt: Option<Moment>,
    /// The last line that was delivered.
    pub last: Option<Point>,
    /// When it was, in this run.
    pub delivered_at: Option<Moment>,
    /// Lines that were delivered in this run, and those of them that were not for this destination.
    pub lines: u64,
    pub not_for_it: u64,
    /// Lines of which something was refused for good; the journal says why of each.
    pub refused: u64,
    /// Gaps that were told in this run.
    pub gaps: u64,
    /// What is wrong with the log or the cursor; delivery goes on.
    pub trouble: Option<String>,
    /// When the first of the certificates ends that the broker showed last; none without encryption.
    pub certificate_ends: Option<Moment>,
}

impl Destination {
    /// What is to be done about the broker's certificate, where that ends soon.
    pub fn renewal(&self) -> Option<String> {
        let end = self.certificate_ends?;
        let days = Some(end.days_left()).filter(|days| *days < SOON_DAYS)?;
        Some(format!(
            "the broker's certificate ends at {end}, in {days} days; have whoever runs the broker put a new one there"
        ))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Connecting,
    Connected,
    /// For the next attempt.
    Waiting,
}

/// One destination's place on the board, shared with who writes the report.
#[derive(Clone, Debug)]
pub struct Place(Arc<Mutex<Destination>>);

impl Place {
    pub fn new(name: &str, address: String) -> Self {
        Self(Arc::new(Mutex::new(Destination {
            name: name.to_owned(),
            address,
            phase: Phase::Connecting,
            why: None,
            next_attempt: None,
            last: None,
            delivered_at: None,
            lines: 0,
            not_for_it: 0,
            refused: 0,
            gaps: 0,
            trouble: None,
            certificate_ends: None,
        })))
    }

    pub fn set(&self, change: impl FnOnce(&mut Destination)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// It waits so long for the next attempt, for this reason.
    pub fn waits(&self, why: &anyhow::Error, wait: Duration) {
        self.set(|place| {
            (place.phase, place.why) = (Phase::Waiting, Some(told(why)));
            place.next_attempt = Moment::after(wait);
        });
    }

    pub fn get(&self) -> Destination {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A line was delivered.
    pub fn delivered(&self, point: Option<Point>) {
        self.set(|place| {
            place.last = point;
            place.delivered_at = Some(Moment::now());
            place.lines += 1;
        });
    }
}

/// An error with its causes, but those that the one before has said already: libraries do both.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| {
        if said.is_empty() {
            cause
        } else if said.ends_with(&cause) {
            said
        } else {
            format!("{said}: {cause}")
        }
    })
}

/// The lock beside a report, held by the program that writes it for as long as it lives: however that ends,
/// the kernel lets go of it at once.
#[derive(Debug)]
pub struct Running {
    _lock: File,
}

impl Running {
    /// # Errors
    /// The report's folder cannot be written.
    pub fn claim(report: &Path) -> io::Result<Self> {
        let lock = File::options().create(true).truncate(false).write(true).open(lock(report))?;
        // Whoever asks whether it is held takes it for a moment.
        for _ in 0..100 {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(Self { _lock: lock })
    }

    /// Whether a program holds it.
    fn is_claimed(report: &Path) -> bool {
        // On a file system without locks the report's age is all that tells.
        File::open(lock(report)).is_ok_and(|lock| lock.try_lock_shared().is_err())
    }
}

fn lock(report: &Path) -> PathBuf {
    let mut path = report.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

impl Report {
    pub fn of(places: &[Place]) -> Self {
        let destinations = places.iter().map(Place::get).collect();
        Self { version: VERSION, time: Moment::now(), destinations }
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let bytes = serde_json::to_vec(self)?;
        Ok(files::write(path, &bytes)?)
    }

    /// The report of a program that runs; none where none does.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        if !Running::is_claimed(path) {
            return Ok(None);
        }
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let report: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("{}: expected what `pneumoscope-deliver run` writes", path.display()))?;
        let age = report.time.age_s();
        Ok((report.version == VERSION && (-STALE_AFTER_S..=STALE_AFTER_S).contains(&age)).then_some(report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use jiff::Timestamp;

    #[test]
    fn a_certificate_that_ends_soon_is_told() {
        let place = Place::new("mqtt", String::new());
        assert_eq!(place.get().renewal(), None);
        let told = |days: u64| {
            // Days have passed when they are whole.
            let end = Moment::after(Duration::from_secs(days * 86_400 + 3600));
            place.set(|place| place.certificate_ends = end);
            place.get().renewal()
        };
        assert!(told(29).unwrap().contains(", in 29 days; have whoever"));
        assert_eq!(told(30), None);
        place.set(|place| {
            place.certificate_ends = Some("2020-01-02T03:04:05Z".parse::<Timestamp>().unwrap().into())
        });
        assert!(place.get().renewal().unwrap().contains("ends at 2020-01-02T03:04:05.000Z, in -"));
    }

    #[test]
    fn a_cause_that_was_said_already_is_not_said_again() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(told(&anyhow!(refused()).context("I/O: connection refused")), "I/O: connection refused");
        assert_eq!(told(&anyhow!(refused()).context("no broker")), "no broker: connection refused");
        assert_eq!(told(&anyhow!("alone")), "alone");
    }
}
