//! Where frames come from: a camera, a watched folder, a replay of files. One trait, one file a source.

use edge_core::Frame;
use edge_core::agree::Stamp;
use std::fmt;
use std::time::Duration;

/// A frame as a source hands it out; the bytes stay the source's.
#[derive(Clone, Copy, Debug)]
pub struct Shot<'a> {
    /// The picture, already cut to the configured rectangle.
    pub frame: Frame<'a>,
    /// The source's numbering and timing, for finding one that stands still.
    pub stamp: Stamp,
    /// When the picture was taken, in milliseconds of [`now_ms`]'s clock.
    pub taken_ms: u64,
    /// What to call the picture in the log: a file's name; empty for a camera.
    pub name: &'a str,
}

/// Something that frames come from.
pub trait Source {
    /// The next frame, waiting at most `wait`.
    ///
    /// # Errors
    /// [`CaptureError`]: nothing came, or what came is no frame. Calling again is always allowed: a source that lost its camera
    /// looks for it again by itself, and says [`CaptureError::Lost`] until it is back.
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError>;

    /// What it is, for the log: `v4l2:/dev/video0`, `folder:DIR`, `replay:DIR`.
    fn name(&self) -> &str;
}

/// Why there is no frame. Every one but `Nothing` and `End` is a FAULT.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Nothing came within the time given: no fault by itself, because the age of the last frame tells.
    #[error("no frame came in time")]
    Nothing,
    /// A replay has no more files.
    #[error("the replay has ended")]
    End,
    /// No camera: absent, unplugged, refused to start, or it stopped with an error.
    #[error("{source_name}: {what}; check that it is plugged in and not in use by another program")]
    Lost {
        /// The source.
        source_name: String,
        /// What was asked and what it answered.
        what: String,
    },
    /// The camera runs, but has no signal on its input.
    #[error("{0}: no signal; check what the camera is connected to")]
    NoSignal(String),
    /// The frame is marked as damaged, or is not of the agreed form.
    #[error("{0}")]
    Damaged(String),
}

impl CaptureError {
    /// The reason that the device shows, where it is a fault.
    pub fn reason(&self) -> Option<edge_core::Reason> {
        match self {
            Self::Nothing | Self::End => None,
            Self::Lost { .. } => Some(edge_core::Reason::CameraLost),
            Self::NoSignal(_) => Some(edge_core::Reason::NoSignal),
            Self::Damaged(_) => Some(edge_core::Reason::DamagedFrame),
        }
    }
}

/// The part of a camera's picture that holds the film or screen, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// Columns left of it.
    pub x: u32,
    /// Rows above it.
    pub y: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} at {},{}", self.width, self.height, self.x, self.y)
    }
}

/// Milliseconds of the clock that never steps and that the kernel stamps frames with (`CLOCK_MONOTONIC`).
pub fn now_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    (now.tv_sec as u64) * 1000 + (now.tv_nsec as u64) / 1_000_000
}
