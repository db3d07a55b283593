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
