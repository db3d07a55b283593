//! From an ONNX QLinearConv to the numbers that the kernels read, or the reason why they do not
//! cover it.

use super::numbers::{Batch, Form, PackedConvolution, SIGN};
use edge_core::kernels::convolution::Convolution;
use edge_core::kernels::depthwise::Depthwise;
use edge_core::kernels::layout::{self, DEPTH};
use edge_core::kernels::single_channel::SingleChannelConv;
use edge_core::kernels::{Shape, WeightBits, Window};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::ops::cnn::Conv;

/// Rows of the input that a row kernel may hold; a convolution that needs more gathers its windows
/// instead.
const MOST_SCRATCH: usize = 1 << 24;
/// Kernels round exactly below this many steps of the output (edge-core's contract for kernel
/// sets).
const MOST_STEPS: f64 = (1 << 22) as f64;
const NO_FIT: &str = "its window does not fit the input";

/// Why tract's own operator computes a convolution.
type Reason = String;

/// Converts one node: `facts` are those of its inputs, `conv` holds its attributes and which input
/// is what.
pub fn convert(conv: &Conv, facts: &[&TypedFact]) -> Result<Batch, Reason> {
    let input = |index: Option<usize>, what: &str| {
        index.and_then(|i| facts.get(i)).copied().ok_or_else(|| format!("it has no {what}"))
    };
    let x = input(Some(0), "input")?;
    let named = |index: Option<usize>, what: &'static str| {
        input(index, what).and_then(|fact| constant(fact, what)).map(|tensor| (tensor, what))
    };
    let weights_tensor = named(conv.k_input, "weights")?;
    let (weights, weights_signed) = signed(weights_tensor)?;
    let (w_zero, _) = signed(named(conv.k_zero_point_input, "w_zero_point")?)?;
    let (x_zero, x_signed) = zero_point(named(conv.x_zero_point_input, "x_zero_point")?)?;
    let (y_zero, y_signed) = zero_point(named(conv.y_zero_point_input, "y_zero_point")?)?;
    let w_scale = numbers::<f32>(named(conv.k_scale_input, "w_scale")?)?;
    let x_scale = scalar(named(conv.x_scale_input, "x_scale")?)?;
    let y_scale = scalar(named(conv.y_scale_input, "y_scale")?)?;

    let sizes = x.shape.as_concrete().ok_or("the size of its input is not fixed")?;
    let (&[pictures, channels, height, width], &[outputs, per_group, kh, kw]) =
        (sizes, weights_tensor.0.shape())
    else {
        return Err("it has other than two spatial axes".to_owned());
    };
    let groups = conv.group.unwrap_or(1);
    if per_group.checked_mul(groups) != Some(channels) || outputs % groups.max(1) != 0 {
        return Err(format!("{groups} groups do not fit {channels} channels and {outputs} outputs"));
    }
    let bias = match conv.bias_input {
        Some(_) => numbers::<i32>(named(conv.bias_input, "bias")?)?.to_vec(),
        None => vec![0; outputs],
    };
    if bias.len() != outputs || ![1, outputs].contains(&w_scale.len()) {
        return Err(format!("bias or w_scale is not of {outputs} channels"));
    }
    if w_zero.iter().any(|&zero| zero != 0) {
        return Err(format!("w_zero_point is not {}", if weights_signed { 0 } else { 128 }));
    }
    if weights.contains(&i8::MIN) {
        return Err(format!("a weight is {}", if weights_signed { -128 } else { 0 }));
    }
    let window = window(conv, [height, width], [kh, kw])?;
    let [out_height, out_width] = window.output(height, width).ok_or(NO_FIT)?;
    if [pictures, channels, height, width, outputs].contains(&0) {
        return Err("its input or output is empty".to_owned());
    }
    let numbers = PackedConvolution::pack(&Plain {
        shape: Shape { height, width, channels },
        window,
        groups,
        output: Shape { height: out_height, width: out_width, channels: outputs },
        weights: &weights,
        bias: &bias,
        x_scale,
        w_scale,
        y_scale,
        x_zero,
        y_zero,
    })?;
    Ok(Batch { numbers, pictures, x_signed, y_signed })
}

/// A convolution's numbers as in the file, weights `[output, channel of its group, row, column]`.
struct Plain<'a> {
    shape: Shape,
    window: Window,
    groups: usize,
    output: Shape,
    weights: &'a [i8],
    bias: &'a [i32],
    x_scale: f32,
    w_scale: &'a [f32],
    y_scale: f32,
    x_zero: u8,
    y_zero: u8,
}

impl Plain<'_> {
    fn form(&self) -> Form {
        let (shape, window, outputs) = (&self.shape, &self.window, self.output.channels);
        let rows_fit = |bytes: Option<usize>| bytes.is_some_and(|bytes| bytes <= MOST_SCRATCH);
        if *window == Window::POINT && self.groups == 1 {
            Form::Pointwise
        } else if SingleChannelConv::covers(shape, window)
            && rows_fit(SingleChannelConv::scratch(shape, window))
        {
            Form::SingleChannel
        } else if self.groups == shape.channels
            && self.groups == outputs
            && Depthwise::covers(window)
            && rows_fit(Depthwise::scratch(shape, window))
        {
            Form::Depthwise
        } else {
            Form::General
        }
    }

    /// The weight of an output for a channel of its group.
    fn weight(&self, output: usize, channel: usize, row: usize, column: usize) -> i8 {
        let [kh, kw] = self.window.kernel;
        let per_group = self.shape.channels / self.groups;
        self.weights.get(((output * per_group + channel) * kh + row) * kw + column).copied().unwrap_or(0)
    }

    /// Bias with the input's zero point folded in, bias for signed activations, multiplier; or why
    /// they are too large.
    fn channel(&self, output: usize) -> Result<(i32, i32, f32), Reason> {
        let count = self.weights.len() / self.output.channels;
        let weights = self.weights.iter().skip(output * count).take(count).map(|&w| i64::from(w));
        let (positive, negative) =
            weights.fold((0, 0), |(p, n), w| if w > 0 { (p + w, n) } else { (p, n + w) });
        let zero = i64::from(self.x_zero);
        let file_bias = self.bias.get(output).copied().map_or(0, i64::from);
        let bias = file_bias - zero * (positive + negative);
        let (low, high) = (bias + 255 * negative, bias + 255 * positive);
        if low < i64::from(i32::MIN) || high > i64::from(i32::MAX) {
            return Err("an accumulator may leave 32 bits".to_owned());
        }
        let w_scale = self.w_scale.get(output).or(self.w_scale.first()).copied().unwrap_or(f32::NAN);
        let multiplier = (self.x_scale * w_scale) / self.y_scale;
        if !multiplier.is_normal() || multiplier < 0.0 {
            return Err("its scales give no usable multiplier".to_owned());
        }
        if low.abs().max(high.abs()) as f64 * f64::from(multiplier) >= MOST_STEPS {
            return Err("an accumulator may be too many steps of the output".to_owned());
        }
        // The accumulator's sum is within 32 bits, so where it starts may wrap.
        Ok((bias as i32, (bias + 128 * (positive + negative)) as i32, multiplier))
    }
}

impl PackedConvolution {
    fn pack(plain: &Plain) -> Result<Self, Reason> {
        let &Plain { shape, window, groups, output, x_zero, y_zero, .. } = plain;
        let (form, outputs, [kh, kw]) = (plain.form(), output.channels, window.kernel);
        let weights = match form {
            Form::Pointwise => blocks(outputs, shape.channels, |o, c| plain.weight(o, c, 0, 0))?,
            Form::SingleChannel => blocks(outputs, kh * DEPTH, |o, input| {
                let column = input % DEPTH;
                if column < kw { plain.weight(o, 0, input / DEPTH, column) } else { 0 }
            })?,
            Form::Depthwise => {
                let mut taps = vec![0; layout::tap_bytes(outputs, window.kernel).ok_or_else(too_large)?];
                layout::write_taps(outputs, window.kernel, &mut taps, |o, row, column| {
                    plain.weight(o, 0, row, column)
                });
                taps
            }
            Form::General => {
                let channels = shape.channels / groups;
                let rows = Convolution::padded_outputs(outputs, groups);
                blocks(rows, kh * kw * channels, |row, input| {
                    let (tap, channel) = (input / channels, input % channels);
                    let weight = |o| plain.weight(o, channel, tap / kw, tap % kw);
                    output_of(row, outputs, groups).map_or(0, weight)
                })?
            }
        };
        let rows = match form {
            Form::General => Convolution::padded_outputs(outputs, groups),
            _ => outputs,
        };
        let mut packed = Self {
            form,
            shape,
            window,
            groups,
            output,
            rows,
            weight_bits: WeightBits::of(&weights),
            weights,
            bias: Vec::new(),
            signed_bias: Vec::new(),
            multiplier: Vec::new(),
            x_zero,
            y_zero,
        };
        for row in 0..layout::padded(rows) {
            let channel = match form {
                Form::General => output_of(row, outputs, groups),
                _ => (row < outputs).then_some(row),
            };
            let (bias, signed_bias, multiplier) =
                channel.map_or(Ok((0, 0, 0.0)), |output| plain.channel(output))?;
            packed.bias.push(bias);
            packed.signed_bias.push(signed_bias);
            packed.multiplier.push(multiplier);
        }
        Ok(packed)
    }
}

fn too_large() -> Reason {
    "its weights are too large".to_owned()
}

fn blocks(outputs: usize, depth: usize, weight: impl Fn(usize, usize) -> i8) -> Result<Vec<i8>, Reason> {
    let mut to = vec![0; layout::block_bytes(outputs, depth).ok_or_else(too_large)?];
    layout::write_blocks(outputs, depth, &mut to, weight);
    Ok(to)
}

/// The output in a row of a general convolution's matrix, where each group is filled up to whole
/// blocks.
fn output_of(row: usize, outputs: usize, groups: usize) -> Option<usize> {
    let of_group = outputs / groups;
    let padded = layout::padded(of_group);
    let (group, output) = (row / padded, row % padded);
    (group < groups && output < of_group).then_some(group * of_group + output)
}

/// The window with its padding worked out.
fn window(conv: &Conv, input: [usize; 2], kernel: [usize; 2]) -> Result<Window, Reason> {
    let pair = |values: &Option<TVec<usize>>, what: &str| match values.as_deref() {
        None => Ok([1, 1]),
        Some(&[a, b]) if a > 0 && b > 0 => Ok([a, b]),
        Some(other) => Err(format!("its {what} are {other:?}")),
    };
    let (stride, dilation) = (pair(&conv.strides, "strides")?, pair(&conv.dilations, "dilations")?);
    if kernel.contains(&0) {
        return Err("its kernel is empty".to_owned());
    }
    let computed = conv.padding.compute(&input, &kernel, &dilation, &stride);
    let [y, x] = &*computed else { return Err("its padding is not of two axes".to_owned()) };
    let window = Window {
        kernel,
        stride,
        dilation,
        before: [y.pad_before, x.pad_before],
        after: [y.pad_after, x.pad_after],
    };
    // Where the padding is more than a last window needs, both must still mean the same output.
    if window.output(input[0], input[1]) != Some([y.convoluted, x.convoluted]) {
        return Err(NO_FIT.to_owned());
    }
    Ok(window)
}

fn constant<'f>(fact: &'f TypedFact, what: &str) -> Result<&'f Tensor, Reason> {
    fact.konst.as_deref().ok_or_else(|| format!("{what} is not constant"))
}

fn numbers<'a, T: Datum>((tensor, what): (&'a Tensor, &str)) -> Result<&'a [T], Reason> {
    let values = tensor.try_as_plain_ram().and_then(|plain| plain.as_slice::<T>());
    values.map_err(|_| format!("{what} is of {:?}", tensor.datum_type()))
}

fn scalar((tensor, what): (&Tensor, &str)) -> Result<f32, Reason> {
    match numbers::<f32>((tensor, what))? {
        &[value] => Ok(value),
        several => Err(format!("{what} has {} values", several.len())),
    }
}

/// Weights, or their zero points, as signed numbers: unsigned ones minus 128. And whether they were
/// signed.
fn signed((tensor, what): (&Tensor, &str)) -> Result<(Vec<i8>, bool), Reason> {
    if tensor.datum_type() == DatumType::U8 {
        let values = numbers::<u8>((tensor, what))?;
        return Ok((values.iter().map(|&v| (v ^ SIGN) as i8).collect(), false));
    }
    Ok((numbers::<i8>((tensor, what))?.to_vec(), true))
}

/// The zero point of activations as an unsigned number: a signed one plus 128. And whether it was
/// signed.
fn zero_point((tensor, what): (&Tensor, &str)) -> Result<(u8, bool), Reason> {
    let (values, is_signed) = signed((tensor, what))?;
    match &*values {
        &[value] => Ok((value as u8 ^ SIGN, is_signed)),
        several => Err(format!("{what} has {} values", several.len())),
    }
}
