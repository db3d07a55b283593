//! End to end: drawn X-rays in front of the camera, in each form that cameras send; what the lights
//! and the log say of them must be what this machine says of the same pictures.

use anyhow::{Context, ensure};
use edge_core::State;
use phantoms::Label;
use std::path::Path;

use super::device::{Device, Line, Setup, Told, is};
use super::host::Host;
use super::lights::{Reading, Said};
use super::picture::Picture;

/// Within this time the answer on a new picture must show, in microseconds.
const WITHIN: u64 = 2_000_000;
/// From the start of the process to the first state on the lights, at most, in milliseconds: of
/// these the camera settles for a second.
const FIRST_STATE_MS: u64 = 2000;
/// So long the picture then stays, in milliseconds.
const STAYS_MS: u64 = 1200;

pub fn run(files: &Path, fourcc: &str, width: u16) -> anyhow::Result<()> {
    let mut host = Host::new()?;
    let drawn: Vec<_> = (0..4)
        .map(|seed| phantoms::draw(if seed % 2 == 0 { Label::Pneumonia } else { Label::Normal }, seed, width))
        .collect();
    let first = Picture::of(&drawn[0], fourcc)?;
    let mut device = Device::boot(files, None, &first, &Setup::CAMERA)?;
    device.guest.show(&first)?;
    device.start(&[], &[])?;
    let started = device.guest.last.0;
    let mut before = None;
    for picture in &drawn {
        let (decision, saw) = host.answer(picture)?;
        device.guest.show(&Picture::of(picture, fourcc)?)?;
        let shown = device.guest.last;
        let limit = if before.is_none() { shown.1 + 5 * WITHIN } else { shown.1 + WITHIN };
        device.wait_for(decision.state.name(), is(decision.state), shown.1..limit)?;
        device.guest.ask(super::Request::Sleep { ms: STAYS_MS }, &[])?;
        let now = device.guest.now()?;
        transitions(&device.said()?, shown.0, before, decision.state)?;
        let lines = device.log()?;
        let seen = lines.iter().filter_map(|line| line.decision.as_ref().map(|decision| (line, decision)));
        let (line, last) = seen.clone().next_back().context("there is no decision in the log")?;
        ensure!(
            last.logit.map(f32::to_bits) == decision.logit.map(f32::to_bits)
                && last.frame_sha256 == Some(saw),
            "the board's logit is {:?}, this machine's {:?}, at {fourcc}: {line:?}",
            last.logit,
            decision.logit
        );
        // From the new picture on, each frame is the old picture or the new one.
        let other = seen.filter(|(line, decision)| {
            line.uptime_ms * 1000 > now - STAYS_MS * 1000 && decision.frame_sha256 != Some(saw)
        });
        ensure!(other.count() == 0, "frames that are not the picture were classified");
        before = Some(decision.state);
    }
    start(fourcc, started, &device.said()?, &device.log()?)?;
    let code = device.end(nix::libc::SIGTERM)?;
    ensure!(code == 0, "the program ended with {code}; it said:\n{}", device.output());
    device.log()?;
    device.verify(false)?;
    device.guest.power_off()
}

/// Between two pictures the lights go from one answer to the other, by way of REFER at most.
fn transitions(said: &[Said], since: u64, old: Option<State>, new: State) -> anyhow::Result<()> {
    let Some(old) = old else { return Ok(()) };
    let first = said.iter().rposition(|said| said.from <= since).unwrap_or(0);
    let allowed = [old, State::Refer, new].map(Reading::State);
    let wrong = said[first..].iter().find(|said| !allowed.contains(&said.what));
    ensure!(wrong.is_none(), "between {} and {} was shown:{}", old.name(), new.name(), Told(&said[first..]));
    Ok(())
}

/// How long it took from the start of the process, for people; and that it was not too long. The
/// board's clock counts one instruction as a nanosecond, about what a Raspberry Pi 3 does, so this
/// does not depend on the machine that emulates it.
fn start(fourcc: &str, started: u64, said: &[Said], lines: &[Line]) -> anyhow::Result<()> {
    let ms = |at: u64| at.saturating_sub(started) / 1000;
    let lit = said.iter().find(|said| said.from > started).context("no light was lit")?;
    let line =
        lines.iter().find(|line| line.decision.is_some()).context("there is no decision in the log")?;
    let judged =
        |reading| matches!(reading, Reading::State(State::Positive | State::Negative | State::Refer));
    let state = said.iter().find(|said| said.from > started && judged(said.what));
    let state = ms(state.context("no state was shown")?.from);
    println!(
        "{fourcc}: first light {} ms after the start of the process, first decision in the log {} ms, first state on the lights {state} ms",
        ms(lit.from),
        ms(line.uptime_ms * 1000)
    );
    ensure!(state <= FIRST_STATE_MS, "the first state shows only after {state} ms, at most {FIRST_STATE_MS}");
    Ok(())
}
