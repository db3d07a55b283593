//! The engines that run on `tract`, one thread: with edge-core's int8 kernels as its QLinearConv,
//! or with its own operators only.
//!
//! ```text
//! ONNX -> parse -> take over QLinearConv -> typed -> fuse residual sums -> optimise -> plan
//!                  qlinearconv (convert, numbers)    residual
//! ```

mod convert;
mod memory;
mod numbers;
mod qlinearconv;
mod residual;

use crate::engine::{Convolutions, Engine, EngineError, EngineKind};
use crate::guard::guarded;
use crate::model_file::ModelFile;
use anyhow::{Context, bail, ensure};
use edge_core::gate::FEATURE_CELLS;
use edge_core::kernels::{self, Kernels};
use std::sync::{Arc, PoisonError};
use tract_core::internal::OutletId;
use tract_onnx::pb;
use tract_onnx::prelude::*;

/// Which operators compute the quantized part of a model.
#[derive(Clone, Copy, Debug)]
pub enum Operators {
    /// edge-core's kernels where they cover a node, tract's own elsewhere: the engine `tract`.
    Kernels(Kernels),
    /// tract's own, untouched: the engine `tract-stock`.
    Stock,
}

impl Operators {
    fn engine(&self) -> &'static str {
        match self {
            Self::Kernels(_) => EngineKind::Tract.name(),
            Self::Stock => EngineKind::TractStock.name(),
        }
    }
}

pub struct TractEngine {
    loaded: Loaded,
    /// Kept from run to run for the memory in it; none before the first run and after one that
    /// failed.
    state: Option<TypedSimpleState>,
    /// The last run's features, height x width x channels.
    features: Vec<u8>,
}

impl TractEngine {
    /// Makes a model ready, with the fastest kernels of this machine.
    pub fn load(model: &ModelFile) -> Result<Self, EngineError> {
        Self::load_with(Operators::Kernels(kernels::best()), model)
    }

    pub fn load_with(operators: Operators, model: &ModelFile) -> Result<Self, EngineError> {
        // Beside the logit, what the gate looks at; a graph without it is for a gate that does not.
        let logit = model.graph().output.iter().map(|output| output.name.clone());
        let outputs: Vec<String> = logit.chain(model.features().map(str::to_owned)).collect();
        let metadata = model.metadata();
        let loaded = Loaded::new(operators, model.proto(), metadata.input_side, &outputs)?;
        let weights = metadata.gate.features.weights.len();
        if weights > 0 && loaded.channels(1).map(|channels| channels * FEATURE_CELLS) != Some(weights) {
            let what =
                format!("its gate has {weights} weights, which do not fit the features before its head");
            return Err(EngineError::Load { engine: operators.engine(), what });
        }
        Ok(Self { loaded, state: None, features: Vec::new() })
    }

    /// Makes a model ready so that every node's result can be read, not only the logit: for
    /// comparing engines.
    pub fn load_with_intermediates(model: &ModelFile) -> Result<TractIntermediates, EngineError> {
        TractIntermediates::load(Operators::Kernels(kernels::best()), model)
    }
}

impl Engine for TractEngine {
    fn name(&self) -> &'static str {
        self.loaded.engine
    }

    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
        self.features.clear();
        let outputs = self.loaded.run(&mut self.state, input)?;
        if let Some(features) = outputs.get(1) {
            interleave(features, &mut self.features).map_err(|e| self.loaded.failed(format!("{e:#}")))?;
        }
        match outputs.first().map(values) {
            Some(Ok(Values::F32(logit))) if logit.len() == 1 => Ok(logit[0]),
            Some(Err(what)) => Err(self.loaded.failed(what)),
            _ => Err(self.loaded.failed("the output is not one f32".to_owned())),
        }
    }

    fn features(&self) -> &[u8] {
        &self.features
    }

    fn convolutions(&self) -> Option<&Convolutions> {
        self.loaded.convolutions.as_ref()
    }
}

/// A model whose every intermediate result is an output.
pub struct TractIntermediates {
    names: Vec<String>,
    loaded: Loaded,
}

impl TractIntermediates {
    pub fn load(operators: Operators, model: &ModelFile) -> Result<Self, EngineError> {
        Self::of_graph(operators, model.proto(), model.metadata().input_side)
    }

    /// The same of a graph that need not be a whole model file; `side` is that of its input, in
    /// pixels.
    pub fn of_graph(operators: Operators, proto: &pb::ModelProto, side: u16) -> Result<Self, EngineError> {
        let nodes = proto.graph.iter().flat_map(|graph| &graph.node);
        let names: Vec<String> = nodes.flat_map(|node| node.output.iter().cloned()).collect();
        let loaded = Loaded::new(operators, proto, side, &names)?;
        Ok(Self { names, loaded })
    }

    /// Computes every node's result, in the graph's order.
    pub fn run(&self, input: &[u8]) -> Result<Vec<Intermediate>, EngineError> {
        let outputs = self.loaded.run(&mut None, input)?;
        let named = self.names.iter().zip(&outputs);
        named
            .map(|(name, tensor)| {
                let values = values(tensor).map_err(|what| self.loaded.failed(what))?;
                Ok(Intermediate { name: name.clone(), shape: tensor.shape().to_vec(), values })
            })
            .collect()
    }

    pub fn convolutions(&self) -> Option<&Convolutions> {
        self.loaded.convolutions.as_ref()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Intermediate {
    /// The value's name in the ONNX graph.
    pub name: String,
    /// Its shape, batch first, then channels.
    pub shape: Vec<usize>,
    /// Its elements, row-major.
    pub values: Values,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    U8(Vec<u8>),
    I8(Vec<i8>),
    I32(Vec<i32>),
    F32(Vec<f32>),
}

struct Loaded {
    engine: &'static str,
    plan: Arc<TypedRunnableModel>,
    side: usize,
    convolutions: Option<Convolutions>,
}

impl Loaded {
    /// `outputs` are the names of the values to compute.
    fn new(
        operators: Operators,
        proto: &pb::ModelProto,
        side: u16,
        outputs: &[String],
    ) -> Result<Self, EngineError> {
        let engine = operators.engine();
        let error = |what| EngineError::Load { engine, what };
        let loaded = guarded(|| plan(operators, proto, outputs)).map_err(error)?;
        let (plan, convolutions) = loaded.map_err(|e| error(format!("{e:#}")))?;
        Ok(Self { engine, plan, side: usize::from(side), convolutions })
    }

    fn run(&self, state: &mut Option<TypedSimpleState>, input: &[u8]) -> Result<TVec<TValue>, EngineError> {
        let side = self.side;
        if input.len() != side * side {
            return Err(EngineError::Input { expected: side * side, got: input.len() });
        }
        // A run that fails takes its state with it: nothing half-done is there for the next one.
        let kept = state.take();
        let run = || {
            let mut state = kept.map_or_else(|| self.plan.spawn(), Ok)?;
            let outputs = state.run(tvec!(Tensor::from_shape(&[1, 1, side, side], input)?.into()))?;
            TractResult::Ok((state, outputs))
        };
        let ran = guarded(run).map_err(|what| self.failed(what))?;
        let (used, outputs) = ran.map_err(|e| self.failed(format!("{e:#}")))?;
        *state = Some(used);
        Ok(outputs)
    }

    /// Channels of an output; none where there is no such output or its size is not known.
    fn channels(&self, output: usize) -> Option<usize> {
        let fact = self.plan.model().output_fact(output).ok()?;
        fact.shape.as_concrete()?.get(1).copied()
    }

    fn failed(&self, what: String) -> EngineError {
        EngineError::Run { engine: self.engine, what }
    }
}

/// From the ONNX graph to a plan, and how it computes the convolutions.
fn plan(
    operators: Operators,
    proto: &pb::ModelProto,
    outputs: &[String],
) -> TractResult<(Arc<TypedRunnableModel>, Option<Convolutions>)> {
    let parsed = tract_onnx::onnx().parse(proto, None)?;
    ensure!(parsed.unresolved_inputs.is_empty(), "nothing computes {:?}", parsed.unresolved_inputs);
    let mut graph = parsed.model;
    let outlets = outputs.iter().map(|name| parsed.outlets_by_name.get(name).copied());
    let outlets = outlets.collect::<Option<Vec<OutletId>>>();
    graph.select_output_outlets(&outlets.context("a node's result has no name")?)?;
    let Operators::Kernels(kernels) = operators else {
        return Ok((graph.into_optimized()?.into_runnable()?, None));
    };
    let ledger = qlinearconv::take_over(&mut graph, kernels);
    let mut typed = graph.into_typed()?;
    residual::fuse(&mut typed, kernels)?;
    let plan = typed.into_optimized()?.into_runnable()?;
    let convolutions = ledger.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((plan, Some(convolutions)))
}

/// Copies channels x height x width as height x width x channels.
fn interleave(planar: &TValue, to: &mut Vec<u8>) -> TractResult<()> {
    let &[1, channels, height, width] = planar.shape() else {
        bail!("the features are not one picture's: {:?}", planar.shape());
    };
    let plain = planar.try_as_plain_ram()?;
    let bytes = plain.as_slice::<u8>()?;
    let positions = height * width;
    to.resize(positions * channels, 0);
    for (channel, plane) in bytes.chunks_exact(positions.max(1)).enumerate() {
        for (byte, &value) in to.iter_mut().skip(channel).step_by(channels).zip(plane) {
            *byte = value;
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_file::seal;
    use prost::Message;
    use tract_core::ops::change_axes::AxisOp;

    /// Names of the operators of the shipped model's plan.
    fn operators(change: impl FnOnce(&mut pb::ModelProto)) -> (Vec<String>, usize) {
        let shipped = ModelFile::from_bytes(include_bytes!("../../../models/pneumonia/model.onnx")).unwrap();
        let mut proto = shipped.proto().clone();
        change(&mut proto);
        seal(&mut proto);
        let model = ModelFile::from_bytes(&proto.encode_to_vec()).unwrap();
        let engine = TractEngine::load(&model).unwrap();
        let plan = &engine.loaded.plan;
        let nodes = || plan.order_without_consts().iter().map(|&id| plan.model().node(id));
        let moves = nodes().filter(|node| matches!(node.op_as(), Some(AxisOp::Move(..)))).count();
        (nodes().map(|node| node.op.name().into_owned()).collect(), moves)
    }

    /// What makes the engine fast: no permutation is left but that of the input's one channel,
    /// which moves nothing, and that of the features, which the gate reads; and nothing is
    /// computed in floats before the head.
    #[test]
    fn the_plan_of_the_shipped_model_stays_in_bytes_and_in_one_layout() {
        let (names, moves) = operators(|_| ());
        assert_eq!(moves, 2, "{names:?}");
        assert_eq!(names[..2], ["Source", "MoveAxis"]);
        let last = names.iter().rposition(|name| name == "QLinearConvByKernels").unwrap();
        let inner = &names[2..=last];
        assert!(
            inner
                .iter()
                .all(|name| ["QLinearConvByKernels", "ResidualSumByKernels"].contains(&name.as_str())),
            "{inner:?}"
        );
        assert!(inner.contains(&"ResidualSumByKernels".to_owned()));
    }

    /// The test above sees a sum that is left to floats: one whose scales differ is no addition of
    /// bytes.
    #[test]
    fn a_residual_sum_over_two_scales_stays_with_tract() {
        let (names, _) = operators(|proto| {
            let graph = proto.graph.as_mut().unwrap();
            let mut other =
                graph.initializer.iter().find(|t| t.name == scale_of(&graph.node)).unwrap().clone();
            other.name = "another scale".to_owned();
            other.raw_data = 0.5f32.to_le_bytes().to_vec();
            graph.initializer.push(other);
            let node = graph.node.iter_mut().find(|node| node.op_type == "DequantizeLinear").unwrap();
            node.input[1] = "another scale".to_owned();
        });
        let (before, _) = operators(|_| ());
        let sums = |names: &[String]| names.iter().filter(|name| *name == "ResidualSumByKernels").count();
        assert_eq!(sums(&names) + 1, sums(&before));
    }

    fn scale_of(nodes: &[pb::NodeProto]) -> &str {
        &nodes.iter().find(|node| node.op_type == "DequantizeLinear").unwrap().input[1]
    }
}
