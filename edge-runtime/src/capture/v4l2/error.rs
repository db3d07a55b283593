//! Why a camera does not start, or does not go on.

use super::libcamera::advice;
use crate::errno::{Asked, Explained};
use std::io;

#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    #[error("{asked}: {}", Explained(Asked::Camera, answer))]
    Call { asked: &'static str, answer: io::Error },
    #[error("no camera of that name; {seen}; `edge-runtime devices` lists names")]
    Unknown {
        /// The names that there are.
        seen: String,
    },
    #[error("{0} gives {advice}", advice = advice())]
    Libcamera(String),
    #[error("{0} is no camera that is understood here; `edge-runtime devices` lists those that are")]
    NoCapture(String),
    #[error(
        "expected the format {wanted}, of those that are understood the camera gives {offered}; choose one of them"
    )]
    Format {
        /// What is understood or configured.
        wanted: String,
        offered: String,
    },
}

impl CameraError {
    pub fn of(asked: &'static str) -> impl Fn(io::Error) -> Self {
        move |answer| Self::Call { asked, answer }
    }
}

impl From<(&'static str, io::Error)> for CameraError {
    fn from((asked, answer): (&'static str, io::Error)) -> Self {
        Self::Call { asked, answer }
    }
}
