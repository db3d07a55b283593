//! Pneumoscope on an nRF52840: pins and wiring of the nRF52840-DK. Built, not yet run on hardware.
//!
//! The port's task runs in an interrupt of its own and hands rows to the loop; the loop has the
//! lights, the button and the watchdog.
#![no_std]
#![no_main]

mod board;
mod camera;
mod flash;

use board::{NAME, PUBLIC_KEY, RECORDS};
use camera::QUEUE;
use cortex_m_rt::entry;
use edge_core::kernels::best;
use edge_core::ports::Watchdog;
use edge_core::signal::ActiveLow;
use embassy_nrf::config::{Config, HfclkSource};
use embassy_nrf::gpio::{AnyPin, Flex, Input, OutputDrive, Pull};
use embassy_nrf::interrupt;
use embassy_nrf::nvmc::Nvmc;
use embassy_nrf::wdt::{self, HaltConfig, WatchdogHandle};
use embassy_nrf::{Peri, pac};
use firmware::boot::Models;
use firmware::device::Settings;
use firmware::rows::{Receiver, RowPipe};
use firmware::serial::LONGEST_ROW;
use hardware::{Chip, Parts, WATCHDOG_MS, lamps, rtt, run};
use static_cell::ConstStaticCell;

/// With [`Settings::BUTTON`] it judges after a press only.
const SETTINGS: Settings = Settings::CONTINUOUS;

type Lamps = hardware::Lamps<Flex<'static>>;

static ROWS: ConstStaticCell<RowPipe<LONGEST_ROW, QUEUE>> = ConstStaticCell::new(RowPipe::new());

support::logger!(rtt::send);

hardware::tasks!(EGU0_SWI0, priority P6, lamps Lamps);

struct Nrf52840;

impl Chip for Nrf52840 {
    type Source = Receiver<'static, LONGEST_ROW>;
    type Lights = Lamps;
    type Button = ActiveLow<Input<'static>>;
    type Watchdog = Guard;

    const NAME: &'static str = NAME;

    fn was_reset_by_hand() -> bool {
        let causes = pac::POWER.resetreas().read();
        // What is set stays until it is written back; after power on and low voltage nothing is.
        pac::POWER.resetreas().write_value(causes);
        !causes.dog() && !causes.lockup() && (causes.resetpin() || causes.sreq() || causes.dif())
    }
}

/// None where the chip runs a watchdog that another program set up otherwise: that one resets it.
struct Guard(Option<WatchdogHandle>);

impl Watchdog for Guard {
    fn feed(&mut self) {
        if let Some(handle) = &mut self.0 {
            handle.pet();
        }
    }
}

/// An output that can be read, at this level from its start.
#[inline(never)]
fn output(pin: &Peri<'static, AnyPin>, high: bool) -> Flex<'static> {
    // SAFETY: of two owners of a line one sets it at a time: the second only while the loop hangs.
    let mut pin = Flex::new(unsafe { pin.clone_unchecked() });
    if high {
        pin.set_high()
    } else {
        pin.set_low()
    }
    pin.set_as_input_output(Pull::None, OutputDrive::Standard);
    pin
}

#[entry]
fn main() -> ! {
    let mut config = Config::default();
    // USB needs the crystal's clock.
    config.hfclk_source = HfclkSource::ExternalXtal;
    let p = embassy_nrf::init(config);
    // The flash's instruction cache, which is off after a reset.
    pac::NVMC.icachecnf().modify(|cache| cache.set_cacheen(true));
    let mut watchdog = wdt::Config::default();
    watchdog.timeout_ticks = WATCHDOG_MS * 32_768 / 1000;
    watchdog.action_during_debug_halt = HaltConfig::Pause;
    let guard = wdt::Watchdog::try_new(p.WDT, watchdog).ok().map(|(_, [handle])| handle);

    let (sender, receiver) = ROWS.take().split();
    // Red, amber, green, heartbeat (the board's own LED1), buzzer.
    let pins = [p.P1_01.into(), p.P1_02.into(), p.P1_03.into(), p.P0_13.into(), p.P1_04.into()];
    let spare = lamps(&pins, output);
    let parts = Parts::<Nrf52840> {
        source: receiver,
        lights: lamps(&pins, output),
        // The board's own button, BUTTON1.
        button: ActiveLow(Input::new(p.P0_11, Pull::Up)),
        watchdog: Guard(guard),
        log_counts,
    };
    let mut flash = Nvmc::new(p.NVMC);
    let models = Models { slots: flash::slots(), records: RECORDS, key: &PUBLIC_KEY, kernels: best() };
    run(parts, SETTINGS, &mut flash, models, || start_tasks(spare, camera::start(p.USBD, sender)))
}
