//! What a worker does with an engine once it is ready: rounds on request, or one run whose
//! instructions are counted.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, stdin};
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use serde_json::json;

use crate::frames::{Element, read_frames};
use crate::say;

/// Answers the parent's lines until it has had enough.
pub fn rounds<T: Element>(
    mut infer: impl FnMut(&[T]) -> anyhow::Result<f32>,
    folder: &Path,
    start: Instant,
) -> anyhow::Result<()> {
    let ready = start.elapsed();
    let frames = read_frames::<T>(folder)?;
    let first_frame = frames.first().context("expected at least one frame")?;
    let before = Instant::now();
    black_box(infer(first_frame)?);
    let first = ready + before.elapsed();
    say(&json!({ "ready_us": ready.as_secs_f64() * 1e6, "first_us": first.as_secs_f64() * 1e6 }))?;

    let lines = stdin().lock().lines();
    for line in lines {
        match line?.as_str() {
            "round" => {}
            "end" => break,
            other => anyhow::bail!("expected `round` or `end`, got {other:?}"),
        }
        // Another process had the core: one frame brings code and weights back into the caches.
        black_box(infer(first_frame)?);
        let mut nanoseconds = Vec::with_capacity(frames.len());
        for frame in &frames {
            let before = Instant::now();
            black_box(infer(black_box(frame))?);
            nanoseconds.push(u64::try_from(before.elapsed().as_nanos())?);
        }
        say(&json!(nanoseconds))?;
    }

    let mut run = Ok(0.0);
    let counted = allocation_counter::measure(|| run = infer(first_frame));
    run?;
    let logits = frames.iter().map(|frame| Ok(infer(frame)?.to_bits()));
    let logits = logits.collect::<anyhow::Result<Vec<u32>>>()?;
    say(&json!({
        "peak_kb": peak_kb()?,
        "allocations": counted.count_total,
        "allocated_bytes": counted.bytes_total,
        "logits": logits,
    }))
}

/// Runs the last frame twice, the second time between the markers for QEMU's plugin, and prints its
/// name and logit.
pub fn count<T: Element>(
    mut infer: impl FnMut(&[T]) -> anyhow::Result<f32>,
    folder: &Path,
) -> anyhow::Result<()> {
    let frames = read_frames::<T>(folder)?;
    let frame = frames.last().context("expected at least one frame")?;
    // The first run may make ready what later ones only use.
    infer(frame)?;
    marker::start();
    let logit = infer(black_box(frame));
    marker::stop();
    println!("region 0 frame\nlogit {:08x}", logit?.to_bits());
    Ok(())
}

/// The most memory that this process held at a time (`VmHWM`), in units of 1024 bytes.
fn peak_kb() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("expected `VmHWM: ... kB` in /proc/self/status")?.trim().parse()?)
}
