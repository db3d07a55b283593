//! Pneumoscope on an STM32H743: pins and wiring of the OpenMV Cam H7. Built, not yet run on hardware.
//!
//! The camera's task runs in an interrupt of its own and hands rows to the loop; the loop has the lights, the button and the watchdog.
#![no_std]
#![no_main]

mod caches;
mod camera;
mod flash;

use camera::{Camera, QUEUE, ROW};
use core::mem;
use cortex_m_rt::entry;
use edge_core::kernels::best;
use edge_core::ports::Watchdog;
use edge_core::signal::{ActiveHigh, ActiveLow, Lights};
use embassy_executor::InterruptExecutor;
use embassy_stm32::dcmi::{self, Dcmi};
use embassy_stm32::gpio::{Flex, Input, Level, Output, OutputType, Pin, Pull, Speed};
use embassy_stm32::i2c::{self, I2c};
use embassy_stm32::interrupt;
use embassy_stm32::interrupt::{InterruptExt, Priority};
use embassy_stm32::peripherals::{DCMI, DMA1_CH0, DMA1_CH1, IWDG1, PB12, PB13, PB14, PB15, PC2};
use embassy_stm32::time::Hertz;
use embassy_stm32::timer::low_level::CountingMode;
use embassy_stm32::timer::simple_pwm::{PwmPin, SimplePwm};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{Config, Peri, bind_interrupts, dma, pac, rcc};
use firmware::boot::{Models, start_with};
use firmware::device::{Board, Parts, Settings};
use firmware::journal::DefmtJournal;
use firmware::rows::{Receiver, RowPipe};
use firmware::sensors::ov7725;
use hardware::{Checked, Uptime, WATCHDOG_MS, arena, dead_man, rtt};
use static_cell::ConstStaticCell;
use support::{ALIVE, TOMB};

include!(concat!(env!("OUT_DIR"), "/board.rs"));

/// With [`Settings::BUTTON`] it judges after a press only.
const SETTINGS: Settings = Settings::CONTINUOUS;

support::logger!(rtt::send);

bind_interrupts!(struct Interrupts {
    DCMI => dcmi::InterruptHandler<DCMI>;
    DMA1_STREAM0 => dma::InterruptHandler<DMA1_CH0>;
    DMA1_STREAM1 => dma::InterruptHandler<DMA1_CH1>;
});

static ROWS: ConstStaticCell<RowPipe<ROW, QUEUE>> = ConstStaticCell::new(RowPipe::new());
static CAMERA: InterruptExecutor = InterruptExecutor::new();

/// The camera's tasks run in this interrupt, which no device of this program has.
#[interrupt]
fn UART5() {
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

struct Stm32h7;

impl Board for Stm32h7 {
    type Source = Receiver<'static, ROW>;
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
        // Every other cause sets the reset line's flag too.
        let causes = pac::RCC.rsr().read();
        pac::RCC.rsr().modify(|causes| causes.set_rmvf(true));
        let by_itself = causes.iwdg1rstf() || causes.wwdg1rstf() || causes.lpwrrstf();
        causes.pinrstf() && !by_itself && !causes.borrstf() && !causes.porrstf()
    }
}

struct Guard(IndependentWatchdog<'static, IWDG1>);

impl Watchdog for Guard {
    fn feed(&mut self) {
        self.0.pet();
    }
}

/// An output that is read back; dark from the start.
fn line(pin: Peri<'static, impl Pin>, dark: Level) -> Line {
    let mut pin = Flex::new(pin);
    pin.set_level(dark);
    pin.set_as_output(Speed::Low);
    Checked(pin)
}

/// The lines of red, amber, green, heartbeat (the board's own blue lamp) and buzzer.
struct Pins {
    red: Peri<'static, PB15>,
    amber: Peri<'static, PB14>,
    green: Peri<'static, PB13>,
    heartbeat: Peri<'static, PC2>,
    buzzer: Peri<'static, PB12>,
}

impl Pins {
    /// The lamps; asked for twice, for the loop and for whom it dies on.
    fn lamps(&self) -> Lamps {
        // SAFETY: of two owners of a line one sets it at a time: the second only while the loop does nothing.
        unsafe {
            Lights {
                red: ActiveHigh(line(self.red.clone_unchecked(), Level::Low)),
                amber: ActiveHigh(line(self.amber.clone_unchecked(), Level::Low)),
                green: ActiveHigh(line(self.green.clone_unchecked(), Level::Low)),
                heartbeat: ActiveLow(line(self.heartbeat.clone_unchecked(), Level::High)),
                buzzer: ActiveHigh(line(self.buzzer.clone_unchecked(), Level::Low)),
            }
        }
    }
}

#[entry]
fn main() -> ! {
    forget_after_power_off();
    let p = embassy_stm32::init(clocks());
    let mut guard = IndependentWatchdog::new(p.IWDG1, WATCHDOG_MS * 1000);
    guard.unleash();
    caches::on();

    let (sender, receiver) = ROWS.take().split();
    // It sets up pins and registers. Its own way of capturing wants memory for a whole frame: the camera's task has another.
    let _dcmi = Dcmi::new_8bit(
        p.DCMI,
        p.DMA1_CH0,
        Interrupts,
        p.PC6,
        p.PC7,
        p.PE0,
        p.PE1,
        p.PE4,
        p.PB6,
        p.PE5,
        p.PE6,
        p.PB7,
        p.PA4,
        p.PA6,
        dcmi::Config::default(),
    );
    let clock = PwmPin::new(p.PA8, OutputType::PushPull);
    let hertz = Hertz(ov7725::CLOCK_HZ);
    let mut clock = SimplePwm::new(p.TIM1, Some(clock), None, None, None, hertz, CountingMode::EdgeAlignedUp);
    clock.ch1().set_duty_cycle_fraction(1, 2);
    clock.ch1().enable();
    // Dropped, it would stop.
    mem::forget(clock);
    let camera = Camera {
        bus: I2c::new_blocking(p.I2C1, p.PB8, p.PB9, i2c::Config::default()),
        reset: Output::new(p.PA10, Level::High, Speed::Low),
        power_down: Output::new(p.PD7, Level::High, Speed::Low),
        dma: dma::Channel::new(p.DMA1_CH1, Interrupts),
        sender,
    };

    let pins = Pins { red: p.PB15, amber: p.PB14, green: p.PB13, heartbeat: p.PC2, buzzer: p.PB12 };
    let instead = pins.lamps();
    let parts = Parts {
        source: receiver,
        lights: pins.lamps(),
        button: ActiveLow(Input::new(p.PD12, Pull::Up)),
        clock: Uptime,
        watchdog: Guard(guard),
        journal: DefmtJournal { counts: log_counts },
    };
    let mut flash = flash::Flash::new(p.FLASH);
    let models =
        Models { slots: flash::slots(), records: flash::records(), key: &PUBLIC_KEY, kernels: best() };
    let mut device = start_with::<Stm32h7>(parts, SETTINGS, &TOMB, arena(), &mut flash, models);
    // Only now: while flash is written, interrupts would wait for it.
    interrupt::UART5.set_priority(Priority::P6);
    let spawner = CAMERA.start(interrupt::UART5);
    if let (Ok(watch), Ok(camera)) = (watch(instead), camera::run(camera)) {
        spawner.spawn(watch);
        spawner.spawn(camera);
    }
    loop {
        device.turn();
    }
}

/// After power was off this memory has no valid check bits and must be written before it is read.
fn forget_after_power_off() {
    let causes = pac::RCC.rsr().read();
    if causes.porrstf() || causes.borrstf() {
        // SAFETY: nothing else runs yet, and a tomb may hold anything.
        unsafe { (&raw const TOMB).cast_mut().write_volatile(firmware::epitaph::Tomb::new()) };
    }
}

/// 400 MHz for the processor, 200 for memory and bus, from the board's 12 MHz crystal.
fn clocks() -> Config {
    use rcc::{
        AHBPrescaler, APBPrescaler, Hse, HseMode, Pll, PllDiv, PllMul, PllPreDiv, PllSource, Sysclk,
        VoltageScale,
    };
    let mut config = Config::default();
    config.rcc.hse = Some(Hse { freq: Hertz(12_000_000), mode: HseMode::Oscillator });
    config.rcc.pll1 = Some(Pll {
        source: PllSource::HSE,
        prediv: PllPreDiv::DIV3,
        mul: PllMul::MUL200,
        fracn: None,
        divp: Some(PllDiv::DIV2),
        divq: Some(PllDiv::DIV8),
        divr: None,
    });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.ahb_pre = AHBPrescaler::DIV2;
    config.rcc.apb1_pre = APBPrescaler::DIV2;
    config.rcc.apb2_pre = APBPrescaler::DIV2;
    config.rcc.apb3_pre = APBPrescaler::DIV2;
    config.rcc.apb4_pre = APBPrescaler::DIV2;
    config.rcc.voltage_scale = VoltageScale::Scale1;
    config
}
