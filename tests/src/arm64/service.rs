//! Where the packages' services let a program stand among all that run on a device.

use crate::root;
use anyhow::{Context, ensure};
use std::fs;

/// What a service says of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Before all else.
    First,
    /// Only where nothing else wants to run.
    Idle,
}

impl Rank {
    /// The lines of a unit, and the agent's word for the same.
    fn said(self) -> ([&'static str; 2], &'static str) {
        // The kernel weighs groups of one level against each other, and so these two only outside of
        // `system.slice`, in which all other services are one.
        match self {
            Self::First => (["Slice=-.slice", "CPUWeight=10000"], "first"),
            Self::Idle => (["Slice=-.slice", "CPUWeight=idle"], "idle"),
        }
    }

    /// A program's words, started as its unit, under `edge-runtime`, starts it; an error where the
    /// unit says something else.
    pub fn command(self, unit: &str, words: &[&str]) -> anyhow::Result<Vec<String>> {
        let path = root().join("edge-runtime").join(unit);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let (lines, word) = self.said();
        for line in lines {
            ensure!(text.lines().any(|said| said == line), "expected {line} in {}", path.display());
        }
        let group = path.file_stem().and_then(|name| name.to_str()).context("a unit without a name")?;
        Ok(["/init", word, group].iter().chain(words).map(|word| (*word).to_owned()).collect())
    }
}
