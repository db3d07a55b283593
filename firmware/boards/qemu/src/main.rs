//! The firmware on one of QEMU's boards. Its camera, button, flash and log are files of the host
//! (semihosting), its lamps are the board's LEDs; all else is as on any board.
//!
//! Command line: `qemu FLASH SCRIPT LOG`. FLASH is the image of the flash's regions and is written
//! back, [`script`] says what happens to the board, LOG, which exists, takes the defmt log.
#![no_std]
#![no_main]
// The checklist has no settings of the device, and ends by itself.
#![cfg_attr(feature = "bring-up", allow(dead_code))]

mod board;
#[cfg(feature = "bring-up")]
mod bring_up;
mod camera;
mod chip;
#[cfg(not(feature = "bring-up"))]
mod device;
mod flash;
mod host;
mod interrupts;
mod lamps;
mod region;
mod script;
mod trap;
mod world;

#[cfg(feature = "bring-up")]
use bring_up::{Button, run};
use camera::Camera;
use cortex_m_rt::entry;
#[cfg(not(feature = "bring-up"))]
use device::run;
use edge_core::PixelFormat;
use edge_core::kernels;
use edge_core::pipeline::Stage;
use edge_core::ports::Clock as _;
use edge_core::signal::{ActiveHigh, LampPins};
use firmware::boot::{ARENA_BYTES, Models};
use firmware::defmt_log::DefmtLog;
use firmware::device::{Board, Parts};
use support::{LIVENESS, stack_left};
#[cfg(not(feature = "bring-up"))]
use world::Button;

support::logger!(host::log);

defmt::timestamp!("{=u64:ms}", chip::Clock.now_ms());

/// Bytes of the longest row that is taken: the widest picture, in colour of sixteen bits.
const ROW: usize = edge_core::frame::MAX_SIDE as usize * PixelFormat::Rgb16.bytes_per_pixel();

#[repr(align(64))]
struct Arena([u8; ARENA_BYTES]);

struct Qemu;

impl Board for Qemu {
    type Source = Camera;
    type Lights = LampPins<LinePin, LinePin, LinePin, LinePin, LinePin>;
    type Button = Button;
    type Clock = chip::Clock;
    type Watchdog = chip::Watchdog;
    type Log = DefmtLog;

    const NAME: &'static str = board::NAME;

    fn stack_left() -> u32 {
        stack_left()
    }

    fn beat() {
        LIVENESS.beat();
    }

    fn on_stage(stage: Stage) {
        trap::record_stage(stage);
        region::mark_stage(stage);
    }
}

type LinePin = ActiveHigh<lamps::Line>;

#[entry]
fn main() -> ! {
    // The macro makes these variables that are handed out once.
    static mut ARENA: Arena = Arena([0; ARENA_BYTES]);
    static mut ROW_BYTES: [u8; ROW] = [0; ROW];
    host::open();
    let mut flash = flash::Flash::load(script::load());
    chip::start();
    let parts = Parts::<Qemu> {
        source: Camera::new(ROW_BYTES),
        lights: lamps::lights(),
        button: Button,
        clock: chip::Clock,
        watchdog: chip::Watchdog,
        log: DefmtLog { counts: log_counts },
    };
    let models = Models {
        slots: [flash::slot(board::SLOT_A), flash::slot(board::SLOT_B)],
        records: board::RECORDS,
        key: &board::PUBLIC_KEY,
        kernels: kernels::best(),
    };
    run(parts, &mut flash, models, &mut ARENA.0)
}
