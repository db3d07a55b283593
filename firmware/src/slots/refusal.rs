//! Why a slot's model does not run.

use super::records::{ImageState, RecordsError};
use super::slot::Slot;
use crate::bundle::{BundleError, Version};
use crate::self_test::SelfTestError;
use core::fmt;

/// Why a slot's model does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no whole signed model for this device.
    Bundle(BundleError),
    /// It is older than one that ran before.
    Older {
        /// Of this model.
        version: Version,
        /// The least that is taken.
        minimum: Version,
    },
    /// It was found at an earlier start.
    Before(ImageState),
    /// It failed its self-test now.
    SelfTest(SelfTestError),
    /// That it runs could not be recorded.
    Records(RecordsError),
}

impl Refusal {
    /// The word for it in the log's `refused` line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bundle(error) => error.name(),
            Self::Older { .. } => "older",
            Self::Before(state) => state.name(),
            Self::SelfTest(error) => ImageState::rejected(error).name(),
            Self::Records(_) => "records",
        }
    }

    /// What was expected or is the limit, and what came; zeros where there is no such number.
    pub const fn numbers(&self) -> [u32; 2] {
        match *self {
            Self::Bundle(error) => error.numbers(),
            Self::Older { version, minimum } => [minimum.0, version.0],
            Self::SelfTest(SelfTestError::Logit { expected, got }) => [expected, got],
            Self::Before(_) | Self::SelfTest(SelfTestError::Engine(_)) | Self::Records(_) => [0, 0],
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(error) => error.fmt(f),
            Self::Older { version, minimum } => {
                write!(
                    f,
                    "version {version} is older than {minimum}, which ran here; flash {minimum} or a later one"
                )
            }
            Self::Before(ImageState::Pending) => {
                write!(f, "its self-test did not finish at an earlier start; flash it again to try again")
            }
            Self::Before(ImageState::RejectedLogit) => {
                write!(f, "its golden input gave another logit at an earlier start; flash another model")
            }
            Self::Before(ImageState::RejectedEngine) => {
                write!(f, "the engine could not run it at an earlier start; flash another model")
            }
            Self::Before(ImageState::Superseded) => {
                write!(f, "it ran until the other one took over; flash it again to go back to it")
            }
            Self::SelfTest(error) => error.fmt(f),
            Self::Records(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Refusal {}

/// No slot holds a model that may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoModel {
    /// What is wrong with A and B.
    pub why: [Refusal; 2],
}

impl fmt::Display for NoModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = &self.why;
        write!(f, "no model runs: slot {}: {a}; slot {}: {b}", Slot::A.letter(), Slot::B.letter())
    }
}

impl core::error::Error for NoModel {}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::infer::InferError;
    use std::string::ToString;

    #[test]
    fn a_refusal_tells_its_numbers_and_its_reason() {
        let [version, minimum] = ["1.0.0", "1.1.0"].map(|text| Version::parse(text).unwrap());
        let arena = BundleError::Arena { needed: 30, limit: 20 };
        let logit = SelfTestError::Logit { expected: 0xAB, got: 0xCD };
        let engine = SelfTestError::Engine(InferError::Input { expected: 40, got: 50 });
        for (why, numbers, text) in [
            (Refusal::Bundle(arena), [20, 30], "30"),
            (Refusal::Older { version, minimum }, [minimum.0, version.0], "1.0.0 is older than 1.1.0"),
            (Refusal::SelfTest(logit), [0xAB, 0xCD], "bits 000000cd, expected 000000ab"),
            (Refusal::SelfTest(engine), [0; 2], "got 50"),
            (Refusal::Before(ImageState::Pending), [0; 2], "did not finish at an earlier start"),
            (Refusal::Before(ImageState::RejectedLogit), [0; 2], "another logit at an earlier start"),
            (Refusal::Before(ImageState::RejectedEngine), [0; 2], "could not run it at an earlier start"),
            (Refusal::Before(ImageState::Superseded), [0; 2], "ran until the other one took over"),
            (Refusal::Records(RecordsError::NotKept), [0; 2], "not read as it was written"),
        ] {
            assert_eq!(why.numbers(), numbers, "{why:?}");
            assert!(why.to_string().contains(text), "{why}");
        }
    }

    #[test]
    fn where_no_model_runs_each_slot_says_why() {
        let (a, b) = (Refusal::Bundle(BundleError::Empty), Refusal::Before(ImageState::Pending));
        let told = NoModel { why: [a, b] }.to_string();
        assert_eq!(told, std::format!("no model runs: slot A: {a}; slot B: {b}"));
    }
}
