//! What an engine is to everybody else: its trait, its errors, what it says of itself.

use serde::Serialize;
use std::fmt;

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
    /// gate looks at it. [`EngineError::NoFeatures`] before the first and after one that failed.
    fn features(&self) -> Result<&[u8], EngineError>;

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

    fn features(&self) -> Result<&[u8], EngineError> {
        (**self).features()
    }

    fn convolutions(&self) -> Option<&Convolutions> {
        (**self).convolutions()
    }
}

/// Which convolutions of a model edge-core's kernels compute in an engine on tract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Convolutions {
    /// Name of the kernels, [`edge_core::kernels::Kernels::name`].
    pub kernels: &'static str,
    /// Nodes that the kernels compute, in the graph's order.
    pub by_kernels: Vec<String>,
    /// Nodes that tract's own operator computes, in the graph's order.
    pub by_tract: Vec<Fallback>,
}

/// A convolution that the kernels do not cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fallback {
    /// The node's name in the graph.
    pub node: String,
    /// What the kernels do not have.
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

/// Why an engine cannot be made, or did not compute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The model has something that this engine does not compute.
    #[error("{engine} cannot compute this model ({what}); export it again with host-trainer")]
    Load {
        /// [`Engine::name`].
        engine: &'static str,
        /// What it cannot compute.
        what: String,
    },
    /// The input is not of the model's side.
    #[error("expected a preprocessed picture of {expected} bytes, got {got}")]
    Input {
        /// `side * side` of the model, in bytes.
        expected: usize,
        /// Bytes of the input.
        got: usize,
    },
    /// There was no picture yet, or the last one failed.
    #[error("{engine} has no features: it computed no picture yet, or the last one failed; compute one")]
    NoFeatures {
        /// [`Engine::name`].
        engine: &'static str,
    },
    /// A model that was loaded is not computed: it or the engine is damaged.
    #[error("{engine} failed ({what}); the model or the engine is damaged")]
    Run {
        /// [`Engine::name`].
        engine: &'static str,
        /// The engine's own words.
        what: String,
    },
}
