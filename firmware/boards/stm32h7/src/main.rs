//! Pneumoscope on an STM32H743: pins and wiring of the OpenMV Cam H7. Built, not yet run on
//! hardware.
//!
//! The camera's task runs in an interrupt of its own and hands rows to the loop; the loop has the
//! lights, the button and the watchdog.
#![no_std]
#![no_main]

mod board;
mod boot_loader;
mod caches;
mod camera;
mod flash;

use board::{NAME, PUBLIC_KEY};
use camera::{Camera, QUEUE, ROW};
use core::mem;
use cortex_m_rt::entry;
use edge_core::kernels::best;
use edge_core::ports::Watchdog;
use edge_core::signal::ActiveLow;
use embassy_stm32::dcmi::{self, Dcmi};
use embassy_stm32::gpio::{AnyPin, Flex, Input, Level, Output, OutputType, Pull, Speed};
use embassy_stm32::i2c::{self, I2c};
use embassy_stm32::interrupt;
use embassy_stm32::peripherals::{DCMI, DMA1_CH0, DMA1_CH1, IWDG1};
use embassy_stm32::time::Hertz;
use embassy_stm32::timer::low_level::CountingMode;
use embassy_stm32::timer::simple_pwm::{PwmPin, SimplePwm};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{Config, Peri, bind_interrupts, dma, pac, rcc};
use firmware::boot::Models;
use firmware::crash_record::RetainedRam;
use firmware::device::Settings;
use firmware::rows::{Receiver, RowPipe};
use firmware::sensors::ov7725;
use firmware::stm32h7::axi;
use hardware::{Chip, Parts, WATCHDOG_MS, lamps, rtt, run};
use static_cell::ConstStaticCell;
use support::RETAINED_RAM;

/// With [`Settings::BUTTON`] it judges after a press only.
const SETTINGS: Settings = Settings::CONTINUOUS;

type Lamps = hardware::Lamps<Flex<'static>>;

static ROWS: ConstStaticCell<RowPipe<ROW, QUEUE>> = ConstStaticCell::new(RowPipe::new());

support::logger!(rtt::send);

hardware::tasks!(UART5, priority P6, lamps Lamps);

bind_interrupts!(struct Interrupts {
    DCMI => dcmi::InterruptHandler<DCMI>;
    DMA1_STREAM0 => dma::InterruptHandler<DMA1_CH0>;
    DMA1_STREAM1 => dma::InterruptHandler<DMA1_CH1>;
});

struct Stm32h7;

impl Chip for Stm32h7 {
    type Source = Receiver<'static, ROW>;
    type Lights = Lamps;
    type Button = ActiveLow<Input<'static>>;
    type Watchdog = Guard;

    const NAME: &'static str = NAME;

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

/// An output that can be read, at this level from its start.
#[inline(never)]
fn output(pin: &Peri<'static, AnyPin>, high: bool) -> Flex<'static> {
    // SAFETY: of two owners of a line one sets it at a time: the second only while the loop hangs.
    let mut pin = Flex::new(unsafe { pin.clone_unchecked() });
    pin.set_level(high.into());
    pin.set_as_output(Speed::Low);
    pin
}

#[entry]
fn main() -> ! {
    read_memory_one_by_one();
    boot_loader::set_back();
    forget_after_power_off();
    let p = embassy_stm32::init(clocks());
    // It stands still while a debugger halts the processor, as on the other boards.
    pac::DBGMCU.apb4fzr1().modify(|frozen| frozen.set_iwdg1(true));
    let mut guard = IndependentWatchdog::new(p.IWDG1, WATCHDOG_MS * 1000);
    guard.unleash();
    caches::on();

    let (sender, receiver) = ROWS.take().split();
    // It sets up pins and registers. Its own way of capturing wants memory for a whole frame: the
    // camera's task has another.
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

    // Red, amber, green, heartbeat (the board's own blue lamp), buzzer.
    let pins = [p.PB15.into(), p.PB14.into(), p.PB13.into(), p.PC2.into(), p.PB12.into()];
    let spare = lamps(&pins, output);
    let parts = Parts::<Stm32h7> {
        source: receiver,
        lights: lamps(&pins, output),
        button: ActiveLow(Input::new(p.PD12, Pull::Up)),
        watchdog: Guard(guard),
        log_counts,
    };
    let mut flash = flash::Flash::new(p.FLASH);
    let models =
        Models { slots: flash::slots(), records: flash::records(), key: &PUBLIC_KEY, kernels: best() };
    run(parts, SETTINGS, &mut flash, models, || start_tasks(spare, camera::run(camera)))
}

/// Before the caches and DMA read the memory at 0x24000000, where arena and ring lie.
fn read_memory_one_by_one() {
    // SAFETY: a register of the bus, which only this writes; what it does is said with the numbers.
    unsafe { (axi::SRAM_FUNCTION as *mut u32).write_volatile(axi::READ_ISSUING_OF_ONE) };
}

/// After power was off this memory has no valid check bits and must be written before it is read.
fn forget_after_power_off() {
    let causes = pac::RCC.rsr().read();
    if causes.porrstf() || causes.borrstf() {
        // SAFETY: nothing else runs yet, and retained RAM may hold anything.
        unsafe { (&raw const RETAINED_RAM).cast_mut().write_volatile(RetainedRam::new()) };
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
