//! The loop: a frame in by rows, judged, agreed upon, shown and logged; a fault for whatever else
//! happens.
//!
//! [`Device::poll`] is one time around. It never waits for anything longer than one frame may take,
//! and services the lights between rows and layers, so the heartbeat beats only while the loop
//! itself lives. The watchdog is fed at the end of a turn and nowhere else.

use crate::crash_record::{HEALTHY_AFTER_FRAMES, RetainedRam};
use crate::event_log::{EventLog, LogEvent};
use crate::slots::slot::Slot;
use edge_core::agree::{AgreementPolicy, FrameStamp, Indication};
use edge_core::device;
use edge_core::kernels::Kernels;
use edge_core::pipeline::{FrameResult, Pipeline, Stage};
use edge_core::ports::{Button, Clock, FrameSource, LampDriver, SourceEvent, Watchdog};
use edge_core::signal::{Debounce, LampSet, Pattern, PatternPlayer};
use edge_core::{Geometry, Packed, Reason};

/// What a board is made of, and what it does beside.
pub trait Board {
    /// Where frames come from.
    type Source: FrameSource;
    /// The lamps, and the buzzer.
    type Lights: LampDriver;
    /// What asks for an answer.
    type Button: Button;
    /// Milliseconds since the start.
    type Clock: Clock;
    /// Resets the chip when it is not fed.
    type Watchdog: Watchdog;
    /// Where events go.
    type Log: EventLog;

    /// The board's name in `board.toml` and in the log.
    const NAME: &'static str;

    /// Bytes of stack that have never been used since the start.
    fn stack_left() -> u32;

    /// Says that the loop lives, to the interrupt that checks it; see [`crate::liveness`].
    fn beat();

    /// Whether somebody reset the chip, by its reset line or a debug probe; false where the chip
    /// cannot tell. Asked once, at the start.
    fn was_reset_by_hand() -> bool {
        false
    }

    /// The loop is at a stage: for a board that counts instructions.
    #[inline(always)]
    fn on_stage(_: Stage) {}
}

/// The parts of a board, set up.
#[derive(Debug)]
pub struct Parts<B: Board> {
    /// The camera, or what stands for one.
    pub source: B::Source,
    /// Red, amber, green, heartbeat, buzzer.
    pub lights: B::Lights,
    /// Debounced by the device.
    pub button: B::Button,
    /// Of the lights, the frames' age and the log.
    pub clock: B::Clock,
    /// Running already.
    pub watchdog: B::Watchdog,
    /// Gets every event of the device.
    pub log: B::Log,
}

/// How a device behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is shown, and when.
    pub device: device::Settings,
    /// Bytes of stack that must never have been used; fewer are a fault.
    pub stack_least: u32,
}

impl Settings {
    /// Frame after frame, three that agree, none older than three seconds.
    pub const CONTINUOUS: Self = Self {
        device: device::Settings {
            policy: AgreementPolicy { frames: 3, stale_after_ms: 3000 },
            interval_ms: 0,
            // A chip's camera runs from power on, asked for frames or not, and the light test takes longer
            // than its exposure.
            settle_ms: 0,
            hold_ms: None,
        },
        stack_least: 512,
    };

    /// An answer for ten seconds after each press.
    pub const BUTTON: Self = Self {
        device: device::Settings { hold_ms: Some(10_000), ..Self::CONTINUOUS.device },
        ..Self::CONTINUOUS
    };
}

const BOUNCE_MS: u64 = 20;
const COUNTS_EVERY_MS: u64 = 10_000;

/// A device that is switched on.
pub struct Device<'m, B: Board> {
    source: B::Source,
    button: B::Button,
    pub(crate) clock: B::Clock,
    watchdog: B::Watchdog,
    pub(crate) log: B::Log,
    pub(crate) player: PatternPlayer<B::Lights>,
    settings: Settings,
    retained_ram: &'m RetainedRam,
    pub(crate) arena: &'m mut [u8],
    model: Option<Pipeline<&'m [u8]>>,
    state: device::DeviceState,
    debounce: Debounce,
    /// A frame was asked for, when.
    asked_ms: Option<u64>,
    frames: u32,
    shown: Option<Option<Indication>>,
    failed_lamps: LampSet,
    counted_ms: u64,
}

impl<'m, B: Board> Device<'m, B> {
    /// A device without a model yet, in its light test.
    pub(crate) fn new(
        parts: Parts<B>,
        settings: Settings,
        retained_ram: &'m RetainedRam,
        arena: &'m mut [u8],
    ) -> Self {
        let Parts { source, lights, button, clock, watchdog, log } = parts;
        let now = clock.now_ms();
        Self {
            source,
            button,
            watchdog,
            log,
            player: PatternPlayer::new(lights, Pattern::LightTest, now),
            clock,
            settings,
            retained_ram,
            arena,
            model: None,
            state: device::DeviceState::new(settings.device, now),
            debounce: Debounce::new(BOUNCE_MS),
            asked_ms: None,
            frames: 0,
            shown: None,
            failed_lamps: LampSet::NONE,
            counted_ms: now,
        }
    }

    /// Takes the model that the device runs from now on, or why it runs none.
    pub(crate) fn install(&mut self, model: Result<(Slot, Packed<&'m [u8]>), Reason>, kernels: Kernels) {
        // The camera has had no chance to be well during the light test.
        self.handle(device::DeviceEvent::SourceWell);
        let (slot, model) = match model {
            Ok(found) => found,
            Err(reason) => return self.handle(device::DeviceEvent::CannotBegin(reason)),
        };
        let plan = model.plan();
        let (Ok(plan), Ok(metadata)) = (plan, plan.and_then(|plan| plan.metadata())) else {
            return self.handle(device::DeviceEvent::CannotBegin(Reason::SelfTestFailed));
        };
        self.log.record(&LogEvent::Model {
            slot,
            name: metadata.name,
            version: metadata.version,
            sha256: &plan.onnx_sha256(),
            negative_below: metadata.thresholds.negative_below,
            positive_above: metadata.thresholds.positive_above,
        });
        self.model = Some(Pipeline::new(model, kernels));
    }

    /// Tells the state machine.
    pub(crate) fn handle(&mut self, event: device::DeviceEvent<'_>) {
        self.state.handle(event, self.clock.now_ms());
    }

    /// Once around: the button, what the camera has, what is shown, the log, the watchdog.
    #[inline(never)]
    pub fn poll(&mut self) {
        B::beat();
        let now = self.clock.now_ms();
        if self.debounce.update(self.button.is_closed(), now) {
            self.on_button_press(now);
        }
        let (left, least) = (B::stack_left(), self.settings.stack_least);
        if left < least {
            self.state.handle(device::DeviceEvent::StackLow(Reason::StackLow(left, least)), now);
        }
        if self.model.is_some() {
            self.poll_source(now);
        }
        self.update_lights();
        self.report_counts();
        self.watchdog.feed();
    }

    fn on_button_press(&mut self, now: u64) {
        self.state.handle(device::DeviceEvent::Trigger, now);
        self.asked_ms = None;
    }

    /// Asks the source how it stands, and processes the frame that begins.
    fn poll_source(&mut self, now: u64) {
        let wanted = self.state.wants_frame(now);
        let limit = u64::from(self.settings.device.policy.stale_after_ms);
        // A request that nothing follows may have been lost with the camera: it is made again.
        if wanted && self.asked_ms.is_none_or(|asked| now.saturating_sub(asked) > limit) {
            self.source.request();
            self.asked_ms = Some(now);
        }
        match self.source.poll() {
            Ok(SourceEvent::Begin(geometry, stamp)) => self.process_frame(now, geometry, stamp),
            // It owes a frame only where it was asked for one.
            Ok(_) if !wanted => self.state.handle(device::DeviceEvent::SourceWell, now),
            Ok(_) => {}
            Err(error) => {
                self.state.handle(device::DeviceEvent::SourceFailed(error.reason()), now);
                self.asked_ms = None;
            }
        }
    }

    /// Takes in a frame that has begun, judges it and logs it.
    fn process_frame(&mut self, taken_ms: u64, geometry: Geometry, stamp: FrameStamp) {
        self.asked_ms = None;
        self.state.handle(device::DeviceEvent::FrameBegins, taken_ms);
        if !self.state.wants_frame(taken_ms) {
            return self.state.handle(device::DeviceEvent::SourceWell, taken_ms);
        }
        self.frames = self.frames.wrapping_add(1);
        let judged = self.judge(taken_ms, geometry);
        self.retained_ram.record_stage(Stage::Wait, self.frames);
        B::on_stage(Stage::Wait);
        let judged = match judged {
            Ok(judged) => judged,
            Err(reason) => {
                self.handle(device::DeviceEvent::FrameFailed(reason));
                self.source.request();
                self.asked_ms = Some(taken_ms);
                return;
            }
        };
        let now = self.clock.now_ms();
        self.state.handle(device::DeviceEvent::Frame { taken_ms, stamp, decision: &judged.decision }, now);
        self.log.record(&LogEvent::Frame {
            number: self.frames,
            judged: &judged,
            agreeing: self.state.agreeing(),
            shown: self.state.agreed(now),
            at_ms: taken_ms,
        });
        // Not the one frame of that number alone: that one may have been damaged.
        if self.frames >= HEALTHY_AFTER_FRAMES {
            self.retained_ram.mark_healthy();
        }
    }

    /// Rows to decision, with the lights going on in between. An error says why there is none.
    fn judge(&mut self, taken_ms: u64, geometry: Geometry) -> Result<FrameResult, Reason> {
        let Self { source, clock, player, retained_ram, arena, model, .. } = self;
        let (pipeline, frame) = (model.as_ref().ok_or(Reason::EngineFailed)?, self.frames);
        let limit = self.settings.device.policy.stale_after_ms;
        // Records a stage that begins, drives the lights, and returns the frame's age in
        // milliseconds.
        let mut service_lights = |stage: Option<Stage>| {
            if let Some(stage) = stage {
                retained_ram.record_stage(stage, frame);
                B::on_stage(stage);
            }
            B::beat();
            let now = clock.now_ms();
            player.tick(now, true);
            u32::try_from(now.saturating_sub(taken_ms)).unwrap_or(u32::MAX)
        };
        let mut incoming = pipeline.begin(geometry, arena).map_err(|_| Reason::EngineFailed)?;
        let mut age = service_lights(Some(Stage::Rows));
        loop {
            match source.poll() {
                // A row that is short, long or one too many: the frame is not what was announced.
                Ok(SourceEvent::Row(row)) => incoming.row(row).map_err(|_| Reason::DamagedFrame)?,
                Ok(SourceEvent::Quiet) if age > limit => return Err(Reason::Stale(age, limit)),
                Ok(SourceEvent::Quiet) => {}
                Ok(SourceEvent::End) => break,
                // The one before was cut short.
                Ok(SourceEvent::Begin(..)) => return Err(Reason::DamagedFrame),
                Err(error) => return Err(error.reason()),
            }
            age = service_lights(None);
        }
        service_lights(Some(Stage::Standardise));
        let stats = incoming.finish().map_err(|_| Reason::DamagedFrame)?;
        let judged = pipeline.judge(geometry, &stats, arena, &mut |stage| {
            service_lights(Some(stage));
        });
        judged.map_err(|_| Reason::EngineFailed)
    }

    /// Brings the lights up to date, and logs what has changed.
    fn update_lights(&mut self) {
        let now = self.clock.now_ms();
        let mut shown = self.apply_indication(now);
        let failed = self.player.failed();
        self.state.handle(device::DeviceEvent::LampsFailed(failed), now);
        if failed.any_state_lamp() {
            // What is lit is wrong since this moment: it does not stay so for another turn.
            shown = self.apply_indication(now);
        }
        if failed != self.failed_lamps {
            self.failed_lamps = failed;
            self.log.record(&LogEvent::LightsFailed(failed));
        }
        let kind = |shown: &Option<Indication>| shown.map(|shown| (shown.state, shown.reason.code()));
        if self.shown.as_ref().map(kind) != Some(kind(&shown)) {
            self.shown = Some(shown);
            self.log.record(&LogEvent::Shows { shown, at_ms: now });
        }
    }

    /// Lights what is indicated, and returns it.
    fn apply_indication(&mut self, now: u64) -> Option<Indication> {
        let shown = self.state.indication(now);
        self.player.show(Pattern::of(shown), now);
        self.player.tick(now, true);
        shown
    }

    /// Logs the counters every [`COUNTS_EVERY_MS`].
    fn report_counts(&mut self) {
        let now = self.clock.now_ms();
        if now.saturating_sub(self.counted_ms) >= COUNTS_EVERY_MS {
            self.counted_ms = now;
            let (frames, stack_left, log) = (self.frames, B::stack_left(), self.log.counts());
            self.log.record(&LogEvent::Counts { frames, stack_left, log });
        }
    }

    /// Frames that have begun since the start.
    pub fn frames(&self) -> u32 {
        self.frames
    }
}
