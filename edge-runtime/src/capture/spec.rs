//! Which source, in one word: `v4l2:/dev/video0`, `v4l2:NAME`, `folder:DIR`, `replay:DIR`, `exec:`.
//! Configuration and command line take the same.

use crate::value::nearest;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum SourceSpec {
    /// A camera: its device file, its name, or its bus address.
    V4l2(String),
    /// A folder in which picture files appear.
    Folder(PathBuf),
    /// A folder of picture files, or one, taken one after the other.
    Replay {
        path: PathBuf,
        /// Whether it begins again after its last file: `?loop` behind the path.
        repeat: bool,
    },
    /// A program that writes frames to its standard output: its words, which `exec:PROGRAM WORD ...`
    /// separates by blanks; none where the configuration lists them (`command`).
    Exec(Vec<String>),
}

/// The kinds of sources, and what stands behind the colon.
const KINDS: [&str; 4] = ["v4l2", "folder", "replay", "exec"];
const EXPECTED: &str = "v4l2:/dev/video0, v4l2:NAME, folder:DIR, replay:DIR or exec:PROGRAM";
const LOOP: &str = "?loop";

impl SourceSpec {
    /// Whether frames come by themselves all the time, as a camera's do.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::V4l2(_) | Self::Exec(_))
    }

    /// The folder, which may be relative; none for a camera.
    pub(crate) fn folder_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::V4l2(_) | Self::Exec(_) => None,
            Self::Folder(path) | Self::Replay { path, .. } => Some(path),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    #[error("expected a source such as {EXPECTED}, got `{}`{hint}", got.escape_debug())]
    Kind {
        got: String,
        /// A better spelling, if there is one.
        hint: String,
    },
    #[error("expected a source such as {EXPECTED}, got `{}` with nothing behind the colon", .0.escape_debug())]
    Nothing(String),
}

impl FromStr for SourceSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (kind, place) = text.split_once(':').unwrap_or((text, ""));
        if !KINDS.contains(&kind) {
            return Err(SpecError::Kind { got: text.to_owned(), hint: hint(text, kind) });
        }
        if place.is_empty() && kind != "exec" {
            return Err(SpecError::Nothing(text.to_owned()));
        }
        Ok(match kind {
            "v4l2" => Self::V4l2(place.to_owned()),
            "folder" => Self::Folder(place.into()),
            "exec" => Self::Exec(place.split_whitespace().map(str::to_owned).collect()),
            _ => match place.strip_suffix(LOOP) {
                Some(path) => Self::Replay { path: path.into(), repeat: true },
                None => Self::Replay { path: place.into(), repeat: false },
            },
        })
    }
}

fn hint(text: &str, kind: &str) -> String {
    let meant = if text.starts_with("/dev/") {
        Some(format!("v4l2:{text}"))
    } else if !text.contains(':') && Path::new(text).exists() {
        Some(format!("folder:{text}` or `replay:{text}"))
    } else {
        let place = text.split_once(':').map_or("", |(_, place)| place);
        nearest(&kind.to_lowercase(), KINDS).map(|known| format!("{known}:{place}"))
    };
    meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"))
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4l2(place) => write!(f, "v4l2:{place}"),
            Self::Folder(path) => write!(f, "folder:{}", path.display()),
            Self::Replay { path, repeat } => {
                write!(f, "replay:{}{}", path.display(), if *repeat { LOOP } else { "" })
            }
            Self::Exec(words) => write!(f, "exec:{}", words.join(" ")),
        }
    }
}

impl TryFrom<String> for SourceSpec {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        text.parse()
    }
}

impl From<SourceSpec> for String {
    fn from(spec: SourceSpec) -> Self {
        spec.to_string()
    }
}
