//! Chooses how each layer of a network is computed, checks every rule, and plans the arena: what is
//! decided before a byte is written.

use super::format::kind;
use super::numbers;
use super::plan::{Plan, Step, plan};
use super::{MAX_FEATURES, MAX_LAYERS, Network, NetworkLayer, NetworkValue, WriteError};
use crate::kernels::Window;
use crate::kernels::convolution::Convolution;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::layout::{self, DEPTH};
use crate::kernels::single_channel::SingleChannelConv;
use crate::preprocess;
use heapless::Vec;

/// How a layer is computed, and how large what it needs is.
pub(super) struct Form {
    pub kind: u16,
    /// Rows of the channels' numbers.
    pub rows: usize,
    /// Bytes of weights in the kernels' layout.
    pub weights: usize,
    /// Bytes of scratch memory.
    pub scratch: usize,
    /// Whether the output may overwrite an input.
    pub in_place: bool,
}

const TOO_LARGE: &str = "it is larger than 2 GB";

pub(super) fn arrange(network: &Network) -> Result<(Vec<Form, MAX_LAYERS>, Plan), WriteError> {
    let whole = |what| WriteError::Network { what };
    let (mut forms, mut steps) = (Vec::new(), Vec::<Step, MAX_LAYERS>::new());
    if network.layers.is_empty() || network.values.len() != network.layers.len() + 1 {
        return Err(whole("expected a value for the input and one for each layer"));
    }
    for (index, (net_layer, output)) in network.layers.iter().zip(network.values.iter().skip(1)).enumerate() {
        let wrong = |what| WriteError::Layer { layer: index, what };
        if net_layer.inputs().iter().any(|&input| input > index) {
            return Err(wrong("it reads a value that is not made before it"));
        }
        let form = form(network, net_layer, output).map_err(wrong)?;
        let step = Step {
            inputs: net_layer.inputs(),
            output: output.shape.checked_bytes().ok_or(wrong("its output is empty or too large"))?,
            scratch: form.scratch,
            in_place: form.in_place,
        };
        let fits = steps.push(step).is_ok() && forms.push(form).is_ok();
        if !fits {
            return Err(whole("it has too many layers"));
        }
    }
    let none = whole("it has no values");
    let features = network.values.last().ok_or(none)?.shape.channels;
    if network.head.weights.len() != features || features > MAX_FEATURES {
        return Err(whole("expected one head weight a channel of the last value, at most 256"));
    }
    numbers::check_head(&network.head).map_err(whole)?;
    let largest = network.values.iter().flat_map(|v| [v.shape.height, v.shape.width, v.shape.channels]).max();
    if largest.is_none_or(|n| n > usize::from(u16::MAX)) {
        return Err(whole("a value is larger than 65,535 along an axis"));
    }
    let side = network.metadata.input_side;
    let input = network.values.first().ok_or(none)?.shape.checked_bytes();
    let input = input.ok_or(whole("its input is empty or too large"))?;
    let plan =
        plan(input, preprocess::scratch_bytes(side), &steps).ok_or(whole("the arena cannot be planned"))?;
    Ok((forms, plan))
}

fn form(network: &Network, net_layer: &NetworkLayer, output: &NetworkValue) -> Result<Form, &'static str> {
    let value = |at: usize| network.values.get(at).ok_or("it reads a value that is not there");
    let NetworkLayer::Convolution { input, window, groups, weights, biases, multipliers } = net_layer else {
        for input in net_layer.inputs() {
            let v = value(input)?;
            if (v.shape, v.zero) != (output.shape, output.zero) || v.scale != output.scale {
                return Err("an addition's values must share shape, scale and zero point");
            }
        }
        let [a, b] = net_layer.inputs();
        return Ok(Form { kind: kind::ADD, rows: 0, weights: 0, scratch: 0, in_place: a != b });
    };
    let (x, outputs) = (value(*input)?, output.shape.channels);
    let shape = &x.shape;
    if *groups == 0 || shape.channels % groups != 0 || outputs % groups != 0 || outputs == 0 {
        return Err("its groups do not divide its channels");
    }
    let size = window.output(shape.height, shape.width).ok_or("its window does not fit its input")?;
    if size != [output.shape.height, output.shape.width] {
        return Err("its output has another size than its window gives");
    }
    let fan_in = Convolution::fan_in(shape, window, *groups).ok_or(TOO_LARGE)?;
    if Some(weights.len()) != outputs.checked_mul(fan_in)
        || biases.len() != outputs
        || multipliers.len() != outputs
    {
        return Err("weights, biases and multipliers do not fit its channels");
    }
    check_numbers(x.zero, fan_in, weights, biases, multipliers)?;
    Ok(if *groups == 1 && SingleChannelConv::covers(shape, window) {
        let weights = layout::block_bytes(outputs, window.kernel[0] * DEPTH).ok_or(TOO_LARGE)?;
        Form {
            kind: kind::SINGLE_CHANNEL,
            rows: outputs,
            weights,
            scratch: SingleChannelConv::scratch(shape, window).ok_or(TOO_LARGE)?,
            in_place: false,
        }
    } else if *groups == 1 && *window == Window::POINT {
        let weights = layout::block_bytes(outputs, shape.channels).ok_or(TOO_LARGE)?;
        Form { kind: kind::POINTWISE, rows: outputs, weights, scratch: 0, in_place: false }
    } else if *groups == shape.channels && outputs == shape.channels && Depthwise::covers(window) {
        Form {
            kind: kind::DEPTHWISE,
            rows: outputs,
            weights: layout::tap_bytes(outputs, window.kernel).ok_or(TOO_LARGE)?,
            scratch: Depthwise::scratch(shape, window).ok_or(TOO_LARGE)?,
            in_place: Depthwise::in_place(shape, window),
        }
    } else {
        Form {
            kind: kind::CONVOLUTION,
            rows: Convolution::padded_outputs(outputs, *groups),
            weights: Convolution::weight_bytes(shape, window, outputs, *groups).ok_or(TOO_LARGE)?,
            scratch: Convolution::scratch(shape, window, *groups).ok_or(TOO_LARGE)?,
            in_place: false,
        }
    })
}

/// Rules 2 and 8 of the exact form: what lets every kernel count without a check.
fn check_numbers(
    x_zero: u8,
    fan_in: usize,
    weights: &[i8],
    biases: &[i32],
    multipliers: &[f32],
) -> Result<(), &'static str> {
    for ((row, &bias), &multiplier) in weights.chunks(fan_in.max(1)).zip(biases).zip(multipliers) {
        if row.contains(&-128) {
            return Err("a weight of -128 (rule 2 of the exact form)");
        }
        let magnitude: i64 = row.iter().map(|w| i64::from(w.unsigned_abs())).sum();
        if !numbers::within_reach(magnitude, x_zero, bias.into(), multiplier) {
            return Err("an accumulator could reach 2^24, or 2^22 when scaled (rule 8 of the exact form)");
        }
    }
    Ok(())
}
