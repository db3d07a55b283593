//! Where delivery sends what the device has logged: the few values of its configuration that every site
//! has to say. Its package has the rest, explained.

use super::draft::{Draft, DraftError};
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use toml::{Table, Value};

/// Where the package has the device's configuration; the delivery's names it.
pub const CONFIGURATION: &str = "/etc/pneumoscope/pneumoscope.toml";

/// The configuration that the package `pneumoscope-deliver` brings.
pub const SHIPPED_DELIVERY: &str = include_str!("../../deliver/packaging/deliver.toml");

/// Values to be set. None: as it was; an inner none: nothing is sent there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    pub broker: Option<Option<Broker>>,
    pub archive: Option<Option<Archive>>,
    pub site: Option<Site>,
}

/// A broker of MQTT: `mqtts://HOST:PORT`, or `mqtt://HOST:PORT` without encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    tls: bool,
    host: String,
    port: u16,
}

/// An archive that takes DICOM: `TITLE@HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    title: String,
    host: String,
    port: u16,
}

/// Name of the place in a broker's topics: 1 to 64 letters, digits, `-`, `_` or `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site(String);

/// Host and port, where one is given.
fn address(text: &str) -> Option<(&str, Option<u16>)> {
    // An address of IPv6 has colons itself, and stands in brackets where a port follows.
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((_, more)) if more.contains(':') => (text, None),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or(())).transpose().ok()?;
    (!host.is_empty() && host.chars().all(fits)).then_some((host, port))
}

/// A host before its port.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

impl FromStr for Broker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tls, rest) = match text.split_once("://") {
            None => (true, text),
            Some(("mqtts", rest)) => (true, rest),
            Some(("mqtt", rest)) => (false, rest),
            Some(_) => (true, ""),
        };
        let expected = "expected none, or a broker such as mqtts://broker.example, broker.example:8883, or \
                        mqtt://127.0.0.1:1883 without encryption";
        let (host, port) = address(rest).ok_or_else(|| format!("{expected}; got {text:?}"))?;
        Ok(Self { tls, host: host.to_owned(), port: port.unwrap_or(if tls { 8883 } else { 1883 }) })
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tls, host, port } = self;
        write!(f, "{}://{}:{port}", if *tls { "mqtts" } else { "mqtt" }, bracketed(host))
    }
}

impl FromStr for Archive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('@').and_then(|(title, rest)| Some((title, address(rest)?)));
        let printable = |title: &str| title.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\');
        match parsed {
            Some((title, (host, port)))
                if !title.trim().is_empty() && title.len() <= 16 && printable(title) =>
            {
                Ok(Self { title: title.to_owned(), host: host.to_owned(), port: port.unwrap_or(11_112) })
            }
            _ => Err(format!(
                "expected none, or an archive such as ARCHIVE@pacs.example:11112, whose title before @ has 1 to 16 \
                 characters; got {text:?}"
            )),
        }
    }
}

impl fmt::Display for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, host, port } = self;
        write!(f, "{title}@{}:{port}", bracketed(host))
    }
}

impl FromStr for Site {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if (1..=64).contains(&text.len()) && text.chars().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("expected 1 to 64 letters, digits, '-', '_' or '.', got {text:?}"))
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As it is typed: `none`, or one.
///
/// # Errors
/// What was expected.
pub fn or_none<T: FromStr<Err = String>>(text: &str) -> Result<Option<T>, String> {
    if text == "none" { Ok(None) } else { text.parse().map(Some) }
}

impl Delivery {
    /// Whether nothing is to be set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a configuration says now, all of it. Where it says no value, or one that is none, the package's
    /// holds.
    pub fn of(text: &str) -> Self {
        let table = |text: &str| text.parse::<Table>().unwrap_or_default();
        let (its, shipped) = (table(text), table(SHIPPED_DELIVERY));
        let value = |section: &str, key: &str| {
            let of = |table: &Table| table.get(section)?.get(key).cloned();
            of(&its).or_else(|| of(&shipped))
        };
        let is = |section, key| value(section, key).and_then(|value| value.as_bool()).unwrap_or(false);
        let text = |section, key| match value(section, key) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let port = |section| value(section, "port")?.as_integer().and_then(|port| u16::try_from(port).ok());
        let host = |section| text(section, "host");
        let broker = || Some(Broker { tls: is("mqtt", "tls"), host: host("mqtt"), port: port("mqtt")? });
        let archive =
            || Some(Archive { title: text("pacs", "called"), host: host("pacs"), port: port("pacs")? });
        Self {
            broker: Some(is("mqtt", "enabled").then(broker).flatten()),
            archive: Some(is("pacs", "enabled").then(archive).flatten()),
            site: Some(Site(text("device", "site"))),
        }
    }

    /// Why delivery would not start with a text that was good before, and has other values now.
    pub fn refused(text: &str) -> Option<String> {
        let its: Table = text.parse().unwrap_or_default();
        let mqtt = its.get("mqtt")?;
        let tls = mqtt.get("tls").and_then(Value::as_bool).unwrap_or(true);
        Self::check_encryption(tls, mqtt.get("certificate").is_some()).err().map(str::to_owned)
    }

    /// Checks `[mqtt]`: `tls` and whether a certificate is named.
    ///
    /// # Errors
    /// A certificate is shown to no broker without encryption.
    pub const fn check_encryption(tls: bool, certificate: bool) -> Result<(), &'static str> {
        if certificate && !tls {
            return Err(
                "[mqtt] certificate: expected tls = true with it (mqtts://HOST:PORT in setup), got false; without \
                 encryption no certificate is shown to a broker, so set it, or take certificate and key out",
            );
        }
        Ok(())
    }

    /// Writes them into a draft of the file at `file`, which is to be of the device that is configured at
    /// `device`.
    ///
    /// # Errors
    /// [`DraftError::Form`], for the first that cannot be written.
    pub fn apply(&self, draft: &mut Draft, file: &Path, device: &Path) -> Result<(), DraftError> {
        let now: Table = draft.text().parse().unwrap_or_default();
        let named = now.get("device").and_then(|device| device.get("config")).and_then(Value::as_str);
        let named = named.unwrap_or(CONFIGURATION);
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut set = |section, key, value: Value| draft.set(section, key, Some(value));
        if folder.join(named) != device {
            // A path of its own folder goes along with it.
            let own = device.strip_prefix(folder).unwrap_or(device);
            set("device", "config", own.display().to_string().into())?;
        }
        if let Some(Site(site)) = &self.site {
            set("device", "site", site.as_str().into())?;
        }
        if let Some(broker) = &self.broker {
            set("mqtt", "enabled", broker.is_some().into())?;
        }
        if let Some(Some(Broker { tls, host, port })) = &self.broker {
            set("mqtt", "host", host.as_str().into())?;
            set("mqtt", "port", i64::from(*port).into())?;
            set("mqtt", "tls", (*tls).into())?;
        }
        if let Some(archive) = &self.archive {
            set("pacs", "enabled", archive.is_some().into())?;
        }
        if let Some(Some(Archive { title, host, port })) = &self.archive {
            set("pacs", "host", host.as_str().into())?;
            set("pacs", "port", i64::from(*port).into())?;
            set("pacs", "called", title.as_str().into())?;
        }
        Ok(())
    }
}
