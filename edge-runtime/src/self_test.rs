//! Whether this machine has what a device needs: the folder of the log, the lines of the lights,
//! the clock.
//!
//! A device can run without them for a while; it shows why. What it cannot do without, edge-model's
//! self-test looks at.

use crate::config::{Lights, Screen};
use crate::signal::gpio;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Seconds from 1970 to the time before which this program was not there: a clock that says so is
/// wrong.
const NOT_BEFORE: u64 = 1_767_225_600; // 2026-01-01

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// The device works, but somebody should see to it.
    Warning,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub verdict: Verdict,
    /// In words: what is there, or what is wrong and what to do.
    pub detail: String,
}

impl Check {
    /// It is so, or it is not, which is a failure.
    pub fn new<E: ToString>(name: &'static str, result: Result<impl ToString, E>) -> Self {
        match result {
            Ok(detail) => Self { name, verdict: Verdict::Ok, detail: detail.to_string() },
            Err(error) => Self { name, verdict: Verdict::Failed, detail: error.to_string() },
        }
    }

    /// The same, where a failure is worth a warning only.
    #[must_use]
    pub fn or_warn(mut self) -> Self {
        if self.verdict == Verdict::Failed {
            self.verdict = Verdict::Warning;
        }
        self
    }
}

pub fn passed(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.verdict != Verdict::Failed)
}

/// Whether files can be made in the folder of the log.
pub fn log_folder(log: &Path) -> Check {
    let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Check::new("log", writable(folder))
}

/// Whether files can be made where a screen looks for them: a warning, because the device goes on
/// without. None where there is no screen.
pub fn screen(screen: &Screen) -> Option<Check> {
    let folder = screen.folder.as_deref()?;
    let said = writable(folder).map_err(|why| format!("{why}; the service makes its own at its start"));
    Some(Check::new("screen", said).or_warn())
}

fn writable(folder: &Path) -> Result<String, String> {
    let write = || -> io::Result<()> {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(b"self-test")?;
        file.sync_all()
    };
    let folder = folder.display();
    write().map(|()| format!("{folder} can be written")).map_err(|error| {
        format!(
            "{folder} cannot be written: {error}; check that it exists, belongs to this user and has room"
        )
    })
}

/// Where the lines of the lights are; a missing one is a warning, because the device goes on and
/// looks for it.
pub fn lines(lights: &Lights) -> Vec<Check> {
    let mut checks: Vec<_> = lights
        .lines()
        .map(|(name, spec)| {
            let found = gpio::find(spec).map(|place| match place.user {
                Some(user) => format!("{spec}, in use by `{}`", user.escape_debug()),
                None => spec.to_string(),
            });
            Check::new(name, found).or_warn()
        })
        .collect();
    if checks.is_empty() {
        checks.push(Check::new("lights", Ok::<_, String>("none; the screen only")));
    } else if lights.heartbeat.is_none() {
        let why = "no line for a heartbeat: nobody can tell a dead device from a dark one";
        checks.push(Check::new("heartbeat", Err::<&str, _>(why)).or_warn());
    }
    checks
}

/// Whether the clock has been set; the log carries it, so a wrong one is worth a warning.
pub fn clock(now: SystemTime) -> Check {
    let sane =
        now.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|age| age >= Duration::from_secs(NOT_BEFORE));
    let wrong =
        "it stands before this program was made; set it (`timedatectl`), or the log will carry wrong times";
    Check::new("clock", if sane { Ok("set") } else { Err(wrong) }).or_warn()
}
