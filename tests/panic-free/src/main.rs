//! Links only where no panic can be reached: the panic handler calls a function that does not
//! exist, so the linker refuses the program as soon as anything in [`step`] or [`frame`] can panic
//! (index, slice, division, arithmetic, unwrap). It is never run.
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use core::slice;
use edge_core::gate::{GateThresholds, QualityMetrics};
use edge_core::{Engine, Geometry, Pipeline, PixelStats};

unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    // SAFETY: never executed: the function exists nowhere, so a program that could call it does not
    // link.
    unsafe { a_panic_can_be_reached() }
}

/// The gate, one step of the core engine and the gate again, on any model that was opened, any
/// figures, limits, arena and input.
///
/// # Safety
/// The pointers are readable, the arena's writable, for their lengths. It is never called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn step(
    engine: &Engine<&[u8]>,
    geometry: &Geometry,
    stats: &PixelStats,
    limits: &GateThresholds<&[i8]>,
    arena: *mut u8,
    arena_length: usize,
    input: *const u8,
    input_length: usize,
) -> f32 {
    // SAFETY: as the caller promises.
    let (arena, input) = unsafe {
        (slice::from_raw_parts_mut(arena, arena_length), slice::from_raw_parts(input, input_length))
    };
    #[cfg(feature = "planted-step")]
    let input = &input[1..];
    let mut figures = QualityMetrics::of(*geometry, stats, input, limits);
    if figures.judge(limits).is_err() {
        return f32::NAN;
    }
    let logit = engine.infer(arena, input).unwrap_or(f32::NAN);
    let features = engine.features(arena).unwrap_or(&[]);
    if figures.judge_features(features, limits).is_err() { f32::NAN } else { logit }
}

/// A frame's whole way, as a device's loop goes it: begin, rows, finish, judge, with any model that
/// was opened, any geometry, rows and arena.
///
/// # Safety
/// As [`step`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frame(
    pipeline: &Pipeline<&[u8]>,
    geometry: &Geometry,
    arena: *mut u8,
    arena_length: usize,
    rows: *const u8,
    rows_length: usize,
    row_length: usize,
    stage: &mut u16,
) -> f32 {
    // SAFETY: as the caller promises.
    let (arena, rows) =
        unsafe { (slice::from_raw_parts_mut(arena, arena_length), slice::from_raw_parts(rows, rows_length)) };
    let Ok(mut incoming) = pipeline.begin(*geometry, arena) else {
        return f32::NAN;
    };
    for row in rows.chunks(row_length.max(1)) {
        #[cfg(feature = "planted-frame")]
        let row = &row[2..]; // a chunk has one byte at least
        if incoming.row(row).is_err() {
            return f32::NAN;
        }
    }
    let Ok(stats) = incoming.finish() else {
        return f32::NAN;
    };
    let judged = pipeline.judge(*geometry, &stats, arena, &mut |now| *stage = now.code());
    judged.ok().and_then(|judged| judged.decision.score).unwrap_or(f32::NAN)
}
