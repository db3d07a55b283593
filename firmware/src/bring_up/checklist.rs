//! All checks, one after the other, on the parts that the device runs with.

use super::camera::CameraPort;
use super::frame::{Taken, grey, take};
use super::line::{Line, Report, Value};
use super::{button, lamps, watchdog};
use crate::crash_record::RetainedRam;
use crate::device::{Board, Parts};
use edge_core::PixelFormat;
use edge_core::ports::{Button as _, Clock as _, Watchdog as _};
use edge_core::signal::Lamp;

/// How long each lamp is lit, for somebody to see it.
const LIT_MS: u64 = 1_000;
/// How long a camera may take until it was asked who it is.
const WAKE_MS: u64 = 3_000;
/// How long a frame may take: of a camera, and of somebody who sends one over a serial line.
const FRAME_MS: u64 = 5_000;
const SENT_MS: u64 = 60_000;
/// Frames before the one that is shown: the camera's exposure finds its place meanwhile.
const SETTLE_FRAMES: u32 = 15;
/// Pixels that are reported at once.
const CHUNK: usize = 128;

/// What the checklist works on.
pub struct Bench<'b, B: Board, R: Report> {
    /// The board's parts, its watchdog running.
    pub parts: Parts<B>,
    /// Takes the results.
    pub report: R,
    /// The camera's side, where the board has one.
    pub camera: &'b CameraPort,
    /// Room for a frame.
    pub memory: &'b mut [u8],
    /// Where the last check leaves its mark.
    pub retained_ram: &'b RetainedRam,
    /// How long the watchdog waits, in milliseconds.
    pub watchdog_ms: u64,
}

/// Goes through the checklist. The record in flash is checked before: writing flash stops what runs
/// beside. It ends by a reset, which [`after_reset`](super::after_reset) tells of at the next start; it
/// returns only where the watchdog does not bite.
// Of its own, so that the size report finds it.
#[inline(never)]
pub fn run<B: Board, R: Report>(bench: &mut Bench<'_, B, R>) {
    for lamp in Lamp::ALL {
        let Bench { parts, report, .. } = bench;
        let Parts { lights, clock, watchdog, .. } = parts;
        let line = lamps::check(lights, lamp, || {
            let began = clock.now_ms();
            while clock.now_ms().saturating_sub(began) < LIT_MS {
                watchdog.feed();
            }
        });
        report.line(&line);
    }
    let line =
        button::check(|closed, limit| bench.until(limit, |bench| bench.parts.button.is_closed() == closed));
    bench.report.line(&line);
    bench.check_camera();
    watchdog::wait_for_bite(bench.retained_ram);
    let began = bench.parts.clock.now_ms();
    while bench.parts.clock.now_ms().saturating_sub(began) < 2 * bench.watchdog_ms {}
    bench.report.line(&watchdog::did_not_bite(bench.retained_ram));
}

impl<B: Board, R: Report> Bench<'_, B, R> {
    /// Waits for `done`, at most so many milliseconds, and says whether it came. The watchdog is
    /// fed.
    fn until(&mut self, limit: u64, done: impl Fn(&mut Self) -> bool) -> bool {
        let began = self.parts.clock.now_ms();
        loop {
            self.parts.watchdog.feed();
            if done(self) {
                return true;
            }
            if self.parts.clock.now_ms().saturating_sub(began) >= limit {
                return false;
            }
        }
    }

    fn check_camera(&mut self) {
        let there = self.until(WAKE_MS, |bench| bench.camera.is_asked());
        let line = self.camera.check();
        self.report.line(&line);
        if !there {
            self.report.line(&Line::skipped("pattern", "this board has no camera on a bus"));
            return self.check_picture(SENT_MS, 1);
        }
        self.camera.want_pattern(true);
        let line = self.pattern();
        self.report.line(&line);
        self.camera.want_pattern(false);
        self.check_picture(FRAME_MS, SETTLE_FRAMES);
    }

    /// The third frame of the pattern: the first ones may have begun before it was there.
    fn pattern(&mut self) -> Line {
        let taken = match self.frames("pattern", FRAME_MS, 3) {
            Ok(taken) => taken,
            Err(line) => return line,
        };
        match self.camera.pattern() {
            Some(pattern) => pattern.check(taken.rows(self.memory)),
            None => Line::failed(
                "pattern",
                Value::Word("shown"),
                Value::Word("refused"),
                ["sda", "scl"],
                "the camera does not take the registers of its test pattern: a bad contact on its bus",
            ),
        }
    }

    /// The last of `count` frames, which may take so many milliseconds each.
    fn frames(&mut self, check: &'static str, limit: u64, count: u32) -> Result<Taken, Line> {
        let Parts { source, clock, watchdog, .. } = &mut self.parts;
        let mut frame = || {
            let began = clock.now_ms();
            take(check, source, self.memory, || {
                watchdog.feed();
                clock.now_ms().saturating_sub(began) < limit
            })
        };
        for _ in 1..count {
            frame()?;
        }
        frame()
    }

    /// Takes the last of `count` frames and reports its pixels.
    fn check_picture(&mut self, limit: u64, count: u32) {
        let taken = match self.frames("frame", limit, count) {
            Ok(taken) => taken,
            Err(line) if self.camera.is_asked() => return self.report.line(&line),
            Err(line) => {
                let look =
                    "no picture came whole within 60 s: `cargo xtask send` sends one over the serial port";
                return self.report.line(&Line { wires: ["", ""], look, ..line });
            }
        };
        let (width, height) = (taken.geometry.width(), taken.geometry.height());
        let pixels = u32::from(width) * u32::from(height);
        self.report.line(&Line::passed("frame", Value::Number(pixels)));
        let known = matches!(taken.geometry.format(), PixelFormat::Gray8 | PixelFormat::Yuyv);
        if !known || taken.kept < usize::from(height) {
            return;
        }
        let stride = grey(&taken, self.memory);
        self.report.picture(width, height);
        for (row, bytes) in (0..).zip(self.memory.chunks_exact(stride.max(1)).take(taken.kept)) {
            for (column, pixels) in (0..).step_by(CHUNK).zip(bytes.chunks(CHUNK)) {
                self.parts.watchdog.feed();
                self.report.pixels(row, column, pixels);
            }
        }
    }
}
