//! The configuration: one TOML file, in which every key has a default, and nothing is sent without
//! being switched on. What the device's own configuration says (its name, its log, its folder) is
//! read there and not repeated.

use edge_runtime::capture::{Crop, SourceSpec};
use edge_runtime::config::{self as device, ConfigError, Configuration};
use edge_runtime::setup::Delivery;
use edge_runtime::value;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub device: Device,
    pub mqtt: Mqtt,
    pub pacs: Pacs,
    pub files: Files,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Device {
    /// The device's own configuration.
    pub config: PathBuf,
    /// Name of this device among all of the broker's; none for the one in its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Name of the place.
    pub site: String,
    /// What the device writes twice a second while it lives.
    pub status: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    pub enabled: bool,
    pub host: String,
    pub port: u16,
    pub version: Version,
    pub tls: bool,
    /// Certificates of which one must have signed the broker's, PEM.
    pub ca: PathBuf,
    /// This device's certificate and its key, PEM, both or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// User and the file whose first line is his password, both or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    #[serde(deserialize_with = "value::whole::<5, 3600, _, _>")]
    pub keep_alive_s: u16,
    /// Messages on their way at once.
    #[serde(deserialize_with = "value::whole::<1, 1000, _, _>")]
    pub in_flight: u16,
    /// Longest wait before the next attempt.
    #[serde(deserialize_with = "value::whole::<1, 86_400, _, _>")]
    pub retry_max_s: u32,
    /// How often the status is sent though nothing has changed.
    #[serde(deserialize_with = "value::whole::<10, 86_400, _, _>")]
    pub status_s: u32,
}

/// The protocol's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Version {
    #[serde(rename = "3.1.1")]
    V3,
    #[serde(rename = "5")]
    V5,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pacs {
    pub enabled: bool,
    pub host: String,
    pub port: u16,
    /// Application entity titles: this device's, and the archive's.
    pub calling: String,
    pub called: String,
    /// Whether the picture with the heat map goes along with the report.
    pub images: bool,
    /// The program that draws it.
    pub program: PathBuf,
    #[serde(deserialize_with = "value::whole::<1, 86_400, _, _>")]
    pub retry_max_s: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// The folder of the cursors.
    pub state: PathBuf,
    /// What `status` reads.
    pub status: PathBuf,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            config: "/etc/pneumoscope/pneumoscope.toml".into(),
            name: None,
            site: "site".into(),
            status: "/run/pneumoscope/status.json".into(),
        }
    }
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            enabled: false,
            host: "localhost".into(),
            port: 8883,
            version: Version::V5,
            tls: true,
            ca: "/etc/ssl/certs/ca-certificates.crt".into(),
            certificate: None,
            key: None,
            user: None,
            password_file: None,
            keep_alive_s: 30,
            in_flight: 20,
            retry_max_s: 300,
            status_s: 300,
        }
    }
}

impl Default for Pacs {
    fn default() -> Self {
        Self {
            enabled: false,
            host: "localhost".into(),
            port: 11112,
            calling: "PNEUMOSCOPE".into(),
            called: "ANY-SCP".into(),
            images: true,
            program: "/usr/bin/edge-runtime".into(),
            retry_max_s: 300,
        }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self {
            state: "/var/lib/pneumoscope-deliver".into(),
            status: "/run/pneumoscope-deliver/status.json".into(),
        }
    }
}

/// A configuration with what it takes from the device's.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    pub site: String,
    pub device: String,
    pub log: PathBuf,
    /// The watched folder; none where the device's pictures come from elsewhere.
    pub folder: Option<PathBuf>,
    /// The device's model; none for the one that its program was built with, or an installed one.
    pub model: Option<PathBuf>,
    /// Where installed models lie, each as `SHA256.bundle`.
    pub store: Option<PathBuf>,
    /// The part of each picture that the device judges.
    pub crop: Option<Crop>,
    /// Whether the device writes its status for a screen.
    pub has_status: bool,
}

impl Loaded {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let config = Config::load(path)?;
        let its = device::Config::load(&config.device.config)?;
        let device = config.device.name.clone().unwrap_or(its.device.name);
        let site = config.device.site.clone();
        for (key, name) in [("site", &site), ("name", &device)] {
            is_level(name).map_err(|what| ConfigError::Value {
                place: path.display().to_string(),
                what: format!("[device] {key}: {what}"),
            })?;
        }
        let folder = match its.capture.source {
            SourceSpec::Folder(folder) => Some(folder),
            _ => None,
        };
        let device::Model { file: model, store, .. } = its.model;
        let (crop, has_status) = (its.capture.crop, its.screen.folder.is_some());
        Ok(Self { config, site, device, log: its.log.file, folder, model, store, crop, has_status })
    }
}

/// One level of a topic that no broker and no access list takes for more.
fn is_level(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(format!(
        "expected 1 to 64 letters, digits, '-', '_' or '.', got {name:?}; it is a level of MQTT's topics, so set \
         [device] name and site in this file"
    ))
}

impl Configuration for Config {
    fn check(&self) -> Result<(), String> {
        let Mqtt { tls, certificate, key, user, password_file, .. } = &self.mqtt;
        if certificate.is_some() != key.is_some() {
            return Err(
                "[mqtt] certificate and key: expected both or none, got one; name the other file".into()
            );
        }
        if user.is_some() != password_file.is_some() {
            return Err("[mqtt] user and password_file: expected both or none, got one; set the other".into());
        }
        Delivery::check_encryption(*tls, certificate.is_some())?;
        for (key, title) in [("calling", &self.pacs.calling), ("called", &self.pacs.called)] {
            let printable = title.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\');
            if title.trim().is_empty() || title.len() > 16 || !printable {
                return Err(format!(
                    "[pacs] {key}: expected a title of 1 to 16 printable characters, got {title:?}"
                ));
            }
        }
        Ok(())
    }

    fn resolve(&mut self, folder: &Path) {
        let mqtt = &mut self.mqtt;
        let some = [&mut mqtt.certificate, &mut mqtt.key, &mut mqtt.password_file];
        let always = [
            &mut mqtt.ca,
            &mut self.device.config,
            &mut self.device.status,
            &mut self.pacs.program,
            &mut self.files.state,
            &mut self.files.status,
        ];
        for path in some.into_iter().flatten().chain(always) {
            *path = folder.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packaged_file_has_every_key_and_is_the_default() {
        let text = include_str!("../packaging/deliver.toml");
        assert_eq!(Config::parse(text, "deliver.toml").unwrap(), Config::default());
        // What has no default stands there commented out.
        let uncommented: String = text
            .lines()
            .map(|line| line.strip_prefix('#').filter(|l| !l.starts_with(' ')).unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let all = toml::to_string(&Config::parse(&uncommented, "deliver.toml").unwrap()).unwrap();
        let keys = |text: &str| -> Vec<String> {
            let keys = text.lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()));
            let mut keys: Vec<String> = keys.filter(|key| !key.contains(' ')).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&all), keys(&uncommented));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let said = |text: &str| Config::parse(text, "deliver.toml").unwrap_err().to_string();
        assert!(
            said("[mqtt]\nprt = 1").contains("deliver.toml:2: there is no key `prt`; did you mean `port`?")
        );
        assert!(said("[mqtt]\nkeep_alive_s = 1").contains("expected a whole number from 5 to 3600"));
        assert!(said("[mqtt]\nversion = \"4\"").contains("there is no value `4`"));
        assert!(said("[mqtt]\ncertificate = \"a\"").contains("expected both or none"));
        assert!(said("[mqtt]\nuser = \"a\"").contains("expected both or none"));
        assert!(
            said("[mqtt]\ntls = false\ncertificate = \"a\"\nkey = \"b\"").contains("expected tls = true")
        );
        assert!(said("[pacs]\ncalled = \"\"").contains("1 to 16 printable"));
    }

    #[test]
    fn a_name_is_one_level_of_a_topic() {
        for name in ["ward-1", "X", "a.b_c"] {
            is_level(name).unwrap();
        }
        for name in ["", "a/b", "+", "#", "a b", "é", &"x".repeat(65)] {
            assert!(is_level(name).unwrap_err().contains("expected 1 to 64"), "{name}");
        }
    }
}
