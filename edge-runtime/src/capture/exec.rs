//! Frames from a program that writes them to its standard output, such as `rpicam-vid`, `ffmpeg` or
//! `gst-launch-1.0`: for cameras that Video4Linux alone makes no picture of.
//!
//! It is watched over as a camera is: one that ends, hangs or writes something else is a fault until
//! it gives frames again. It is started anew, each time after a longer pause, and what it said last
//! is told. A thread of its own takes everything that it writes, so that it never waits for the
//! device; only the newest frame is kept.

mod last_words;
mod process;
mod program;

use super::{CaptureError, CaptureOptions, OptionsError, Shot, Source};
use edge_core::agree::FrameStamp;
use program::{Arrived, Program, Took};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Pause before a program that ended is started again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A program that gives frames for so long has begun well: the next pause is the first again.
const STEADY: Duration = Duration::from_secs(10);

/// A program, whether it runs or not.
#[derive(Debug)]
pub struct Exec {
    name: String,
    options: CaptureOptions,
    program: Option<Program>,
    /// The frame that was handed out last.
    held: Option<Arrived>,
    /// Frames that were taken: the program's own numbers are not known.
    count: u32,
    pause: Duration,
    began: Instant,
    retry_at: Instant,
    lost: String,
}

impl Exec {
    /// The program of `options`. It is started by the first call for a frame: one that is not there
    /// is a fault of the moment, not of the configuration.
    ///
    /// # Errors
    /// [`OptionsError`]: no program is named, or its frames cannot be of that form.
    pub fn new(options: &CaptureOptions) -> Result<Self, OptionsError> {
        let words = options.words().unwrap_or_default();
        let first = words.first().ok_or(OptionsError::NoCommand)?;
        let program = Path::new(first).file_name().map_or(first.into(), |name| name.to_string_lossy());
        options.stream()?;
        Ok(Self {
            // Not its arguments: an address may hold a password.
            name: format!("exec:{program}"),
            options: options.clone(),
            program: None,
            held: None,
            count: 0,
            pause: FIRST_PAUSE,
            began: Instant::now(),
            retry_at: Instant::now(),
            lost: String::new(),
        })
    }

    fn lose(&mut self, why: String) -> CaptureError {
        self.program = None;
        self.lost = why;
        self.retry_at = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.error()
    }

    fn error(&self) -> CaptureError {
        CaptureError::Lost { source_name: self.name.clone(), what: self.lost.clone() }
    }

    /// Starts the program where it does not run and its time has come before `deadline`.
    fn ready(&mut self, deadline: Instant) -> Result<(), CaptureError> {
        if self.program.is_some() {
            return Ok(());
        }
        let until = self.retry_at.min(deadline);
        thread::sleep(until.saturating_duration_since(Instant::now()));
        if self.retry_at > deadline {
            return Err(self.error());
        }
        let words = self.options.words().unwrap_or_default();
        let stream = self.options.stream().ok().flatten();
        let patience = Duration::from_millis(self.options.restart_after_ms.into());
        self.began = Instant::now();
        match Program::start(words, stream, patience) {
            Ok(program) => self.program = Some(program),
            Err(error) => return Err(self.lose(format!("no thread to watch over it: {error}"))),
        }
        Ok(())
    }

    /// Waits for a frame and holds it.
    fn advance(&mut self, wait: Duration) -> Result<(), CaptureError> {
        let deadline = super::deadline(wait);
        if let (Some(program), Some(held)) = (&self.program, self.held.take()) {
            program.give_back(held.bytes);
        }
        self.ready(deadline)?;
        match self.program.as_ref().map(|program| program.take(deadline)) {
            Some(Took::Frame(arrived)) => {
                if self.began.elapsed() >= STEADY {
                    self.pause = FIRST_PAUSE;
                }
                self.count = self.count.wrapping_add(1);
                self.held = Some(arrived);
                Ok(())
            }
            Some(Took::Ended(why)) => Err(self.lose(why)),
            Some(Took::Nothing) | None => Err(CaptureError::Nothing),
        }
    }
}

impl Source for Exec {
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError> {
        self.advance(wait)?;
        let held = self.held.as_ref().ok_or(CaptureError::Nothing)?;
        let damaged = |error| CaptureError::damaged(format!("{}: {error}", self.name));
        let frame = held.format.frame(&held.bytes).map_err(damaged)?;
        let frame = super::cut(&self.name, frame, self.options.crop)?;
        let stamp = FrameStamp { sequence: self.count, micros: 0 };
        Ok(Shot { frame, stamp, taken_ms: held.taken_ms, name: "", exam: None })
    }

    fn pass(&mut self, wait: Duration) -> Result<(), CaptureError> {
        self.advance(wait)
    }

    fn is_live(&self) -> bool {
        true
    }

    fn name(&self) -> &str {
        &self.name
    }
}
