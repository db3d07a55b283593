//! Where pictures come from, in one word: `v4l2:/dev/video0`, `folder:DIR`, `replay:DIR`. The command line takes the same.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A source of frames.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// A camera: its device file, or its name.
    V4l2(PathBuf),
    /// A folder in which picture files appear.
    Folder(PathBuf),
    /// A folder of picture files, or one, taken one after the other.
    Replay(PathBuf),
}

impl Source {
    /// Device file, camera or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::V4l2(path) | Self::Folder(path) | Self::Replay(path) => path,
        }
    }

    /// The folder, which may be relative; none for a camera.
    pub(super) fn folder_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::V4l2(_) => None,
            Self::Folder(path) | Self::Replay(path) => Some(path),
        }
    }
}

/// A text that names no source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected v4l2:/dev/video0, folder:DIR or replay:DIR, got `{}`", .0.escape_debug())]
pub struct SourceError(String);

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.split_once(':') {
            Some((kind, path)) if !path.is_empty() => match kind {
                "v4l2" => Ok(Self::V4l2(path.into())),
                "folder" => Ok(Self::Folder(path.into())),
                "replay" => Ok(Self::Replay(path.into())),
                _ => Err(SourceError(text.into())),
            },
            _ => Err(SourceError(text.into())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::V4l2(_) => "v4l2",
            Self::Folder(_) => "folder",
            Self::Replay(_) => "replay",
        };
        write!(f, "{kind}:{}", self.path().display())
    }
}

impl TryFrom<String> for Source {
    type Error = SourceError;

    fn try_from(text: String) -> Result<Self, SourceError> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}
