//! Where frames come from: a camera, a program, a watched folder, a replay of files. One trait, one
//! file a source.

mod encoding;
mod exec;
mod folder;
mod memory;
mod open;
mod options;
mod passed;
mod replay;
mod spec;
mod study;
mod v4l2;

use crate::log::Hash;
use edge_core::Frame;
use edge_core::agree::FrameStamp;
use edge_model::decode::Exam;
use edge_model::files::WriteError;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

pub use base::clock::monotonic_ms as now_ms;
pub use encoding::Encoding;
pub use exec::Exec;
pub use folder::Folder;
pub use memory::Logged;
pub use open::{OpenError, open};
pub use options::{CaptureOptions, OptionsError, Remembered};
pub use passed::PassedOver;
pub use replay::{Replay, ReplayError};
pub use spec::{SourceSpec, SpecError};
pub use study::StudyName;
pub use v4l2::{CameraInfo, FormatInfo, LIBCAMERA, Sizes, V4l2, cameras};

/// A frame as a source hands it out; the bytes stay the source's.
#[derive(Clone, Copy, Debug)]
pub struct Shot<'a> {
    /// The picture, already cut to the configured rectangle.
    pub frame: Frame<'a>,
    /// The source's numbering and timing, for finding one that stands still.
    pub stamp: FrameStamp,
    /// When the picture was taken, in milliseconds of [`now_ms`]'s clock.
    pub taken_ms: u64,
    /// What to call the picture in the log: a file's name; empty for a camera.
    pub name: &'a str,
    /// What the picture's file says of it; none for a camera.
    pub exam: Option<&'a Exam>,
}

/// Damaged frames that a source has passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many since the source was made.
    pub count: u64,
    /// What was wrong with the last one.
    pub last: String,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} damaged frames passed over so far; the last: {}", self.count, self.last)
    }
}

/// Where a picture comes from, as far as its source knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// [`Shot::name`].
    pub name: &'a str,
    /// The study's unique identifier (DICOM's StudyInstanceUID), under which pictures are of one
    /// study whatever their names.
    pub study: Option<&'a str>,
    /// The study's accession number.
    pub accession: Option<&'a str>,
    /// Whether it is a frontal view; none where only its name may say so.
    pub frontal: Option<bool>,
}

pub trait Source {
    /// The next frame, waiting at most `wait`.
    ///
    /// # Errors
    /// [`CaptureError`]: nothing came, or what came is no frame. Calling again is always allowed: a source that lost its camera
    /// looks for it again by itself, and says [`CaptureError::Lost`] until it is back.
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError>;

    /// Waits for a frame for at most `wait` as [`Source::next`] does, and looks at none: for a device
    /// that wants none now. A source of many frames has less work with it.
    ///
    /// # Errors
    /// As [`Source::next`].
    fn pass(&mut self, wait: Duration) -> Result<(), CaptureError> {
        self.next(wait).map(drop)
    }

    /// The damaged frames that it has passed over.
    fn dropped(&self) -> Option<&Dropped> {
        None
    }

    /// Whether frames come by themselves all the time, as a camera's do: then one that stays away
    /// is a fault.
    fn is_live(&self) -> bool {
        false
    }

    /// Where the picture comes from that was handed out, or refused as damaged, last.
    fn origin(&self) -> Origin<'_> {
        Origin::default()
    }

    /// Notes, before the log does, that this picture is answered now; `frame` is what the network
    /// saw, where it saw anything.
    ///
    /// # Errors
    /// It cannot be noted: then it must not be answered.
    fn answering(&mut self, _frame: Option<Hash>) -> Result<(), WriteError> {
        Ok(())
    }

    /// Whether the answer on this picture is in the log. One that is not is handed out again.
    fn answered(&mut self, _logged: bool) {}

    /// Files that are passed over, each told once.
    fn passed_over(&mut self) -> Option<PassedOver> {
        None
    }

    /// What it is, for the log: `v4l2:/dev/video0`, `folder:DIR`, `replay:DIR`, `exec:PROGRAM`.
    fn name(&self) -> &str;
}

/// Why there is no frame. Every one but `Nothing`, `Dropped` and `End` is a FAULT.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Nothing came within the time given: no fault by itself, because the age of the last frame
    /// tells.
    #[error("no frame came in time")]
    Nothing,
    /// Frames came, and none of them whole: a fault once that lasts, for the same reason.
    #[error("{0}")]
    Dropped(String),
    #[error("the replay has ended")]
    End,
    /// No camera: absent, unplugged, refused to start, or it stopped with an error.
    #[error("{source_name}: {what}")]
    Lost {
        source_name: String,
        /// What was asked, what it answered, what to do.
        what: String,
    },
    #[error("{0}: no signal; check what the camera is connected to")]
    NoSignal(String),
    /// The frame is marked as damaged, or is not of the agreed form, or a file gives no picture.
    #[error("{told}")]
    Unusable {
        /// What the device shows.
        reason: edge_core::Reason,
        /// Which camera or file, what it is, what to do.
        told: String,
    },
    /// It cannot be noted which files were answered.
    #[error("what was answered cannot be noted: {0}")]
    Memory(WriteError),
}

impl CaptureError {
    /// A frame that is damaged.
    pub fn damaged(told: String) -> Self {
        Self::Unusable { reason: edge_core::Reason::DamagedFrame, told }
    }

    /// The reason that the device shows, where it is a fault.
    pub fn reason(&self) -> Option<edge_core::Reason> {
        match self {
            Self::Nothing | Self::Dropped(_) | Self::End => None,
            Self::Lost { .. } => Some(edge_core::Reason::CameraLost),
            Self::NoSignal(_) => Some(edge_core::Reason::NoSignal),
            Self::Unusable { reason, .. } => Some(*reason),
            Self::Memory(_) => Some(edge_core::Reason::LogFailed),
        }
    }
}

/// The part of a camera's picture that holds the film or screen, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} at {},{}", self.width, self.height, self.x, self.y)
    }
}

impl FromStr for Crop {
    type Err = CropError;

    fn from_str(text: &str) -> Result<Self, CropError> {
        let numbers: Result<Vec<u32>, _> = text.split(',').map(|number| number.trim().parse()).collect();
        match numbers.as_deref() {
            Ok(&[x, y, width, height]) => Ok(Self { x, y, width, height }),
            _ => Err(CropError(text.to_owned())),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected x,y,width,height in whole pixels such as 200,100,1024,768, got `{0}`")]
pub struct CropError(String);

/// The part of a frame that was asked for. Nothing is copied.
///
/// # Errors
/// [`CaptureError::Unusable`], where the rectangle is not within the frame.
pub fn cut<'a>(
    source: impl fmt::Display,
    frame: Frame<'a>,
    crop: Option<Crop>,
) -> Result<Frame<'a>, CaptureError> {
    let Some(crop) = crop else { return Ok(frame) };
    frame.crop(crop.x, crop.y, crop.width, crop.height).map_err(|error| {
        CaptureError::damaged(format!("{source}: the rectangle {crop} cannot be cut: {error}"))
    })
}

/// When a wait that begins now must end; a wait without end is a day.
fn deadline(wait: Duration) -> Instant {
    Instant::now() + wait.min(Duration::from_secs(86_400))
}

/// Numbers and times frames that have none of their own, such as files: both advance with each.
#[derive(Clone, Copy, Debug, Default)]
struct Stamper(FrameStamp);

impl Stamper {
    fn stamp(&mut self, now_ms: u64) -> FrameStamp {
        self.0.sequence = self.0.sequence.wrapping_add(1);
        self.0.micros = self.0.micros.wrapping_add(1).max(now_ms.saturating_mul(1000));
        self.0
    }
}

/// The clock of [`now_ms`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

impl edge_core::ports::Clock for Monotonic {
    fn now_ms(&self) -> u64 {
        now_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_is_four_numbers() {
        let crop = Crop { x: 1, y: 2, width: 300, height: 400 };
        assert_eq!("1,2,300,400".parse(), Ok(crop));
        assert_eq!(" 1, 2, 300, 400".parse(), Ok(crop));
        for wrong in ["", "1,2,3", "1,2,3,4,5", "1,2,-3,4", "1.5,2,3,4", "1,2,3,99999999999"] {
            assert_eq!(wrong.parse::<Crop>(), Err(CropError(wrong.to_owned())));
        }
    }

    #[test]
    fn stamps_advance_within_one_millisecond_and_over_a_clock_that_stands() {
        let mut stamper = Stamper::default();
        let stamps = [10, 10, 10, 11, 11].map(|now| stamper.stamp(now));
        let micros = stamps.map(|stamp| stamp.micros);
        assert_eq!(stamps.map(|stamp| stamp.sequence), [1, 2, 3, 4, 5]);
        assert_eq!(micros, [10_000, 10_001, 10_002, 11_000, 11_001]);
    }
}
