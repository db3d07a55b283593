//! Whether a new model runs well.

use edge_core::{Decision, Reason};

/// Pictures that a new model must have judged before it is confirmed.
pub const FRAMES: u32 = 3;

/// A start with a new model, which has passed its self-test.
#[derive(Clone, Debug)]
pub struct Trial {
    since_ms: u64,
    for_ms: u64,
    judged: u32,
    failed: bool,
}

/// What a trial comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Running,
    /// It has judged [`FRAMES`] pictures and run long enough.
    Passed,
    /// The network could not be computed.
    Failed,
}

impl Trial {
    /// Begins at `now_ms` of a clock that does not step, for `seconds`.
    pub fn begin(now_ms: u64, seconds: u32) -> Self {
        Self { since_ms: now_ms, for_ms: u64::from(seconds) * 1000, judged: 0, failed: false }
    }

    /// Takes the decision on one frame. A picture that the gate refuses before the network says
    /// nothing of the model.
    pub fn frame(&mut self, decision: &Decision) {
        self.failed |= decision.reason == Reason::EngineFailed;
        self.judged = self.judged.saturating_add(u32::from(decision.logit.is_some()));
    }

    pub fn verdict(&self, now_ms: u64) -> Verdict {
        let long_enough = now_ms.saturating_sub(self.since_ms) >= self.for_ms;
        match () {
            () if self.failed => Verdict::Failed,
            () if long_enough && self.judged >= FRAMES => Verdict::Passed,
            () => Verdict::Running,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::State;

    fn decision(reason: Reason, logit: Option<f32>) -> Decision {
        Decision { state: State::Refer, reason, logit, score: None }
    }

    #[test]
    fn it_takes_pictures_and_time_and_one_failure_ends_it() {
        let judged = decision(Reason::BetweenThresholds, Some(0.0));
        let refused = decision(Reason::AboveThreshold, None);
        let mut trial = Trial::begin(1000, 60);
        (0..FRAMES - 1).for_each(|_| trial.frame(&judged));
        trial.frame(&refused);
        assert_eq!(trial.verdict(1_000_000), Verdict::Running, "one picture is missing");
        trial.frame(&judged);
        assert_eq!(trial.verdict(60_999), Verdict::Running, "a millisecond is missing");
        assert_eq!(trial.verdict(61_000), Verdict::Passed);
        trial.frame(&decision(Reason::EngineFailed, None));
        assert_eq!(trial.verdict(61_000), Verdict::Failed);
        assert_eq!(Trial::begin(1000, 60).verdict(0), Verdict::Running);
    }
}
