//! The screen's page beside the lights of the same device: what is lit is on the page a moment later,
//! in the same order and nothing else, and a device that has died is a FAULT there. Times are the
//! board's own.

use anyhow::{Context, ensure};
use edge_core::State;
use nix::libc::{SIGCONT, SIGKILL, SIGSTOP};
use phantoms::Label;
use std::path::Path;

use super::device::{Device, Setup, Told};
use super::lights::{Reading, Said};
use super::neighbour::{self, Neighbour};
use super::picture::Picture;
use arm64_protocol::Request;

const FORM: &str = "GREY";
const SIDE: u16 = 224;
/// So long each picture stays before the camera, in milliseconds.
const STAYS_MS: u64 = 2500;
const PICTURES: usize = 8;

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
    let [ill, healthy] = [Picture::of(&drawn[0], FORM)?, Picture::of(&drawn[1], FORM)?];
    let black = Picture { bytes: vec![0; ill.bytes.len()], ..ill.clone() };
    let setup = Setup { neighbours: true, ..Setup::CAMERA };
    let mut device = Device::boot(files, None, &ill, &setup)?;
    device.guest.show(&black)?;
    for one in [Neighbour::Peers, Neighbour::Screen] {
        neighbour::start(&mut device.guest, one)?;
    }
    device.start(&[], &[])?;
    neighbour::expect_pages(&mut device.guest)?;
    let since = device.guest.now()?;
    for number in 0..PICTURES {
        device.guest.show([&ill, &healthy, &black][number % 3])?;
        let still = planted && number == PICTURES / 2;
        if still {
            neighbour::signal(&mut device.guest, Neighbour::Screen, SIGSTOP)?;
        }
        device.guest.ask(Request::Sleep { ms: STAYS_MS }, &[])?;
        if still {
            neighbour::signal(&mut device.guest, Neighbour::Screen, SIGCONT)?;
        }
    }
    let lit = states(device.said()?, since);
    ensure!(lit.len() >= PICTURES, "the lights changed too little to be compared:{}", Told(&lit));
    let until = lit[lit.len() - 1].from;
    ensure!(device.guest.now()? > until + WITHIN, "the last light was not waited for");
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
