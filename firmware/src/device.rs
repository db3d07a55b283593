//! The loop: a frame in by rows, judged, agreed upon, shown and logged; a fault for whatever else happens.
//!
//! [`Device::turn`] is one time around. It never waits for anything longer than one frame may take, and goes on with the lights between
//! rows and layers, so the heartbeat beats only while the loop itself lives. The watchdog is fed at the end of a turn and nowhere
//! else.

use crate::epitaph::{FRAMES_OF_HEALTH, Tomb};
use crate::journal::{Entry, Journal, Slot};
use crate::panel::Panel;
use edge_core::agree::{Agreement, Policy, Shown, Stamp};
use edge_core::kernels::Kernels;
use edge_core::pipeline::{Judged, Pipeline, Stage};
use edge_core::ports::{Clock, Contact, Event, FrameSource, SignalSink, Watchdog};
use edge_core::signal::{Debounce, Lamps, Pattern};
use edge_core::{Geometry, Packed, Reason, State};

/// What a board is made of, and what it does beside.
pub trait Board {
    /// Where frames come from.
    type Source: FrameSource;
    /// The lamps, and the buzzer.
    type Lights: SignalSink;
    /// What asks for an answer.
    type Button: Contact;
    /// Milliseconds since the start.
    type Clock: Clock;
    /// Resets the chip when it is not fed.
    type Watchdog: Watchdog;
    /// Where events are told.
    type Journal: Journal;

    /// The board's name in `board.toml` and in the log.
    const NAME: &'static str;

    /// Bytes of stack that have never been used since the start.
    fn stack_left() -> u32;

    /// The loop lives: for the interrupt that looks whether it does; see [`crate::alive`].
    fn lives();

    /// Whether somebody reset the chip, by its reset line or a debug probe; false where the chip cannot tell. Asked once, at the start.
    fn was_reset_by_hand() -> bool {
        false
    }

    /// The loop is at a stage: for a board that counts instructions.
    #[inline(always)]
    fn at(_: Stage) {}
}

/// The parts of a board.
#[derive(Debug)]
pub struct Parts<B: Board> {
    /// Its camera.
    pub source: B::Source,
    /// Its lamps.
    pub lights: B::Lights,
    /// Its button.
    pub button: B::Button,
    /// Its clock.
    pub clock: B::Clock,
    /// Its watchdog.
    pub watchdog: B::Watchdog,
    /// Its log.
    pub journal: B::Journal,
}

/// How a device behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How much agreement a state needs, and how old a frame may be: also the longest time that one may take to come in.
    pub policy: Policy,
    /// With a button: how long an answer is shown after a press, in milliseconds. None: frames are judged one after the other.
    pub hold_ms: Option<u32>,
    /// Bytes of stack that must never have been used; fewer are a fault.
    pub stack_least: u32,
}

impl Settings {
    /// Frame after frame, three that agree, none older than three seconds.
    pub const CONTINUOUS: Self =
        Self { policy: Policy { frames: 3, stale_after_ms: 3000 }, hold_ms: None, stack_least: 512 };

    /// An answer for ten seconds after each press.
    pub const BUTTON: Self = Self { hold_ms: Some(10_000), ..Self::CONTINUOUS };
}

const BOUNCE_MS: u64 = 20;
/// How long a lamp's line counts as failed after it last failed. One that fails only while it is to be lit works in FAULT, and would
/// otherwise bring back the answer that it cannot show.
const LINE_FAILED_MS: u64 = 2000;
/// How long it is shown that the device has started by itself.
const DEATH_SHOWN_MS: u64 = 3000;
const COUNTS_EVERY_MS: u64 = 10_000;

/// A device that is switched on.
pub struct Device<'m, B: Board> {
    source: B::Source,
    button: B::Button,
    pub(crate) clock: B::Clock,
    watchdog: B::Watchdog,
    pub(crate) journal: B::Journal,
    pub(crate) panel: Panel<B::Lights>,
    settings: Settings,
    tomb: &'m Tomb,
    pub(crate) arena: &'m mut [u8],
    /// The model, or why the device runs none.
    pub(crate) model: Result<Pipeline<&'m [u8]>, Reason>,
    agreement: Agreement,
    debounce: Debounce,
    /// What the source says is wrong.
    fault: Option<Reason>,
    /// When the source was last well.
    right_ms: u64,
    /// A frame was asked for, when.
    asked_ms: Option<u64>,
    /// With a button: until when answers are shown.
    awake_until_ms: Option<u64>,
    frames: u32,
    shown: Option<Option<Shown>>,
    lost_lines: Lamps,
    /// When a lamp that shows states last failed.
    lamp_failed_ms: Option<u64>,
    counted_ms: u64,
    /// After a death: what is shown, and until when.
    died: Option<(Reason, u64)>,
}

impl<'m, B: Board> Device<'m, B> {
    /// A device without a model yet, in its light test.
    pub(crate) fn new(parts: Parts<B>, settings: Settings, tomb: &'m Tomb, arena: &'m mut [u8]) -> Self {
        let Parts { source, lights, button, clock, watchdog, journal } = parts;
        let now = clock.now_ms();
        Self {
            source,
            button,
            watchdog,
            journal,
            panel: Panel::new(lights, Pattern::LightTest, now),
            clock,
            settings,
            tomb,
            arena,
            model: Err(Reason::Starting),
            agreement: Agreement::new(settings.policy),
            debounce: Debounce::new(BOUNCE_MS),
            fault: None,
            right_ms: now,
            asked_ms: None,
            awake_until_ms: settings.hold_ms.map(|_| 0),
            frames: 0,
            shown: None,
            lost_lines: Lamps::NONE,
            lamp_failed_ms: None,
            counted_ms: now,
            died: None,
        }
    }

    /// The model that the device runs from now on, or why it runs none. A call of its own, so that nothing deep lies on the stack
    /// beside the model's metadata.
    #[inline(never)]
    pub(crate) fn install(&mut self, model: Result<(Slot, Packed<&'m [u8]>), Reason>, kernels: Kernels) {
        self.right_ms = self.clock.now_ms();
        let (slot, model) = match model {
            Ok(found) => found,
            Err(reason) => {
                self.model = Err(reason);
                return;
            }
        };
        self.model = Pipeline::new(model, kernels).map_err(|_| Reason::SelfTestFailed);
        let Ok(pipeline) = &self.model else { return };
        let metadata = pipeline.metadata();
        self.journal.note(&Entry::Model {
            slot,
            name: &metadata.name,
            version: &metadata.version,
            sha256: &model.onnx_sha256(),
            negative_below: metadata.thresholds.negative_below,
            positive_above: metadata.thresholds.positive_above,
        });
    }

    /// The last run died: that is shown for a while before any answer, for whoever saw the lights go out.
    pub(crate) fn has_died(&mut self, reason: Reason) {
        self.died = Some((reason, self.clock.now_ms().saturating_add(DEATH_SHOWN_MS)));
    }

    /// Once around: the button, what the camera has, what is shown, the log, the watchdog.
    #[inline(never)]
    pub fn turn(&mut self) {
        B::lives();
        let now = self.clock.now_ms();
        if self.debounce.update(self.button.is_closed(), now) {
            self.press(now);
        }
        if self.model.is_ok() {
            self.look(now);
        }
        self.show();
        self.count();
        self.watchdog.feed();
    }

    /// Answers begin anew, and are shown for a while.
    fn press(&mut self, now: u64) {
        if let Some(hold_ms) = self.settings.hold_ms {
            self.agreement = Agreement::new(self.settings.policy);
            self.awake_until_ms = Some(now.saturating_add(hold_ms.into()));
            self.asked_ms = None;
        }
    }

    /// Asks the source how it stands, and takes the frame that begins.
    fn look(&mut self, now: u64) {
        let awake = self.awake_until_ms.is_none_or(|until| now < until);
        let limit = u64::from(self.settings.policy.stale_after_ms);
        // A request that nothing follows may have been lost with the camera: it is made again.
        if awake && self.asked_ms.is_none_or(|asked| now.saturating_sub(asked) > limit) {
            self.source.request();
            self.asked_ms = Some(now);
        }
        match self.source.poll() {
            Ok(Event::Begin(geometry, stamp)) => self.frame(now, geometry, stamp),
            Ok(_) => {
                self.fault = None;
                if !awake {
                    self.right_ms = now;
                }
            }
            Err(error) => self.fail(error.reason()),
        }
    }

    /// The source failed: agreement and request begin anew.
    fn fail(&mut self, reason: Reason) {
        self.fault = Some(reason);
        self.agreement.fault(reason);
        self.asked_ms = None;
    }

    /// A frame has begun: takes it in, judges it, notes it.
    fn frame(&mut self, taken_ms: u64, geometry: Geometry, stamp: Stamp) {
        self.fault = None;
        self.asked_ms = None;
        self.frames = self.frames.wrapping_add(1);
        let judged = self.judge(taken_ms, geometry);
        self.tomb.at(Stage::Wait, self.frames);
        B::at(Stage::Wait);
        let judged = match judged {
            Ok(judged) => judged,
            Err(reason) => {
                self.agreement.fault(reason);
                self.source.request();
                self.asked_ms = Some(taken_ms);
                return;
            }
        };
        self.right_ms = self.clock.now_ms();
        self.agreement.frame(taken_ms, stamp, &judged.decision);
        let shown = self.agreement.shown(self.right_ms);
        self.journal.note(&Entry::Frame {
            number: self.frames,
            judged: &judged,
            agreeing: self.agreement.agreeing(),
            shown,
            at_ms: taken_ms,
        });
        // Not the one frame of that number alone: that one may have been damaged.
        if self.frames >= FRAMES_OF_HEALTH {
            self.tomb.is_well();
        }
    }

    /// Rows to decision, with the lights going on in between. An error says why there is none.
    fn judge(&mut self, taken_ms: u64, geometry: Geometry) -> Result<Judged, Reason> {
        let Self { source, clock, panel, tomb, arena, model, .. } = self;
        let (pipeline, frame) = (model.as_ref().map_err(|reason| *reason)?, self.frames);
        let limit = self.settings.policy.stale_after_ms;
        // Goes on with the lights, notes a stage that begins, and says how old the frame is.
        let mut go_on = |stage: Option<Stage>| {
            if let Some(stage) = stage {
                tomb.at(stage, frame);
                B::at(stage);
            }
            B::lives();
            let now = clock.now_ms();
            panel.tick(now);
            u32::try_from(now.saturating_sub(taken_ms)).unwrap_or(u32::MAX)
        };
        let mut incoming = pipeline.begin(geometry, arena).map_err(|_| Reason::EngineFailed)?;
        let mut age = go_on(Some(Stage::Rows));
        loop {
            match source.poll() {
                // A row that is short, long or one too many: the frame is not what was announced.
                Ok(Event::Row(row)) => incoming.row(row).map_err(|_| Reason::DamagedFrame)?,
                Ok(Event::Quiet) if age > limit => return Err(Reason::Stale(age, limit)),
                Ok(Event::Quiet) => {}
                Ok(Event::End) => break,
                // The one before was cut short.
                Ok(Event::Begin(..)) => return Err(Reason::DamagedFrame),
                Err(error) => return Err(error.reason()),
            }
            age = go_on(None);
        }
        go_on(Some(Stage::Standardise));
        let stats = incoming.finish().map_err(|_| Reason::DamagedFrame)?;
        let judged = pipeline.judge(geometry, &stats, arena, &mut |stage| {
            go_on(Some(stage));
        });
        judged.map_err(|_| Reason::EngineFailed)
    }

    /// What to show now; none while the device waits for its button and nothing is wrong.
    fn due(&mut self, now: u64) -> Option<Shown> {
        let fault = |reason| Some(Shown { state: State::Fault, reason });
        if let Err(reason) = self.model {
            return fault(reason);
        }
        if let Some((reason, until)) = self.died
            && now < until
        {
            return fault(reason);
        }
        let (left, least) = (B::stack_left(), self.settings.stack_least);
        if left < least {
            return fault(Reason::StackLow(left, least));
        }
        if self.lamp_failed_ms.is_some_and(|at| now.saturating_sub(at) < LINE_FAILED_MS) {
            return fault(Reason::LightsFailed);
        }
        let shown = self.agreement.shown(now);
        let answering = |until| now < until && shown.reason != Reason::Starting;
        if self.awake_until_ms.is_none_or(answering) {
            // A camera that never sent a frame is lost, not starting, after a while.
            let quiet_ms = u32::try_from(now.saturating_sub(self.right_ms)).unwrap_or(u32::MAX);
            let limit = self.settings.policy.stale_after_ms;
            return match (self.fault, shown.reason) {
                (Some(reason), _) => fault(reason),
                (None, Reason::Starting) if quiet_ms > limit => fault(Reason::Stale(quiet_ms, limit)),
                _ => Some(shown),
            };
        }
        self.fault.and_then(fault)
    }

    /// Brings the lights up to date, and logs what has changed.
    fn show(&mut self) {
        let now = self.clock.now_ms();
        let pattern = |shown: Option<Shown>| shown.map_or(Pattern::Idle, |shown| Pattern::State(shown.state));
        let mut shown = self.due(now);
        self.panel.show(pattern(shown), now);
        let failed = self.panel.failed();
        if failed.any_state_lamp() {
            self.lamp_failed_ms = Some(now);
            // What is lit is wrong since this moment: it does not stay so for another turn.
            shown = self.due(now);
            self.panel.show(pattern(shown), now);
        }
        if failed != self.lost_lines {
            self.lost_lines = failed;
            self.journal.note(&Entry::LightsFailed(failed));
        }
        let kind = |shown: &Option<Shown>| shown.map(|shown| (shown.state, shown.reason.code()));
        if self.shown.as_ref().map(kind) != Some(kind(&shown)) {
            self.shown = Some(shown);
            self.journal.note(&Entry::Shows { shown, at_ms: now });
        }
    }

    fn count(&mut self) {
        let now = self.clock.now_ms();
        if now.saturating_sub(self.counted_ms) >= COUNTS_EVERY_MS {
            self.counted_ms = now;
            let (frames, stack_left, log) = (self.frames, B::stack_left(), self.journal.counts());
            self.journal.note(&Entry::Counts { frames, stack_left, log });
        }
    }

    /// Frames that have begun since the start.
    pub fn frames(&self) -> u32 {
        self.frames
    }
}
