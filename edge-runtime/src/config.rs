//! The device's configuration: one TOML file, read once, checked whole.
//!
//! Every key has a default, so an empty file is a configuration: the built-in model, the first
//! camera, no lights but the terminal. `packaging/pneumoscope.toml` is that default with every key
//! explained; a test holds it to this file. What is not known is refused with the nearest name,
//! because a misspelt key that is passed over would be a setting that somebody believes in.
//! Relative paths are taken from the folder of the configuration.

mod line;

pub use base::config::{ConfigError, Configuration};
pub use line::{Line, LineSpec};

use crate::capture::{CaptureOptions, SourceSpec};
use crate::joining::Studies;
use crate::value;
use edge_model::engine::EngineKind;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use texts::Language;

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub device: Device,
    pub model: Model,
    pub capture: CaptureOptions,
    pub decision: Decision,
    pub site: Site,
    pub lights: Lights,
    pub log: Log,
    pub screen: Screen,
    pub watchdog: Watchdog,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Device {
    pub name: String,
    /// What the terminal speaks; log, journal and JSON lines are English.
    pub language: Language,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The ONNX model, which goes before the store's; none for that, or else for the one that the
    /// program was built with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Where `edge-runtime model install` keeps signed models; none for a device without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<PathBuf>,
    /// The public keys of those whose models are taken: a folder of files ending in .pub, or one file.
    pub keys: PathBuf,
    /// How long a new model must run well before it is confirmed, in seconds.
    #[serde(deserialize_with = "value::whole::<1, 86_400, _, _>")]
    pub trial_s: u32,
    /// What computes it.
    #[serde(deserialize_with = "value::engine")]
    pub engine: EngineKind,
    /// The site's thresholds, bound to this model; none for the model's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decision {
    /// Frames in a row that must agree on POSITIVE or NEGATIVE.
    #[serde(deserialize_with = "value::whole::<1, 255, _, _>")]
    pub agree_frames: u8,
    /// Greatest age of the newest frame before FAULT is shown, in milliseconds.
    #[serde(deserialize_with = "value::whole::<100, 60_000, _, _>")]
    pub stale_after_ms: u32,
    /// A camera's frames are answered at most this often, in milliseconds.
    #[serde(deserialize_with = "value::whole::<0, 60_000, _, _>")]
    pub interval_ms: u32,
    pub mode: Mode,
    /// How long answers are shown after the button was pressed or a file appeared, in milliseconds.
    #[serde(deserialize_with = "value::whole::<1000, 3_600_000, _, _>")]
    pub hold_ms: u32,
    /// Of files in a watched folder an answer other than POSITIVE is shown once no picture of its study
    /// has come for so long, in milliseconds.
    #[serde(deserialize_with = "value::whole::<0, 60_000, _, _>")]
    pub study_ms: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Continuous,
    Button,
}

/// What is known of the place.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// Share of patients here that have the disease; none for that of the data that the model's score
    /// was fitted on. Not together with a site file, whose thresholds are on the model's own score.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "value::some_share")]
    pub prevalence: Option<f64>,
}

/// The GPIO lines of the lights. Red, amber and green are there together or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lights {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub red: Option<LineSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amber: Option<LineSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub green: Option<LineSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<LineSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buzzer: Option<LineSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button: Option<LineSpec>,
    /// How long the button's contact must hold to count, in milliseconds.
    #[serde(deserialize_with = "value::whole::<1, 1000, _, _>")]
    pub debounce_ms: u16,
    /// Whether every lamp is shown at start.
    pub test: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The file; its folder must exist.
    pub file: PathBuf,
    /// Size at which a new file is begun, in bytes.
    #[serde(deserialize_with = "value::whole::<65_536, 1_073_741_824, _, _>")]
    pub rotate_bytes: u64,
    #[serde(deserialize_with = "value::whole::<1, 10_000, _, _>")]
    pub keep: u32,
    /// Whether names of picture files are written; they may hold names of patients.
    pub names: bool,
    /// How study UIDs and accession numbers of DICOM files are written; they name examinations.
    pub studies: Studies,
    /// Whether the pictures themselves are kept beside the log; they are pictures of patients.
    pub pictures: bool,
}

/// What a screen on this board is let see: [`crate::publish`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Screen {
    /// The folder, in memory, that status and pictures are written into; none for no screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Whether the picture whose answer is shown is written too.
    pub picture: bool,
    /// The file in which a screen says which answers were acknowledged; none where it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<PathBuf>,
}

/// What is done when the program hangs. systemd's own watchdog is set in the unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watchdog {
    /// The lights show FAULT by themselves when the program has not been heard of for so many
    /// milliseconds.
    #[serde(deserialize_with = "value::whole::<200, 60_000, _, _>")]
    pub lights_ms: u32,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            file: None,
            store: Some("/var/lib/pneumoscope/models".into()),
            keys: "/etc/pneumoscope/keys".into(),
            trial_s: 60,
            engine: EngineKind::default(),
            site: None,
        }
    }
}

impl Model {
    /// What holds without a configuration: installed models are the service's, which has one.
    pub fn unconfigured() -> Self {
        Self { store: None, ..Self::default() }
    }
}

impl Default for Device {
    fn default() -> Self {
        Self { name: "pneumoscope".into(), language: Language::default() }
    }
}

impl Default for Decision {
    fn default() -> Self {
        Self {
            agree_frames: 3,
            stale_after_ms: 1500,
            interval_ms: 500,
            mode: Mode::Continuous,
            hold_ms: 30_000,
            study_ms: 3000,
        }
    }
}

impl Default for Lights {
    fn default() -> Self {
        Self {
            red: None,
            amber: None,
            green: None,
            heartbeat: None,
            buzzer: None,
            button: None,
            debounce_ms: 30,
            test: true,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            file: "/var/lib/pneumoscope/log.jsonl".into(),
            rotate_bytes: 16 << 20,
            keep: 64,
            names: false,
            studies: Studies::Off,
            pictures: false,
        }
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self { folder: None, picture: true, acknowledge: None }
    }
}

impl Default for Watchdog {
    fn default() -> Self {
        Self { lights_ms: 1500 }
    }
}

impl Lights {
    /// The lines that are there, by their key.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, &LineSpec)> {
        let all = [
            ("red", &self.red),
            ("amber", &self.amber),
            ("green", &self.green),
            ("heartbeat", &self.heartbeat),
            ("buzzer", &self.buzzer),
            ("button", &self.button),
        ];
        all.into_iter().filter_map(|(key, line)| Some((key, line.as_ref()?)))
    }
}

impl Decision {
    /// Whether a live source could ever light POSITIVE or NEGATIVE.
    fn check(&self) -> Result<(), String> {
        let Self { agree_frames, stale_after_ms, interval_ms, hold_ms, .. } = *self;
        if interval_ms >= stale_after_ms {
            return Err(format!(
                "[decision]: expected interval_ms below stale_after_ms, got {interval_ms} and {stale_after_ms}; \
                 each answer would be too old before the next frame is looked at"
            ));
        }
        let agreeing_ms = u64::from(interval_ms) * u64::from(agree_frames.saturating_sub(1));
        if self.mode == Mode::Button && agreeing_ms >= hold_ms.into() {
            return Err(format!(
                "[decision]: expected hold_ms above {agreeing_ms}, the time of agree_frames frames interval_ms apart, \
                 got {hold_ms}; the lights would go out before the frames can agree"
            ));
        }
        Ok(())
    }
}

impl Configuration for Config {
    fn check(&self) -> Result<(), String> {
        self.capture.check().map_err(|error| format!("[capture]: {error}"))?;
        if self.site.prevalence.is_some() && self.model.site.is_some() {
            return Err("[site] prevalence and [model] site: expected one of them, got both; a site file's \
                        thresholds are on the model's own score, so leave one out"
                .into());
        }
        if self.screen.acknowledge.is_some() && self.screen.folder.is_none() {
            return Err(
                "[screen] acknowledge needs the folder in which a screen sees what it acknowledges: \
                        [screen] folder"
                    .into(),
            );
        }
        let lights = &self.lights;
        let lamps = [&lights.red, &lights.amber, &lights.green].iter().filter(|line| line.is_some()).count();
        if lamps == 1 || lamps == 2 {
            return Err(format!(
                "[lights]: expected red, amber and green together or none of them, got {lamps} of the three; \
                 a state cannot be read from fewer lamps"
            ));
        }
        if self.decision.mode == Mode::Button && lights.button.is_none() {
            return Err("[decision] mode = \"button\" needs the line of the button: [lights] button".into());
        }
        if matches!(self.capture.source, SourceSpec::Replay { .. }) && self.decision.mode == Mode::Button {
            return Err(
                "[decision] mode = \"button\" asks a camera; a replay has no picture for the moment \
                        of a press, so leave it \"continuous\""
                    .into(),
            );
        }
        if !matches!(self.capture.source, SourceSpec::Folder(_)) {
            self.decision.check()?;
        }
        let lines: Vec<_> = lights.lines().collect();
        for (i, (key, line)) in lines.iter().enumerate() {
            if let Some((other, _)) = lines[..i].iter().find(|(_, other)| other.same_line(line)) {
                return Err(format!(
                    "[lights]: {other} and {key} are on one line, {line}; give each its own"
                ));
            }
        }
        Ok(())
    }

    fn resolve(&mut self, folder: &Path) {
        let model = &mut self.model;
        let files = model.file.iter_mut().chain(&mut model.site).chain(&mut model.store);
        let screen = self.screen.folder.iter_mut().chain(&mut self.screen.acknowledge);
        let files = files.chain([&mut model.keys, &mut self.log.file]).chain(screen);
        for path in files.chain(self.capture.source.folder_mut()) {
            *path = folder.join(&*path);
        }
        // A program without a slash is looked for where all programs are.
        if let Some(program) = self.capture.command.first_mut().filter(|program| program.contains('/')) {
            *program = folder.join(&*program).to_string_lossy().into_owned();
        }
    }
}
