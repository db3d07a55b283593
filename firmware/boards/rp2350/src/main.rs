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
use camera::{Camera, Pio0, QUEUE, ROW, Words};
use cortex_m_rt::entry;
use edge_core::kernels::best;
use edge_core::ports::Watchdog;
use edge_core::signal::{ActiveHigh, ActiveLow, LampPins};
use embassy_rp::gpio::AnyPin;
use embassy_rp::i2c::{self, I2c};
use embassy_rp::interrupt;
use embassy_rp::peripherals::{DMA_CH0, I2C0};
use embassy_rp::pwm::{self, Pwm};
use embassy_rp::watchdog;
use embassy_rp::{Peri, bind_interrupts, dma, pac};
use embassy_time::{Delay, Duration};
use firmware::boot::Models;
use firmware::bounded_bus::BoundedBus;
use firmware::device::Settings;
use firmware::rows::{Receiver, RowPipe};
use hardware::{Chip, Parts, ReadBackPin, WATCHDOG_MS, rtt, run};
use pins::Line;
use pio_camera::{Row, StateMachines};
use static_cell::ConstStaticCell;

/// With [`Settings::BUTTON`] it judges after a press only.
const SETTINGS: Settings = Settings::CONTINUOUS;

type Lamp<const N: u8> = ActiveHigh<ReadBackPin<Line<N>>>;

type Lamps = LampPins<Lamp<18>, Lamp<19>, Lamp<20>, Lamp<25>, Lamp<21>>;

static ROWS: ConstStaticCell<RowPipe<ROW, QUEUE>> = ConstStaticCell::new(RowPipe::new());
static CAMERA_ROWS: ConstStaticCell<[Row; 2]> = ConstStaticCell::new([Row::BLACK; 2]);

support::logger!(rtt::send);

hardware::tasks!(SWI_IRQ_0, priority P2, lamps Lamps);

bind_interrupts!(struct Interrupts {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
    I2C0_IRQ => i2c::InterruptHandler<I2C0>;
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
        // A reset by the line, by power or by a probe clears the watchdog's reason on this chip.
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
    // D0 to D7, which lie side by side, PCLK, HREF and VSYNC, as the machine's program names them.
    let lines: [Peri<'static, AnyPin>; 11] = [
        p.PIN_6.into(),
        p.PIN_7.into(),
        p.PIN_8.into(),
        p.PIN_9.into(),
        p.PIN_10.into(),
        p.PIN_11.into(),
        p.PIN_12.into(),
        p.PIN_13.into(),
        p.PIN_14.into(),
        p.PIN_15.into(),
        p.PIN_16.into(),
    ];
    lines.into_iter().for_each(camera::input);
    // 150 MHz by 12, half of it high.
    let mut clock = pwm::Config::default();
    clock.top = 11;
    clock.compare_b = 6;
    let clock = Pwm::new_output_b(p.PWM_SLICE1, p.PIN_3, clock);
    let bus = I2c::new_async(p.I2C0, p.PIN_5, p.PIN_4, Interrupts, i2c::Config::default());
    let camera = Camera {
        machines: StateMachines::load(Pio0(p.PIO0)),
        dma: Words(dma::Channel::new(p.DMA_CH0, Interrupts)),
        rows: CAMERA_ROWS.take(),
        bus: BoundedBus { bus, micros: hardware::micros },
        delay: Delay,
        micros: hardware::micros,
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
    run(parts, SETTINGS, &mut flash, models, || start_tasks(spare, camera::run(camera, clock)))
}
