//! What every kernel relies on in a convolution's numbers, and the logit in the head's: checked
//! once when a packed model is opened, and of the head before it is written.
//!
//! - Weights that fill up a block or a step are 0, as are the numbers of channels that are not
//!   there: a kernel may multiply them with whatever lies beside its input.
//! - No weight is -128, no accumulator reaches 2^24, none times its multiplier 2^22 (rules 2 and 8
//!   of the exact form).
//! - The bias for signed activations says the same as that for unsigned ones.
//!
//! A file that breaks one of them would give other bits with other kernels.

use super::MAX_FEATURES;
use crate::kernels::convolution::Convolution;
use crate::kernels::layout::{DEPTH, block_index, padded, tap_index};
use crate::kernels::pool::ClassifierHead;
use crate::kernels::{RequantParams, Shape, Window};

/// Rule 7 of the exact form: the sum over all features is a whole number below 2^24, and so is its
/// share of each position.
pub(super) fn check_head(head: &ClassifierHead) -> Result<(), &'static str> {
    if head.weights.is_empty() || head.weights.len() > MAX_FEATURES || !head.positions.is_power_of_two() {
        return Err("the size of the head");
    }
    let sum: u64 = head.weights.iter().map(|&w| u64::from(w.unsigned_abs())).sum();
    let finite = [head.step, head.scale, head.bias].iter().all(|n| n.is_finite());
    if sum * 255 * u64::from(head.positions) >= 1 << 24 || !finite || head.step <= 0.0 {
        return Err("the numbers of the head");
    }
    Ok(())
}

/// Rule 8 of the exact form, for an output whose weights add up to `magnitude`, signs apart, and
/// whose `bias` is that of the ONNX file.
pub(super) fn within_reach(magnitude: i64, x_zero: u8, bias: i64, multiplier: f32) -> bool {
    let largest = magnitude * i64::from(x_zero.max(255 - x_zero)) + bias.abs();
    largest < 1 << 24 && multiplier > 0.0 && largest as f32 * multiplier < (1 << 22) as f32
}

/// Which weight lies where in a layer.
pub(super) enum Form {
    /// Blocks; every kernel row is a step of which as many columns are there as the window has.
    SingleChannel,
    /// Blocks of that many groups.
    Blocks {
        groups: usize,
    },
    Taps,
}

/// Checks the numbers of a convolution over `x`, whose zero point is `x_zero`, with `outputs`
/// channels.
pub(super) fn check(
    form: &Form,
    (x, x_zero): (&Shape, u8),
    window: &Window,
    outputs: usize,
    weights: &[i8],
    channels: &RequantParams,
) -> Result<(), &'static str> {
    let [rows, columns] = window.kernel;
    let steps = columns.div_ceil(DEPTH) * DEPTH;
    let (inputs, row_length) = match form {
        Form::SingleChannel => (rows * DEPTH, DEPTH),
        Form::Blocks { groups } => {
            let depth = rows * columns * (x.channels / groups);
            (depth.div_ceil(DEPTH) * DEPTH, depth.div_ceil(DEPTH) * DEPTH)
        }
        Form::Taps => (rows * steps, steps),
    };
    // Inputs of a row of the kernel that are there.
    let present = match form {
        Form::SingleChannel | Form::Taps => columns,
        Form::Blocks { groups } => rows * columns * (x.channels / groups),
    };
    let is_output = |output: usize| match form {
        Form::Blocks { groups } => {
            let of_group = outputs / groups;
            output < Convolution::padded_outputs(outputs, *groups) && output % padded(of_group) < of_group
        }
        Form::SingleChannel | Form::Taps => output < outputs,
    };
    let index = |output: usize, input: usize| match form {
        Form::SingleChannel | Form::Blocks { .. } => block_index(output, input, inputs),
        Form::Taps => tap_index(output, input / steps, input % steps, x.channels, columns),
    };
    let numbers = channels.bias().iter().zip(channels.signed_bias()).zip(channels.multiplier());
    for (output, ((&bias, &signed_bias), &multiplier)) in numbers.enumerate() {
        let (mut sum, mut magnitude) = (0i64, 0i64);
        for input in 0..inputs {
            let weight = *weights.get(index(output, input)).ok_or("its weights")?;
            if weight == i8::MIN || (weight != 0 && !(is_output(output) && input % row_length < present)) {
                return Err("a weight");
            }
            sum += i64::from(weight);
            magnitude += i64::from(weight.unsigned_abs());
        }
        let (bias, signed_bias) = (i64::from(bias), i64::from(signed_bias));
        if signed_bias != bias + 128 * sum {
            return Err("a bias");
        }
        if !is_output(output) {
            if bias != 0 || multiplier != 0.0 {
                return Err("a number of a channel that is not there");
            }
            continue;
        }
        // The file's bias is the ONNX one minus the input's zero point times the sum of the weights.
        let of_onnx = bias + i64::from(x_zero) * sum;
        if !within_reach(magnitude, x_zero, of_onnx, multiplier) {
            return Err("the reach of an accumulator");
        }
    }
    Ok(())
}
