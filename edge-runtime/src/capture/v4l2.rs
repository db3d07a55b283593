//! Frames from a camera through Video4Linux: found, opened, watched, and found again when it was
//! lost.
//!
//! Nothing here waits without a limit and no state is kept in a camera that failed: whatever goes
//! wrong, it is closed, and opened again from the beginning at most half a second later. A frame is
//! looked at where the driver put it; only MJPEG is decoded into memory of its own. In steady state
//! no other format allocates.

mod camera;
mod choice;
mod list;
mod newest;
mod sys;

use super::{CaptureError, CaptureOptions, Encoding, Shot, Source, now_ms};
use camera::{Camera, CameraError};
use edge_core::Frame;
use edge_core::agree::FrameStamp;
use edge_model::decode::{self, Picture};
use list::Place;
use newest::Taken;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use sys::Filled;

pub use list::{CameraInfo, FormatInfo, cameras};
pub use sys::Sizes;

/// Pause before the first try to open a camera again; it doubles with each that fails.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A camera, whether it is there or not.
#[derive(Debug)]
pub struct V4l2 {
    name: String,
    place: Place,
    options: CaptureOptions,
    camera: Option<Camera>,
    /// The frame that was handed out last; its buffer is ours until the next call.
    held: Option<Filled>,
    /// The same decoded, where it is a JPEG.
    picture: Option<Picture>,
    times: FrameTimes,
    pause: Duration,
    retry_at: Instant,
    lost: String,
}

/// What is known of a frame besides its bytes.
struct Taking {
    stamp: FrameStamp,
    taken_ms: u64,
}

impl V4l2 {
    /// The camera at `place`: a path such as `/dev/video0`, or the name or bus address that
    /// `edge-runtime devices` shows. It is opened by the first call for a frame: a camera that
    /// is absent is a fault of the moment, not of the configuration.
    pub fn new(place: &str, options: &CaptureOptions) -> Self {
        Self {
            name: format!("v4l2:{place}"),
            place: Place::new(place),
            options: options.clone(),
            camera: None,
            held: None,
            picture: None,
            times: FrameTimes::default(),
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
        let started = self.place.find().and_then(|path: PathBuf| Camera::start(&path, &self.options));
        self.camera = Some(started.map_err(|error| self.lose(error))?);
        self.times = FrameTimes::default();
        Ok(())
    }

    /// Waits for a good frame and holds it.
    fn advance(&mut self, wait: Duration) -> Result<Taking, CaptureError> {
        let deadline = super::deadline(wait);
        self.ready(deadline)?;
        self.picture = None;
        let held = self.held.take();
        let mut taken = self.with(|camera| camera.catch_up(held))?;
        loop {
            match taken {
                Taken::Frame(filled) => return self.accept(filled),
                Taken::Damaged(sequence) => {
                    let what = format!("the camera marks frame {sequence} as damaged; check its cable");
                    return Err(CaptureError::Damaged(format!("{}: {what}", self.name)));
                }
                Taken::Nothing | Taken::Overrun => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = self.with(|camera| camera.wait(left))?;
            if ready.event {
                self.same_format()?;
            }
            taken = if ready.frame { self.with(Camera::newest)? } else { Taken::Nothing };
            if matches!(taken, Taken::Nothing) && Instant::now() >= deadline {
                self.has_signal()?;
                return Err(CaptureError::Nothing);
            }
        }
    }

    /// Runs `f` on the camera, which is there; any error closes it.
    fn with<T>(&mut self, f: impl FnOnce(&mut Camera) -> Result<T, CameraError>) -> Result<T, CaptureError> {
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
        Err(CaptureError::Damaged(format!("{}: {}; it is agreed on anew", self.name, self.lost)))
    }

    fn has_signal(&mut self) -> Result<(), CaptureError> {
        if self.with(|camera| camera.has_signal())? {
            return Ok(());
        }
        Err(CaptureError::NoSignal(self.name.clone()))
    }

    /// Checks what a frame does not say of itself, and decodes it where it is a JPEG.
    fn accept(&mut self, filled: Filled) -> Result<Taking, CaptureError> {
        let taking = Taking {
            stamp: FrameStamp { sequence: filled.sequence, micros: filled.micros },
            taken_ms: self.times.taken_ms(&filled, now_ms()),
        };
        self.held = Some(filled);
        self.same_format()?;
        self.has_signal()?;
        if let (Some(camera), Some(filled)) = (&self.camera, &self.held)
            && camera.encoding() == Encoding::Mjpeg
        {
            let picture = decode::decode(camera.bytes(filled));
            self.picture =
                Some(picture.map_err(|error| CaptureError::Damaged(format!("{}: {error}", self.name)))?);
        }
        self.pause = FIRST_PAUSE;
        Ok(taking)
    }

    /// The frame that is held, cut to the rectangle.
    fn view(&self) -> Result<Frame<'_>, CaptureError> {
        let damaged = |error| CaptureError::Damaged(format!("{}: {error}", self.name));
        let frame = match (&self.picture, &self.camera, &self.held) {
            (Some(picture), ..) => picture.frame(),
            (None, Some(camera), Some(filled)) => {
                let format = camera.format();
                let stride = format.stride as usize;
                let bytes = camera.bytes(filled);
                camera.encoding().frame(format.width, format.height, stride, bytes).map_err(damaged)?
            }
            _ => return Err(self.error()),
        };
        super::cut(&self.name, frame, self.options.crop)
    }
}

impl Source for V4l2 {
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError> {
        let Taking { stamp, taken_ms } = self.advance(wait)?;
        Ok(Shot { frame: self.view()?, stamp, taken_ms, name: "", exam: None })
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
