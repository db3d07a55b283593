//! What a board gives a device's loop, on embedded-hal's pins where it has a trait for it.
//!
//! Nothing here waits: a port is asked, says how it stands, and the loop goes on blinking and
//! counting time.

use crate::agree::FrameStamp;
use crate::frame::Geometry;
use crate::reason::Reason;
use crate::signal::{ActiveHigh, ActiveLow, LampLine, LampPins, LampSet, Levels};
use embedded_hal::digital::InputPin;

/// Milliseconds since the start. It never steps and never stands still.
pub trait Clock {
    /// Milliseconds since the start; it never goes back.
    fn now_ms(&self) -> u64;
}

/// What a source says when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceEvent<'a> {
    /// Nothing has come since the last time.
    Quiet,
    /// A frame begins; what came of one before is void.
    Begin(Geometry, FrameStamp),
    /// Its next row, from the top, of [`Geometry::row_bytes`].
    Row(&'a [u8]),
    /// The frame's last row has come.
    End,
}

/// Why a source gives no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SourceError {
    /// The camera does not answer, or was unplugged.
    Lost,
    /// The camera has no signal on its own input.
    NoSignal,
    /// The frame is none of the agreed form: it is void, others may follow.
    Damaged,
    /// Rows came faster than they were taken: the frame is void, others may follow.
    Overrun,
}

impl SourceError {
    /// What is shown for it.
    pub const fn reason(self) -> Reason {
        match self {
            SourceError::Lost => Reason::CameraLost,
            SourceError::NoSignal => Reason::NoSignal,
            SourceError::Damaged => Reason::DamagedFrame,
            SourceError::Overrun => Reason::Overrun,
        }
    }
}

/// Where frames come from, a row at a time.
pub trait FrameSource {
    /// Asks for one frame, taken after this call. Rows of an earlier one are dropped.
    fn request(&mut self);

    /// What has come. It does not wait.
    ///
    /// # Errors
    /// [`SourceError`], as long as it lasts.
    fn poll(&mut self) -> Result<SourceEvent<'_>, SourceError>;
}

/// Resets the device unless it is fed.
pub trait Watchdog {
    /// Grants the loop one more period.
    fn feed(&mut self);
}

/// The lamps as a whole; [`LampPins`] over output pins is one.
pub trait LampDriver {
    /// Sets every line, whatever became of the others, and says which failed.
    fn set(&mut self, levels: &Levels, heartbeat: bool) -> LampSet;
}

impl<R: LampLine, A: LampLine, G: LampLine, H: LampLine, B: LampLine> LampDriver for LampPins<R, A, G, H, B> {
    fn set(&mut self, levels: &Levels, heartbeat: bool) -> LampSet {
        LampPins::set(self, levels, heartbeat)
    }
}

/// A button's contact: an input pin of either polarity, or [`NoButton`].
pub trait Button {
    /// Whether it is closed; one that cannot be read is open.
    fn is_closed(&mut self) -> bool;
}

impl<P: InputPin> Button for ActiveHigh<P> {
    fn is_closed(&mut self) -> bool {
        self.0.is_high().unwrap_or(false)
    }
}

impl<P: InputPin> Button for ActiveLow<P> {
    fn is_closed(&mut self) -> bool {
        self.0.is_low().unwrap_or(false)
    }
}

/// A device without a button.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoButton;

impl Button for NoButton {
    fn is_closed(&mut self) -> bool {
        false
    }
}
