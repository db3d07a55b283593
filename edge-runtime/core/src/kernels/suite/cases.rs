//! One random case of each operator: drawn, computed by the kernels and plainly, compared.

use super::memory::Memory;
use super::reference::Reference;
use super::rng::Rng;
use crate::kernels::convolution::Convolution;
use crate::kernels::depthwise::{Depthwise, Places};
use crate::kernels::layout::{self, padded};
use crate::kernels::pointwise::Pointwise;
use crate::kernels::pool::{self, ClassifierHead};
use crate::kernels::single_channel::SingleChannelConv;
use crate::kernels::{
    Kernels, NARROW_MAX, RequantParams, Shape, ShapeMismatch, WeightBits, Weights, Window, add as addition,
};

/// Where, what was expected, what came.
type Difference = (usize, i64, i64);
type Outcome = Result<(), Difference>;

/// What is tested.
pub(super) struct Subject {
    pub kernels: Kernels,
    /// Whether all weights are said to have 7 bits.
    pub mislabelled: bool,
}

impl Subject {
    fn weights<'a>(&self, values: &'a [i8]) -> Weights<'a> {
        let bits = if self.mislabelled { WeightBits::Seven } else { WeightBits::of(values) };
        Weights { values, bits }
    }
}

const UNTOUCHED: u8 = 0xA5;

fn refused(_: ShapeMismatch) -> Difference {
    (usize::MAX, 0, 0)
}

/// A size of a case, which is never too large.
fn sized(bytes: Option<usize>) -> Result<usize, Difference> {
    bytes.ok_or((usize::MAX, 0, 0))
}

fn compare(expected: &[u8], got: &[u8]) -> Outcome {
    match expected.iter().zip(got).position(|(a, b)| a != b) {
        None if expected.len() == got.len() => Ok(()),
        None => Err((expected.len().min(got.len()), expected.len() as i64, got.len() as i64)),
        Some(at) => Err((at, expected[at].into(), got[at].into())),
    }
}

/// The end of a memory, so that reading on is reading beyond it.
fn tail<T>(memory: &mut [T], length: usize) -> &mut [T] {
    let from = memory.len() - length;
    &mut memory[from..]
}

/// Fills input, weights and the channels' numbers. `row(output)` is where an output's numbers lie
/// in the packed order.
fn draw(rng: &mut Rng, m: &mut Memory, case: &Case, row: impl Fn(usize) -> usize) {
    let (fan_in, count) = (case.fan_in(), case.outputs);
    let (x_zero, size) = (case.x_zero, case.shape.bytes());
    let x_from = m.x.len() - size;
    rng.bytes(&mut m.x[x_from..]);
    rng.weights(&mut m.onnx[..fan_in * count], case.most);
    m.multipliers.fill(0.0);
    m.biases.iter_mut().for_each(|b| b.fill(0));
    let largest = (fan_in * 127 * 255) as f32;
    for output in 0..count {
        let sum: i32 = m.onnx[output * fan_in..][..fan_in].iter().map(|&w| i32::from(w)).sum();
        let bias = rng.range(0, 20_000) as i32 - 10_000;
        let at = row(output);
        m.biases[0][output] = bias;
        m.biases[1][at] = bias - i32::from(x_zero) * sum;
        m.biases[2][at] = bias - i32::from(x_zero) * sum + 128 * sum;
        m.multipliers[at] = rng.multiplier(largest + 10_000.0);
    }
}

struct Case {
    shape: Shape,
    window: Window,
    outputs: usize,
    groups: usize,
    x_zero: u8,
    y_zero: u8,
    /// The largest weight: of 7 bits, or of 8.
    most: i8,
}

impl Case {
    fn new(rng: &mut Rng, shape: Shape, window: Window, outputs: usize, groups: usize) -> Self {
        let x_zero = rng.pick(&[0, 128, 255, 3], 0);
        let y_zero = rng.pick(&[0, 128, 255, 77], 0);
        let most = rng.pick(&[NARROW_MAX, 127], 127);
        Self { shape, window, outputs, groups, x_zero, y_zero, most }
    }

    fn fan_in(&self) -> usize {
        self.window.kernel[0] * self.window.kernel[1] * self.shape.channels / self.groups
    }

    /// The plain computation, into `m.expected`; returns its length.
    fn expect(&self, m: &mut Memory, multipliers: &[f32]) -> usize {
        let [height, width] = self.window.output(self.shape.height, self.shape.width).unwrap_or([0, 0]);
        let reference = Reference {
            shape: self.shape,
            window: self.window,
            outputs: self.outputs,
            groups: self.groups,
            weights: m.onnx,
            biases: m.biases[0],
            multipliers,
            x_zero: self.x_zero,
            y_zero: self.y_zero,
        };
        reference.run(&m.x[m.x.len() - self.shape.bytes()..], m.expected);
        height * width * self.outputs
    }
}

fn channels<'a>(
    biases: &'a [&mut [i32]; 3],
    multipliers: &'a [f32],
    rows: usize,
    zero: u8,
) -> Result<RequantParams<'a>, Difference> {
    let n = padded(rows);
    RequantParams::new(rows, &biases[1][..n], &biases[2][..n], &multipliers[..n], zero).map_err(refused)
}

pub(super) fn pointwise(subject: &Subject, rng: &mut Rng, m: &mut Memory) -> Outcome {
    // Mostly of the sizes that networks have, sometimes deep.
    let (widest, deepest, most) = rng.pick(&[(37, 100, 100), (37, 100, 100), (9, 600, 32)], (1, 1, 1));
    let shape = Shape { height: 1, width: rng.range(1, widest), channels: rng.range(1, deepest) };
    let outputs = rng.range(1, most);
    let case = Case::new(rng, shape, Window::POINT, outputs, 1);
    draw(rng, m, &case, |o| o);
    let plain = gather(m, outputs, |o| o);
    let depth = shape.channels;
    let onnx = &*m.onnx;
    let size = sized(layout::block_bytes(outputs, depth))?;
    layout::write_blocks(outputs, depth, tail(m.packed, size), |o, i| onnx[o * depth + i]);
    let expected = case.expect(m, &plain[..outputs]);
    // Outputs a little apart, as those of a group are.
    let stride = outputs + rng.range(0, 3);
    let length = (shape.width - 1) * stride + outputs;
    m.y.fill(UNTOUCHED);
    let numbers = channels(&m.biases, m.multipliers, outputs, case.y_zero)?;
    let op =
        Pointwise::new(depth, outputs, subject.weights(tail(m.packed, size)), numbers).map_err(refused)?;
    let x = &m.x[m.x.len() - shape.bytes()..];
    op.run(&subject.kernels, x, depth, &mut m.y[..length], stride).map_err(refused)?;
    let pixels = m.expected[..expected].chunks(outputs).zip(m.y.chunks(stride));
    for (pixel, (expected, got)) in pixels.enumerate() {
        compare(expected, &got[..outputs]).map_err(|(at, e, g)| (pixel * stride + at, e, g))?;
        if let Some(at) = got[outputs..].iter().position(|&b| b != UNTOUCHED) {
            return Err((pixel * stride + outputs + at, UNTOUCHED.into(), got[outputs + at].into()));
        }
    }
    compare(&[UNTOUCHED; 64], &m.y[length..][..64])
}

/// The multipliers in the order of outputs.
fn gather(m: &Memory, outputs: usize, row: impl Fn(usize) -> usize) -> [f32; Memory::CHANNELS] {
    let mut plain = [0.0; Memory::CHANNELS];
    for (output, multiplier) in plain.iter_mut().enumerate().take(outputs) {
        *multiplier = m.multipliers[row(output)];
    }
    plain
}

fn window(rng: &mut Rng, kernel: [usize; 2], strides: usize, dilations: usize) -> Window {
    let mut up_to = |n: usize| rng.range(0, n);
    let (before, after) = ([up_to(2), up_to(2)], [up_to(2), up_to(2)]);
    let (stride, dilation) =
        ([1 + up_to(strides - 1), 1 + up_to(strides - 1)], [1 + up_to(dilations - 1), 1]);
    Window { kernel, stride, dilation: [dilation[0], 1 + up_to(dilations - 1)], before, after }
}

pub(super) fn single_channel(subject: &Subject, rng: &mut Rng, m: &mut Memory) -> Outcome {
    let shape = Shape { height: rng.range(4, 18), width: rng.range(4, 40), channels: 1 };
    let kernel = if rng.range(0, 3) > 0 { [3, 3] } else { [rng.range(1, 4), rng.range(1, 4)] };
    let window = window(rng, kernel, 2, 1);
    let outputs = rng.range(1, 24);
    let case = Case::new(rng, shape, window, outputs, 1);
    draw(rng, m, &case, |o| o);
    let depth = kernel[0] * layout::DEPTH;
    let size = sized(layout::block_bytes(outputs, depth))?;
    let onnx = &*m.onnx;
    layout::write_blocks(outputs, depth, tail(m.packed, size), |o, i| {
        let (row, column) = (i / layout::DEPTH, i % layout::DEPTH);
        if column < kernel[1] { onnx[(o * kernel[0] + row) * kernel[1] + column] } else { 0 }
    });
    let plain = gather(m, outputs, |o| o);
    let expected = case.expect(m, &plain[..outputs]);
    m.y.fill(UNTOUCHED);
    let numbers = channels(&m.biases, m.multipliers, outputs, case.y_zero)?;
    let op = SingleChannelConv::new(
        shape,
        window,
        outputs,
        subject.weights(tail(m.packed, size)),
        numbers,
        case.x_zero,
    )
    .map_err(refused)?;
    let scratch = tail(m.scratch, sized(SingleChannelConv::scratch(&shape, &window))?);
    op.run(&subject.kernels, &m.x[m.x.len() - shape.bytes()..], m.y, scratch).map_err(refused)?;
    compare(&m.expected[..expected], &m.y[..expected])?;
    compare(&[UNTOUCHED; 64], &m.y[expected..][..64])
}

pub(super) fn convolution(subject: &Subject, rng: &mut Rng, m: &mut Memory) -> Outcome {
    let groups = rng.pick(&[1, 1, 2, 3], 1);
    let shape =
        Shape { height: rng.range(6, 12), width: rng.range(6, 12), channels: groups * rng.range(1, 8) };
    let kernel = rng.pick(&[[3, 3], [1, 1], [2, 3], [5, 1]], [3, 3]);
    let window = window(rng, kernel, 3, if kernel[0] < 5 { 2 } else { 1 });
    let per_group = rng.range(1, 20);
    let outputs = groups * per_group;
    let case = Case::new(rng, shape, window, outputs, groups);
    let row = |o: usize| o / per_group * padded(per_group) + o % per_group;
    draw(rng, m, &case, row);
    let (depth, rows) = (case.fan_in(), Convolution::padded_outputs(outputs, groups));
    let size = sized(Convolution::weight_bytes(&shape, &window, outputs, groups))?;
    let (onnx, inputs) = (&*m.onnx, shape.channels / groups);
    layout::write_blocks(rows, depth, tail(m.packed, size), |r, i| {
        let (group, o) = (r / padded(per_group), r % padded(per_group));
        let (place, channel) = (i / inputs, i % inputs);
        let output = group * per_group + o;
        let at = (output * inputs + channel) * kernel[0] * kernel[1] + place;
        if o < per_group { onnx[at] } else { 0 }
    });
    let plain = gather(m, outputs, row);
    let expected = case.expect(m, &plain[..outputs]);
    m.y.fill(UNTOUCHED);
    let numbers = channels(&m.biases, m.multipliers, rows, case.y_zero)?;
    let op = Convolution::new(
        shape,
        window,
        outputs,
        groups,
        subject.weights(tail(m.packed, size)),
        numbers,
        case.x_zero,
    )
    .map_err(refused)?;
    let scratch = tail(m.scratch, sized(Convolution::scratch(&shape, &window, groups))?);
    op.run(&subject.kernels, &m.x[m.x.len() - shape.bytes()..], m.y, scratch).map_err(refused)?;
    compare(&m.expected[..expected], &m.y[..expected])?;
    compare(&[UNTOUCHED; 64], &m.y[expected..][..64])
}

/// Draws until the values fit the memory and the window fits the picture: about one draw in ten
/// does not.
fn depthwise_shape(rng: &mut Rng) -> (Shape, Window) {
    loop {
        // Mostly of the sizes that networks have, sometimes wide.
        let (widest, most) = rng.pick(&[(21, 100), (21, 100), (150, 12)], (5, 1));
        let shape =
            Shape { height: rng.range(5, 9), width: rng.range(5, widest), channels: rng.range(1, most) };
        let common = rng.range(0, 4) > 0;
        let kernel = if common { [3, 3] } else { rng.pick(&[[5, 5], [1, 2], [3, 1], [2, 5]], [5, 5]) };
        let window = window(rng, kernel, if common { 2 } else { 3 }, if common { 1 } else { 2 });
        let fits = |bytes: usize| bytes + 64 <= Memory::VALUE;
        let output = window.output(shape.height, shape.width);
        if output.is_some_and(|[height, width]| fits(height * width * shape.channels))
            && fits(shape.bytes())
            && Depthwise::scratch(&shape, &window).is_some_and(|bytes| bytes <= Memory::VALUE)
        {
            return (shape, window);
        }
    }
}

pub(super) fn depthwise(subject: &Subject, rng: &mut Rng, m: &mut Memory) -> Outcome {
    let (shape, window) = depthwise_shape(rng);
    let kernel = window.kernel;
    let case = Case::new(rng, shape, window, shape.channels, shape.channels);
    draw(rng, m, &case, |o| o);
    let size = sized(layout::tap_bytes(shape.channels, kernel))?;
    let onnx = &*m.onnx;
    layout::write_taps(shape.channels, kernel, tail(m.packed, size), |c, row, column| {
        onnx[(c * kernel[0] + row) * kernel[1] + column]
    });
    let plain = gather(m, shape.channels, |o| o);
    let expected = case.expect(m, &plain[..shape.channels]);
    m.y.fill(UNTOUCHED);
    let in_place = Depthwise::in_place(&shape, &window) && rng.range(0, 1) == 0;
    let x = m.x.len() - shape.bytes();
    if in_place {
        m.y[..shape.bytes()].copy_from_slice(&m.x[x..]);
    }
    let numbers = channels(&m.biases, m.multipliers, shape.channels, case.y_zero)?;
    let op = Depthwise::new(shape, window, subject.weights(tail(m.packed, size)), numbers, case.x_zero)
        .map_err(refused)?;
    let scratch = tail(m.scratch, sized(Depthwise::scratch(&shape, &window))?);
    let places = if in_place { Places::Same(m.y) } else { Places::Apart(&m.x[x..], m.y) };
    op.run(&subject.kernels, places, scratch).map_err(refused)?;
    compare(&m.expected[..expected], &m.y[..expected])?;
    let end = if in_place { expected.max(shape.bytes()) } else { expected };
    compare(&[UNTOUCHED; 64], &m.y[end..][..64])
}

pub(super) fn add(subject: &Subject, rng: &mut Rng, m: &mut Memory) -> Outcome {
    let length = rng.range(1, 300);
    let x = m.x.len() - length;
    rng.bytes(&mut m.x[x..]);
    m.y.fill(UNTOUCHED);
    rng.bytes(&mut m.y[..length]);
    let zero = rng.pick(&[0, 128, 255, 100], 0);
    for ((expected, &a), &b) in m.expected.iter_mut().zip(&m.x[x..]).zip(&*m.y) {
        *expected = (i32::from(a) + i32::from(b) - i32::from(zero)).clamp(0, 255) as u8;
    }
    addition::add(&subject.kernels, &m.x[x..], &mut m.y[..length], zero).map_err(refused)?;
    compare(&m.expected[..length], &m.y[..length])?;
    compare(&[UNTOUCHED; 64], &m.y[length..][..64])
}

pub(super) fn pool(subject: &Subject, rng: &mut Rng, m: &mut Memory) -> Outcome {
    let positions = rng.pick(&[1, 4, 16, 64], 64);
    let count = rng.range(1, 200);
    let x = m.x.len() - positions * count;
    rng.bytes(&mut m.x[x..]);
    let x = &m.x[x..];
    m.sums.fill(u32::MAX);
    pool::sums(&subject.kernels, x, &mut m.sums[..count]).map_err(refused)?;
    for channel in 0..count {
        let expected: u32 = (0..positions).map(|p| u32::from(x[p * count + channel])).sum();
        if m.sums[channel] != expected {
            return Err((channel, expected.into(), m.sums[channel].into()));
        }
    }
    if m.sums[count..].iter().any(|&s| s != u32::MAX) {
        return Err((count, u32::MAX.into(), 0));
    }
    // The mean of the map is the logit without its bias; both are exact here.
    let weights = &mut m.onnx[..count];
    weights.iter_mut().for_each(|w| *w = rng.range(0, 30) as i8 - 15);
    let head =
        ClassifierHead { weights, positions: positions as u32, step: 1.0 / 256.0, scale: 1.0, bias: 0.0 };
    let mut map = [0.0; 64];
    head.map(x, &mut map[..positions]).map_err(refused)?;
    let mean = map[..positions].iter().sum::<f32>() / positions as f32;
    let logit = head.logit(&m.sums[..count]).map_err(refused)?;
    if mean == logit { Ok(()) } else { Err((0, (logit * 256.0) as i64, (mean * 256.0) as i64)) }
}
