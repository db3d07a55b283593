//! The way of a row, and of a frame.

use crate::machine::StateMachines;
use crate::registers::Registers;
use core::mem::swap;
use edge_core::Geometry;
use edge_core::agree::FrameStamp;
use edge_core::ports::SourceError;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use firmware::bring_up::{self, Pattern, TestSensor};
use firmware::capture::{FrameError, Sensor};
use firmware::rows::Sender;
use firmware::sensors::hm01b0::{self, FORMAT, HEIGHT, WIDTH};

/// Bytes of a row, which come four to a word.
pub const ROW: usize = WIDTH as usize * FORMAT.bytes_per_pixel();
const _: () = assert!(ROW.is_multiple_of(4), "the last bytes would wait for the next row");

/// How long a frame's first row may take, in milliseconds: longer than two frames do.
pub const FRAME_LIMIT_MS: u32 = 400;
/// How long each other may take, in milliseconds: some rows, and less than the pause between two
/// frames, so that the first row of the next frame never stands for a missing one of this.
pub const ROW_LIMIT_MS: u32 = 3;
const _: () = {
    let blank = (hm01b0::FRAME - HEIGHT) as u32 * hm01b0::LINE as u32;
    assert!(ROW_LIMIT_MS < blank / (hm01b0::PIXEL_HZ / 1000));
};

/// A row's bytes, where words can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C, align(4))]
pub struct Row(pub [u8; ROW]);

impl Row {
    /// All black.
    pub const BLACK: Self = Self([0; ROW]);
}

/// The row did not come within its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut;

/// What moves words from the receive queue of state machine 0 into memory.
pub trait RowDma {
    /// Takes [`ROW`] bytes, or what comes of them within so many milliseconds. It is under way when
    /// this returns, not only when it is first polled; dropped, it has ended.
    fn row<'a>(
        &'a mut self,
        into: &'a mut Row,
        limit_ms: u32,
    ) -> impl Future<Output = Result<(), TimedOut>> + 'a;
}

/// An HM01B0 behind two state machines, with whatever the board has for the rest.
pub struct Camera<R, D, B, W> {
    /// What take its bytes.
    pub machines: StateMachines<R>,
    /// What moves them.
    pub dma: D,
    /// A row that comes, and the one before it.
    pub rows: &'static mut [Row; 2],
    /// Its control bus. Each call must end: see `firmware::bounded_bus`.
    pub bus: B,
    /// What waits while the camera starts.
    pub delay: W,
    /// Microseconds since the board's start.
    pub micros: fn() -> u64,
    /// The way to the loop.
    pub sender: Sender<'static, ROW>,
}

impl<R: Registers, D: RowDma, B: I2c, W: DelayNs> Sensor<ROW> for Camera<R, D, B, W> {
    async fn wake(&mut self) -> bool {
        hm01b0::configure(&mut self.bus, &mut self.delay).is_ok()
    }

    fn answers(&mut self) -> bool {
        hm01b0::check(&mut self.bus).is_ok()
    }

    fn sender(&mut self) -> &mut Sender<'static, ROW> {
        &mut self.sender
    }

    async fn frame(&mut self, sequence: u32) -> Result<(), FrameError> {
        self.machines.arm(ROW as u16);
        let taken = self.rows(sequence).await;
        // Left running without anybody who takes its words, it would stall.
        self.machines.stop();
        taken
    }
}

impl<R: Registers, D: RowDma, B, W> Camera<R, D, B, W> {
    async fn rows(&mut self, sequence: u32) -> Result<(), FrameError> {
        let Self { machines, dma, rows, sender, micros, .. } = self;
        let geometry = Geometry::new(WIDTH.into(), HEIGHT.into(), FORMAT).map_err(|_| FrameError::Silent)?;
        let [coming, whole] = &mut **rows;
        let (mut coming, mut whole) = (coming, whole);
        for number in 0..HEIGHT {
            let row = dma.row(coming, if number == 0 { FRAME_LIMIT_MS } else { ROW_LIMIT_MS });
            // While this row comes, the one before is copied.
            if number == 1 {
                sender.begin(geometry, FrameStamp { sequence, micros: micros() });
            }
            if number > 0 {
                sender.row(&whole.0);
            }
            if row.await.is_err() {
                let silent = number == 0;
                return Err(if silent { FrameError::Silent } else { FrameError::Void(SourceError::Damaged) });
            }
            if machines.overran() {
                return Err(FrameError::Void(SourceError::Overrun));
            }
            if machines.had_short_row() {
                return Err(FrameError::Void(SourceError::Damaged));
            }
            swap(&mut coming, &mut whole);
        }
        sender.row(&whole.0);
        sender.end();
        Ok(())
    }
}

impl<R: Registers, D: RowDma, B: I2c, W: DelayNs> TestSensor<ROW> for Camera<R, D, B, W> {
    const IDENTITY: u16 = hm01b0::IDENTITY;
    const PATTERN: Pattern = Pattern::WalkingOnes;

    fn identity(&mut self) -> Option<u16> {
        bring_up::identity(hm01b0::IDENTITY, hm01b0::check(&mut self.bus))
    }

    fn show_pattern(&mut self) -> bool {
        hm01b0::show_pattern(&mut self.bus).is_ok()
    }
}
