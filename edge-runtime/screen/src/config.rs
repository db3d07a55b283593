//! The screen's configuration: one TOML file, read once, checked whole.
//!
//! Every key has a default; `packaging/screen.toml` is that default with every key explained, and a
//! test holds it to this file. What is not known is refused.

use base::config::Configuration;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use texts::Language;

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub server: Server,
    pub display: Display,
    pub device: Device,
    pub access: Access,
}

/// Where pages are served.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The loopback's without PIN and encryption, all others with both.
    pub listen: Vec<SocketAddr>,
    /// Whether there is no encryption on other addresses than the loopback's.
    pub plain: bool,
    /// Names, beside addresses, under which a browser may ask for the pages.
    pub names: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Display {
    /// For browsers that have chosen none.
    pub language: Language,
    /// What local time is ahead of UTC.
    pub utc_offset: Offset,
}

/// Where the device's files are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Device {
    /// The folder of `status.json` and of the pictures.
    pub status: PathBuf,
    /// The folder of `acknowledged.json`.
    pub acknowledged: PathBuf,
    pub log: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Holds the PIN's hash, the certificate and its key.
    pub folder: PathBuf,
    /// How long a PIN that was given holds, in minutes, 1 to 10080.
    pub session_minutes: u32,
}

impl Default for Server {
    fn default() -> Self {
        let listen = vec![SocketAddr::from(([127, 0, 0, 1], 8080))];
        Self { listen, plain: false, names: Vec::new() }
    }
}

impl Default for Device {
    fn default() -> Self {
        Self {
            status: "/run/pneumoscope".into(),
            acknowledged: "/run/pneumoscope-screen".into(),
            log: "/var/lib/pneumoscope/log.jsonl".into(),
        }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self { folder: "/var/lib/pneumoscope-screen".into(), session_minutes: 720 }
    }
}

/// What local time is ahead of UTC, in minutes; as text `+03:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Offset(i32);

impl Offset {
    /// Date and time of day at `unix_ms`, as `2026-11-24` and `09:05`; none where no calendar has
    /// the time.
    pub fn local(self, unix_ms: u64) -> Option<(String, String)> {
        let milliseconds = i64::try_from(unix_ms).ok()?.checked_add(i64::from(self.0) * 60_000)?;
        let time = jiff::Timestamp::from_millisecond(milliseconds).ok()?.to_string();
        Some((time.get(..10)?.to_owned(), time.get(11..16)?.to_owned()))
    }
}

impl TryFrom<String> for Offset {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let minutes = || {
            let (sign, rest) = match text.as_bytes().first()? {
                b'+' => (1, text.get(1..)?),
                b'-' => (-1, text.get(1..)?),
                _ => return None,
            };
            let (hours, minutes) = rest.split_once(':')?;
            let number = |digits: &str, below: i32| {
                let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
                digits.parse::<i32>().ok().filter(|number| two && *number < below)
            };
            Some(sign * (number(hours, 15)? * 60 + number(minutes, 60)?))
        };
        minutes()
            .map(Self)
            .ok_or(format!("expected an offset from -14:59 to +14:59 like \"+03:00\", got {text:?}"))
    }
}

impl From<Offset> for String {
    fn from(offset: Offset) -> Self {
        let sign = if offset.0 < 0 { '-' } else { '+' };
        let minutes = offset.0.unsigned_abs();
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl Configuration for Config {
    fn check(&self) -> Result<(), String> {
        let server = &self.server;
        if server.listen.is_empty() || server.listen.len() > 8 {
            let got = server.listen.len();
            return Err(format!(
                "server.listen: expected 1 to 8 addresses, got {got}; 127.0.0.1:8080 is this machine alone"
            ));
        }
        if let Some(name) = server.names.iter().find(|name| name.is_empty() || name.contains([':', '/', ' ']))
        {
            return Err(format!(
                "server.names: expected a name like \"ward.example\", got {name:?}; leave out port and path"
            ));
        }
        let minutes = self.access.session_minutes;
        if !(1..=10_080).contains(&minutes) {
            return Err(format!(
                "access.session_minutes: expected 1 to 10080, got {minutes}; 720 is a shift of twelve hours"
            ));
        }
        Ok(())
    }

    fn resolve(&mut self, folder: &Path) {
        let device = &mut self.device;
        for path in [&mut device.status, &mut device.acknowledged, &mut device.log, &mut self.access.folder] {
            *path = folder.join(&*path);
        }
    }
}
