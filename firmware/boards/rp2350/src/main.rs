//! Pneumoscope on an RP2350: pins and wiring of a Raspberry Pi Pico 2. Built, not yet run on
//! hardware.
//!
//! The camera's task runs in an interrupt of its own and hands rows to the loop; the loop has the
//! lights, the button and the watchdog.
#![no_std]
#![no_main]

mod board;
mod camera;
mod flash;
mod pins;

use board::{NAME, PUBLIC_KEY};
use camera::{Camera, Lines, QUEUE, ROW};
use cortex_m_rt::entry;
use edge_core::kernels::best;
use edge_core::ports::Watchdog;
use edge_core::signal::{ActiveHigh, ActiveLow, LampPins};
use embassy_rp::i2c::{self, I2c};
use embassy_rp::interrupt;
use embassy_rp::peripherals::{DMA_CH0, PIO0};
use embassy_rp::pio::{self, Pio};
use embassy_rp::pwm::{self, Pwm};
use embassy_rp::watchdog;
use embassy_rp::{bind_interrupts, dma, pac};
use embassy_time::Duration;
use firmware::boot::Models;
use firmware::device::Settings;
use firmware::rows::{Receiver, RowPipe};
use hardware::{Chip, Parts, ReadBackPin, WATCHDOG_MS, rtt, run};
use pins::Line;
use static_cell::ConstStaticCell;

/// With [`Settings::BUTTON`] it judges after a press only.
const SETTINGS: Settings = Settings::CONTINUOUS;

type Lamp<const N: u8> = ActiveHigh<ReadBackPin<Line<N>>>;

type Lamps = LampPins<Lamp<18>, Lamp<19>, Lamp<20>, Lamp<25>, Lamp<21>>;

static ROWS: ConstStaticCell<RowPipe<ROW, QUEUE>> = ConstStaticCell::new(RowPipe::new());

support::logger!(rtt::send);

hardware::tasks!(SWI_IRQ_0, priority P2, lamps Lamps);

bind_interrupts!(struct Interrupts {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
});

struct Rp2350;

impl Chip for Rp2350 {
    type Source = Receiver<'static, ROW>;
    type Lights = Lamps;
    type Button = ActiveLow<Line<22>>;
    type Watchdog = Guard;

    const NAME: &'static str = NAME;

    fn was_reset_by_hand() -> bool {
        let (watchdog, chip) = (pac::WATCHDOG.reason().read(), pac::POWMAN.chip_reset().read());
        // After a time that ran out this stays so until the reset line or power: every reset by a
        // probe then counts as a death.
        !watchdog.timer() && !watchdog.force() && !chip.had_bor() && !chip.had_glitch_detect()
    }
}

struct Guard(watchdog::Watchdog);

const PERIOD: Duration = Duration::from_millis(WATCHDOG_MS as u64);

impl Watchdog for Guard {
    fn feed(&mut self) {
        self.0.feed(PERIOD);
    }
}

#[entry]
fn main() -> ! {
    let p = embassy_rp::init(embassy_rp::config::Config::default());
    let mut guard = Guard(watchdog::Watchdog::new(p.WATCHDOG));
    guard.0.pause_on_debug(true);
    guard.0.start(PERIOD);

    let (sender, receiver) = ROWS.take().split();
    let Pio { mut common, sm0, .. } = Pio::new(p.PIO0, Interrupts);
    let data = [
        common.make_pio_pin(p.PIN_6),
        common.make_pio_pin(p.PIN_7),
        common.make_pio_pin(p.PIN_8),
        common.make_pio_pin(p.PIN_9),
        common.make_pio_pin(p.PIN_10),
        common.make_pio_pin(p.PIN_11),
        common.make_pio_pin(p.PIN_12),
        common.make_pio_pin(p.PIN_13),
    ];
    let others =
        [common.make_pio_pin(p.PIN_14), common.make_pio_pin(p.PIN_15), common.make_pio_pin(p.PIN_16)];
    // 150 MHz by 12, half of it high.
    let mut clock = pwm::Config::default();
    clock.top = 11;
    clock.compare_b = 6;
    let camera = Camera {
        bus: I2c::new_blocking(p.I2C0, p.PIN_5, p.PIN_4, i2c::Config::default()),
        _clock: Pwm::new_output_b(p.PWM_SLICE1, p.PIN_3, clock),
        lines: Lines::new(&mut common, sm0, data, others),
        dma: dma::Channel::new(p.DMA_CH0, Interrupts),
        sender,
    };

    let lights = LampPins {
        red: ActiveHigh(ReadBackPin(Line::output(p.PIN_18))),
        amber: ActiveHigh(ReadBackPin(Line::output(p.PIN_19))),
        green: ActiveHigh(ReadBackPin(Line::output(p.PIN_20))),
        // The board's own lamp.
        heartbeat: ActiveHigh(ReadBackPin(Line::output(p.PIN_25))),
        buzzer: ActiveHigh(ReadBackPin(Line::output(p.PIN_21))),
    };
    // Its lines set a bit each at once, so that two may have one.
    let spare = lights.clone();
    let parts = Parts::<Rp2350> {
        source: receiver,
        lights,
        button: ActiveLow(Line::input(p.PIN_22)),
        watchdog: guard,
        log_counts,
    };
    let mut flash = flash::Flash::new_blocking(p.FLASH);
    let models =
        Models { slots: flash::slots(), records: flash::records(), key: &PUBLIC_KEY, kernels: best() };
    run(parts, SETTINGS, &mut flash, models, || start_tasks(spare, camera::run(camera)))
}
