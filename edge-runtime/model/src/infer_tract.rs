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
#[non_exhaustive]
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

/// The engines `tract` and `tract-stock`.
pub struct TractEngine {
    plan: TractPlan,
    /// The last run's features, height x width x channels.
    features: Vec<u8>,
    /// Whether they are those of a picture.
    ran: bool,
}

impl TractEngine {
    /// Makes a model ready, with the fastest kernels of this machine.
    pub fn load(model: &ModelFile) -> Result<Self, EngineError> {
        Self::load_with(Operators::Kernels(kernels::best()), model)
    }

    /// Makes a model ready.
    pub fn load_with(operators: Operators, model: &ModelFile) -> Result<Self, EngineError> {
        // Beside the logit, what the gate looks at; a graph without it is for a gate that does not.
        let logit = model.graph().output.iter().map(|output| output.name.clone());
        let outputs: Vec<String> = logit.chain(model.features().map(str::to_owned)).collect();
        let metadata = model.metadata();
        let plan = TractPlan::new(operators, model.proto(), metadata.input_side, &outputs)?;
        let fitting = plan.channels(1).map(|channels| channels * FEATURE_CELLS);
        for detector in [&metadata.gate.features, &metadata.gate.familiar] {
            let weights = detector.weights.len();
            if weights > 0 && fitting != Some(weights) {
                let what =
                    format!("its gate has {weights} weights, which do not fit the features before its head");
                return Err(EngineError::Load { engine: operators.engine(), what });
            }
        }
        Ok(Self { plan, features: Vec::new(), ran: false })
    }
}

impl Engine for TractEngine {
    fn name(&self) -> &'static str {
        self.plan.engine
    }

    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
        self.ran = false;
        self.features.clear();
        let outputs = self.plan.run(input)?;
        if let Some(features) = outputs.get(1) {
            interleave(features, &mut self.features).map_err(|e| self.plan.failed(format!("{e:#}")))?;
        }
        let logit = outputs.first().context("no output").and_then(logit);
        let logit = logit.map_err(|e| self.plan.failed(format!("{e:#}")))?;
        self.ran = true;
        Ok(logit)
    }

    fn features(&self) -> Result<&[u8], EngineError> {
        if self.ran { Ok(&self.features) } else { Err(EngineError::NoFeatures { engine: self.plan.engine }) }
    }

    fn convolutions(&self) -> Option<&Convolutions> {
        self.plan.convolutions()
    }
}

/// A graph made ready, of which chosen values are computed; it need not be a whole model.
pub struct TractPlan {
    engine: &'static str,
    plan: Arc<TypedRunnableModel>,
    side: usize,
    convolutions: Option<Convolutions>,
    /// Kept from run to run for the memory in it; none before the first run and after one that
    /// failed.
    state: Option<TypedSimpleState>,
}

impl TractPlan {
    /// `side` is that of the graph's input, in pixels, `outputs` the names of the values to compute.
    pub fn new(
        operators: Operators,
        proto: &pb::ModelProto,
        side: u16,
        outputs: &[String],
    ) -> Result<Self, EngineError> {
        let engine = operators.engine();
        let error = |what| EngineError::Load { engine, what };
        let loaded = guarded(|| plan(operators, proto, outputs)).map_err(error)?;
        let (plan, convolutions) = loaded.map_err(|e| error(format!("{e:#}")))?;
        Ok(Self { engine, plan, side: usize::from(side), convolutions, state: None })
    }

    /// The chosen values of a picture of `side * side` bytes, in the order of their names.
    pub fn run(&mut self, input: &[u8]) -> Result<TVec<TValue>, EngineError> {
        let side = self.side;
        if input.len() != side * side {
            return Err(EngineError::Input { expected: side * side, got: input.len() });
        }
        // A run that fails takes its state with it: nothing half-done is there for the next one.
        let kept = self.state.take();
        let run = || {
            let mut state = kept.map_or_else(|| self.plan.spawn(), Ok)?;
            let outputs = state.run(tvec!(Tensor::from_shape(&[1, 1, side, side], input)?.into()))?;
            TractResult::Ok((state, outputs))
        };
        let ran = guarded(run).map_err(|what| self.failed(what))?;
        let (used, outputs) = ran.map_err(|e| self.failed(format!("{e:#}")))?;
        self.state = Some(used);
        Ok(outputs)
    }

    /// Which convolutions edge-core's kernels compute, as [`Engine::convolutions`].
    pub fn convolutions(&self) -> Option<&Convolutions> {
        self.convolutions.as_ref()
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

fn logit(tensor: &TValue) -> TractResult<f32> {
    match tensor.try_as_plain_ram()?.as_slice::<f32>()? {
        &[logit] => Ok(logit),
        all => bail!("the output is not one f32 but {}", all.len()),
    }
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
        let plan = &engine.plan.plan;
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
