//! What computes the network: preprocessed picture in, logit out.
//!
//! Every engine gives the same bits for the same model and input; they differ in speed only.

use crate::infer_core::CoreEngine;
use crate::infer_tract::{Operators, TractEngine};
use crate::model_file::ModelFile;
use edge_core::kernels::{self, Kernels};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A network that is ready to compute the pictures that it is handed; behind a `dyn`, whichever it
/// is.
///
/// Not edge-core's [`Infer`](edge_core::pipeline::Infer): there the picture lies in the network's
/// own memory and is overwritten, because a microcontroller has no room for a second one. Here it
/// is kept, for the log's hash. [`Classifier`](crate::classify::Classifier) makes the one of the
/// other.
pub trait Engine: Send {
    /// Its name on the command line and in reports.
    fn name(&self) -> &'static str;

    /// The logit of `side * side` preprocessed bytes; an error leaves the engine usable.
    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError>;

    /// What the network's head read in the last [`Engine::infer`], height x width x channels: the
    /// gate looks at it. Empty before the first and after one that failed.
    fn features(&self) -> &[u8];

    /// Which of the model's convolutions edge-core's kernels compute; none where the engine has no
    /// choice.
    fn convolutions(&self) -> Option<&Convolutions> {
        None
    }
}

impl Engine for Box<dyn Engine> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
        (**self).infer(input)
    }

    fn features(&self) -> &[u8] {
        (**self).features()
    }

    fn convolutions(&self) -> Option<&Convolutions> {
        (**self).convolutions()
    }
}

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

    /// Makes an engine ready to compute `model` with the fastest kernels of this machine.
    pub fn load(self, model: &ModelFile) -> Result<Box<dyn Engine>, EngineError> {
        self.load_with(kernels::best(), model)
    }

    /// The same with chosen kernels, which an engine without kernels ignores.
    pub fn load_with(self, kernels: Kernels, model: &ModelFile) -> Result<Box<dyn Engine>, EngineError> {
        Ok(match self {
            Self::Tract => Box::new(TractEngine::load_with(Operators::Kernels(kernels), model)?),
            Self::Core => Box::new(CoreEngine::load(model, kernels)?),
            Self::TractStock => Box::new(TractEngine::load_with(Operators::Stock, model)?),
        })
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Convolutions {
    pub kernels: &'static str,
    /// Nodes that the kernels compute, in the graph's order.
    pub by_kernels: Vec<String>,
    /// Nodes that tract's own operator computes, in the graph's order.
    pub by_tract: Vec<Fallback>,
}

/// A convolution that the kernels do not cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fallback {
    pub node: String,
    pub reason: String,
}

impl Convolutions {
    pub(crate) fn new(kernels: &'static str) -> Self {
        Self { kernels, by_kernels: Vec::new(), by_tract: Vec::new() }
    }
}

impl fmt::Display for Convolutions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.by_kernels.len() + self.by_tract.len();
        write!(f, "{} of {all} by kernels `{}`", self.by_kernels.len(), self.kernels)?;
        if !self.by_tract.is_empty() {
            write!(f, ", {} by tract:", self.by_tract.len())?;
        }
        for (i, Fallback { node, reason }) in self.by_tract.iter().enumerate() {
            write!(f, "{} `{node}` ({reason})", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    #[error("{engine} cannot compute this model ({what}); export it again with host-trainer")]
    Load { engine: &'static str, what: String },
    #[error("expected a preprocessed picture of {expected} bytes, got {got}")]
    Input {
        /// Bytes.
        expected: usize,
        /// Bytes.
        got: usize,
    },
    #[error("{engine} failed ({what}); the model or the engine is damaged")]
    Run { engine: &'static str, what: String },
}
