//! How a GPIO line is named: by its own name, or by its chip's label and its number there.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A GPIO line. Chips are found by label, never by number: a chip that was gone for a moment comes
/// back under another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct LineSpec {
    pub line: Line,
    /// Whether the lamp is lit, or the button pressed, while the line is low.
    pub active_low: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// By its name, such as `GPIO17`; on that chip alone where a label is given.
    Name { name: String, chip: Option<String> },
    Number {
        chip: String,
        /// The line's number, from 0.
        line: u32,
    },
}

impl LineSpec {
    /// Whether both are certainly one line.
    pub fn same_line(&self, other: &Self) -> bool {
        match (&self.line, &other.line) {
            (Line::Name { name: a, .. }, Line::Name { name: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for LineSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Line::Name { name, chip: None } => write!(f, "`{}`", name.escape_debug()),
            Line::Name { name, chip: Some(chip) } => {
                write!(f, "`{}` of chip `{}`", name.escape_debug(), chip.escape_debug())
            }
            Line::Number { chip, line } => write!(f, "line {line} of chip `{}`", chip.escape_debug()),
        }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(default)]
    active_low: bool,
}

impl TryFrom<Raw> for LineSpec {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let line = match (raw.name, raw.chip, raw.line) {
            (Some(name), chip, None) if !name.is_empty() => Line::Name { name, chip },
            (None, Some(chip), Some(line)) => Line::Number { chip, line },
            (name, chip, line) => {
                let given = [("name", name.is_some()), ("chip", chip.is_some()), ("line", line.is_some())];
                let given: Vec<_> = given.iter().filter(|(_, there)| *there).map(|(key, _)| *key).collect();
                let given = if given.is_empty() { "none of these".into() } else { given.join(" and ") };
                return Err(format!(
                    "expected a line as {{ name = \"GPIO17\" }} or {{ chip = \"LABEL\", line = 3 }}, got {given}; \
                     `edge-runtime devices` lists chips and lines"
                ));
            }
        };
        Ok(Self { line, active_low: raw.active_low })
    }
}

impl From<LineSpec> for Raw {
    fn from(spec: LineSpec) -> Self {
        let (name, chip, line) = match spec.line {
            Line::Name { name, chip } => (Some(name), chip, None),
            Line::Number { chip, line } => (None, Some(chip), Some(line)),
        };
        Self { name, chip, line, active_low: spec.active_low }
    }
}
