//! The screen's page beside the lights of the same device: what is lit is on the page a moment later,
//! in the same order and nothing else, and a device that has died is a FAULT there. Times are the
//! board's own.

use anyhow::{Context, ensure};
use edge_core::State;
use nix::libc::{SIGCONT, SIGKILL, SIGSTOP};
use phantoms::Label;
use std::path::Path;
use test_support::picture::{black_png, png_of};

use super::device::{Device, Setup, Told};
use super::lights::{Reading, Said};
use super::neighbour::{self, Neighbour};
use super::picture::Picture;
use arm64_protocol::Request;

const FILMS: &str = "/run/films";
const REPLAY: &str = "source = \"replay:/run/films\"\nloop = true";
const SIDE: u16 = 224;
/// So often each film comes in a row, and so long each time is judged, in milliseconds.
const IN_A_ROW: usize = 8;
const INTERVAL_MS: u32 = 150;
const CHANGES: usize = 20;

/// From a light to the page, and from the device's end to FAULT there, in microseconds.
const WITHIN: u64 = 300_000;
const LOST_WITHIN: u64 = 2_000_000;
/// The page may hear of a state before its lamp is lit: two threads tell of it.
const BEFORE: u64 = 30_000;

/// What a page said, and since when.
struct Heard {
    at: u64,
    state: String,
}

/// Lets lights change and compares; where it is planted, the screen stands still for a while.
pub fn follows_the_lights(files: &Path, planted: bool) -> anyhow::Result<()> {
    let drawn = [Label::Pneumonia, Label::Normal].map(|label| phantoms::draw(label, 0, SIDE));
    let film =
        |of: usize| png_of(SIDE.into(), png::ColorType::Grayscale, png::BitDepth::Eight, drawn[of].bytes());
    let films = [film(0), film(1), black_png(SIDE.into(), SIDE.into())];
    let form = Picture::of(&drawn[0], "GREY")?;
    let setup = Setup { source: REPLAY, interval_ms: INTERVAL_MS, neighbours: true, ..Setup::CAMERA };
    let mut device = Device::boot(files, None, &form, &setup)?;
    for number in 0..films.len() * IN_A_ROW {
        device.guest.write(&format!("{FILMS}/{number:03}.png"), &films[number / IN_A_ROW])?;
    }
    for one in [Neighbour::Peers, Neighbour::Screen] {
        neighbour::start(&mut device.guest, one)?;
    }
    device.start(&[], &[])?;
    neighbour::expect_pages(&mut device.guest)?;
    let since = device.guest.now()?;
    let lit = loop {
        let lit = states(device.said()?, since);
        if lit.len() > CHANGES {
            break lit;
        }
        let still = planted && lit.len() == CHANGES / 2;
        if still {
            neighbour::signal(&mut device.guest, Neighbour::Screen, SIGSTOP)?;
        }
        device.guest.ask(Request::Sleep { ms: 1000 }, &[])?;
        if still {
            neighbour::signal(&mut device.guest, Neighbour::Screen, SIGCONT)?;
        }
    };
    device.guest.ask(Request::Sleep { ms: 1000 }, &[])?;
    let (last, until) = (device.guest.now()?, lit[lit.len() - 1].from);
    ensure!(last > until + WITHIN, "the last light was not waited for");
    device.end(SIGKILL)?;
    let killed = device.guest.now()?;
    device.guest.ask(Request::Sleep { ms: 3000 }, &[])?;
    let heard = heard(&mut device)?;

    let late = lit.iter().map(|said| delay(said, &heard)).collect::<anyhow::Result<Vec<_>>>()?;
    println!("{} changes of lights were on the page after at most {} ms", lit.len(), most(&late) / 1000);
    let lights: Vec<String> = lit.iter().map(|said| said.what.to_string().to_lowercase()).collect();
    let page = heard.iter().filter(|heard| (lit[0].from - BEFORE..=until + WITHIN).contains(&heard.at));
    let mut page: Vec<&str> = page.map(|heard| &*heard.state).collect();
    page.dedup();
    ensure!(page == lights, "the page said {page:?}, the lights {lights:?}");

    let lost = heard.iter().find(|heard| heard.at > killed.saturating_sub(BEFORE) && heard.state == FAULT);
    let lost = lost.context("the page never said that the device is gone")?.at.saturating_sub(killed);
    println!("the device's end was on the page after {} ms", lost / 1000);
    ensure!(lost <= LOST_WITHIN, "the device's end was on the page after {} ms", lost / 1000);
    device.guest.power_off()
}

const FAULT: &str = "fault";

/// The states that lights began to show since then, without what was shown before the first frame.
fn states(said: Vec<Said>, since: u64) -> Vec<Said> {
    let answers = said.into_iter().filter(|said| said.from > since && matches!(said.what, Reading::State(_)));
    answers.skip_while(|said| said.what == Reading::State(State::Fault)).collect()
}

/// How long after a lamp the page said the same.
fn delay(said: &Said, heard: &[Heard]) -> anyhow::Result<u64> {
    let name = said.what.to_string().to_lowercase();
    let same = heard.iter().find(|heard| heard.at + BEFORE >= said.from && heard.state == name);
    let late = same.map(|heard| heard.at.saturating_sub(said.from)).filter(|late| *late <= WITHIN);
    late.with_context(|| {
        format!(
            "not on the page within {} ms of its light:{}",
            WITHIN / 1000,
            Told(std::slice::from_ref(said))
        )
    })
}

fn most(late: &[u64]) -> u64 {
    late.iter().copied().max().unwrap_or(0)
}

/// What the live page was told, as often as it changed.
fn heard(device: &mut Device) -> anyhow::Result<Vec<Heard>> {
    let told = neighbour::told(&mut device.guest)?;
    let mut heard: Vec<Heard> = told.into_iter().map(|(at, state)| Heard { at, state }).collect();
    heard.dedup_by(|later, earlier| later.state == earlier.state);
    Ok(heard)
}
