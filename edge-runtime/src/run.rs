//! A device at work: each turn of its loop goes into the log, then onto the lights.
//!
//! ```text
//! device.poll -> log -> lights
//! ```
//!
//! First the log, then the lights: an answer that leaves no trace is not shown. While the log
//! cannot be written the device shows FAULT, tries again every turn, and goes on by itself when it
//! can. With the core engine a turn allocates nothing.

use crate::capture::PassedOver;
use crate::cases::{CasesView, Joined, Listed, Named};
use crate::device::{Device, PollOutcome};
use crate::joining::Joining;
use crate::log::{By, Context, Event, Hash, Log, LogError, Record};
use crate::reduced::Reduced;
use edge_core::agree::Indication;
use edge_core::ports::Clock;
use edge_core::signal::LampSet;
use edge_core::worklist::CaseId;
use edge_core::{Reason, State, device};
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::ModelFile;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The front of the device, as its loop sees it: lamps and button.
pub trait FrontPanel {
    /// Shows this from now on; none: the device waits for its trigger.
    fn show(&self, shown: Option<Indication>);

    /// Whether the button was pressed since this was asked last.
    fn pressed(&self) -> bool;

    /// The lamps' lines that cannot be set now.
    fn failed(&self) -> LampSet;

    /// What is wrong with the lines, in words; none while all work, the button's included.
    fn problem(&self) -> Option<String>;
}

/// What every line of the log says of `model` by itself on `engine`, with nothing of a site.
pub fn context_of(model: &ModelFile, engine: EngineKind) -> Context {
    Context {
        preprocessing: edge_core::preprocess::NAME,
        model_sha256: model.sha256().to_owned(),
        model_version: model.metadata().version.to_string(),
        engine: engine.name(),
        familiar_widened_to: None,
        thresholds: model.metadata().thresholds,
        site_sha256: None,
        prior: None,
    }
}

pub struct Run<E, C> {
    device: Device<E, C>,
    source: String,
    log: Log,
    log_fails: bool,
    /// What was acknowledged and is not in the log yet: it is written before anything else.
    unlogged: VecDeque<(By, Named, Arc<str>)>,
    joining: Joining,
    context: Context,
    /// Frames in a row that must agree.
    needed: u8,
    panel: Option<Box<dyn FrontPanel>>,
    /// The FAULT that is being shown, and since when.
    fault: Option<(Reason, u64)>,
    score: Option<f32>,
    /// How many damaged frames the engineer has been told of.
    told_dropped: u64,
}

#[derive(Debug, Default)]
pub struct StepReport {
    /// What is shown; none while the device waits for its trigger.
    pub shown: Option<Indication>,
    /// The score of the newest frame; none where it has none.
    pub score: Option<f32>,
    pub answered: Option<JudgedFrame>,
    /// Whose answer is shown, and who else needs a person; none for a camera.
    pub cases: Option<CasesView>,
    /// Files that are passed over, told once.
    pub passed_over: Option<PassedOver>,
    pub ended: bool,
    /// What went wrong in this turn, for an engineer.
    pub trouble: Option<String>,
}

#[derive(Clone, Debug)]
pub struct JudgedFrame {
    /// The decision on this frame alone.
    pub decision: edge_core::Decision,
    /// SHA-256 of the network's input; none where a file was no picture.
    pub input: Option<Hash>,
    /// The file's name and its case; none for a camera.
    pub case: Option<(String, Joined)>,
    /// Whether the answer is in the log; one that is not has not come.
    pub logged: bool,
    /// Time from the picture to the decision.
    pub latency: Duration,
}

impl<E: Engine, C: Clock> Run<E, C> {
    /// `context` is what every line of the log says of model and engine.
    pub fn new(device: Device<E, C>, log: Log, context: Context, panel: Option<Box<dyn FrontPanel>>) -> Self {
        let (source, needed) = (device.source().to_owned(), device.settings().policy.frames);
        Self {
            device,
            source,
            log,
            log_fails: false,
            unlogged: VecDeque::new(),
            joining: Joining::OFF,
            context,
            needed,
            panel,
            fault: None,
            score: None,
            told_dropped: 0,
        }
    }

    /// The same, writing study UIDs and accession numbers as `joining` does.
    pub fn with_joining(mut self, joining: Joining) -> Self {
        self.joining = joining;
        self
    }

    /// One turn of the loop, which waits for a frame at most `wait`.
    pub fn step(&mut self, wait: Duration) -> StepReport {
        if let Some(panel) = &self.panel {
            if panel.pressed()
                && let Some((case, study)) = self.device.press()
            {
                self.unlogged.push_back((By::Button, case, study));
            }
            self.device.handle(device::DeviceEvent::LampsFailed(panel.failed()));
        }
        let mut logged = if self.log_fails { self.log.ready() } else { Ok(()) };
        logged = logged.and_then(|()| self.log_acknowledged());
        self.logged(&logged);
        let mut report = StepReport::default();
        let mut settles = false;
        // An answer that leaves no trace is not shown: no file is taken for one.
        let outcome = if self.log_fails && self.device.has_cases() {
            self.device.rest(wait)
        } else {
            self.device.poll(wait)
        };
        match outcome {
            PollOutcome::Frame(answer) => {
                let input = answer.input;
                let latency = answer.classified.as_ref().map_or(Duration::ZERO, |c| c.latency());
                if let Err(error) = &answer.classified {
                    report.trouble = Some(error.to_string());
                }
                logged = self.log.write(&Record {
                    context: &self.context,
                    source: &self.source,
                    name: answer.name,
                    exam: answer.exam.and_then(|exam| self.joining.of(exam)),
                    pictures: answer.case.as_ref().map(|case| case.pictures),
                    frame: input,
                    decision: &answer.decision,
                    shown: answer.shown,
                    agreeing: answer.agreeing,
                    needed: if answer.case.is_some() { 1 } else { self.needed },
                    latency_us: u64::try_from(latency.as_micros()).unwrap_or(u64::MAX),
                });
                settles = answer.case.is_some();
                self.score = answer.decision.score;
                let case = answer.case.map(|case| (answer.name.to_owned(), case));
                let (decision, logged) = (answer.decision, logged.is_ok());
                report.answered = Some(JudgedFrame { decision, input, case, logged, latency });
            }
            PollOutcome::Quiet => {}
            PollOutcome::End => report.ended = true,
            PollOutcome::Fault(error) => {
                self.score = None;
                report.trouble = Some(error.to_string());
            }
        }
        if settles {
            self.device.settle(logged.is_ok());
        }
        report.passed_over = self.device.passed_over();
        if let Some(PassedOver { why, files, name }) = &report.passed_over {
            let (name, name_sha256) = self.log.shown_or_hashed(name);
            logged = logged.and(self.log.event(&Event::PassedOver { why, files: *files, name, name_sha256 }));
        }
        self.finish(report, logged)
    }

    /// A person acknowledged a case on a screen, when it had so many pictures: whether that was taken.
    /// It stands in the log before the lights change by it; where it cannot, all is FAULT until it does.
    pub fn acknowledge(&mut self, case: CaseId, pictures: u16) -> bool {
        let Some((case, study)) = self.device.acknowledge(case, pictures) else { return false };
        self.unlogged.push_back((By::Screen, case, study));
        let logged = self.log_acknowledged();
        self.logged(&logged);
        true
    }

    /// Each case is acknowledged once, so no more can wait here than the list has cases.
    fn log_acknowledged(&mut self) -> Result<(), LogError> {
        while let Some((by, case, study)) = self.unlogged.front() {
            let (study, study_sha256) = self.log.shown_or_hashed(study);
            self.log.event(&Event::Acknowledged {
                by: *by,
                study,
                study_sha256,
                state: case.answer.state,
            })?;
            self.unlogged.pop_front();
        }
        Ok(())
    }

    /// Tells the log of faults that begin and end, and the lights of everything.
    fn finish(&mut self, mut report: StepReport, logged: Result<(), LogError>) -> StepReport {
        self.logged(&logged);
        let shown = self.device.shown();
        let changes = self.note_fault(shown);
        let logged = logged.and(changes);
        self.logged(&logged);
        if let Err(error) = logged {
            report.trouble = Some(error.to_string());
        }
        if report.trouble.is_none() {
            report.trouble = self.tell_dropped();
        }
        report.shown = self.device.shown();
        report.cases = self.device.cases();
        if let Some(panel) = &self.panel {
            panel.show(report.shown);
        }
        // Of several cases, the score of the one that has its turn; none where a fault hides it.
        let fault = report.shown.is_some_and(|shown| shown.state == State::Fault);
        report.score = match &report.cases {
            Some(cases) if !fault => cases.turn.as_ref().and_then(|case| case.answer.score),
            Some(_) => None,
            None => self.score,
        };
        report
    }

    /// Damaged frames that were passed over, each time that they have become twice as many.
    fn tell_dropped(&mut self) -> Option<String> {
        let dropped = self.device.dropped()?;
        if dropped.count < (2 * self.told_dropped).max(1) {
            return None;
        }
        self.told_dropped = dropped.count;
        Some(format!("{}: {dropped}", self.source))
    }

    /// Notes in the log that a FAULT begins or ends. The numbers of a reason, such as an age, may
    /// change with every turn; its kind does not.
    fn note_fault(&mut self, shown: Option<Indication>) -> Result<(), LogError> {
        let is = shown.filter(|shown| shown.state == State::Fault).map(|shown| shown.reason);
        let (was, since) = self.fault.unzip();
        if is.map(|reason| reason.code()) == was.map(|reason| reason.code()) {
            return Ok(());
        }
        let now = self.device.now_ms();
        self.fault = is.map(|reason| (reason, now));
        let mut logged = Ok(());
        if let (Some(reason), Some(since)) = (was, since) {
            logged = self.log.event(&Event::FaultEnded { reason, lasted_ms: now.saturating_sub(since) });
        }
        if let Some(reason) = is {
            logged = logged.and(self.log.event(&Event::FaultBegan { reason }));
        }
        logged
    }

    /// The device hears what became of a line of the log; a failure lasts until [`Log::ready`] says
    /// otherwise.
    fn logged(&mut self, logged: &Result<(), LogError>) {
        let fails = logged.is_err();
        if fails != self.log_fails {
            self.log_fails = fails;
            self.device.handle(if fails {
                device::DeviceEvent::LogFailed
            } else {
                device::DeviceEvent::LogWritten
            });
        }
    }

    /// Writes an event into the log; whether it is there. A failure is shown and mended by the turns
    /// that follow.
    pub fn event(&mut self, event: &Event) -> bool {
        let logged = self.log_acknowledged().and_then(|()| self.log.event(event));
        self.logged(&logged);
        logged.is_ok()
    }

    /// The network's input for the frame answered last, `side * side` bytes.
    pub fn input(&self) -> &[u8] {
        self.device.input()
    }

    /// [`Device::reduced`].
    pub fn reduced(&mut self) -> Option<&mut Reduced> {
        self.device.reduced()
    }

    /// [`Device::listed`].
    pub fn listed(&self) -> impl Iterator<Item = Listed> {
        self.device.listed()
    }

    /// The device's clock.
    pub fn now_ms(&self) -> u64 {
        self.device.now_ms()
    }

    pub fn lights_problem(&self) -> Option<String> {
        self.panel.as_ref().and_then(|panel| panel.problem())
    }
}
