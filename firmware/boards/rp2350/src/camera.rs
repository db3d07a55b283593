//! The HM01B0 on PIO: the chip's part of it. Which instructions, which registers and what way a row
//! goes is [`pio_camera`], which the host tests over a model of the PIO block.

use embassy_rp::gpio::{AnyPin, Flex, Pull};
use embassy_rp::i2c::{Async, I2c};
use embassy_rp::pac::dma::vals::TreqSel;
use embassy_rp::peripherals::{I2C0, PIO0};
use embassy_rp::pwm::Pwm;
use embassy_rp::{Peri, dma, pac};
use embassy_time::{Delay, Duration, with_timeout};
use firmware::bounded_bus::BoundedBus;
use hardware::run_camera;
use pio_camera::{Register, Registers, Row, RowDma, TimedOut};

pub use pio_camera::ROW;
pub const QUEUE: usize = 10;

pub type Bus = BoundedBus<I2c<'static, I2C0, Async>>;
pub type Camera = pio_camera::Camera<Pio0, Words, Bus, Delay>;

/// `_clock` is the camera's: it runs as long as it lives.
#[embassy_executor::task]
pub async fn run(camera: Camera, _clock: Pwm<'static>) -> ! {
    run_camera(camera).await
}

/// Makes an input of a line that the camera drives. PIO sees each line, whatever it is used for.
/// The chip's own pull-downs would hold one at half its level (erratum RP2350-E9).
pub fn input(pin: Peri<'static, AnyPin>) {
    let mut pin = Flex::new(pin);
    pin.set_pull(Pull::None);
    pin.set_as_input();
    // Dropped, it would let go of the pin.
    core::mem::forget(pin);
}

/// The block, which nobody else has.
pub struct Pio0(pub Peri<'static, PIO0>);

impl Pio0 {
    fn address(register: Register) -> *mut u32 {
        pac::PIO0.as_ptr().cast::<u32>().wrapping_byte_add(register.offset())
    }
}

impl Registers for Pio0 {
    fn read(&mut self, register: Register) -> u32 {
        // SAFETY: a register of the block, whose owner this is; an offset is a multiple of 4.
        unsafe { Self::address(register).read_volatile() }
    }

    fn write(&mut self, register: Register, value: u32) {
        // SAFETY: as for reading; no register of the block makes the chip touch memory.
        unsafe { Self::address(register).write_volatile(value) }
    }
}

/// The words of state machine 0, by DMA.
pub struct Words(pub dma::Channel<'static>);

impl RowDma for Words {
    fn row<'a>(
        &'a mut self,
        into: &'a mut Row,
        limit_ms: u32,
    ) -> impl Future<Output = Result<(), TimedOut>> + 'a {
        let words: *mut [u32] =
            core::ptr::slice_from_raw_parts_mut(into.0.as_mut_ptr().cast(), into.0.len() / 4);
        // SAFETY: the row is aligned for words, has as many, and is borrowed until the transfer is
        // dropped, which ends it; the source is the machine's receive queue.
        let transfer = unsafe { self.0.read(Pio0::address(Register::RXF0), words, TreqSel::PIO0_RX0, false) };
        let limited = with_timeout(Duration::from_millis(limit_ms.into()), transfer);
        async move { limited.await.map_err(|_| TimedOut) }
    }
}
