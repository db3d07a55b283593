//! The int8 network in libtorch, computing exactly the integers of the exported file, with
//! gradients.
//!
//! Values travel as whole numbers in f32, centred on their zero point. A convolution of such
//! numbers is exact as long as every accumulator stays below 2^24, whatever the order of summation;
//! the requantization `round(acc * M)` is the same f32 product and the same rounding (half to even)
//! as in the engines. Gradients pass through rounding unchanged and stop where a value is clamped
//! (straight-through estimator, Bengio 2013; Jacob 2018).

use crate::quantize::params::{HEAD_MAX, QuantParams, WEIGHT_MAX, head_limit};
use crate::train::net::{Conv, FoldedNet, Net, Node};
use crate::train::optimizer::values;
use anyhow::{Result, ensure};
use tch::{Device, Kind, Tensor};

/// A network with frozen scales. Its flat parameters are in steps: weights in steps of their
/// channel, biases in steps of the output, head weights in steps, the head's bias in [`BIAS_STEP`].
#[derive(Debug)]
pub struct IntegerNet {
    pub net: Net,
    pub quant: QuantParams,
    /// `M` of each convolution, shape 1 x channels x 1 x 1.
    multipliers: Vec<Tensor>,
}

/// Logit of one unit of the head's bias parameter: about as much as a step elsewhere.
const BIAS_STEP: f64 = 1.0 / 32.0;

#[derive(Clone, Debug, PartialEq)]
pub struct IntegerConv {
    /// Up to [`WEIGHT_MAX`] either way, shape as [`Conv::weight_shape`].
    pub weights: Vec<i8>,
    /// One an output channel, in steps of the accumulator.
    pub biases: Vec<i32>,
}

/// All integers of a trained network, and the head's two floats.
#[derive(Clone, Debug, PartialEq)]
pub struct IntegerParams {
    /// In the order of the convolutions.
    pub convs: Vec<IntegerConv>,
    /// Head weights, -31..=31.
    pub head: Vec<i8>,
    /// Logit of one step of the head's sum.
    pub head_scale: f32,
    /// Logit of a sum of 0.
    pub head_bias: f32,
}

/// Rounds half to even, with the gradient of the identity.
fn round(x: &Tensor) -> Tensor {
    x + (x.round() - x).detach()
}

impl IntegerNet {
    pub fn new(net: Net, quant: QuantParams, device: Device) -> Self {
        let count = net.convs().count();
        let multiplier =
            |i| Tensor::from_slice(&quant.multipliers(&net, i)).view([1, -1, 1, 1]).to_device(device);
        Self { multipliers: (0..count).map(multiplier).collect(), net, quant }
    }

    /// The flat parameters that stand for a folded float network.
    pub fn parameters(&self, folded: &FoldedNet) -> Tensor {
        let mut pieces = Vec::new();
        for (i, (weight, bias)) in folded.convs.iter().enumerate() {
            let device = weight.device();
            let scale = Tensor::from_slice(&self.quant.weights[i]).to_device(device);
            pieces.push((weight / scale.view([-1, 1, 1, 1])).view(-1));
            pieces.push(
                bias / f64::from(self.quant.values[crate::quantize::params::output_of(&self.net, i)].scale),
            );
        }
        pieces.push(&folded.head * f64::from(self.quant.head_steps(1.0)));
        pieces.push(&folded.bias / BIAS_STEP);
        Tensor::cat(&pieces, 0).detach()
    }

    fn sizes(&self) -> Vec<i64> {
        let convs = self.net.convs().flat_map(|c| [c.weights(), c.cout]);
        convs.chain([self.net.features, 1]).collect()
    }

    /// Logits of pictures given as steps around the zero point.
    pub fn logits(&self, parameters: &Tensor, steps: &Tensor) -> Tensor {
        self.logits_observed(parameters, steps, &mut |_, _| ())
    }

    /// The same; `observe` sees every value, centred
    /// on its zero point, with its number.
    pub fn logits_observed(
        &self,
        parameters: &Tensor,
        steps: &Tensor,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> Tensor {
        let pieces = parameters.split_with_sizes(self.sizes(), 0);
        let mut computed = vec![steps.shallow_clone()];
        let mut index = 0;
        for node in &self.net.nodes {
            let zero = f64::from(self.quant.values[computed.len()].zero_point);
            let y = match node {
                Node::Conv(conv) => {
                    let sum = self.convolve(conv, index, &pieces, &computed[conv.input]);
                    let scaled = sum * &self.multipliers[index];
                    index += 1;
                    round(&scaled)
                }
                Node::Add(a, b) => &computed[*a] + &computed[*b],
            };
            computed.push(y.clamp(-zero, 255.0 - zero));
            observe(computed.len() - 1, &computed[computed.len() - 1]);
        }
        // As the file does it: features are means of steps / 256; integer weights; one product; one
        // sum.
        let last = &computed[computed.len() - 1];
        let features = (last / 256.0).mean_dim([2i64, 3].as_slice(), false, Kind::Float);
        let head = round(&pieces[2 * index].clamp(f64::from(-HEAD_MAX), f64::from(HEAD_MAX)));
        features.matmul(&head) * f64::from(self.quant.head) + &pieces[2 * index + 1] * BIAS_STEP
    }

    /// The accumulators of a convolution, exact.
    fn convolve(&self, conv: &Conv, index: usize, pieces: &[Tensor], x: &Tensor) -> Tensor {
        let most = f64::from(WEIGHT_MAX);
        let weight = round(&pieces[2 * index].view(conv.weight_shape()).clamp(-most, most));
        let bias = round(&(&pieces[2 * index + 1] / self.multipliers[index].view(-1)));
        let pad = conv.kernel / 2;
        x.conv2d(&weight, Some(&bias), [conv.stride, conv.stride], [pad, pad], [1, 1], conv.groups)
    }

    /// The integers that trained parameters stand for.
    /// An error where the head's sum would not be exact or an accumulator could leave 2^24.
    pub fn integers(&self, parameters: &Tensor) -> Result<IntegerParams> {
        let pieces = parameters.detach().split_with_sizes(self.sizes(), 0);
        let whole = |weights: &Tensor, most: f64| -> Vec<i8> {
            values(&weights.clamp(-most, most).round()).iter().map(|&w| w as i8).collect()
        };
        let mut convs = Vec::new();
        for (i, conv) in self.net.convs().enumerate() {
            let weights = whole(&pieces[2 * i], WEIGHT_MAX.into());
            let biases = (&pieces[2 * i + 1] / self.multipliers[i].view(-1)).round();
            let biases: Vec<i32> = values(&biases).iter().map(|&b| b as i32).collect();
            let zero = i64::from(self.quant.values[conv.input].zero_point);
            let widest = zero.max(255 - zero);
            for (channel, row) in weights.chunks_exact(weights.len() / biases.len().max(1)).enumerate() {
                let sum: i64 = row.iter().map(|&w| i64::from(w).abs()).sum();
                let bound = sum * widest + i64::from(biases[channel]).abs();
                ensure!(
                    bound < 1 << 24,
                    "{} channel {channel}: accumulators up to {bound}, at most 2^24",
                    conv.name
                );
            }
            convs.push(IntegerConv { weights, biases });
        }
        let last = 2 * convs.len();
        let head = whole(&pieces[last], HEAD_MAX.into());
        let side = self.net.shapes().last().map_or(1, |s| s.0);
        let total: f32 = head.iter().map(|&w| f32::from(w).abs()).sum();
        let limit = head_limit(side * side);
        ensure!(total <= limit, "the head's weights add up to {total}, at most {limit} keeps the sum exact");
        let head_bias = values(&(&pieces[last + 1] * BIAS_STEP))[0];
        Ok(IntegerParams { convs, head, head_scale: self.quant.head, head_bias })
    }
}
