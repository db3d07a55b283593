//! Sudden ends: the program killed at random moments, and the power cut. After each the log must
//! hold. Every frame is answered, so that the log is written nearly all the time.

use anyhow::{Context, ensure};
use phantoms::Label;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fs;
use std::path::Path;

use super::device::{Device, Setup};
use super::picture::Picture;
use arm64_protocol::Request;

/// From the start to the kill, at most, in milliseconds of the board's time.
const LONGEST_MS: u64 = 800;
/// How long the log is waited for, in steps of [`STEP_MS`].
const STEPS: u32 = 4000;
const STEP_MS: u64 = 50;

const EVERY_FRAME: Setup = Setup { interval_ms: 0, ..Setup::CAMERA };

fn picture() -> anyhow::Result<Picture> {
    Picture::of(&phantoms::draw(Label::Pneumonia, 1, 224), "YUYV")
}

/// Kills the program so many times, each time after another while.
pub fn kills(files: &Path, rounds: u32) -> anyhow::Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let picture = picture()?;
    let mut device = Device::boot(files, None, &picture, &EVERY_FRAME)?;
    device.guest.show(&picture)?;
    for round in 0..rounds {
        let ms = rng.next_u64() % LONGEST_MS;
        kill(&mut device, ms).with_context(|| format!("kill {round}, {ms} ms after the start"))?;
    }
    let lines = device.log()?.len();
    println!("{rounds} kills, {lines} lines in the log");
    ensure!(
        lines as u32 > rounds,
        "the log has {lines} lines only: the kills came before anything was written"
    );
    device.guest.power_off()
}

fn kill(device: &mut Device, ms: u64) -> anyhow::Result<()> {
    device.start(&[], &[])?;
    device.guest.ask(Request::Sleep { ms }, &[])?;
    device.end(nix::libc::SIGKILL)?;
    let lines = device.log()?;
    // Before its first line there is no log to verify.
    if !lines.is_empty() {
        device.verify(true)?;
    }
    Ok(())
}

/// Cuts the power so many times while the log is written, each time after another while.
/// Only the line being written may be lost, and the log must verify after the next start.
pub fn power_cuts(files: &Path, cuts: u32) -> anyhow::Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let folder = tempfile::tempdir()?;
    let disk = folder.path().join("disk");
    fs::copy(files.join("disk"), &disk)?;
    let picture = picture()?;
    let mut known = Vec::new();
    for cut in 0..=cuts {
        let mut device = Device::boot(files, Some(&disk), &picture, &EVERY_FRAME)?;
        device.guest.show(&picture)?;
        device.start(&[], &[])?;
        // What was in the log before the cut, and what the program adds.
        device.expect_log(std::mem::take(&mut known));
        grown(&mut device).with_context(|| format!("after {cut} power cuts"))?;
        device.verify(false).with_context(|| format!("after {cut} power cuts"))?;
        device.guest.ask(Request::Sleep { ms: rng.next_u64() % LONGEST_MS }, &[])?;
        device.log()?;
        known = device.certain();
        if cut < cuts {
            device.guest.cut()?;
        }
    }
    Ok(())
}

/// Waits until the program that was just started has written.
fn grown(device: &mut Device) -> anyhow::Result<()> {
    let now = device.guest.now()? / 1000;
    for _ in 0..STEPS {
        if device.log()?.iter().any(|line| line.uptime_ms >= now && line.decision.is_some()) {
            return Ok(());
        }
        device.guest.ask(Request::Sleep { ms: STEP_MS }, &[])?;
    }
    anyhow::bail!("the program writes nothing; it said:\n{}", device.output())
}
