//! The numbers that int8 values stand on: scale and zero point of every value, a scale for every
//! weight channel. Frozen before fine-tuning, so that what is trained is what is exported.
//!
//! Real = scale * (q - zero). Activations are unsigned 8 bits; weights signed, up to [`WEIGHT_MAX`], zero
//! 0.
//! The rules are those of the exact form (see [`crate::export::exact_form`]): every engine computes
//! `q = clamp(round(acc * M) + zero)` with `M = (x_scale * w_scale) / y_scale` in f32, rounding
//! half to even.

use crate::train::net::{Net, Node, STEPS_PER_UNIT};
use serde::{Deserialize, Serialize};

/// How the steps of one value stand for real numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorScale {
    /// Real value of one step.
    pub scale: f32,
    /// The step that stands for 0.
    #[serde(rename = "zero")]
    pub zero_point: u8,
}

/// Largest magnitude of a convolution's weight, in steps: 7 bits, rule 9 of the exact form.
pub const WEIGHT_MAX: i8 = edge_core::kernels::NARROW_MAX;

/// Largest magnitude of a head weight: five bits keep the head's sum exact, see [`head_limit`].
pub const HEAD_MAX: f32 = 31.0;

/// All frozen scales of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantParams {
    /// Of each value, the input first.
    pub values: Vec<TensorScale>,
    /// Scale of each output channel of each convolution.
    pub weights: Vec<Vec<f32>>,
    /// Logit of one head weight at one feature of 1 (256 steps).
    pub head: f32,
    /// Largest weight that the scales are for: [`WEIGHT_MAX`], or what it was when the run was made.
    #[serde(default = "before_rule_9")]
    pub weight_max: i8,
}

/// Runs that do not say were made when weights had 8 bits.
fn before_rule_9() -> i8 {
    127
}

impl QuantParams {
    /// Chooses scales from the range of each value (`(low, high)`, the input's is ignored), the
    /// largest weight of each channel and the largest head weight.
    pub fn choose(net: &Net, ranges: &[(f32, f32)], largest: &[Vec<f32>], largest_head: f32) -> Self {
        let groups = shared(net);
        let mut values =
            vec![TensorScale { scale: 1.0 / STEPS_PER_UNIT, zero_point: edge_core::preprocess::ZERO_POINT }];
        for (index, node) in net.nodes.iter().enumerate().map(|(i, n)| (i + 1, n)) {
            let relu6 = matches!(node, Node::Conv(c) if c.relu6);
            values.push(if relu6 {
                TensorScale { scale: ranges[index].1.clamp(1e-3, 6.0) / 255.0, zero_point: 0 }
            } else {
                // Values that are added share one scale, with room for the widest of them.
                let members = (1..ranges.len()).filter(|&v| groups[v] == groups[index]);
                let (low, high) =
                    members.fold((-1e-3f32, 1e-3f32), |(l, h), v| (l.min(ranges[v].0), h.max(ranges[v].1)));
                let scale = (high - low) / 255.0;
                TensorScale { scale, zero_point: (-low / scale).round().clamp(0.0, 255.0) as u8 }
            });
        }
        let weights = net.convs().zip(largest).enumerate().map(|(i, (conv, largest))| {
            let (x, y) = (values[conv.input].scale, values[output_of(net, i)]);
            largest
                .iter()
                .map(|&l| agreeing(l.max(1e-6) / f32::from(WEIGHT_MAX), x, y.scale, y.zero_point))
                .collect()
        });
        let weights = weights.collect();
        // A feature of 1 is 256 steps of the last value.
        let feature = values[values.len() - 1].scale * 256.0;
        Self { weights, head: largest_head.max(1e-6) * feature / HEAD_MAX, values, weight_max: WEIGHT_MAX }
    }

    /// `M` of each output channel of convolution `index`: accumulator to steps of the output.
    pub fn multipliers(&self, net: &Net, index: usize) -> Vec<f32> {
        let Some(conv) = net.convs().nth(index) else { return vec![] };
        let (x, y) = (self.values[conv.input].scale, self.values[output_of(net, index)].scale);
        self.weights[index].iter().map(|&w| (x * w) / y).collect()
    }

    /// Real value of a head weight's step, from a head weight in real units to its step.
    pub fn head_steps(&self, weight: f32) -> f32 {
        weight * self.values[self.values.len() - 1].scale * 256.0 / self.head
    }
}

/// The value that convolution `index` makes.
pub fn output_of(net: &Net, index: usize) -> usize {
    let convs = net.nodes.iter().enumerate().filter(|(_, n)| matches!(n, Node::Conv(_)));
    convs.map(|(node, _)| node + 1).nth(index).unwrap_or(0)
}

/// The smallest scale from `scale` upward under which engines agree on every result: a few hundred
/// of a few thousand channels move, by units in the last place. `zero` is the output's zero point.
fn agreeing(scale: f32, x: f32, y: f32, zero: u8) -> f32 {
    let mut scale = scale;
    while !engines_agree(x * scale, y, zero) {
        scale = scale.next_up();
    }
    scale
}

/// Whether engines that requantize differently give the same steps for every accumulator; `product`
/// is `x_scale * w_scale`.
///
/// - onnxruntime divides by the output's scale, tract multiplies by its reciprocal: both must give
///   the same `M` in f32.
/// - onnxruntime rounds the f32 product `acc * M`, tract the exact one. They differ only where the
///   exact product lies so close to a tie that f32 makes it one; the accumulators next to each tie
///   of the output's range are all looked at.
pub fn engines_agree(product: f32, y: f32, zero: u8) -> bool {
    let multiplier = product / y;
    if multiplier != product * (1.0 / y) {
        return false;
    }
    let exact = f64::from(multiplier);
    (-1..=255).all(|step| {
        let tie = f64::from(step - i32::from(zero)) + 0.5;
        let nearest = (tie / exact).round();
        [-1.0, 0.0, 1.0].into_iter().all(|offset| {
            let accumulator = nearest + offset;
            // 24 by 24 bits: the f64 product is exact.
            let rounded = (accumulator as f32 * multiplier).round_ties_even();
            f64::from(rounded) == (accumulator * exact).round_ties_even()
        })
    })
}

/// For each value the smallest number of a value that it must share its scale with.
fn shared(net: &Net) -> Vec<usize> {
    let mut group: Vec<usize> = (0..=net.nodes.len()).collect();
    for (index, node) in net.nodes.iter().enumerate() {
        if let Node::Add(a, b) = *node {
            let merged = [a, b, index + 1].map(|v| group[v]);
            let smallest = merged.into_iter().min().unwrap_or(index + 1);
            group.iter_mut().filter(|g| merged.contains(g)).for_each(|g| *g = smallest);
        }
    }
    group
}

/// Largest sum of magnitudes of the head's weights for which the sum over features is exact in f32
/// in any order: features are sums of `positions` steps of up to 255, and all must stay below 2^24.
pub fn head_limit(positions: i64) -> f32 {
    ((1i64 << 24) / (255 * positions)) as f32 - 1.0
}
