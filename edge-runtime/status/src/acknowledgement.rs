//! What a person said on a screen: that an answer was seen.

use crate::exchange::Versioned;
use serde::{Deserialize, Serialize};

/// Most that a file holds; a screen that has more leaves out the oldest.
pub const MOST_ACKNOWLEDGEMENTS: usize = 64;

/// A tap on one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Grows with every tap of this screen's run, from 1.
    pub number: u64,
    /// [`Status::run`](crate::Status::run) that the screen showed.
    pub run: String,
    /// The case that was tapped.
    pub case: u32,
    /// How many pictures it had then: an answer that has changed since was not seen.
    pub pictures: u16,
}

/// The newest taps, the oldest first. The device takes each number once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgements {
    /// [`Versioned::VERSION`].
    pub version: u32,
    /// At most [`MOST_ACKNOWLEDGEMENTS`].
    pub entries: Vec<Acknowledgement>,
}

impl Acknowledgements {
    /// The newest of `entries`.
    pub fn new(mut entries: Vec<Acknowledgement>) -> Self {
        entries.drain(..entries.len().saturating_sub(MOST_ACKNOWLEDGEMENTS));
        Self { version: Self::VERSION, entries }
    }
}

impl Versioned for Acknowledgements {
    const VERSION: u32 = 1;
    fn version(&self) -> u32 {
        self.version
    }
}
