//! The programs beside the device on its board: the screen, what delivers, and whom these two talk
//! to.

use anyhow::{Context, ensure};
use serde_json::Value;
use std::collections::BTreeMap;

use super::guest::Guest;
use super::places::{CONFIG, LOG};
use super::service::Rank;
use arm64_protocol::{BROKER_PORT, DELIVERED, LOOKED, Request, SCREEN_FOLDER, SCREEN_PORT, output};

/// Where the screen says what was acknowledged, the other way.
const ACKNOWLEDGED: &str = "/run/pneumoscope-screen";
/// What the device's configuration says of a screen.
pub const SCREEN_OF_DEVICE: &str = "[screen]\nfolder = \"/run/pneumoscope\"\n\
    acknowledge = \"/run/pneumoscope-screen/acknowledged.json\"\n";
const SCREEN_UNIT: &str = "screen/packaging/pneumoscope-screen.service";
const DELIVER_UNIT: &str = "deliver/packaging/pneumoscope-deliver.service";
const SCREEN_CONFIG: &str = "/run/screen.toml";
const DELIVER_CONFIG: &str = "/run/deliver.toml";
/// The cursor lies on the log's disk, as it does on a device.
pub const CURSORS: &str = "/log/deliver";
/// How long is waited for what must come, in microseconds of the board's time.
const PATIENCE: u64 = 60_000_000;
const LOOK_MS: u64 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    Screen,
    Deliver,
    /// A broker, and somebody who looks at the screen's pages.
    Peers,
}

impl Neighbour {
    pub const ALL: [Self; 3] = [Self::Peers, Self::Screen, Self::Deliver];

    pub fn name(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Deliver => "deliver",
            Self::Peers => "peers",
        }
    }

    /// What starts it, giving way to the device as its service does.
    fn command(self) -> anyhow::Result<Vec<String>> {
        let (unit, words): (_, &[&str]) = match self {
            Self::Screen => (SCREEN_UNIT, &["/bin/pneumoscope-screen", "serve", "--config", SCREEN_CONFIG]),
            Self::Deliver => (DELIVER_UNIT, &["/bin/pneumoscope-deliver", "run", "--config", DELIVER_CONFIG]),
            // Who looks is in truth on another machine, and takes no more of this one.
            Self::Peers => (SCREEN_UNIT, &["/init", "peers"]),
        };
        Rank::Idle.command(unit, words)
    }
}

/// Writes the configurations of all.
pub fn configure(guest: &mut Guest) -> anyhow::Result<()> {
    let screen = format!(
        "[server]\nlisten = [\"127.0.0.1:{SCREEN_PORT}\"]\n[device]\nstatus = \"{SCREEN_FOLDER}\"\n\
         acknowledged = \"{ACKNOWLEDGED}\"\nlog = \"{LOG}\"\n[access]\nfolder = \"/run/access\"\n"
    );
    guest.write(SCREEN_CONFIG, screen.as_bytes())?;
    let deliver = format!(
        "[device]\nconfig = \"{CONFIG}\"\nsite = \"board\"\nstatus = \"{SCREEN_FOLDER}/status.json\"\n\
         [mqtt]\nenabled = true\nhost = \"127.0.0.1\"\nport = {BROKER_PORT}\nversion = \"3.1.1\"\ntls = false\n\
         retry_max_s = 1\n[files]\nstate = \"{CURSORS}\"\nstatus = \"/run/delivery/status.json\"\n"
    );
    guest.write(DELIVER_CONFIG, deliver.as_bytes())?;
    // systemd makes their folders.
    for folder in [ACKNOWLEDGED, "/run/access", CURSORS, "/run/delivery"] {
        let file = format!("{folder}/made");
        guest.write(&file, b"")?;
        guest.ask(Request::Remove { path: file }, &[])?;
    }
    Ok(())
}

pub fn start(guest: &mut Guest, neighbour: Neighbour) -> anyhow::Result<()> {
    let command = neighbour.command()?;
    guest.ask(Request::Start { name: neighbour.name().into(), command }, &[]).map(drop)
}

pub fn signal(guest: &mut Guest, neighbour: Neighbour, signal: i32) -> anyhow::Result<()> {
    guest.ask(Request::Signal { name: neighbour.name().into(), signal }, &[]).map(drop)
}

/// Kills it; what ended before by itself is an error.
pub fn kill(guest: &mut Guest, neighbour: Neighbour) -> anyhow::Result<()> {
    let killed = nix::libc::SIGKILL;
    signal(guest, neighbour, killed)?;
    let name = neighbour.name();
    let code = guest.ask(Request::Wait { name: name.into(), ms: 10_000 }, &[])?.code;
    ensure!(
        code == Some(128 + killed),
        "the {name} ended with {code:?}; it said:\n{}",
        said(guest, neighbour)
    );
    Ok(())
}

fn said(guest: &mut Guest, neighbour: Neighbour) -> String {
    let read = Request::Read { path: output(neighbour.name()), offset: 0 };
    guest
        .ask(read, &[])
        .map_or_else(|error| error.to_string(), |answer| String::from_utf8_lossy(&answer.bytes).into_owned())
}

/// The decisions of a log: the numbers of their lines, and the bits of their logits.
pub type Logits = BTreeMap<u64, Option<u32>>;

/// Waits until each of these decisions has reached the broker, as it is here.
pub fn expect_delivered(guest: &mut Guest, expected: &Logits) -> anyhow::Result<()> {
    ensure!(!expected.is_empty(), "the log has no decision that could be delivered");
    let came = expect(guest, Neighbour::Deliver, |guest| {
        let came = delivered(guest)?;
        let missing = expected.keys().find(|seq| !came.contains_key(seq));
        Ok(missing.map_or(Ok(came), |seq| Err(format!("line {seq} was not delivered"))))
    })?;
    let other = expected.iter().find(|(seq, logit)| came.get(seq) != Some(logit));
    ensure!(other.is_none(), "line, logit {other:?} of the log was delivered otherwise");
    Ok(())
}

/// Waits until pages come from the screen, live and asked for, that did not before.
pub fn expect_pages(guest: &mut Guest) -> anyhow::Result<()> {
    let before = looked(guest)?;
    expect(guest, Neighbour::Screen, |guest| {
        let now = looked(guest)?;
        let came = now.0 > before.0 && now.1 > before.1;
        Ok(if came { Ok(()) } else { Err(format!("no page came: {before:?}, then {now:?}")) })
    })
}

/// Asks a board again and again for what must come from a neighbour, or else for what is missing.
fn expect<T>(
    guest: &mut Guest,
    neighbour: Neighbour,
    mut ask: impl FnMut(&mut Guest) -> anyhow::Result<Result<T, String>>,
) -> anyhow::Result<T> {
    let limit = guest.now()? + PATIENCE;
    loop {
        let missing = match ask(guest)? {
            Ok(came) => return Ok(came),
            Err(missing) => missing,
        };
        let name = neighbour.name();
        ensure!(guest.now()? < limit, "{missing}; the {name} said:\n{}", said(guest, neighbour));
        guest.ask(Request::Sleep { ms: LOOK_MS }, &[])?;
    }
}

/// The decisions that the broker got.
fn delivered(guest: &mut Guest) -> anyhow::Result<Logits> {
    let bytes = guest.ask(Request::Read { path: DELIVERED.into(), offset: 0 }, &[])?.bytes;
    let mut came = BTreeMap::new();
    // The last one may be being written.
    for line in bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        let text = std::str::from_utf8(line)?;
        let (topic, payload) = text.split_once(' ').with_context(|| format!("no message: {text}"))?;
        if topic.ends_with("/decision") {
            let message: Value = serde_json::from_str(payload)?;
            let seq = message["seq"].as_u64().with_context(|| format!("no number: {text}"))?;
            came.insert(seq, message["logit"].as_f64().map(|logit| (logit as f32).to_bits()));
        }
    }
    Ok(came)
}

/// How often a live page was told something, and how many pages came.
fn looked(guest: &mut Guest) -> anyhow::Result<(usize, usize)> {
    let bytes = guest.ask(Request::Read { path: LOOKED.into(), offset: 0 }, &[])?.bytes;
    let text = String::from_utf8_lossy(&bytes);
    let count = |wanted: fn(&str) -> bool| text.lines().filter(|line| wanted(line)).count();
    Ok((count(|line| line.starts_with("200 /events")), count(|line| line == "200 /")))
}

/// What a live page was told, with the board's time in microseconds: its state each time.
pub fn told(guest: &mut Guest) -> anyhow::Result<Vec<(u64, String)>> {
    let bytes = guest.ask(Request::Read { path: LOOKED.into(), offset: 0 }, &[])?.bytes;
    let text = String::from_utf8_lossy(&bytes);
    let told = text.lines().filter_map(|line| line.strip_prefix("200 /events ")?.split_once(' '));
    told.map(|(state, at)| Ok((at.parse()?, state.to_owned()))).collect()
}
