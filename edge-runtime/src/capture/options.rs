//! What may be configured of a source: the table `[capture]` of the configuration.

use super::{Crop, Encoding, Logged, SourceSpec};
use crate::value;
use edge_core::frame::{MAX_SIDE, MIN_SIDE};
use edge_model::frame_stream::{StreamError, StreamFormat};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which source, and what is wished of it; every key has a default. The sources themselves do not
/// look at `source`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaptureOptions {
    /// A camera, a program, a watched folder or a replay.
    pub source: SourceSpec,
    /// The program of a source `exec:` and its arguments, each a word: no shell looks at them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// A program that gives no frame for so long is ended and started again, in milliseconds.
    #[serde(deserialize_with = "value::whole::<1000, 600_000, _, _>")]
    pub restart_after_ms: u32,
    /// How long a camera's first frames, after the start and after a pause, are not answered, in
    /// milliseconds: its exposure settles.
    #[serde(deserialize_with = "value::whole::<0, 60_000, _, _>")]
    pub settle_ms: u32,
    /// The camera's pixel format; without it the best that the camera has. Of a program's raw
    /// frames; without it [`Encoding::Yu12`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Encoding>,
    /// Width to ask the camera for, in pixels, together with `height`. What it answers counts. For a
    /// program: the size of its raw frames; without it Y4M is expected.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "value::some_whole::<32, 8000, _, _>"
    )]
    pub width: Option<u32>,
    /// Height to ask the camera for, in pixels, together with `width`.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "value::some_whole::<32, 8000, _, _>"
    )]
    pub height: Option<u32>,
    /// The part of the picture that holds the film or screen; without it the whole picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// How long a file in a watched folder must have kept its size and time before it is read, in
    /// milliseconds.
    #[serde(deserialize_with = "value::whole::<50, 60_000, _, _>")]
    pub quiet_ms: u32,
    /// How long a quiet file in a watched folder may fail to decode before it is reported as
    /// damaged, in milliseconds.
    #[serde(deserialize_with = "value::whole::<100, 600_000, _, _>")]
    pub give_up_ms: u32,
    /// Whether files are taken that lie in a watched folder when it is first seen.
    pub existing: bool,
    /// Whether a replay begins again after its last file. `replay:DIR?loop` says the same.
    #[serde(rename = "loop")]
    pub repeat: bool,
    /// Where a watched folder's answered files are remembered; none: as long as the program runs.
    #[serde(skip)]
    pub memory: Option<Remembered>,
}

/// A file for what was answered, and the last decision in the log that it is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub file: PathBuf,
    pub last: Option<Logged>,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        Self {
            source: SourceSpec::V4l2("/dev/video0".into()),
            command: Vec::new(),
            restart_after_ms: 10_000,
            settle_ms: 1000,
            format: None,
            width: None,
            height: None,
            crop: None,
            quiet_ms: 500,
            give_up_ms: 10_000,
            existing: false,
            repeat: false,
            memory: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    #[error(
        "source = \"exec:\" needs the program that gives the frames, a word each: command = [\"rpicam-vid\", \"--timeout\", \"0\"]"
    )]
    NoCommand,
    #[error("expected a program behind `exec:` or in command, got both; leave one out")]
    TwoCommands,
    #[error(
        "expected raw frames of GREY, NV12, YU12, YUYV, UYVY or RGB3 from a program, got {0}; have it write one of them, or Y4M without format"
    )]
    NoStream(Encoding),
    #[error("width, height: {0}")]
    Stream(#[from] StreamError),
    #[error("width and height go together; give both, or none to let the camera choose")]
    HalfASize,
    #[error(
        "{what}: expected sides of {MIN_SIDE} to {MAX_SIDE} pixels, got {width}x{height}; choose another size"
    )]
    Sides {
        what: &'static str,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

impl CaptureOptions {
    pub fn size(&self) -> Option<(u32, u32)> {
        self.width.zip(self.height)
    }

    /// The program of a source `exec:` and its arguments; none for another source.
    pub fn words(&self) -> Option<&[String]> {
        match &self.source {
            SourceSpec::Exec(words) if words.is_empty() => Some(&self.command),
            SourceSpec::Exec(words) => Some(words),
            _ => None,
        }
    }

    /// What a program's raw frames are; none where it is to write Y4M.
    pub fn stream(&self) -> Result<Option<StreamFormat>, OptionsError> {
        let Some((width, height)) = self.size() else { return Ok(None) };
        let encoding = self.format.unwrap_or(Encoding::Yu12);
        let stream = encoding.stream(width, height).ok_or(OptionsError::NoStream(encoding))?;
        Ok(Some(stream?))
    }

    /// Whether a source can be made of them; the error is the first option that none can meet.
    pub fn check(&self) -> Result<(), OptionsError> {
        if self.width.is_some() != self.height.is_some() {
            return Err(OptionsError::HalfASize);
        }
        let sides = u32::from(MIN_SIDE)..=u32::from(MAX_SIDE);
        let crop = self.crop.map(|crop| ("crop", (crop.width, crop.height)));
        let size = self.size().map(|size| ("width, height", size));
        for (what, (width, height)) in crop.into_iter().chain(size) {
            if !sides.contains(&width) || !sides.contains(&height) {
                return Err(OptionsError::Sides { what, width, height });
            }
        }
        if let SourceSpec::Exec(words) = &self.source {
            match (words.is_empty(), self.command.is_empty()) {
                (true, true) => return Err(OptionsError::NoCommand),
                (false, false) => return Err(OptionsError::TwoCommands),
                _ => self.stream().map(drop)?,
            }
        }
        Ok(())
    }
}
