//! A small random network in ONNX's terms with one layer of each kind, and what ONNX defines that
//! it computes.

use crate::random;
use edge_core::Metadata;
use edge_core::decide::{Calibration, Thresholds};
use edge_core::gate::GateThresholds;
use edge_core::kernels::pool::ClassifierHead;
use edge_core::kernels::{Shape, Window, requantize};
use edge_core::packed::{Network, NetworkLayer, NetworkValue};

/// Bytes at a multiple of eight.
pub struct Aligned(Vec<u64>, usize);

impl Aligned {
    pub fn zeroed(length: usize) -> Self {
        Self(vec![0; length.div_ceil(8)], length)
    }

    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut all = Self::zeroed(bytes.len());
        all.as_mut().copy_from_slice(bytes);
        all
    }
}

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.0)[..self.1]
    }
}

impl AsMut<[u8]> for Aligned {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.0)[..self.1]
    }
}

/// One convolution's form: input, window, groups; none for the addition.
type Form = Option<(usize, Window, usize)>;

/// Metadata that a test may change.
pub type OwnedMetadata = Metadata<String, Vec<i8>>;

pub struct Built {
    pub values: Vec<(&'static str, Shape, u8)>,
    pub weights: Vec<Vec<i8>>,
    pub biases: Vec<Vec<i32>>,
    pub multipliers: Vec<Vec<f32>>,
    pub metadata: OwnedMetadata,
    forms: Vec<Form>,
    head: Vec<i8>,
}

const SCALE: f32 = 1.0 / 32.0;

impl Built {
    /// first -> depthwise (in place) -> pointwise -> convolution -> add -> depthwise stride 2 ->
    /// pointwise -> head.
    pub fn new(side: usize, seed: u64) -> Self {
        let mut rng = seed;
        let half = side / 2;
        let shape = |side: usize, channels| Shape { height: side, width: side, channels };
        let forms: Vec<Form> = vec![
            Some((0, Window::square(3, 2, 1), 1)),
            Some((1, Window::square(3, 1, 1), 5)),
            Some((2, Window::POINT, 1)),
            Some((3, Window::square(3, 1, 1), 2)),
            None,
            Some((5, Window::square(3, 2, 1), 6)),
            Some((6, Window::POINT, 1)),
        ];
        let values = vec![
            ("image", shape(side, 1), 128),
            ("first", shape(half, 5), 90),
            ("depthwise", shape(half, 5), 90),
            ("pointwise", shape(half, 6), 90),
            ("convolution", shape(half, 6), 90),
            ("add", shape(half, 6), 90),
            ("smaller", shape(half / 2, 6), 90),
            ("last", shape(half / 2, 9), 90),
        ];
        let mut built = Self {
            head: (0..9).map(|_| (random(&mut rng) % 63) as i8 - 31).collect(),
            values,
            weights: vec![],
            biases: vec![],
            multipliers: vec![],
            forms,
            metadata: metadata(side as u16),
        };
        for (form, output) in built.forms.iter().zip(1..) {
            let (outputs, fan_in) = match form {
                Some((input, window, groups)) => (
                    built.values[output].1.channels,
                    built.values[*input].1.channels / groups * window.kernel[0] * window.kernel[1],
                ),
                None => (0, 0),
            };
            let mut number = |n: u64| (random(&mut rng) % n) as i32;
            built.weights.push((0..outputs * fan_in).map(|_| (number(255) - 127) as i8).collect());
            built.biases.push((0..outputs).map(|_| number(4000) - 1000).collect());
            let multiplier = |n: i32| (0.5 + n as f32 / 100.0) / ((fan_in as f32).sqrt() * 90.0);
            built.multipliers.push((0..outputs).map(|_| multiplier(number(100))).collect());
        }
        built
    }

    /// Halves all weights: they have 7 bits then.
    pub fn narrow(mut self) -> Self {
        self.weights.iter_mut().flatten().for_each(|w| *w /= 2);
        self
    }

    /// Changes one weight of the pointwise convolution.
    pub fn change_a_weight(&mut self) {
        let weight = &mut self.weights[2][7];
        *weight = if *weight > 0 { -127 } else { 127 };
    }

    pub fn with<R>(&self, f: impl FnOnce(&Network) -> R) -> R {
        let values =
            self.values.iter().map(|&(name, shape, zero)| NetworkValue { name, shape, scale: SCALE, zero });
        let layers = self.forms.iter().enumerate().map(|(i, form)| match *form {
            Some((input, window, groups)) => NetworkLayer::Convolution {
                input,
                window,
                groups,
                weights: &self.weights[i],
                biases: &self.biases[i],
                multipliers: &self.multipliers[i],
            },
            None => NetworkLayer::Add { inputs: [3, 4] },
        });
        let (values, layers): (Vec<_>, Vec<_>) = (values.collect(), layers.collect());
        f(&Network {
            onnx_sha256: [7; 32],
            metadata: self.metadata.view(),
            values: &values,
            layers: &layers,
            head: ClassifierHead {
                weights: &self.head,
                positions: 16,
                step: 1.0 / 256.0,
                scale: 0.37,
                bias: -0.2,
            },
        })
    }

    /// Every value (NHWC), and the logit, by plain loops.
    pub fn compute(&self, input: &[u8]) -> (Vec<Vec<u8>>, f32) {
        let mut all = vec![input.to_vec()];
        for (index, form) in self.forms.iter().enumerate() {
            let next = match form {
                Some(form) => self.convolve(index, form, &all[form.0]),
                None => all[3].iter().zip(&all[4]).map(|(&a, &b)| add(a, b, self.values[5].2)).collect(),
            };
            all.push(next);
        }
        let features = all.last().unwrap();
        // In floats, as the graph does: dequantize, mean, matrix, scale, bias; all exact but the last two.
        let mean =
            |c: usize| features.iter().skip(c).step_by(9).map(|&q| f32::from(q) / 256.0).sum::<f32>() / 16.0;
        let sum: f32 = self.head.iter().enumerate().map(|(c, &w)| f32::from(w) * mean(c)).sum();
        let scaled = sum * 0.37;
        (all, scaled + -0.2)
    }

    fn convolve(&self, index: usize, &(input, window, groups): &(usize, Window, usize), x: &[u8]) -> Vec<u8> {
        let (_, shape, zero) = self.values[input];
        let out = self.values[index + 1].1;
        let (inputs, per_group) = (shape.channels / groups, out.channels / groups);
        let mut y = vec![0; out.bytes()];
        for (at, y) in y.iter_mut().enumerate() {
            let (row, column, channel) =
                (at / out.row_bytes(), at / out.channels % out.width, at % out.channels);
            let mut acc = self.biases[index][channel];
            for (ky, kx, i) in (0..window.kernel[0]).flat_map(|ky| {
                (0..window.kernel[1]).flat_map(move |kx| (0..inputs).map(move |i| (ky, kx, i)))
            }) {
                let y = (row * window.stride[0] + ky).wrapping_sub(window.before[0]);
                let x_at = (column * window.stride[1] + kx).wrapping_sub(window.before[1]);
                if y < shape.height && x_at < shape.width {
                    let q = x[(y * shape.width + x_at) * shape.channels + channel / per_group * inputs + i];
                    let w = ((channel * inputs + i) * window.kernel[0] + ky) * window.kernel[1] + kx;
                    acc += i32::from(self.weights[index][w]) * (i32::from(q) - i32::from(zero));
                }
            }
            *y = requantize(acc, self.multipliers[index][channel], self.values[index + 1].2);
        }
        y
    }
}

fn add(a: u8, b: u8, zero: u8) -> u8 {
    (i32::from(a) + i32::from(b) - i32::from(zero)).clamp(0, 255) as u8
}

pub fn metadata(side: u16) -> OwnedMetadata {
    Metadata {
        name: "random".into(),
        version: "0.0.1".into(),
        input_side: side,
        label_negative: "normal".into(),
        label_positive: "pneumonia".into(),
        calibration: Calibration { temperature: 1.5, bias: -0.1 },
        fitted_on: "nothing".into(),
        score_deciles_ppm: [0; 9],
        thresholds: Thresholds { negative_below: 0.3, positive_above: 0.7 },
        chosen_for: "nothing".into(),
        gate: GateThresholds {
            min_mean: 3000,
            max_mean: 62000,
            min_deviation: 1500,
            ..GateThresholds::open()
        },
        intended_use: "Tests only.".into(),
        training_data_sha256: "0".repeat(64),
        seeds: "1".into(),
        made_by: "a test".into(),
        metrics: "none".into(),
    }
}
