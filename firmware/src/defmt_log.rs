//! Events as a defmt log: one line an event, each a kind and then `key=value`, for people and
//! programs.
//!
//! Floats come as their bits, so that nothing is lost on the way, scores beside it in millionths
//! for people. Lines are not filtered by level: each is part of the record.

use crate::bundle::Version;
use crate::event_log::{EventLog, LogEvent};
use crate::message_buffer::LogCounts;
use crate::slots::slot::Slot;
use defmt::println;
use edge_core::agree::Indication;
use edge_core::pipeline::{FrameResult, Stage};

/// Writes events to the global defmt logger.
#[derive(Clone, Copy, Debug)]
pub struct DefmtLog {
    /// Says what became of the logger's messages.
    pub counts: fn() -> LogCounts,
}

impl EventLog for DefmtLog {
    fn record(&mut self, event: &LogEvent<'_>) {
        match *event {
            LogEvent::Start { firmware, board } => {
                println!("start firmware={=str} board={=str}", firmware, board)
            }
            LogEvent::Crashed(crash) => {
                let (cause, stage, layer) = (crash.cause, crash.stage, layer(crash.stage));
                println!(
                    "died cause={=str} detail={=u32:#x} stage={=str} layer={=i16} frame={=u32} deaths={=u8}",
                    cause.name(),
                    cause.detail(),
                    stage.name(),
                    layer,
                    crash.frame,
                    crash.boot_failures
                );
            }
            LogEvent::Trying { slot, version } => model("trying", slot, version),
            LogEvent::Taken { slot, version } => model("taken", slot, version),
            LogEvent::Refused { slot, why } => {
                let [expected, got] = why.numbers();
                println!(
                    "refused slot={=str} why={=str} expected={=u32:#x} got={=u32:#x}",
                    slot.letter(),
                    why.name(),
                    expected,
                    got
                );
            }
            LogEvent::RecordsFailed(_) => println!("records-failed"),
            LogEvent::Model { slot, name, version, sha256, negative_below, positive_above } => {
                println!("model slot={=str} name={=str} version={=str}", slot.letter(), name, version);
                let [a, b, c, d, e, f, g, h] = words(sha256);
                println!(
                    "model-sha256 sha256={=u32:08x}{=u32:08x}{=u32:08x}{=u32:08x}{=u32:08x}{=u32:08x}{=u32:08x}{=u32:08x}",
                    a, b, c, d, e, f, g, h
                );
                println!(
                    "thresholds negative_below={=u32:#x} positive_above={=u32:#x}",
                    negative_below.to_bits(),
                    positive_above.to_bits()
                );
            }
            LogEvent::Frame { number, judged, agreeing, shown, at_ms } => {
                frame(number, judged, agreeing, shown, at_ms)
            }
            LogEvent::Shows { shown: Some(Indication { state, reason }), at_ms } => {
                let [got, limit] = reason.numbers().unwrap_or_default();
                println!(
                    "shows state={=str} reason={=u8} got={=i64} limit={=i64} at_ms={=u64}",
                    state.name(),
                    reason.code(),
                    got,
                    limit,
                    at_ms
                );
            }
            LogEvent::Shows { shown: None, at_ms } => println!("shows state=IDLE at_ms={=u64}", at_ms),
            LogEvent::LightsFailed(lamps) => {
                let has = |which| u8::from(lamps.has(which));
                use edge_core::signal::Lamp::{Amber, Buzzer, Green, Heartbeat, Red};
                println!(
                    "lights-failed red={=u8} amber={=u8} green={=u8} heartbeat={=u8} buzzer={=u8}",
                    has(Red),
                    has(Amber),
                    has(Green),
                    has(Heartbeat),
                    has(Buzzer)
                );
            }
            LogEvent::Counts { frames, stack_left, log } => println!(
                "counts frames={=u32} stack_left={=u32} log_messages={=u32} log_bytes={=u32} log_lost={=u32}",
                frames, stack_left, log.messages, log.bytes, log.lost
            ),
        }
    }

    fn counts(&self) -> LogCounts {
        (self.counts)()
    }
}

/// A frame with a logit, or without where the gate refused it before the network.
fn frame(number: u32, judged: &FrameResult, agreeing: u8, shown: Indication, at_ms: u64) {
    let decision = &judged.decision;
    let (state, reason) = (decision.state.name(), decision.reason.code());
    let [got, limit] = decision.reason.numbers().unwrap_or_default();
    let (shows, why) = (shown.state.name(), shown.reason.code());
    match decision.logit {
        Some(logit) => println!(
            "frame={=u32} state={=str} reason={=u8} logit={=u32:#x} score_ppm={=u32} shown={=str} shown_reason={=u8} agreeing={=u8} at_ms={=u64}",
            number,
            state,
            reason,
            logit.to_bits(),
            decision.score.map_or(0, millionths),
            shows,
            why,
            agreeing,
            at_ms
        ),
        None => println!(
            "frame={=u32} state={=str} reason={=u8} got={=i64} limit={=i64} shown={=str} shown_reason={=u8} agreeing={=u8} at_ms={=u64}",
            number, state, reason, got, limit, shows, why, agreeing, at_ms
        ),
    }
}

fn model(what: &'static str, slot: Slot, version: Version) {
    let [major, minor, patch] = version.parts();
    println!("{=str} slot={=str} version={=u32}.{=u32}.{=u32}", what, slot.letter(), major, minor, patch);
}

/// A hash in the order in which it is written.
fn words(hash: &[u8; 32]) -> [u32; 8] {
    let (words, _) = hash.as_chunks::<4>();
    core::array::from_fn(|index| words.get(index).map_or(0, |word| u32::from_be_bytes(*word)))
}

/// A score, 0 to 1, in millionths, rounded down.
fn millionths(score: f32) -> u32 {
    (score * 1e6) as u32
}

/// A layer's number; -1 where the stage is none.
fn layer(stage: Stage) -> i16 {
    if let Stage::Layer(number) = stage { number.into() } else { -1 }
}
