//! The HM01B0 on PIO: a state machine takes a byte at each PCLK of a row, DMA puts a row into
//! memory, the task hands it on.
//!
//! Each row begins at HREF's rising edge, so what one lost cannot shift the next. Two rows take
//! turns: one comes in while the other is copied to the loop's queue. The frame is never held.
//! After a fault the camera is set up anew.

use core::mem::swap;
use edge_core::Geometry;
use edge_core::agree::FrameStamp;
use edge_core::ports::SourceError;
use embassy_rp::dma;
use embassy_rp::gpio::Pull;
use embassy_rp::i2c::{Blocking, I2c};
use embassy_rp::peripherals::{I2C0, PIO0};
use embassy_rp::pio::program::pio_asm;
use embassy_rp::pio::{
    Common, Config, Direction, FifoJoin, LoadedProgram, Pin, ShiftConfig, ShiftDirection, StateMachine,
};
use embassy_rp::pwm::Pwm;
use embassy_time::{Delay, Duration, with_timeout};
use firmware::bring_up::{self, Pattern, TestSensor};
use firmware::capture::{FrameError, Sensor};
use firmware::rows::Sender;
use firmware::sensors::hm01b0::{self, FORMAT, HEIGHT, WIDTH};
use hardware::run_camera;

pub const ROW: usize = WIDTH as usize * FORMAT.bytes_per_pixel();
pub const QUEUE: usize = 10;

/// Longer than two frames take, and than a row.
const FRAME_TIMEOUT: Duration = Duration::from_millis(400);
const ROW_TIMEOUT: Duration = Duration::from_millis(20);

pub struct Camera {
    pub bus: I2c<'static, I2C0, Blocking>,
    /// Its clock: it runs as long as this lives.
    pub _clock: Pwm<'static>,
    pub lines: Lines,
    pub dma: dma::Channel<'static>,
    pub sender: Sender<'static, ROW>,
}

pub struct Lines {
    machine: StateMachine<'static, PIO0, 0>,
    program: LoadedProgram<'static, PIO0>,
    config: Config<'static, PIO0>,
}

impl Lines {
    /// D0 to D7 are `data`, which lie side by side; PCLK is GP14, HREF GP15, VSYNC GP16, as the
    /// program names them.
    pub fn new(
        common: &mut Common<'static, PIO0>,
        mut machine: StateMachine<'static, PIO0, 0>,
        mut data: [Pin<'static, PIO0>; 8],
        mut others: [Pin<'static, PIO0>; 3],
    ) -> Self {
        let program = pio_asm!(
            "    pull block", // pixels of a row, less one
            "    mov y, osr",
            "    wait 0 gpio 16", // between frames
            "    wait 1 gpio 16",
            ".wrap_target",
            "    mov x, y",
            "    wait 0 gpio 15", // between rows
            "    wait 1 gpio 15",
            "pixel:",
            "    wait 1 gpio 14",
            "    in pins, 8",
            "    wait 0 gpio 14",
            "    jmp x-- pixel",
            ".wrap",
        );
        let program = common.load_program(&program.program);
        let mut config = Config::default();
        config.use_program(&program, &[]);
        let [d0, d1, d2, d3, d4, d5, d6, d7] = &data;
        config.set_in_pins(&[d0, d1, d2, d3, d4, d5, d6, d7]);
        config.fifo_join = FifoJoin::RxOnly;
        config.shift_in = ShiftConfig { threshold: 8, direction: ShiftDirection::Left, auto_fill: true };
        for pin in data.iter_mut().chain(&mut others) {
            // Driven by the camera; the chip's pull-downs hold a line at half its level (erratum
            // RP2350-E9).
            pin.set_pull(Pull::None);
            machine.set_pin_dirs(Direction::In, &[pin]);
        }
        Self { machine, program, config }
    }

    /// Waits for the next frame's beginning, from the state machine's own.
    fn arm(&mut self) {
        self.machine.set_enable(false);
        // Sets it to its first instruction too, and empties its queues.
        self.machine.set_config(&self.config);
        self.machine.restart();
        self.machine.clear_fifos();
        let start = self.program.origin;
        // SAFETY: an unconditional jump to the program's first instruction.
        unsafe { self.machine.exec_instr(start.into()) };
        self.machine.set_enable(true);
        self.machine.tx().push(u32::from(WIDTH) - 1);
    }
}

#[embassy_executor::task]
pub async fn run(camera: Camera) -> ! {
    run_camera(camera).await
}

impl Sensor<ROW> for Camera {
    async fn wake(&mut self) -> bool {
        hm01b0::configure(&mut self.bus, &mut Delay).is_ok()
    }

    fn answers(&mut self) -> bool {
        hm01b0::check(&mut self.bus).is_ok()
    }

    fn sender(&mut self) -> &mut Sender<'static, ROW> {
        &mut self.sender
    }

    async fn frame(&mut self, sequence: u32) -> Result<(), FrameError> {
        let Self { lines, dma, sender, .. } = self;
        let geometry = Geometry::new(WIDTH.into(), HEIGHT.into(), FORMAT).map_err(|_| FrameError::Silent)?;
        let (mut coming, mut whole) = ([0_u8; ROW], [0_u8; ROW]);
        lines.arm();
        for number in 0..HEIGHT {
            let limit = if number == 0 { FRAME_TIMEOUT } else { ROW_TIMEOUT };
            let row = lines.machine.rx().dma_pull(dma, &mut coming, false);
            // While this row comes, the one before is copied.
            match number {
                0 => {}
                1 => {
                    sender.begin(geometry, FrameStamp { sequence, micros: hardware::micros() });
                    sender.row(&whole);
                }
                _ => sender.row(&whole),
            }
            if with_timeout(limit, row).await.is_err() {
                let silent = number == 0;
                return Err(if silent { FrameError::Silent } else { FrameError::Void(SourceError::Damaged) });
            }
            if lines.machine.rx().stalled() {
                return Err(FrameError::Void(SourceError::Overrun));
            }
            swap(&mut coming, &mut whole);
        }
        lines.machine.set_enable(false);
        sender.row(&whole);
        sender.end();
        Ok(())
    }
}

impl TestSensor<ROW> for Camera {
    const IDENTITY: u16 = hm01b0::IDENTITY;
    const PATTERN: Pattern = Pattern::WalkingOnes;

    fn identity(&mut self) -> Option<u16> {
        bring_up::identity(hm01b0::IDENTITY, hm01b0::check(&mut self.bus))
    }

    fn show_pattern(&mut self) -> bool {
        hm01b0::show_pattern(&mut self.bus).is_ok()
    }
}
