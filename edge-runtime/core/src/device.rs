//! What a device indicates, and when: a state machine without input or output (sans-IO), the same
//! on Linux and on a chip.
//!
//! A host tells it every [`DeviceEvent`] with the time, and asks [`DeviceState::indication`] what
//! to show *now*: what stays away is a fault by itself. The host drives lamps and log by the
//! answer, and reports what became of them as events.
//!
//! What is wrong hides any answer. Of several faults the first of this table is indicated:
//!
//! | | fault | from | to |
//! | --- | --- | --- | --- |
//! | 1 | it cannot begin: no model, or a failed self-test | [`DeviceEvent::CannotBegin`] | switched off |
//! | 2 | it has started again by itself | [`DeviceEvent::Restarted`] | [`RESTART_SHOWN_MS`] later |
//! | 3 | the stack is nearly used up | [`DeviceEvent::StackLow`] | switched off |
//! | 4 | the log cannot be written | [`DeviceEvent::LogFailed`] | [`DeviceEvent::LogWritten`], and [`LOG_FAILED_MS`] after it failed |
//! | 5 | a lamp that shows states cannot be set | [`DeviceEvent::LampsFailed`] with it | [`LAMP_FAILED_MS`] after the last such |
//! | 6 | the source reports an error | [`DeviceEvent::SourceFailed`] | [`DeviceEvent::SourceWell`], or a frame |
//! | 7 | the source is silent, and no frame of it is shown that has an age of its own | [`AgreementPolicy::stale_after_ms`] after it was last well | [`DeviceEvent::SourceWell`], or a frame |
//! | 8 | the frames themselves: too old, repeated, damaged, not computed | [`Agreement`] | a good frame |
//!
//! A frame that comes damaged may be dropped ([`DeviceEvent::FrameDropped`]): rows 7 and 8 then say why
//! no other came, once the time of a silent source is over.
//!
//! A source that begins to give frames, or does so again after a pause, is let settle for
//! [`Settings::settle_ms`]: a camera finds its exposure meanwhile. Its frames are not wanted, and
//! the indication is that of a device that waits for its first frame.
//!
//! Without a fault it indicates what the frames agree on. A device with a trigger (a button, or a
//! file that appears) does so for [`Settings::hold_ms`] after it, and nothing at other times;
//! faults it indicates at any time.
//!
//! ```
//! use edge_core::agree::{AgreementPolicy, FrameStamp};
//! use edge_core::device::{DeviceState, DeviceEvent, Settings};
//! use edge_core::{Decision, Reason, State};
//!
//! let policy = AgreementPolicy { frames: 2, stale_after_ms: 1500 };
//! let mut device = DeviceState::new(Settings { policy, interval_ms: 0, settle_ms: 0, hold_ms: None }, 0);
//! let negative = Decision {
//!     state: State::Negative,
//!     reason: Reason::BelowThreshold,
//!     logit: Some(-3.0),
//!     score: Some(0.05),
//! };
//! for (sequence, now_ms) in [(1, 100), (2, 200)] {
//!     let stamp = FrameStamp { sequence, micros: 0 };
//!     device.handle(DeviceEvent::Frame { taken_ms: now_ms, stamp, decision: &negative }, now_ms);
//! }
//! assert_eq!(device.indication(200).unwrap().state, State::Negative);
//! // The camera falls silent.
//! assert_eq!(device.indication(1800).unwrap().reason, Reason::Stale(1600, 1500));
//! ```

use crate::agree::{Agreement, AgreementPolicy, FrameStamp, Indication};
use crate::decide::{Decision, State};
use crate::reason::Reason;
use crate::signal::LampSet;

/// How long it is indicated that the device has started again by itself, in milliseconds.
pub const RESTART_SHOWN_MS: u64 = 3000;

/// How long a lamp counts as failed after it last failed, in milliseconds. One that fails only
/// while it is to be lit works in FAULT, and would otherwise bring back the answer that it cannot
/// show.
pub const LAMP_FAILED_MS: u64 = 1000;

/// How long the log counts as failed after it failed, in milliseconds, though it is written again:
/// a disk that refuses some writes and takes others would bring an answer back between two frames.
pub const LOG_FAILED_MS: u64 = 1000;

/// How a device behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settings {
    /// How many frames must agree, and how old one may be.
    pub policy: AgreementPolicy,
    /// Least time between two frames that are judged, in milliseconds.
    pub interval_ms: u32,
    /// How long frames are not judged after the source has begun to give them, in milliseconds; 0
    /// for one that has nothing to settle.
    pub settle_ms: u32,
    /// How long an answer is indicated after a trigger, in milliseconds; none: all the time,
    /// without a trigger.
    pub hold_ms: Option<u32>,
}

/// What a host tells the state machine, each with its time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum DeviceEvent<'a> {
    /// The device runs no model, and why.
    CannotBegin(Reason),
    /// The last run ended badly: [`Reason::Restarted`].
    Restarted(Reason),
    /// Fewer bytes of stack are left than must be: [`Reason::StackLow`].
    StackLow(Reason),
    /// The log could not take what was to be noted.
    LogFailed,
    /// The log takes notes.
    LogWritten,
    /// The lines that could not be set when the lamps were last driven.
    LampsFailed(LampSet),
    /// The button was pressed, or a file appeared.
    Trigger,
    /// The source has nothing to give that it owes, and reports no error.
    SourceWell,
    /// The source reports an error, as long as it lasts.
    SourceFailed(Reason),
    /// A frame has come, or begins to. Told before [`DeviceState::wants_frame`] is asked whether it is
    /// to be judged.
    FrameBegins,
    /// A frame was judged.
    Frame {
        /// When it was taken, in milliseconds of the device's clock.
        taken_ms: u64,
        /// How the source numbers and times it.
        stamp: FrameStamp,
        /// What it gave by itself.
        decision: &'a Decision,
    },
    /// A frame began that gives no decision: it came damaged, or could not be computed.
    FrameFailed(Reason),
    /// A frame came damaged and was passed over, because the next one may be good.
    FrameDropped(Reason),
}

/// The memory between events. Times are milliseconds of one clock that never steps.
#[derive(Clone, Debug)]
pub struct DeviceState {
    settings: Settings,
    agreement: Agreement,
    cannot_begin: Option<Reason>,
    restarted: Option<(Reason, u64)>,
    stack_low: Option<Reason>,
    log_failed: bool,
    log_failed_ms: Option<u64>,
    lamp_failed_ms: Option<u64>,
    source_failed: Option<Reason>,
    /// Why frames were dropped since the last good one.
    dropped: Option<Reason>,
    /// When the source was last well.
    well_ms: u64,
    /// When the source began to give frames, which have come since without a pause.
    flowing_ms: Option<u64>,
    /// When the last frame was judged; none makes the next one due at once.
    judged_ms: Option<u64>,
    /// When the trigger last came.
    triggered_ms: Option<u64>,
}

/// Whether less than `limit_ms` have passed since `since_ms`.
const fn within(since_ms: u64, now_ms: u64, limit_ms: u64) -> bool {
    now_ms.saturating_sub(since_ms) < limit_ms
}

impl DeviceState {
    /// Switched on at `now_ms`: nothing seen yet.
    pub const fn new(settings: Settings, now_ms: u64) -> Self {
        Self {
            settings,
            agreement: Agreement::new(settings.policy),
            cannot_begin: None,
            restarted: None,
            stack_low: None,
            log_failed: false,
            log_failed_ms: None,
            lamp_failed_ms: None,
            source_failed: None,
            dropped: None,
            well_ms: now_ms,
            flowing_ms: None,
            judged_ms: None,
            triggered_ms: None,
        }
    }

    /// The settings that it was made with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many of the newest frames in a row gave the same state by themselves.
    pub const fn agreeing(&self) -> u8 {
        self.agreement.agreeing()
    }

    /// Takes note of what happened at `now_ms`.
    pub fn handle(&mut self, event: DeviceEvent<'_>, now_ms: u64) {
        match event {
            DeviceEvent::CannotBegin(reason) => self.cannot_begin = Some(reason),
            DeviceEvent::Restarted(reason) => self.restarted = Some((reason, now_ms)),
            DeviceEvent::StackLow(reason) => self.stack_low = Some(reason),
            DeviceEvent::LogFailed => (self.log_failed, self.log_failed_ms) = (true, Some(now_ms)),
            DeviceEvent::LogWritten => self.log_failed = false,
            DeviceEvent::LampsFailed(failed) if failed.any_state_lamp() => self.lamp_failed_ms = Some(now_ms),
            DeviceEvent::LampsFailed(_) => {}
            DeviceEvent::Trigger if self.settings.hold_ms.is_none() => {}
            DeviceEvent::Trigger => {
                // The answer is for the picture that comes now, not for the one before.
                self.agreement = Agreement::new(self.settings.policy);
                (self.triggered_ms, self.judged_ms) = (Some(now_ms), None);
            }
            DeviceEvent::SourceWell => {
                (self.source_failed, self.dropped, self.well_ms) = (None, None, now_ms);
            }
            DeviceEvent::SourceFailed(reason) => {
                (self.source_failed, self.dropped) = (Some(reason), None);
                self.agreement = Agreement::new(self.settings.policy);
            }
            DeviceEvent::FrameBegins => self.on_frame_begins(now_ms),
            DeviceEvent::FrameDropped(reason) => self.dropped = Some(reason),
            DeviceEvent::Frame { taken_ms, stamp, decision } => {
                (self.source_failed, self.dropped, self.well_ms) = (None, None, now_ms);
                self.judged_ms = Some(now_ms);
                self.agreement.frame(taken_ms, stamp, decision);
            }
            DeviceEvent::FrameFailed(reason) => {
                (self.source_failed, self.judged_ms) = (None, Some(now_ms));
                self.agreement.fault(reason);
            }
        }
    }

    /// Notes where frames begin to come: after the start, a failure, or a silence that was a fault.
    fn on_frame_begins(&mut self, now_ms: u64) {
        let silent = now_ms.saturating_sub(self.well_ms) > self.settings.policy.stale_after_ms.into();
        let begins = self.flowing_ms.is_none() || self.source_failed.is_some() || silent;
        if begins && self.settings.settle_ms > 0 {
            self.flowing_ms = Some(now_ms);
            self.agreement = Agreement::new(self.settings.policy);
        }
    }

    /// Whether the source has begun to give frames so lately that they are not judged yet.
    fn is_settling(&self, now_ms: u64) -> bool {
        self.flowing_ms.is_some_and(|since| within(since, now_ms, self.settings.settle_ms.into()))
    }

    /// Whether answers are wanted: always without a trigger, otherwise for a while after it.
    pub fn is_awake(&self, now_ms: u64) -> bool {
        let Some(hold_ms) = self.settings.hold_ms else { return true };
        self.triggered_ms.is_some_and(|since| within(since, now_ms, hold_ms.into()))
    }

    /// Whether a frame is to be judged now.
    pub fn wants_frame(&self, now_ms: u64) -> bool {
        let interval_ms = self.settings.interval_ms.into();
        let judged_lately = self.judged_ms.is_some_and(|since| within(since, now_ms, interval_ms));
        self.is_awake(now_ms) && !judged_lately && !self.is_settling(now_ms)
    }

    /// What to show at `now_ms`; none while the device waits for its trigger, or for the first
    /// frame after it, and nothing is wrong.
    pub fn indication(&mut self, now_ms: u64) -> Option<Indication> {
        if let Some(reason) = self.fault(now_ms) {
            return Some(Indication { state: State::Fault, reason });
        }
        let mut shown = self.agreement.shown(now_ms);
        if let (Reason::Stale(..), Some(reason)) = (shown.reason, self.dropped) {
            shown.reason = reason;
        }
        let first = self.settings.hold_ms.is_some() && self.agreement.is_new();
        (self.is_awake(now_ms) && !first).then_some(shown)
    }

    /// What the frames agree on at `now_ms`, whatever else is wrong and whether or not anybody
    /// asks.
    pub fn agreed(&mut self, now_ms: u64) -> Indication {
        self.agreement.shown(now_ms)
    }

    /// Rows 1 to 7 of the table.
    fn fault(&self, now_ms: u64) -> Option<Reason> {
        let restarted = || {
            let (reason, since) = self.restarted?;
            within(since, now_ms, RESTART_SHOWN_MS).then_some(reason)
        };
        let log = || {
            let lately = self.log_failed_ms.is_some_and(|since| within(since, now_ms, LOG_FAILED_MS));
            (self.log_failed || lately).then_some(Reason::LogFailed)
        };
        let lamps = || within(self.lamp_failed_ms?, now_ms, LAMP_FAILED_MS).then_some(Reason::LightsFailed);
        let silent = || {
            let limit = self.settings.policy.stale_after_ms;
            let quiet = u32::try_from(now_ms.saturating_sub(self.well_ms)).unwrap_or(u32::MAX);
            // A frame that was taken has an age of its own.
            let waits = !self.is_awake(now_ms) || self.agreement.is_new();
            (waits && quiet > limit).then_some(self.dropped.unwrap_or(Reason::Stale(quiet, limit)))
        };
        self.cannot_begin
            .or_else(restarted)
            .or(self.stack_low)
            .or_else(log)
            .or_else(lamps)
            .or(self.source_failed)
            .or_else(silent)
    }
}
