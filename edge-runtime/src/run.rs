//! A device at work: each turn of its loop goes into the log, then onto the lights.
//!
//! ```text
//! device.turn -> log -> lights
//! ```
//!
//! First the log, then the lights: an answer that leaves no trace is not shown. While the log cannot be written the device shows
//! FAULT, tries again every turn, and goes on by itself when it can. With the core engine a turn allocates nothing.

use crate::capture::now_ms;
use crate::device::{Device, Turn};
use crate::engine::Engine;
use crate::log::{Context, Disk, Event, Hash, Log, LogError, Record};
use crate::signal::Panel;
use edge_core::agree::Shown;
use edge_core::{Reason, State};
use std::time::Duration;

pub struct Run<E, D: Disk> {
    device: Device<E>,
    source: String,
    log: Log<D>,
    log_fails: bool,
    context: Context,
    panel: Option<Panel>,
    /// The FAULT that is being shown, and since when.
    fault: Option<(Reason, u64)>,
    score: Option<f32>,
}

#[derive(Debug)]
pub struct Glance {
    /// What is shown; none while the device waits for its trigger.
    pub shown: Option<Shown>,
    /// The score of the newest frame; none where it has none.
    pub score: Option<f32>,
    pub answered: Option<Answered>,
    pub ended: bool,
    /// What went wrong in this turn, for an engineer.
    pub trouble: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// The decision on this frame alone.
    pub decision: edge_core::Decision,
    /// SHA-256 of the network's input.
    pub input: Hash,
    /// Time from the picture to the decision.
    pub latency: Duration,
}

const fn fault(reason: Reason) -> Option<Shown> {
    Some(Shown { state: State::Fault, reason })
}

impl<E: Engine, D: Disk> Run<E, D> {
    /// `context` is what every line of the log says of model and engine.
    pub fn new(device: Device<E>, log: Log<D>, context: Context, panel: Option<Panel>) -> Self {
        let source = device.source().to_owned();
        Self { device, source, log, log_fails: false, context, panel, fault: None, score: None }
    }

    /// One turn of the loop, which waits for a frame at most `wait`.
    pub fn turn(&mut self, wait: Duration) -> Glance {
        let panel = self.panel.as_ref();
        if panel.is_some_and(Panel::pressed) {
            self.device.trigger();
        }
        let lights_fail = panel.is_some_and(|panel| panel.failed().any_state_lamp());
        let needed = self.device.policy().frames;
        let mut glance = Glance { shown: None, score: None, answered: None, ended: false, trouble: None };
        let mut logged: Result<(), LogError> = Ok(());

        let turn = self.device.turn(wait);
        glance.shown = turn.shown();
        if lights_fail {
            glance.shown = fault(Reason::LightsFailed);
        }
        match turn {
            Turn::Frame(answer) => {
                let input = answer.input;
                let latency = answer.classified.as_ref().map_or(Duration::ZERO, |c| c.latency());
                self.score = answer.decision.score;
                if let Err(error) = &answer.classified {
                    glance.trouble = Some(error.to_string());
                }
                logged = self.log.write(&Record {
                    context: &self.context,
                    source: &self.source,
                    name: answer.name,
                    frame: Some(input),
                    decision: &answer.decision,
                    shown: glance.shown.unwrap_or(answer.shown),
                    agreeing: answer.agreeing,
                    needed,
                    latency_us: u64::try_from(latency.as_micros()).unwrap_or(u64::MAX),
                });
                glance.answered = Some(Answered { decision: answer.decision, input, latency });
            }
            Turn::Quiet(_) => {}
            Turn::End(_) => glance.ended = true,
            Turn::Fault(error, _) => {
                self.score = None;
                glance.trouble = Some(error.to_string());
            }
        }
        if logged.is_ok() && self.log_fails {
            logged = self.log.ready();
        }
        self.finish(glance, logged)
    }

    /// Tells the log of faults that begin and end, and the lights of everything.
    fn finish(&mut self, mut glance: Glance, mut logged: Result<(), LogError>) -> Glance {
        if logged.is_err() {
            glance.shown = fault(Reason::LogFailed);
        }
        let now = now_ms();
        let is = glance.shown.filter(|shown| shown.state == State::Fault).map(|shown| shown.reason);
        let (was, since) = self.fault.unzip();
        // The numbers of a reason, such as an age, may change with every turn; its kind does not.
        if is.map(|reason| reason.code()) != was.map(|reason| reason.code()) {
            self.fault = is.map(|reason| (reason, now));
            if let (Some(reason), Some(since)) = (was, since) {
                let ended = Event::FaultEnded { reason, lasted_ms: now.saturating_sub(since) };
                logged = logged.and(self.log.event(&ended));
            }
            if let Some(reason) = is {
                logged = logged.and(self.log.event(&Event::FaultBegan { reason }));
            }
        }
        self.log_fails = logged.is_err();
        if let Err(error) = logged {
            glance.shown = fault(Reason::LogFailed);
            glance.trouble = Some(error.to_string());
        }
        if let Some(panel) = &self.panel {
            panel.show(glance.shown);
        }
        glance.score = self.score;
        glance
    }

    /// Writes an event into the log. A failure is shown and mended by the turns that follow.
    pub fn event(&mut self, event: &Event) {
        self.log_fails |= self.log.event(event).is_err();
    }

    /// The network's input for the frame answered last, `side * side` bytes.
    pub fn input(&self) -> &[u8] {
        self.device.input()
    }

    pub fn lights_problem(&self) -> Option<String> {
        self.panel.as_ref().and_then(Panel::problem)
    }
}
