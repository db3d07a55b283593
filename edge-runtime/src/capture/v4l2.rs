//! Frames from a camera through Video4Linux: found, opened, watched, and found again when it was
//! lost.
//!
//! Nothing here waits without a limit and no state is kept in a camera that failed: whatever goes
//! wrong, it is closed, and opened again from the beginning at most half a second later. A frame is
//! looked at where the driver put it; only MJPEG is decoded into memory of its own, and of that only
//! what is asked for. In steady state no other format allocates.
//!
//! A frame that the driver marks as damaged, or that is no whole picture, is passed over and counted:
//! on a USB bus there is one now and then, and the next one is good.

mod buffers;
mod camera;
mod choice;
mod error;
mod libcamera;
mod list;
mod newest;
mod running;
mod sys;

use super::{CaptureError, CaptureOptions, Dropped, Shot, Source, now_ms};
use buffers::Filled;
use camera::Camera;
use edge_core::Frame;
use edge_core::agree::FrameStamp;
use edge_model::decode::Picture;
use error::CameraError;
use list::Place;
use newest::Taken;
use running::Running;
use std::thread;
use std::time::{Duration, Instant};

pub use libcamera::LIBCAMERA;
pub use list::{CameraInfo, FormatInfo, cameras};
pub use sys::Sizes;

/// Pause before the first try to open a camera again; it doubles with each that fails.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A camera, whether it is there or not.
pub struct V4l2<C = Camera> {
    name: String,
    options: CaptureOptions,
    /// Opens it.
    start: Box<dyn FnMut() -> Result<C, CameraError> + Send>,
    camera: Option<C>,
    /// The frame that was handed out last; its buffer is ours until the next call.
    held: Option<Filled>,
    /// The same decoded, where it is a JPEG.
    picture: Option<Picture>,
    times: FrameTimes,
    dropped: Dropped,
    pause: Duration,
    retry_at: Instant,
    lost: String,
}

/// What is known of a frame besides its bytes.
struct Taking {
    stamp: FrameStamp,
    taken_ms: u64,
}

impl V4l2<Camera> {
    /// The camera at `place`: a path such as `/dev/video0`, or the name or bus address that
    /// `edge-runtime devices` shows. It is opened by the first call for a frame: a camera that
    /// is absent is a fault of the moment, not of the configuration.
    pub fn new(place: &str, options: &CaptureOptions) -> Self {
        let (found, wishes) = (Place::new(place), options.clone());
        let start = move || Camera::start(&found.find()?, &wishes);
        Self::opened_by(format!("v4l2:{place}"), options, start)
    }
}

impl<C: Running> V4l2<C> {
    fn opened_by(
        name: String,
        options: &CaptureOptions,
        start: impl FnMut() -> Result<C, CameraError> + Send + 'static,
    ) -> Self {
        Self {
            name,
            options: options.clone(),
            start: Box::new(start),
            camera: None,
            held: None,
            picture: None,
            times: FrameTimes::default(),
            dropped: Dropped::default(),
            pause: FIRST_PAUSE,
            retry_at: Instant::now(),
            lost: String::new(),
        }
    }

    fn lose(&mut self, error: CameraError) -> CaptureError {
        self.close();
        self.lost = error.to_string();
        self.error()
    }

    fn close(&mut self) {
        self.held = None;
        self.picture = None;
        self.camera = None;
        self.retry_at = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn error(&self) -> CaptureError {
        CaptureError::Lost { source_name: self.name.clone(), what: self.lost.clone() }
    }

    /// Opens the camera where it is closed and its time has come before `deadline`.
    fn ready(&mut self, deadline: Instant) -> Result<(), CaptureError> {
        if self.camera.is_some() {
            return Ok(());
        }
        let until = self.retry_at.min(deadline);
        thread::sleep(until.saturating_duration_since(Instant::now()));
        if self.retry_at > deadline {
            return Err(self.error());
        }
        let started = (self.start)();
        self.camera = Some(started.map_err(|error| self.lose(error))?);
        self.times = FrameTimes::default();
        Ok(())
    }

    /// Waits for a good frame and holds it; where nobody looks at it, it is not decoded.
    fn advance(&mut self, wait: Duration, looked_at: bool) -> Result<Taking, CaptureError> {
        let deadline = super::deadline(wait);
        self.ready(deadline)?;
        let mut dropped = None;
        // Frames may be damaged faster than they are looked at: each turn has its end.
        while dropped.is_none() || Instant::now() < deadline {
            let what = match self.receive(deadline)? {
                Taken::Frame(filled) => match self.accept(filled, looked_at)? {
                    Ok(taking) => return Ok(taking),
                    Err(what) => what,
                },
                Taken::Damaged(sequence) => {
                    format!("the camera marks frame {sequence} as damaged; check its cable")
                }
                Taken::Nothing | Taken::Overrun => break,
            };
            self.dropped.count += 1;
            self.dropped.last.clone_from(&what);
            dropped = Some(what);
        }
        self.has_signal()?;
        Err(dropped.map_or(CaptureError::Nothing, CaptureError::Dropped))
    }

    /// The newest frame, good or not, waiting until `deadline`; nothing, where none came.
    fn receive(&mut self, deadline: Instant) -> Result<Taken, CaptureError> {
        self.picture = None;
        let held = self.held.take();
        let mut taken = self.with(|camera| camera.catch_up(held))?;
        while matches!(taken, Taken::Nothing | Taken::Overrun) {
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = self.with(|camera| camera.wait(left))?;
            if ready.event {
                self.same_format()?;
            }
            taken = if ready.frame { self.with(C::newest)? } else { Taken::Nothing };
            if matches!(taken, Taken::Nothing) && Instant::now() >= deadline {
                break;
            }
        }
        Ok(taken)
    }

    /// Runs `f` on the camera, which is there; any error closes it.
    fn with<T>(&mut self, f: impl FnOnce(&mut C) -> Result<T, CameraError>) -> Result<T, CaptureError> {
        match self.camera.as_mut() {
            Some(camera) => f(camera).map_err(|error| self.lose(error)),
            None => Err(self.error()),
        }
    }

    fn same_format(&mut self) -> Result<(), CaptureError> {
        if self.with(|camera| camera.keeps_its_format())? {
            return Ok(());
        }
        self.close();
        self.lost = "the camera's format was changed by another program or a new source".to_owned();
        Err(CaptureError::damaged(format!("{}: {}; it is agreed on anew", self.name, self.lost)))
    }

    fn has_signal(&mut self) -> Result<(), CaptureError> {
        if self.with(|camera| camera.has_signal())? {
            return Ok(());
        }
        Err(CaptureError::NoSignal(self.name.clone()))
    }

    /// Checks what a frame does not say of itself, and decodes it where that is needed. The inner
    /// error says why it is not good.
    fn accept(&mut self, filled: Filled, looked_at: bool) -> Result<Result<Taking, String>, CaptureError> {
        let taking = Taking {
            stamp: FrameStamp { sequence: filled.sequence, micros: filled.micros },
            taken_ms: self.times.taken_ms(&filled, now_ms()),
        };
        self.held = Some(filled);
        self.same_format()?;
        self.has_signal()?;
        if looked_at && let (Some(camera), Some(filled)) = (&self.camera, &self.held) {
            let decoded = match camera.decode(filled) {
                Some(decoded) => decoded.map(|picture| self.picture = Some(picture)),
                None => camera.frame(filled).map(drop).map_err(|error| error.to_string()),
            };
            if let Err(what) = decoded {
                return Ok(Err(what));
            }
        }
        self.pause = FIRST_PAUSE;
        Ok(Ok(taking))
    }

    /// The frame that is held, cut to the rectangle.
    fn view(&self) -> Result<Frame<'_>, CaptureError> {
        let damaged = |error| CaptureError::damaged(format!("{}: {error}", self.name));
        let frame = match (&self.picture, &self.camera, &self.held) {
            (Some(picture), ..) => picture.frame(),
            (None, Some(camera), Some(filled)) => camera.frame(filled).map_err(damaged)?,
            _ => return Err(self.error()),
        };
        super::cut(&self.name, frame, self.options.crop)
    }
}

impl<C: Running> Source for V4l2<C> {
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError> {
        let Taking { stamp, taken_ms } = self.advance(wait, true)?;
        Ok(Shot { frame: self.view()?, stamp, taken_ms, name: "", exam: None })
    }

    fn pass(&mut self, wait: Duration) -> Result<(), CaptureError> {
        self.advance(wait, false).map(drop)
    }

    fn dropped(&self) -> Option<&Dropped> {
        Some(&self.dropped)
    }

    fn is_live(&self) -> bool {
        true
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// When frames were taken, by a driver's timestamps. One of the future shows that they are not of
/// our clock, or that its clock wraps: then none of them is believed until the camera is opened
/// again. An age is always believed, however great: a frame is shown as stale rather than as new.
#[derive(Debug, Default)]
struct FrameTimes {
    of_another_clock: bool,
}

impl FrameTimes {
    /// In milliseconds of our clock, which stands at `now_ms`; now, where the driver's time says
    /// nothing.
    fn taken_ms(&mut self, filled: &Filled, now_ms: u64) -> u64 {
        let said_ms = filled.micros / 1000;
        self.of_another_clock |= !filled.monotonic || said_ms > now_ms;
        let says_nothing = self.of_another_clock || filled.micros == 0;
        if says_nothing { now_ms } else { said_ms }
    }
}

#[cfg(test)]
mod tests;
