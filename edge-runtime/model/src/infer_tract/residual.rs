//! Residual sums of quantized values, which ONNX writes as DequantizeLinear, DequantizeLinear, Add,
//! QuantizeLinear: four passes in f32. Where all scales and zero points are the same it is one
//! saturating addition of bytes, with the same result: the float chain's rounding errors are far
//! below half a step.

use super::memory::Memory;
use edge_core::kernels::Kernels;
use edge_core::kernels::add::add;
use tract_core::ops::binary::TypedBinOp;
use tract_core::ops::element_wise::ElementWiseOp;
use tract_core::ops::math::Add;
use tract_core::ops::quant::{DequantizeLinearF32, QuantizeLinearU8};
use tract_onnx::tract_hir::internal::*;

pub fn fuse(model: &mut TypedModel, kernels: Kernels) -> TractResult<()> {
    let rule = move |_: &(), model: &TypedModel, node: &TypedNode, _: &str, op: &ElementWiseOp| {
        sum(kernels, model, node, op)
    };
    Rewriter::default().with_rule_for::<ElementWiseOp>("residual sum", rule).rewrite(&(), model)
}

/// The rule for the chain's last node.
fn sum(
    kernels: Kernels,
    model: &TypedModel,
    node: &TypedNode,
    op: &ElementWiseOp,
) -> TractResult<Option<TypedModelPatch>> {
    let Some(quantize) = op.0.downcast_ref::<QuantizeLinearU8>() else { return Ok(None) };
    let sum = model.node(node.inputs[0].node);
    let is_add = sum.op_as::<TypedBinOp>().is_some_and(|op| op.0.is::<Add>() && op.1.is_none());
    let (true, &[a, b]) = (is_add, &*sum.inputs) else { return Ok(None) };
    let mut inputs = TVec::new();
    for input in [a, b].map(|outlet| model.node(outlet.node)) {
        let Some(dequantize) = input.op_as::<DequantizeLinearF32>() else { return Ok(None) };
        let x = model.outlet_fact(input.inputs[0])?;
        if same_grid(dequantize, quantize)
            && x.datum_type == DatumType::U8
            && x.shape == node.outputs[0].fact.shape
        {
            inputs.push(input.inputs[0]);
        }
    }
    if inputs.len() != 2 || node.outputs[0].fact.shape.as_concrete().is_none() {
        return Ok(None);
    }
    let op = Sum { zero: quantize.zero_point, kernels };
    TypedModelPatch::replace_single_op(model, node, &inputs, op).map(Some)
}

/// Whether both have one scale and zero point; `quantize` holds the reciprocal of its scale. Scales
/// so small or large that the float chain overflows or loses digits are no grid.
fn same_grid(dequantize: &DequantizeLinearF32, quantize: &QuantizeLinearU8) -> bool {
    let scale = dequantize.scale;
    let sound = scale > 0.0 && scale.is_normal() && scale.recip().is_normal() && (scale * 1024.0).is_finite();
    sound && scale.recip() == quantize.scale && dequantize.zero_point == i32::from(quantize.zero_point)
}

/// `clamp(a + b - zero)` of bytes.
#[derive(Clone, Debug)]
struct Sum {
    zero: u8,
    kernels: Kernels,
}

impl PartialEq for Sum {
    fn eq(&self, other: &Self) -> bool {
        self.zero == other.zero && self.kernels.name() == other.kernels.name()
    }
}

impl Eq for Sum {}

impl Op for Sum {
    fn name(&self) -> StaticName {
        "ResidualSumByKernels".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Sum {
    not_out_of_plan!();

    fn state(&self, _: &EvalContext) -> TractResult<Option<Box<dyn OpState>>> {
        Ok(Some(Box::new(State::default())))
    }
}

impl TypedOp for Sum {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        match inputs {
            [a, b]
                if a.datum_type == DatumType::U8 && b.datum_type == DatumType::U8 && a.shape == b.shape =>
            {
                Ok(tvec!(DatumType::U8.fact(a.shape.clone())))
            }
            _ => bail!("expected two values of bytes of one shape, got {inputs:?}"),
        }
    }

    fn axes_mapping(&self, inputs: &[&TypedFact], outputs: &[&TypedFact]) -> TractResult<AxesMapping> {
        AxesMapping::natural(inputs, outputs)
    }

    /// Any order of axes will do, so permutations pass through.
    fn change_axes(
        &self,
        model: &TypedModel,
        node: &TypedNode,
        _: InOut,
        change: &AxisOp,
    ) -> TractResult<Option<AxisChangeConsequence>> {
        Ok(Some(AxisChangeConsequence::new(model, node, None, change)))
    }

    as_op!();
}

/// What a sum keeps from one run to the next: memory only.
#[derive(Clone, Debug, Default)]
struct State {
    output: Memory,
}

impl OpState for State {
    fn eval(&mut self, _: &EvalContext, op: &dyn Op, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let op = op.downcast_ref::<Sum>().context("expected the operator that made this state")?;
        let (a, b) = args_2!(inputs);
        let y = self.output.write(DatumType::U8, a.shape(), |y| {
            ensure!(y.len() == a.as_bytes().len(), "expected {} bytes, got {}", y.len(), a.as_bytes().len());
            y.copy_from_slice(a.as_bytes());
            Ok(add(&op.kernels, b.as_bytes(), y, op.zero)?)
        })?;
        Ok(tvec!(y))
    }

    fn reset_lanes(&mut self, _: &[LaneId]) -> TractResult<()> {
        Ok(())
    }
}
