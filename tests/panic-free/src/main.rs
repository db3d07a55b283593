//! Links only where no panic can be reached: the panic handler calls a function that does not exist, so the linker
//! refuses the program as soon as anything in [`step`] can panic (index, slice, division, arithmetic, unwrap). It is never run.
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use core::slice;
use edge_core::gate::{Figures, Limits};
use edge_core::{Engine, Geometry, Stats};

unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    // SAFETY: never executed: the function exists nowhere, so a program that could call it does not link.
    unsafe { a_panic_can_be_reached() }
}

/// The gate, one step of the core engine and the gate again, on any model that was opened, any figures, limits, arena and input.
///
/// # Safety
/// The pointers are readable, the arena's writable, for their lengths. It is never called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn step(
    engine: &Engine<&[u8]>,
    geometry: &Geometry,
    stats: &Stats,
    limits: &Limits,
    arena: *mut u8,
    arena_length: usize,
    input: *const u8,
    input_length: usize,
) -> f32 {
    // SAFETY: as the caller promises.
    let (arena, input) = unsafe {
        (slice::from_raw_parts_mut(arena, arena_length), slice::from_raw_parts(input, input_length))
    };
    #[cfg(feature = "planted")]
    let input = &input[1..];
    let mut figures = Figures::of(*geometry, stats, input, limits);
    if figures.judge(limits).is_err() {
        return f32::NAN;
    }
    let logit = engine.step(arena, input).unwrap_or(f32::NAN);
    let features = engine.features(arena).unwrap_or(&[]);
    if figures.judge_features(features, limits).is_err() { f32::NAN } else { logit }
}
