//! What may be configured of a source: the table `[capture]` of the configuration.

use super::{Crop, Encoding, Logged, SourceSpec};
use crate::value;
use edge_core::frame::{MAX_SIDE, MIN_SIDE};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which source, and what is wished of it; every key has a default. The sources themselves do not
/// look at `source`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaptureOptions {
    /// A camera, a watched folder or a replay.
    pub source: SourceSpec,
    /// The camera's pixel format; without it the first of [`Encoding::ALL`] that the camera has in
    /// a fair size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Encoding>,
    /// Width to ask the camera for, in pixels, together with `height`. What it answers counts.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
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
        Ok(())
    }
}
