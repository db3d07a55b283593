//! QLinearConv as the ONNX operator is defined, word by word: weights in ONNX's order (output,
//! input of the group, row, column), zero points subtracted, padding skipped, no layout, no
//! folding. Slow and plain.

use crate::kernels::{Shape, Window};

pub(super) struct Reference<'a> {
    pub shape: Shape,
    pub window: Window,
    pub outputs: usize,
    pub groups: usize,
    pub weights: &'a [i8],
    pub biases: &'a [i32],
    pub multipliers: &'a [f32],
    pub x_zero: u8,
    pub y_zero: u8,
}

impl Reference<'_> {
    /// The whole output, NHWC.
    pub fn run(&self, x: &[u8], y: &mut [u8]) {
        let Some([height, width]) = self.window.output(self.shape.height, self.shape.width) else { return };
        for row in 0..height {
            for column in 0..width {
                for output in 0..self.outputs {
                    let acc = self.accumulate(x, row, column, output);
                    let at = (row * width + column) * self.outputs + output;
                    y[at] = quantize(acc, self.multipliers[output], self.y_zero);
                }
            }
        }
    }

    fn accumulate(&self, x: &[u8], row: usize, column: usize, output: usize) -> i32 {
        let Window { kernel, stride, dilation, before, .. } = self.window;
        let (inputs, per_group) = (self.shape.channels / self.groups, self.outputs / self.groups);
        let mut acc = self.biases[output];
        for ky in 0..kernel[0] {
            for kx in 0..kernel[1] {
                let y = (row * stride[0] + ky * dilation[0]).wrapping_sub(before[0]);
                let at = (column * stride[1] + kx * dilation[1]).wrapping_sub(before[1]);
                if y >= self.shape.height || at >= self.shape.width {
                    continue;
                }
                for input in 0..inputs {
                    let channel = output / per_group * inputs + input;
                    let q = x[(y * self.shape.width + at) * self.shape.channels + channel];
                    let w = self.weights[((output * inputs + input) * kernel[0] + ky) * kernel[1] + kx];
                    acc += i32::from(w) * (i32::from(q) - i32::from(self.x_zero));
                }
            }
        }
        acc
    }
}

/// `saturate(round_half_even(acc * M) + zero)`; the product in f32, the rounding spelt out.
fn quantize(acc: i32, multiplier: f32, zero: u8) -> u8 {
    let product = f64::from(acc as f32 * multiplier);
    let below = libm::floor(product);
    let rest = product - below;
    let odd = libm::fmod(below, 2.0) != 0.0;
    let steps = if rest > 0.5 || (rest == 0.5 && odd) { below + 1.0 } else { below };
    (steps + f64::from(zero)).clamp(0.0, 255.0) as u8
}
