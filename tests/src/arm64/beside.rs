//! The device beside a screen and what delivers, and alone: the same frames must give the same lines
//! and the same lights, and take the same time.
//!
//! The board has one processor, which the neighbours, unoptimised as tests build them, share with
//! the device: harder than any real one. Times are the board's own, by which an instruction takes a
//! nanosecond, so they do not depend on the machine that emulates it.

use anyhow::{Context, ensure};
use phantoms::Label;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::Value;
use std::path::Path;
use test_support::picture::png_of;

use super::device::{Device, Setup};
use super::lights::HEARTBEAT;
use super::neighbour::{self, CURSORS, Neighbour};
use super::picture::Picture;
use super::places::LOG;
use arm64_protocol::{DELIVERED, FLOOD, Request};
use nix::libc::{SIGCONT, SIGSTOP};

const FILMS: &str = "/run/films";
const REPLAY: &str = "source = \"replay:/run/films\"\nloop = true";
const SIDE: u16 = 224;
/// So often each film comes in a row, that the lights show each state for a while: one that lasts for
/// a single frame is seen by their thread or not, with neighbours and without.
const IN_A_ROW: usize = 16;
/// Frames that are compared.
const FRAMES: usize = 96;
/// So much longer than alone a frame may take, in microseconds.
const LONGER_US: i64 = 2000;
/// Longest wait before the next disturbance, in milliseconds.
const MOST_MS: u64 = 200;

/// What is beside the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Alone,
    Beside,
    /// Both are killed at random moments and started again.
    Killed,
    /// Both are stopped for random times.
    Paused,
    /// The pages are asked for without a pause.
    Flooded,
    /// A program that does nothing but take the processor, and comes first like the device; planted by
    /// the suite's own tests.
    Burning,
}

/// What is planted to see that the comparison bites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// One of the films is another one, in the second round.
    OtherFilm,
}

/// What the device did in one round.
struct Round {
    way: Way,
    /// The log's lines without their times.
    lines: Vec<Value>,
    /// Which lamp was lit or not, one change after the other.
    lamps: Vec<(u8, bool)>,
    /// How long each frame took, from its picture to its decision, in microseconds.
    latencies: Vec<i64>,
    /// From one decision in the log to the next, likewise; the log has milliseconds.
    turns: Vec<i64>,
}

/// The same films again and again, as fast as they can be judged, in each of these ways.
pub fn same_frames(files: &Path, ways: &[Way], planted: Option<Planted>) -> anyhow::Result<()> {
    let labels = [Label::Pneumonia, Label::Normal];
    let drawn: Vec<_> = (0..4).map(|seed| phantoms::draw(labels[seed as usize % 2], seed, SIDE)).collect();
    let film =
        |of: usize| png_of(SIDE.into(), png::ColorType::Grayscale, png::BitDepth::Eight, drawn[of].bytes());
    let form = Picture::of(&drawn[0], "GREY")?;
    let setup = Setup { source: REPLAY, neighbours: true, ..Setup::CAMERA };
    let mut device = Device::boot(files, None, &form, &setup)?;
    for number in 0..drawn.len() * IN_A_ROW {
        device.guest.write(&format!("{FILMS}/{number:03}.png"), &film(number / IN_A_ROW))?;
    }
    // As they are after each round.
    device.lights("safe")?;
    let alone = round(&mut device, Way::Alone).context("alone")?;
    let decisions = alone.lines.iter().filter(|line| line["decision"].is_object()).count();
    ensure!(decisions == FRAMES, "expected {FRAMES} decisions, got {decisions}");
    println!("alone: {} lines, {} changes of lamps; {}", alone.lines.len(), alone.lamps.len(), alone.times());
    // Three in the test of lamps, and those of four states at least.
    ensure!(alone.lamps.len() > 10, "the lights changed too little to be compared: {:?}", alone.lamps);
    if planted == Some(Planted::OtherFilm) {
        device.guest.write(&format!("{FILMS}/004.png"), &film(1))?;
    }
    for &way in ways {
        let round = round(&mut device, way).with_context(|| format!("{way:?}"))?;
        let [decision, next] = round.longer_than(&alone).map(|longer| spread(&longer));
        println!(
            "{way:?}: {}; longer than alone: to the decision {decision}; to the next {next}",
            round.times()
        );
        // Of both, all that is wrong: what takes too long may have changed what is seen too.
        let wrong = [round.same_as(&alone), round.as_fast_as(&alone)].into_iter().filter_map(Result::err);
        let wrong: Vec<String> = wrong.map(|error| error.to_string()).collect();
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    device.guest.power_off()
}

/// One round of the films, with a log of its own.
fn round(device: &mut Device, way: Way) -> anyhow::Result<Round> {
    for path in [LOG, CURSORS, DELIVERED] {
        device.guest.ask(Request::Remove { path: path.into() }, &[])?;
    }
    device.expect_log(Vec::new());
    neighbour::configure(&mut device.guest)?;
    begin(device, way)?;
    let since = device.guest.now()?;
    device.start(&[], &["--frames", &FRAMES.to_string()])?;
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let code = loop {
        if let Some(code) = device.ended(0)? {
            break code;
        }
        disturb(device, way, &mut rng)?;
    };
    ensure!(code == 0, "the device ended with {code}; it said:\n{}", device.output());
    let changes = device.guest.lights()?.iter().filter(|change| change.at >= since);
    let lamps =
        changes.map(|change| (change.line, change.lit)).filter(|(line, _)| *line != HEARTBEAT).collect();
    device.log()?;
    device.verify(false)?;
    end(device, way)?;
    Ok(Round { lamps, ..Round::of(way, device)? })
}

fn begin(device: &mut Device, way: Way) -> anyhow::Result<()> {
    match way {
        Way::Alone => {}
        Way::Burning => {
            let command = ["/init", "first", "burn", "/init", "burn"].map(String::from).to_vec();
            device.guest.ask(Request::Start { name: "burn".into(), command }, &[])?;
        }
        Way::Beside | Way::Killed | Way::Paused | Way::Flooded => {
            for neighbour in Neighbour::ALL {
                neighbour::start(&mut device.guest, neighbour)?;
            }
            neighbour::expect_pages(&mut device.guest)?;
        }
    }
    if way == Way::Flooded {
        device.guest.write(FLOOD, b"")?;
    }
    Ok(())
}

/// A moment with what happens in it.
fn disturb(device: &mut Device, way: Way, rng: &mut ChaCha8Rng) -> anyhow::Result<()> {
    let guest = &mut device.guest;
    let mut moment = || rng.next_u64() % MOST_MS;
    let (first, second) = (moment(), moment());
    guest.ask(Request::Sleep { ms: first }, &[])?;
    let both = [Neighbour::Screen, Neighbour::Deliver];
    match way {
        Way::Killed => both.iter().try_for_each(|one| neighbour::kill(guest, *one))?,
        Way::Paused => both.iter().try_for_each(|one| neighbour::signal(guest, *one, SIGSTOP))?,
        _ => return Ok(()),
    }
    guest.ask(Request::Sleep { ms: second }, &[])?;
    both.iter().try_for_each(|one| match way {
        Way::Killed => neighbour::start(guest, *one),
        _ => neighbour::signal(guest, *one, SIGCONT),
    })
}

/// They must have done their work, or they were no neighbours.
fn end(device: &mut Device, way: Way) -> anyhow::Result<()> {
    match way {
        Way::Alone => {}
        Way::Burning => {
            device.guest.ask(Request::Signal { name: "burn".into(), signal: nix::libc::SIGKILL }, &[])?;
        }
        Way::Beside | Way::Killed | Way::Paused | Way::Flooded => {
            device.guest.ask(Request::Remove { path: FLOOD.into() }, &[])?;
            let expected = device.logits()?;
            neighbour::expect_delivered(&mut device.guest, &expected)?;
            neighbour::expect_pages(&mut device.guest)?;
            for neighbour in Neighbour::ALL {
                neighbour::kill(&mut device.guest, neighbour)?;
            }
        }
    }
    Ok(())
}

impl Round {
    /// What stands in the log.
    fn of(way: Way, device: &mut Device) -> anyhow::Result<Self> {
        let bytes = device.guest.ask(Request::Read { path: LOG.into(), offset: 0 }, &[])?.bytes;
        let (mut lines, mut latencies, mut turns) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = None;
        for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let mut line: Value = serde_json::from_slice(line)?;
            let fields = line.as_object_mut().context("a line that is no object")?;
            // They hang on the time, or on the lines before.
            fields.remove("time");
            fields.remove("prev");
            fields.remove("hash");
            let at = fields.remove("uptime_ms").and_then(|ms| ms.as_i64()).context("no uptime_ms")?;
            if let Some(decision) = fields.get_mut("decision").and_then(Value::as_object_mut) {
                let latency = decision.remove("latency_us").and_then(|us| us.as_i64());
                latencies.push(latency.context("no latency_us")?);
                turns.extend(last.replace(at).map(|last: i64| (at - last) * 1000));
            }
            lines.push(line);
        }
        Ok(Self { way, lines, lamps: Vec::new(), latencies, turns })
    }

    fn same_as(&self, alone: &Self) -> anyhow::Result<()> {
        let way = self.way;
        let other = alone.lines.iter().zip(&self.lines).find(|(alone, line)| alone != line);
        ensure!(other.is_none(), "{way:?}: a line differs: alone, then beside: {other:?}");
        let (were, are) = (alone.lines.len(), self.lines.len());
        ensure!(were == are, "{way:?}: {are} lines in the log, alone {were}");
        ensure!(
            self.lamps == alone.lamps,
            "{way:?}: lamps changed so: {:?}; alone so: {:?}",
            self.lamps,
            alone.lamps
        );
        Ok(())
    }

    /// For people.
    fn times(&self) -> String {
        let [decision, next] = [&self.latencies, &self.turns].map(|times| spread(times));
        format!("picture to decision {decision}; decision to decision {next}")
    }

    /// How much longer each frame took here than the same one there, up to its decision, and up to the
    /// next one's.
    fn longer_than(&self, alone: &Self) -> [Vec<i64>; 2] {
        [(&self.latencies, &alone.latencies), (&self.turns, &alone.turns)]
            .map(|(here, there)| here.iter().zip(there).map(|(here, there)| here - there).collect())
    }

    /// No single frame may take longer.
    fn as_fast_as(&self, alone: &Self) -> anyhow::Result<()> {
        for longer in self.longer_than(alone) {
            let most = percentile(&longer, 100);
            ensure!(most <= LONGER_US, "{:?}: a frame took {most} us longer than alone", self.way);
        }
        Ok(())
    }
}

/// Of values in microseconds.
fn spread(values: &[i64]) -> String {
    let [median, high, most] = [50, 95, 100].map(|share| percentile(values, share));
    format!("median {median}, 95 % {high}, most {most} us")
}

/// The smallest value that so many in a hundred do not exceed.
fn percentile(values: &[i64], share: usize) -> i64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * share).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(0)
}
