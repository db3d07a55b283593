//! The engines of this build, by name.

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The engines of this build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// tract, with edge-core's kernels as its QLinearConv.
    #[default]
    Tract,
    /// edge-core's kernels alone, over the packed model.
    Core,
    /// tract with its own operators only: the cross-check.
    TractStock,
}

impl EngineKind {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::Tract, Self::Core, Self::TractStock];

    /// Its name on the command line, in configurations and in reports; [`str::parse`] reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tract => "tract",
            Self::Core => "core",
            Self::TractStock => "tract-stock",
        }
    }

    /// The names of all, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for EngineKind {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| UnknownEngine { name: name.to_owned() })
    }
}

impl Serialize for EngineKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no engine `{}`; known here: {}", name.escape_debug(), EngineKind::names())]
pub struct UnknownEngine {
    /// What was given.
    pub name: String,
}
