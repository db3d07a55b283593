//! What a frame's time and energy on a board are estimated from.

use serde::{Deserialize, Serialize};

/// What time and energy are estimated from.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The emulated board whose instructions are counted for it: `an386`, `an500` or `an505`.
    pub counted_on: String,
    /// Millions of cycles a second.
    pub mhz: f64,
    /// Cycles an instruction takes.
    pub cycles_per_instruction: f64,
    /// Milliwatts while it computes.
    pub milliwatts: f64,
    /// Where the numbers are from.
    pub sources: Sources,
}

/// Where each number of an [`Estimate`] is from: a document with its chapter, section or table, or
/// a guess that says so.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Of the clock.
    pub mhz: String,
    /// Of the cycles.
    pub cycles_per_instruction: String,
    /// Of the power.
    pub milliwatts: String,
    /// What the numbers leave out.
    pub left_out: String,
}

/// How a guess begins.
const GUESS: &str = "a guess: ";
/// What a source names beside its document.
const PLACES: [&str; 4] = ["chapter ", "section ", "table ", "page "];

impl Sources {
    /// Each number's name and its source.
    pub fn all(&self) -> [(&'static str, &str); 3] {
        [
            ("MHz", self.mhz.as_str()),
            ("Cycles an instruction", self.cycles_per_instruction.as_str()),
            ("mW", self.milliwatts.as_str()),
        ]
    }

    /// An error names the source that is neither a place in a document nor a guess.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (number, source) in self.all() {
            if !source.starts_with(GUESS) && !PLACES.iter().any(|place| source.contains(place)) {
                return Err(format!(
                    "estimate.sources of {number}: expected a document with its chapter, section, table or page, \
                     or {GUESS:?}, got {source:?}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Board;
    use test_support::BOARD;

    const ESTIMATE: &str = r#"
        [estimate]
        counted_on = "an386"
        mhz = 64
        cycles_per_instruction = 1.2
        milliwatts = 19
        [estimate.sources]
        mhz = "the chip's manual, chapter 4"
        cycles_per_instruction = "a guess: it looks so"
        milliwatts = "the chip's manual, table 7"
        left_out = "the lamps"
    "#;

    #[test]
    fn a_number_without_a_source_is_refused_with_its_name() {
        Board::parse(&format!("{BOARD}{ESTIMATE}")).unwrap();
        for (from, to, message) in [
            (", chapter 4", "", "estimate.sources of MHz: expected a document"),
            ("a guess: it", "it", "estimate.sources of Cycles an instruction"),
            (", table 7", "", "estimate.sources of mW"),
            ("milliwatts = \"the", "left = \"the", "unknown field"),
            ("left_out = \"the lamps\"", "", "missing field `left_out`"),
        ] {
            let text = format!("{BOARD}{}", ESTIMATE.replacen(from, to, 1));
            let error = Board::parse(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{from} -> {to}: {error}");
        }
    }
}
