//! QLinearConv inside tract, computed by edge-core's kernels.
//!
//! tract reads an ONNX node into an operator that expands into typed ones once all sizes are known.
//! [`take_over`] replaces its QLinearConv by one that expands into a permutation to NHWC,
//! [`Convolve`], and a permutation back; tract's optimiser cancels the permutations between
//! neighbours. What [`convert`] refuses expands as it always did.

use super::convert::convert;
use super::memory::Memory;
use super::numbers::Batch;
use crate::engine::{Convolutions, Fallback};
use edge_core::kernels::{Kernels, Shape};
use std::sync::{Arc, Mutex, PoisonError};
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::cnn::Conv;

/// What was decided for each convolution while the graph was expanded.
pub type SharedConvolutions = Arc<Mutex<Convolutions>>;

/// Replaces tract's QLinearConv operators in a graph that was just parsed from `proto`.
///
/// tract's register of operators takes plain functions, which cannot carry the kernels to use; so
/// what the register made is replaced here.
pub fn take_over(graph: &mut InferenceModel, kernels: Kernels) -> SharedConvolutions {
    let ledger = SharedConvolutions::new(Mutex::new(Convolutions::new(kernels.name())));
    for node in &mut graph.nodes {
        let expansion = node.op_as::<Box<dyn Expansion>>();
        let Some(conv) = expansion.and_then(|op| (**op).as_any().downcast_ref::<Conv>()) else { continue };
        // Conv and ConvInteger have no scale of their output.
        if conv.y_scale_input.is_some() {
            // ONNX may name no bias by an empty name, which tract counts as one.
            let bias_input = conv.bias_input.filter(|&input| input < node.inputs.len());
            let conv = Conv { bias_input, ..conv.clone() };
            node.op = expand(QLinearConv { conv, kernels, ledger: ledger.clone() });
        }
    }
    ledger
}

/// The ONNX operator: tract's own, and what it becomes where the kernels cover it.
#[derive(Clone, Debug)]
struct QLinearConv {
    conv: Conv,
    kernels: Kernels,
    ledger: SharedConvolutions,
}

impl Expansion for QLinearConv {
    fn name(&self) -> StaticName {
        "QLinearConv".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        self.conv.rules(solver, inputs, outputs)
    }

    /// Only the graph itself is expanded, so that the ledger has every node once.
    fn runs_out_of_plan(&self) -> bool {
        false
    }

    fn wire(&self, name: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let facts = inputs.iter().map(|&input| model.outlet_fact(input));
        let converted = convert(&self.conv, &facts.collect::<TractResult<TVec<_>>>()?);
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        match converted {
            Ok(batch) => {
                ledger.by_kernels.push(name.to_owned());
                let op = Convolve { batch: Arc::new(batch), kernels: self.kernels };
                let x = model.wire_node(format!("{name}.nhwc"), AxisOp::Move(1, 3), &inputs[..1])?;
                let y = model.wire_node(format!("{name}.kernels"), op, &x)?;
                model.wire_node(name, AxisOp::Move(3, 1), &y)
            }
            Err(reason) => {
                ledger.by_tract.push(Fallback { node: name.to_owned(), reason });
                self.conv.wire(name, model, inputs)
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Convolve {
    batch: Arc<Batch>,
    kernels: Kernels,
}

impl Convolve {
    fn input(&self) -> (DatumType, [usize; 4]) {
        value(self.batch.pictures, &self.batch.numbers.shape, self.batch.x_signed)
    }

    fn output(&self) -> (DatumType, [usize; 4]) {
        value(self.batch.pictures, &self.batch.numbers.output, self.batch.y_signed)
    }
}

fn value(pictures: usize, shape: &Shape, signed: bool) -> (DatumType, [usize; 4]) {
    let kind = if signed { DatumType::I8 } else { DatumType::U8 };
    (kind, [pictures, shape.height, shape.width, shape.channels])
}

/// The very same numbers, not equal ones: to compare them all would take longer than it could save.
impl PartialEq for Convolve {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.batch, &other.batch)
    }
}

impl Eq for Convolve {}

impl Op for Convolve {
    fn name(&self) -> StaticName {
        "QLinearConvByKernels".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("{:?}, {:?}", self.batch.numbers.form, self.kernels)])
    }

    op_as_typed_op!();
}

impl EvalOp for Convolve {
    not_out_of_plan!();

    fn state(&self, _: &EvalContext) -> TractResult<Option<Box<dyn OpState>>> {
        let scratch = vec![0; self.batch.scratch()];
        Ok(Some(Box::new(State { output: Memory::default(), scratch })))
    }
}

impl TypedOp for Convolve {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let (kind, sizes) = self.input();
        match inputs {
            [x] if x.datum_type == kind && x.shape.as_concrete() == Some(&sizes) => {
                let (kind, sizes) = self.output();
                Ok(tvec!(kind.fact(sizes)))
            }
            _ => bail!("expected {kind:?} {sizes:?}, got {inputs:?}"),
        }
    }

    as_op!();
}

/// What a convolution keeps from one run to the next: memory only.
#[derive(Clone, Debug)]
struct State {
    output: Memory,
    scratch: Vec<u8>,
}

impl OpState for State {
    fn eval(&mut self, _: &EvalContext, op: &dyn Op, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let op = op.downcast_ref::<Convolve>().context("expected the operator that made this state")?;
        let x = args_1!(inputs);
        let (kind, sizes) = op.output();
        let y = self
            .output
            .write(kind, &sizes, |y| Ok(op.batch.run(&op.kernels, x.as_bytes(), y, &mut self.scratch)?))?;
        Ok(tvec!(y))
    }

    fn reset_lanes(&mut self, _: &[LaneId]) -> TractResult<()> {
        Ok(())
    }
}
