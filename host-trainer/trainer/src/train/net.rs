//! The network as data: a list of nodes that the float forward pass, the quantizer, the exporter
//! and the report all read.
//!
//! Depthwise-separable with inverted residuals (Howard 2017, Sandler 2018), ReLU6, one grey channel
//! in, global average pool and one linear layer out. Laid out for a microcontroller: no expansion
//! above a quarter of the input's side, so that the largest working set stays small, and a last map
//! of side/16 for a class activation map worth looking at.

use crate::random::{Purpose, SeededRng};
use tch::{Device, Kind, Tensor};

/// One convolution with folded-in normalisation, or a residual addition. Values are numbered: 0 is
/// the input, node `i` makes value `i + 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A convolution, square kernel, padded as the network's [`Convention`] says, no dilation.
    Conv(Conv),
    /// The sum of two earlier values of the same shape.
    Add(usize, usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Name in the ONNX file and in reports.
    pub name: String,
    pub input: usize,
    pub cin: i64,
    pub cout: i64,
    pub kernel: i64,
    pub stride: i64,
    /// Groups: 1 or `cin` (depthwise).
    pub groups: i64,
    /// ReLU6 after it; otherwise linear.
    pub relu6: bool,
}

impl Conv {
    /// Shape of the weights: output channels, input channels a group, kernel, kernel.
    pub fn weight_shape(&self) -> [i64; 4] {
        [self.cout, self.cin / self.groups, self.kernel, self.kernel]
    }

    pub fn weights(&self) -> i64 {
        self.weight_shape().iter().product()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    pub side: i64,
    pub nodes: Vec<Node>,
    /// Channels of the last value, which the head averages.
    pub features: i64,
    pub convention: Convention,
}

/// What a network takes for granted around its convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// kernel/2 pixels on each side: the network that ships.
    Symmetric,
    /// TensorFlow's "SAME", in which an odd pixel of padding lies behind, and its normalisation:
    /// EfficientNet.
    Same,
}

impl Convention {
    /// Added to the variance in batch normalisation.
    fn epsilon(self) -> f64 {
        match self {
            Self::Symmetric => 1e-5,
            Self::Same => 1e-3,
        }
    }

    /// Share of a new batch in the running statistics.
    fn momentum(self) -> f64 {
        match self {
            Self::Symmetric => 0.05,
            Self::Same => 0.01,
        }
    }

    /// The convolution of `x`, N x channels x side x side, padded.
    fn convolve(self, c: &Conv, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        let side = x.size()[3];
        let missing = ((side + c.stride - 1) / c.stride - 1) * c.stride + c.kernel - side;
        if self == Self::Symmetric || missing == c.kernel / 2 * 2 {
            return x.conv2d(weight, bias, [c.stride; 2], [c.kernel / 2; 2], [1, 1], c.groups);
        }
        let (before, after) = (missing.max(0) / 2, (missing.max(0) + 1) / 2);
        let x = x.constant_pad_nd([before, after, before, after]);
        x.conv2d(weight, bias, [c.stride; 2], [0; 2], [1, 1], c.groups)
    }
}

/// Channels come in groups of so many: the kernels take blocks of 16 outputs, of which half a block
/// is the least that is worth its padding.
const CHANNEL_GROUP: i64 = 8;

impl Net {
    /// A network without a convolution yet, for an input of `side` pixels.
    pub fn empty(side: i64, convention: Convention) -> Self {
        Self { side, nodes: vec![], features: 0, convention }
    }

    /// The shipped architecture for an input of `side` pixels; at a `width` of 1 the very network.
    ///
    /// Channels are multiplied by `width` (Howard 2017) and rounded to whole groups of
    /// [`CHANNEL_GROUP`], but for those at half the input's side, which alone decide how much memory a
    /// device needs, and for the features, of which the gate can look at 128 at most.
    pub fn pneumonia(side: i64, width: f64) -> Self {
        let group = CHANNEL_GROUP as f64;
        let wide = |channels: i64| ((channels as f64 * width / group).round().max(1.0) * group) as i64;
        let [b, c, d] = [40, 48, 80].map(wide);
        let last = wide(128).min(edge_core::gate::MAX_CHANNELS as i64);
        let [in_c, in_d1, in_d] = [96, 144, 160].map(wide);
        let mut net = Self::empty(side, Convention::Symmetric);
        let x = net.conv("stem", 0, [1, 16, 3, 2, 1], true);
        let x = net.separable("a1", x, 16, 24, 1, true);
        let x = net.separable("b1", x, 24, b, 2, true);
        let x = net.separable("c1", x, b, c, 2, false);
        let x = net.inverted("c2", x, c, in_c);
        let x = net.inverted("c3", x, c, in_c);
        let x = net.expanded("d1", x, c, in_d1, d);
        let x = net.inverted("d2", x, d, in_d);
        let x = net.inverted("d3", x, d, in_d);
        net.conv("last", x, [d, last, 1, 1, 1], true);
        net.features = last;
        net
    }

    /// Adds a convolution of `[cin, cout, kernel, stride, groups]` and returns its value's number.
    pub fn conv(&mut self, name: &str, input: usize, numbers: [i64; 5], relu6: bool) -> usize {
        let [cin, cout, kernel, stride, groups] = numbers;
        let conv = Conv { name: name.into(), input, cin, cout, kernel, stride, groups, relu6 };
        self.nodes.push(Node::Conv(conv));
        self.nodes.len()
    }

    /// Depthwise 3x3, pointwise.
    fn separable(&mut self, name: &str, x: usize, cin: i64, cout: i64, stride: i64, relu6: bool) -> usize {
        let x = self.conv(&format!("{name}.depthwise"), x, [cin, cin, 3, stride, cin], true);
        self.conv(&format!("{name}.pointwise"), x, [cin, cout, 1, 1, 1], relu6)
    }

    /// Expand, depthwise with stride 2, project; linear out.
    fn expanded(&mut self, name: &str, x: usize, cin: i64, wide: i64, cout: i64) -> usize {
        let x = self.conv(&format!("{name}.expand"), x, [cin, wide, 1, 1, 1], true);
        let x = self.conv(&format!("{name}.depthwise"), x, [wide, wide, 3, 2, wide], true);
        self.conv(&format!("{name}.project"), x, [wide, cout, 1, 1, 1], false)
    }

    /// Expand, depthwise, project, add the input.
    fn inverted(&mut self, name: &str, x: usize, channels: i64, wide: i64) -> usize {
        let y = self.conv(&format!("{name}.expand"), x, [channels, wide, 1, 1, 1], true);
        let y = self.conv(&format!("{name}.depthwise"), y, [wide, wide, 3, 1, wide], true);
        let y = self.conv(&format!("{name}.project"), y, [wide, channels, 1, 1, 1], false);
        self.add(x, y)
    }

    /// Adds the sum of two values and returns its number.
    pub fn add(&mut self, x: usize, y: usize) -> usize {
        self.nodes.push(Node::Add(x, y));
        self.nodes.len()
    }

    pub fn convs(&self) -> impl Iterator<Item = &Conv> {
        self.nodes.iter().filter_map(|n| match n {
            Node::Conv(c) => Some(c),
            Node::Add(..) => None,
        })
    }

    /// Side and channels of every value, the input first.
    pub fn shapes(&self) -> Vec<(i64, i64)> {
        let mut shapes = vec![(self.side, 1)];
        for node in &self.nodes {
            shapes.push(match node {
                Node::Conv(c) => ((shapes[c.input].0 + c.stride - 1) / c.stride, c.cout),
                Node::Add(a, _) => shapes[*a],
            });
        }
        shapes
    }

    /// Multiply-accumulates for one picture, head included.
    pub fn macs(&self) -> i64 {
        let shapes = self.shapes();
        let convs = self.nodes.iter().zip(&shapes[1..]).map(|(node, (side, _))| match node {
            Node::Conv(c) => c.weights() * side * side,
            Node::Add(..) => 0,
        });
        convs.sum::<i64>() + self.features
    }

    /// Bytes of the int8 model's numbers: weights, 32-bit biases and scales.
    pub fn int8_bytes(&self) -> i64 {
        self.convs().map(|c| c.weights() + 8 * c.cout).sum::<i64>() + self.features * 4
    }

    /// Sizes of the pieces of the flat float parameters: every convolution's weights, scale and
    /// shift of its normalisation, then head weights and head bias.
    fn parameter_sizes(&self) -> Vec<i64> {
        let convs = self.convs().flat_map(|c| [c.weights(), c.cout, c.cout]);
        convs.chain([self.features, 1]).collect()
    }

    /// Sizes of the pieces of the flat running statistics: mean and variance of each convolution.
    fn statistic_sizes(&self) -> Vec<i64> {
        self.convs().flat_map(|c| [c.cout, c.cout]).collect()
    }

    /// First parameters: weights normal with variance 2 / fan-out (He 2015), normalisation the
    /// identity, head zero.
    pub fn first_parameters(&self, seed: u64) -> Tensor {
        let mut rng = SeededRng::new(seed, Purpose::Weights, 0, 0);
        let mut flat: Vec<f32> = Vec::new();
        for conv in self.convs() {
            let fan_out = conv.kernel * conv.kernel * conv.cout / conv.groups;
            let deviation = (2.0 / fan_out as f32).sqrt();
            flat.extend((0..conv.weights()).map(|_| deviation * rng.normal()));
            flat.extend((0..conv.cout).map(|_| 1.0));
            flat.extend((0..conv.cout).map(|_| 0.0));
        }
        flat.extend((0..=self.features).map(|_| 0.0));
        Tensor::from_slice(&flat)
    }

    /// First running statistics: mean 0, variance 1.
    pub fn first_statistics(&self) -> Tensor {
        let pieces: Vec<f32> =
            self.convs().flat_map(|c| (0..2 * c.cout).map(|i| if i < c.cout { 0.0 } else { 1.0 })).collect();
        Tensor::from_slice(&pieces)
    }

    /// 1 where weight decay applies (convolution and head weights), 0 for normalisation and bias.
    pub fn decay_mask(&self) -> Tensor {
        let sizes = self.parameter_sizes();
        let last = sizes.len() - 1;
        let mask = sizes.iter().enumerate().flat_map(|(i, &size)| {
            let decays = i % 3 == 0 && i != last;
            std::iter::repeat_n(if decays { 1f32 } else { 0.0 }, size as usize)
        });
        Tensor::from_slice(&mask.collect::<Vec<_>>())
    }

    /// The float network: logits, shape N, of `x` (see [`to_units`]). In training, statistics are
    /// those of the batch, and the running ones are updated in place. `observe` sees every value with
    /// its number.
    pub fn forward_observed(
        &self,
        parameters: &Tensor,
        statistics: &Tensor,
        x: &Tensor,
        training: bool,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> Tensor {
        let pieces = parameters.split_with_sizes(self.parameter_sizes(), 0);
        let running = statistics.split_with_sizes(self.statistic_sizes(), 0);
        let mut values = vec![x.shallow_clone()];
        let mut index = 0;
        for node in &self.nodes {
            let y = match node {
                Node::Conv(c) => {
                    let weight = pieces[3 * index].view(c.weight_shape());
                    let y = self.convention.convolve(c, &values[c.input], &weight, None);
                    let [scale, shift] = [1, 2].map(|piece| Some(&pieces[3 * index + piece]));
                    let [mean, variance] = [0, 1].map(|piece| Some(&running[2 * index + piece]));
                    let (momentum, epsilon) = (self.convention.momentum(), self.convention.epsilon());
                    let y = y.batch_norm(scale, shift, mean, variance, training, momentum, epsilon, false);
                    index += 1;
                    cut_off(c, y)
                }
                Node::Add(a, b) => &values[*a] + &values[*b],
            };
            values.push(y);
            observe(values.len() - 1, &values[values.len() - 1]);
        }
        let features = values[values.len() - 1].mean_dim([2i64, 3].as_slice(), false, Kind::Float);
        let (head, bias) = (&pieces[3 * index], &pieces[3 * index + 1]);
        features.matmul(head) + bias
    }

    /// Logits as those of [`Net::forward_observed`] without training but for rounding, without a pass over
    /// memory for each normalisation.
    pub fn forward_folded(&self, folded: &FoldedNet, x: &Tensor) -> Tensor {
        let mut values = vec![x.shallow_clone()];
        let mut convs = folded.convs.iter();
        for node in &self.nodes {
            values.push(match node {
                Node::Add(a, b) => &values[*a] + &values[*b],
                Node::Conv(c) => {
                    let Some((weight, bias)) = convs.next() else { break };
                    cut_off(c, self.convention.convolve(c, &values[c.input], weight, Some(bias)))
                }
            });
        }
        let features = values[values.len() - 1].mean_dim([2i64, 3].as_slice(), false, Kind::Float);
        features.matmul(&folded.head) + &folded.bias
    }

    /// Folds the normalisation into weights and biases: for each convolution the pair, then head
    /// weights and head bias.
    pub fn fold(&self, parameters: &Tensor, statistics: &Tensor) -> FoldedNet {
        let pieces = parameters.split_with_sizes(self.parameter_sizes(), 0);
        let running = statistics.split_with_sizes(self.statistic_sizes(), 0);
        let fold = |(i, c): (usize, &Conv)| {
            let scale = &pieces[3 * i + 1] / (&running[2 * i + 1] + self.convention.epsilon()).sqrt();
            let weight = pieces[3 * i].view(c.weight_shape()) * scale.view([-1, 1, 1, 1]);
            (weight, &pieces[3 * i + 2] - &running[2 * i] * scale)
        };
        let convs: Vec<_> = self.convs().enumerate().map(fold).collect();
        let last = 3 * convs.len();
        FoldedNet { convs, head: pieces[last].copy(), bias: pieces[last + 1].copy() }
    }
}

/// ReLU6 in place, where the layer has it. The same values as a clamp's, whose gradient however is
/// selected value by value: that took an eighth of an epoch's processor time.
fn cut_off(conv: &Conv, mut y: Tensor) -> Tensor {
    if conv.relu6 { y.relu6_() } else { y }
}

/// A float network without normalisation.
#[derive(Debug)]
pub struct FoldedNet {
    /// Weights (as [`Conv::weight_shape`]) and biases of each convolution.
    pub convs: Vec<(Tensor, Tensor)>,
    /// Weights of the linear layer, one a feature.
    pub head: Tensor,
    /// Bias of the linear layer, shape 1.
    pub bias: Tensor,
}

/// The network's real-valued input has this many preprocessing steps in one unit; a power of two.
pub const STEPS_PER_UNIT: f32 = 32.0;

/// Pictures, `side * side` bytes each, as a channels-last float tensor of shape N x 1 x side x
/// side, in steps around the preprocessing's zero point (-128..=127, whole numbers).
pub fn to_steps<'a>(pictures: impl ExactSizeIterator<Item = &'a [u8]>, side: i64, device: Device) -> Tensor {
    let count = pictures.len() as i64;
    let mut bytes = Vec::with_capacity((count * side * side) as usize);
    pictures.for_each(|p| bytes.extend_from_slice(p));
    let tensor =
        Tensor::from_slice(&bytes).view([count, 1, side, side]).to_device(device).to_kind(Kind::Float);
    tensor - f64::from(edge_core::preprocess::ZERO_POINT)
}

/// Steps in the float network's units.
pub fn to_units(steps: &Tensor) -> Tensor {
    steps / f64::from(STEPS_PER_UNIT)
}

/// The same values, N x C x H x W, laid out channels last, which libtorch's CPU convolutions prefer: a
/// step takes 0.6 of the time.
///
/// The strides are written down: of one channel both layouts have the same bytes, and libtorch would
/// take its own for the other one, and so would every layer behind it.
pub fn channels_last(x: &Tensor) -> Tensor {
    let laid_out = x.permute([0, 2, 3, 1]).contiguous();
    let (size, [_, height, width, channels]) = (x.size(), [0, 1, 2, 3].map(|at| laid_out.size()[at]));
    laid_out.as_strided(size, [height * width * channels, 1, width * channels, channels], None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_picture_laid_out_channels_last_is_too() {
        let net = Net::pneumonia(32, 1.0);
        let (parameters, statistics) = (net.first_parameters(1), net.first_statistics());
        let pictures = [vec![7u8; 32 * 32], (0..32 * 32).map(|at| (at % 251) as u8).collect()];
        let steps = to_steps(pictures.iter().map(Vec::as_slice), 32, Device::Cpu);
        let layouts = |x: &Tensor| {
            let mut last = vec![];
            let mut observe = |_, value: &Tensor| last.push(value.stride()[1] == 1);
            let logits = net.forward_observed(&parameters, &statistics, &to_units(x), true, &mut observe);
            assert_eq!(logits.size(), [2]);
            last
        };
        let laid_out = channels_last(&steps);
        assert!(laid_out.equal(&steps), "the values stay");
        assert!(layouts(&laid_out).iter().all(|last| *last));
        // It bites: without it no value is.
        assert!(layouts(&steps).iter().all(|last| !*last));
        // Of several channels the bytes are moved.
        let two = Tensor::arange(2 * 2 * 3 * 4, (Kind::Float, Device::Cpu)).view([2, 2, 3, 4]);
        let moved = channels_last(&two);
        assert!(moved.equal(&two) && moved.stride() == [24, 1, 8, 2], "{:?}", moved.stride());
    }

    #[test]
    fn a_width_of_one_is_the_shipped_network() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pneumonia/model.onnx");
        let shipped = edge_model::model_file::ModelFile::load(shipped).unwrap();
        let net = Net::pneumonia(128, 1.0);
        let weights = &shipped.proto().graph.as_ref().unwrap().initializer;
        for conv in net.convs() {
            let weights = weights.iter().find(|t| t.name == format!("{}.weight", conv.name)).unwrap();
            assert_eq!(weights.dims, conv.weight_shape(), "{}", conv.name);
        }
        assert_eq!(weights.iter().filter(|t| t.name.ends_with(".bias")).count(), net.convs().count() + 1);
        // The shapes decide the draws: first weights are those that they always were.
        let drawn = crate::train::optimizer::values(&net.first_parameters(1));
        let first = SeededRng::new(1, Purpose::Weights, 0, 0).normal() * (2.0f32 / (9.0 * 16.0)).sqrt();
        assert_eq!(drawn[0].to_bits(), first.to_bits());

        let channels = |width| Net::pneumonia(128, width).convs().map(|c| c.cout).collect::<Vec<_>>();
        let wide = channels(1.5);
        assert_eq!(wide[..5], [16, 16, 24, 24, 64], "not at half the side; 60 is rounded to 64");
        assert_eq!(wide.last(), Some(&128));
        assert!(wide.iter().all(|c| c % CHANNEL_GROUP == 0), "{wide:?}");
        assert!(channels(0.25).iter().all(|c| *c >= CHANNEL_GROUP));
    }

    #[test]
    fn the_shipped_network_fits_a_microcontroller() {
        let net = Net::pneumonia(128, 1.0);
        assert!(net.int8_bytes() <= 300_000, "{} bytes", net.int8_bytes());
        assert_eq!(net.shapes().last(), Some(&(8, net.features)), "an 8 x 8 map of features before the head");
        // The largest pair of an input and its output, which must both be in memory: below 192 kB.
        let bytes: Vec<i64> = net.shapes().iter().map(|(side, channels)| side * side * channels).collect();
        let largest = net.nodes.iter().zip(1..).map(|(node, output)| match node {
            Node::Conv(c) => bytes[c.input] + bytes[output],
            Node::Add(a, b) => bytes[*a] + bytes[*b],
        });
        assert!(largest.max() <= Some(192 * 1024));
    }
}
