//! Pneumoscope on an nRF52840: pins and wiring of the nRF52840-DK. Built, not yet run on hardware.
//!
//! The port's task runs in an interrupt of its own and hands rows to the loop; the loop has the lights, the button and the watchdog.
#![no_std]
#![no_main]

mod camera;
mod flash;

use camera::QUEUE;
use cortex_m_rt::entry;
use edge_core::kernels::best;
use edge_core::ports::Watchdog;
use edge_core::signal::{ActiveHigh, ActiveLow, Lights};
use embassy_executor::InterruptExecutor;
use embassy_nrf::config::{Config, HfclkSource};
use embassy_nrf::gpio::{Flex, Input, OutputDrive, Pin, Pull};
use embassy_nrf::interrupt;
use embassy_nrf::interrupt::{InterruptExt, Priority};
use embassy_nrf::nvmc::Nvmc;
use embassy_nrf::peripherals::{P0_13, P1_01, P1_02, P1_03, P1_04, USBD};
use embassy_nrf::usb::{self, vbus_detect};
use embassy_nrf::wdt::{self, HaltConfig, WatchdogHandle};
use embassy_nrf::{Peri, bind_interrupts, pac};
use firmware::boot::{Models, start_with};
use firmware::device::{Board, Parts, Settings};
use firmware::journal::DefmtJournal;
use firmware::rows::{Receiver, RowPipe};
use firmware::serial::LONGEST_ROW;
use hardware::{Checked, Uptime, WATCHDOG_MS, arena, dead_man, rtt};
use static_cell::ConstStaticCell;
use support::{ALIVE, TOMB};

include!(concat!(env!("OUT_DIR"), "/board.rs"));

/// With [`Settings::BUTTON`] it judges after a press only.
const SETTINGS: Settings = Settings::CONTINUOUS;

support::logger!(rtt::send);

bind_interrupts!(struct Interrupts {
    USBD => usb::InterruptHandler<USBD>;
    CLOCK_POWER => vbus_detect::InterruptHandler;
});

static ROWS: ConstStaticCell<RowPipe<LONGEST_ROW, QUEUE>> = ConstStaticCell::new(RowPipe::new());
static CAMERA: InterruptExecutor = InterruptExecutor::new();

/// The port's tasks run in this interrupt, which no device of this program has.
#[interrupt]
unsafe fn EGU0_SWI0() {
    // SAFETY: this is the interrupt that `CAMERA` was started with.
    unsafe { CAMERA.on_interrupt() }
}

type Line = Checked<Flex<'static>>;

type Lamps = Lights<ActiveHigh<Line>, ActiveHigh<Line>, ActiveHigh<Line>, ActiveLow<Line>, ActiveHigh<Line>>;

/// The device's lamps once more, for the time when the loop is dead.
#[embassy_executor::task]
async fn watch(lamps: Lamps) -> ! {
    dead_man(&ALIVE, lamps).await
}

struct Nrf52840;

impl Board for Nrf52840 {
    type Source = Receiver<'static, LONGEST_ROW>;
    type Lights = Lamps;
    type Button = ActiveLow<Input<'static>>;
    type Clock = Uptime;
    type Watchdog = Guard;
    type Journal = DefmtJournal;

    const NAME: &'static str = NAME;

    fn stack_left() -> u32 {
        support::stack_left()
    }

    fn lives() {
        ALIVE.beat();
    }

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

/// An output that is read back; dark from the start.
fn line(pin: Peri<'static, impl Pin>, lit_high: bool) -> Line {
    let mut pin = Flex::new(pin);
    if lit_high {
        pin.set_low()
    } else {
        pin.set_high()
    }
    pin.set_as_input_output(Pull::None, OutputDrive::Standard);
    Checked(pin)
}

/// The lines of red, amber, green, heartbeat (the board's own LED1) and buzzer.
struct Pins {
    red: Peri<'static, P1_01>,
    amber: Peri<'static, P1_02>,
    green: Peri<'static, P1_03>,
    heartbeat: Peri<'static, P0_13>,
    buzzer: Peri<'static, P1_04>,
}

impl Pins {
    /// The lamps; asked for twice, for the loop and for whom it dies on.
    fn lamps(&self) -> Lamps {
        // SAFETY: of two owners of a line one sets it at a time: the second only while the loop does nothing.
        unsafe {
            Lights {
                red: ActiveHigh(line(self.red.clone_unchecked(), true)),
                amber: ActiveHigh(line(self.amber.clone_unchecked(), true)),
                green: ActiveHigh(line(self.green.clone_unchecked(), true)),
                heartbeat: ActiveLow(line(self.heartbeat.clone_unchecked(), false)),
                buzzer: ActiveHigh(line(self.buzzer.clone_unchecked(), true)),
            }
        }
    }
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
    let pins = Pins { red: p.P1_01, amber: p.P1_02, green: p.P1_03, heartbeat: p.P0_13, buzzer: p.P1_04 };
    let instead = pins.lamps();
    let parts = Parts {
        source: receiver,
        lights: pins.lamps(),
        // The board's own button, BUTTON1.
        button: ActiveLow(Input::new(p.P0_11, Pull::Up)),
        clock: Uptime,
        watchdog: Guard(guard),
        journal: DefmtJournal { counts: log_counts },
    };
    let mut flash = Nvmc::new(p.NVMC);
    let models = Models { slots: flash::slots(), records: RECORDS, key: &PUBLIC_KEY, kernels: best() };
    let mut device = start_with::<Nrf52840>(parts, SETTINGS, &TOMB, arena(), &mut flash, models);
    // Only now: while flash is written, the processor stands still.
    interrupt::EGU0_SWI0.set_priority(Priority::P6);
    let spawner = CAMERA.start(interrupt::EGU0_SWI0);
    if let (Ok(watch), Ok(camera)) = (watch(instead), camera::start(p.USBD, sender)) {
        spawner.spawn(watch);
        spawner.spawn(camera);
    }
    loop {
        device.turn();
    }
}
