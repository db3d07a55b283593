//! What a configuration is to say, however it was asked for.

use super::draft::{Draft, DraftError};
use crate::capture::{Crop, SourceSpec};
use crate::config::{Line, LineSpec};
use edge_model::prevalence::RANGE;
use serde::Serialize;
use std::str::FromStr;
use texts::Language;
use toml::Value;

/// Values to be set. None: as it was; an inner none: not set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    pub name: Option<String>,
    pub language: Option<Language>,
    pub source: Option<SourceSpec>,
    pub crop: Option<Option<Crop>>,
    pub lines: Option<Lines>,
    pub prevalence: Option<Option<f64>>,
    pub screen: Option<ScreenUse>,
}

/// What `pneumoscope-screen` on this board gets, and may say: `off`, `on`, or `acknowledge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenUse {
    Off,
    /// It shows what is shown.
    On,
    /// The same, and a tap on it acknowledges an answer as a button does.
    Acknowledges,
}

impl FromStr for ScreenUse {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "on" => Ok(Self::On),
            "acknowledge" => Ok(Self::Acknowledges),
            other => Err(format!("expected off, on or acknowledge, got {other:?}")),
        }
    }
}

impl Wishes {
    /// Writes them into a draft.
    ///
    /// # Errors
    /// [`DraftError::Form`], for the first that cannot be written.
    pub fn apply(&self, draft: &mut Draft) -> Result<(), DraftError> {
        let mut set = |section, key, value: Option<Value>| draft.set(section, key, value);
        if let Some(name) = &self.name {
            set("device", "name", Some(name.as_str().into()))?;
        }
        if let Some(language) = self.language {
            set("device", "language", Some(language.code().into()))?;
        }
        if let Some(source) = &self.source {
            set("capture", "source", Some(source.to_string().into()))?;
        }
        if let Some(crop) = self.crop {
            set("capture", "crop", crop.and_then(|crop| written(&crop)))?;
        }
        if let Some(prevalence) = self.prevalence {
            set("site", "prevalence", prevalence.map(Value::from))?;
        }
        if let Some(screen) = self.screen {
            let folder = (screen != ScreenUse::Off).then(|| Value::from(STATUS_FOLDER));
            let tapped = format!("{SCREEN_FOLDER}/{}", status::ACKNOWLEDGED);
            let tapped = (screen == ScreenUse::Acknowledges).then(|| Value::from(tapped));
            set("screen", "folder", folder)?;
            set("screen", "acknowledge", tapped)?;
        }
        for (key, line) in self.lines.iter().flat_map(|lines| KEYS.into_iter().zip(&lines.0)) {
            set("lights", key, line.as_ref().and_then(written))?;
        }
        Ok(())
    }

    /// A share as it is typed; `none` for the model's own.
    ///
    /// # Errors
    /// What was expected.
    pub fn prevalence(text: &str) -> Result<Option<f64>, String> {
        if text == "none" {
            return Ok(None);
        }
        let share = text.parse().ok().filter(|share| RANGE.contains(share));
        let (least, most) = (RANGE.start(), RANGE.end());
        share.map(Some).ok_or(format!("expected a share from {least} to {most}, or none; got {text:?}"))
    }

    /// A rectangle as it is typed; `none` for the whole picture.
    ///
    /// # Errors
    /// What was expected.
    pub fn crop(text: &str) -> Result<Option<Crop>, String> {
        if text == "none" { Ok(None) } else { text.parse().map(Some).map_err(|error| format!("{error}")) }
    }
}

/// The folders that the services make.
const STATUS_FOLDER: &str = "/run/pneumoscope";
const SCREEN_FOLDER: &str = "/run/pneumoscope-screen";

/// As TOML has it, without what is the default anyway.
fn written(value: &impl Serialize) -> Option<Value> {
    let mut value = Value::try_from(value).ok()?;
    if let Some(table) = value.as_table_mut()
        && table.get("active_low") == Some(&Value::Boolean(false))
    {
        table.remove("active_low");
    }
    Some(value)
}

/// The keys of the lines, in the configuration's order.
const KEYS: [&str; 6] = ["red", "amber", "green", "heartbeat", "buzzer", "button"];

/// The lines of all lights and the button: `none`, `raspberry-pi`, or a list such as
/// `red=GPIO17,amber=GPIO27,green=GPIO22,button=GPIO25:low`, in which a line is a name, or a chip's
/// label and a number there (`pinctrl-rp1#17`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines([Option<LineSpec>; 6]);

const RASPBERRY_PI: &str = "red=GPIO17,amber=GPIO27,green=GPIO22,heartbeat=GPIO23";

impl FromStr for Lines {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut lines = Self::default();
        let list = match text {
            "none" => return Ok(lines),
            "raspberry-pi" => RASPBERRY_PI,
            list => list,
        };
        for part in list.split(',').map(str::trim) {
            let expected = || {
                format!(
                    "expected none, raspberry-pi, or lines such as {RASPBERRY_PI} for {}; got {part:?}",
                    KEYS.join(", ")
                )
            };
            let (key, line) = part.split_once('=').ok_or_else(expected)?;
            let at = KEYS.iter().position(|known| *known == key.trim()).ok_or_else(expected)?;
            let (line, active_low) =
                line.trim().strip_suffix(":low").map_or((line.trim(), false), |line| (line, true));
            let line = match line.split_once('#') {
                Some((chip, number)) if !chip.is_empty() => {
                    Line::Number { chip: chip.into(), line: number.parse().map_err(|_| expected())? }
                }
                None if !line.is_empty() => Line::Name { name: line.into(), chip: None },
                _ => return Err(expected()),
            };
            if lines.0[at].replace(LineSpec { line, active_low }).is_some() {
                return Err(format!("{} is named twice", KEYS[at]));
            }
        }
        Ok(lines)
    }
}
