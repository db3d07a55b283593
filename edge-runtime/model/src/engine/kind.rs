//! The engines of this build, by name.

use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// The engines of this build. They differ in speed, never in a bit.
///
/// ```
/// use edge_model::engine::{Engine, EngineKind};
/// use edge_model::model_file::ModelFile;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = ModelFile::from_bytes(include_bytes!("../../../../models/pneumonia/model.onnx"))?;
/// let input = vec![128; 128 * 128]; // as preprocessing writes it
/// let logit = "core".parse::<EngineKind>()?.load(&model)?.infer(&input)?;
/// for kind in EngineKind::ALL {
///     assert_eq!(kind.load(&model)?.infer(&input)?.to_bits(), logit.to_bits(), "{kind}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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

/// A name that is none of [`EngineKind::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no engine `{}`; known here: {}", name.escape_debug(), EngineKind::names())]
pub struct UnknownEngine {
    /// The name that was given.
    pub name: String,
}
