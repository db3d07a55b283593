//! The engine on Linux: `tract` with its own operators, one thread.

use crate::engine::{Engine, EngineError};
use crate::guard::guarded;
use crate::model_file::ModelFile;
use anyhow::{Context, bail};
use std::sync::Arc;
use tract_core::internal::OutletId;
use tract_onnx::prelude::*;

/// A model, optimised and ready to run.
pub struct TractEngine {
    plan: Arc<TypedRunnableModel>,
    side: usize,
}

impl TractEngine {
    /// Its name.
    pub const NAME: &str = "tract";

    /// Makes a model ready.
    ///
    /// # Errors
    /// [`EngineError::Load`].
    pub fn load(model: &ModelFile) -> Result<Self, EngineError> {
        let side = usize::from(model.metadata.input_side);
        let plan = load(|| {
            tract_onnx::onnx().model_for_proto_model(&model.proto)?.into_optimized()?.into_runnable()
        })?;
        Ok(Self { plan, side })
    }

    /// Makes a model ready so that every node's result can be read, not only the logit: for comparing engines.
    ///
    /// # Errors
    /// [`EngineError::Load`].
    pub fn load_with_intermediates(model: &ModelFile) -> Result<TractIntermediates, EngineError> {
        let nodes = model.proto.graph.iter().flat_map(|graph| &graph.node);
        let names: Vec<String> = nodes.flat_map(|node| node.output.iter().cloned()).collect();
        let side = usize::from(model.metadata.input_side);
        let plan = load(|| {
            let parsed = tract_onnx::onnx().parse(&model.proto, None)?;
            let outlets: Option<Vec<OutletId>> =
                names.iter().map(|name| parsed.outlets_by_name.get(name).copied()).collect();
            let mut graph = parsed.model;
            graph.select_output_outlets(&outlets.context("a node's result has no name")?)?;
            graph.into_optimized()?.into_runnable()
        })?;
        Ok(TractIntermediates { names, plan, side })
    }
}

impl Engine for TractEngine {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
        let outputs = run(&self.plan, self.side, input)?;
        match outputs.first().map(values) {
            Some(Ok(Values::F32(logit))) if logit.len() == 1 => Ok(logit[0]),
            Some(Err(what)) => Err(failed(what)),
            _ => Err(failed("the output is not one f32".to_owned())),
        }
    }
}

/// A model whose every intermediate result is an output.
pub struct TractIntermediates {
    names: Vec<String>,
    plan: Arc<TypedRunnableModel>,
    side: usize,
}

impl TractIntermediates {
    /// Computes every node's result, in the graph's order.
    ///
    /// # Errors
    /// [`EngineError::Input`] or [`EngineError::Run`].
    pub fn run(&self, input: &[u8]) -> Result<Vec<Intermediate>, EngineError> {
        let outputs = run(&self.plan, self.side, input)?;
        let named = self.names.iter().zip(&outputs);
        named
            .map(|(name, tensor)| {
                let values = values(tensor).map_err(failed)?;
                Ok(Intermediate { name: name.clone(), shape: tensor.shape().to_vec(), values })
            })
            .collect()
    }
}

/// One node's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Intermediate {
    /// The value's name in the ONNX graph.
    pub name: String,
    /// Its shape, batch first, then channels.
    pub shape: Vec<usize>,
    /// Its elements, row-major.
    pub values: Values,
}

/// A tensor's elements.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Quantized activations.
    U8(Vec<u8>),
    /// Quantized activations in signed form.
    I8(Vec<i8>),
    /// Accumulators.
    I32(Vec<i32>),
    /// The head's floats.
    F32(Vec<f32>),
}

fn load<T>(make: impl FnOnce() -> TractResult<T>) -> Result<T, EngineError> {
    let error = |what| EngineError::Load { engine: TractEngine::NAME, what };
    guarded(make).map_err(error)?.map_err(|e| error(format!("{e:#}")))
}

fn failed(what: String) -> EngineError {
    EngineError::Run { engine: TractEngine::NAME, what }
}

fn run(plan: &Arc<TypedRunnableModel>, side: usize, input: &[u8]) -> Result<TVec<TValue>, EngineError> {
    if input.len() != side * side {
        return Err(EngineError::Input { expected: side * side, got: input.len() });
    }
    // Each run has its own state: a panic leaves nothing half-done behind for the next one.
    guarded(|| plan.run(tvec!(Tensor::from_shape(&[1, 1, side, side], input)?.into())))
        .map_err(failed)?
        .map_err(|e| failed(format!("{e:#}")))
}

/// Copies a tensor's elements out; quantized types as the integers that they are stored as.
fn values(tensor: &TValue) -> Result<Values, String> {
    let values = || -> TractResult<Values> {
        let plain = tensor.try_as_plain_ram()?;
        Ok(match tensor.datum_type().unquantized() {
            DatumType::U8 => Values::U8(plain.as_slice::<u8>()?.to_vec()),
            DatumType::I8 => Values::I8(plain.as_slice::<i8>()?.to_vec()),
            DatumType::I32 => Values::I32(plain.as_slice::<i32>()?.to_vec()),
            DatumType::F32 => Values::F32(plain.as_slice::<f32>()?.to_vec()),
            other => bail!("unexpected element type {other:?}"),
        })
    };
    values().map_err(|e| format!("{e:#}"))
}
