//! What is asked of a camera that runs: the driver's, or one that a test plays.

use super::buffers::Filled;
use super::error::CameraError;
use super::newest::Taken;
use super::sys::Ready;
use edge_core::{Frame, FrameError};
use edge_model::decode::Picture;
use std::time::Duration;

/// A camera that runs. An error says that it does not any more.
pub trait Running {
    /// Waits for a frame or an event, at most `wait`.
    fn wait(&mut self, wait: Duration) -> Result<Ready, CameraError>;

    /// The newest of the frames that have come since `judged`, the last one taken, was taken.
    fn catch_up(&mut self, judged: Option<Filled>) -> Result<Taken, CameraError>;

    /// The newest of the frames that wait. They came just now.
    fn newest(&mut self) -> Result<Taken, CameraError>;

    /// Whether it still gives what was agreed on: another program, or a new source at its input, may
    /// change it.
    fn keeps_its_format(&self) -> Result<bool, CameraError>;

    /// Whether there is a signal on its input; true where the driver cannot tell.
    fn has_signal(&self) -> Result<bool, CameraError>;

    /// The picture in a buffer that holds a JPEG, or what is wrong with it; none where luminance lies
    /// in the buffer.
    fn decode(&self, filled: &Filled) -> Option<Result<Picture, String>>;

    /// The picture where luminance lies in the buffer.
    fn frame(&self, filled: &Filled) -> Result<Frame<'_>, FrameError>;
}
