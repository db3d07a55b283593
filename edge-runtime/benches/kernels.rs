//! Every kernel set that this machine can run, on the layers of the shipped network.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use edge_core::kernels::depthwise::{Depthwise, Places};
use edge_core::kernels::first::First;
use edge_core::kernels::layout::{DEPTH, block_bytes, padded, tap_bytes};
use edge_core::kernels::pointwise::Pointwise;
use edge_core::kernels::{self, Channels, Kernels, Shape, Window, add, pool};

/// One channel of this side, 16 outputs, stride 2.
const FIRST: usize = 128;
/// Side of the input, channels, stride.
const DEPTHWISE: [(usize, usize, usize); 6] =
    [(64, 16, 1), (64, 24, 2), (32, 40, 2), (16, 96, 1), (16, 144, 2), (8, 160, 1)];
const POINTWISE: [(usize, usize, usize); 10] = [
    (64, 16, 24),
    (32, 24, 40),
    (16, 40, 48),
    (16, 48, 96),
    (16, 96, 48),
    (16, 48, 144),
    (8, 144, 80),
    (8, 80, 160),
    (8, 160, 80),
    (8, 80, 128),
];
const ADD: [(usize, usize); 2] = [(16, 48), (8, 80)];
const POOL: (usize, usize) = (8, 128);

/// Bytes of the largest value, and of scratch memory for it.
const LARGEST: usize = 128 * 1024;

/// Weights and numbers of a convolution; what they are does not change how long it takes.
struct Numbers {
    weights: Vec<i8>,
    bias: Vec<i32>,
    multiplier: Vec<f32>,
    outputs: usize,
}

impl Numbers {
    fn new(outputs: usize, weights: usize) -> Self {
        let n = padded(outputs);
        Self { weights: noise(weights), bias: vec![100; n], multiplier: vec![0.003; n], outputs }
    }

    fn channels(&self) -> Channels<'_> {
        Channels::new(self.outputs, &self.bias, &self.bias, &self.multiplier, 128).unwrap()
    }
}

fn noise(count: usize) -> Vec<i8> {
    (0..count).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as i8).collect()
}

/// Times one layer with every set, in outputs a second.
fn layer(c: &mut Criterion, name: &str, outputs: usize, mut run: impl FnMut(&Kernels, &[u8], &mut [u8])) {
    let mut group: BenchmarkGroup<WallTime> = c.benchmark_group(name);
    group.throughput(Throughput::Elements(outputs as u64));
    let x: Vec<u8> = noise(LARGEST).into_iter().map(|q| q as u8).collect();
    let mut y = vec![0; LARGEST];
    for kernels in kernels::ALL.iter().filter_map(|set| set.kernels()) {
        group.bench_function(BenchmarkId::from_parameter(kernels.name()), |b| {
            b.iter(|| run(&kernels, &x, &mut y));
        });
    }
}

fn convolutions(c: &mut Criterion) {
    let mut scratch = vec![0; LARGEST];
    let (shape, window) = (Shape { height: FIRST, width: FIRST, channels: 1 }, Window::square(3, 2, 1));
    let numbers = Numbers::new(16, block_bytes(16, 3 * DEPTH));
    let op = First::new(shape, window, 16, &numbers.weights, numbers.channels(), 0).unwrap();
    layer(c, &format!("first {FIRST}x{FIRST}x1-16"), op.output().bytes(), |kernels, x, y| {
        op.run(kernels, x, y, &mut scratch).unwrap();
    });
    for (side, channels, stride) in DEPTHWISE {
        let (shape, window) = (Shape { height: side, width: side, channels }, Window::square(3, stride, 1));
        let numbers = Numbers::new(channels, tap_bytes(channels, window.kernel));
        let op = Depthwise::new(shape, window, &numbers.weights, numbers.channels(), 0).unwrap();
        let name = format!("depthwise {side}x{side}x{channels} stride {stride}");
        layer(c, &name, op.output().bytes(), |kernels, x, y| {
            op.run(kernels, Places::Apart(x, y), &mut scratch).unwrap();
        });
    }
    for (side, depth, outputs) in POINTWISE {
        let numbers = Numbers::new(outputs, block_bytes(outputs, depth));
        let op = Pointwise::new(depth, outputs, &numbers.weights, numbers.channels()).unwrap();
        let pixels = side * side;
        let name = format!("pointwise {side}x{side}x{depth}-{outputs}");
        layer(c, &name, pixels * outputs, |kernels, x, y| {
            op.run(kernels, &x[..pixels * depth], depth, y, outputs).unwrap();
        });
    }
}

fn others(c: &mut Criterion) {
    for (side, channels) in ADD {
        let bytes = side * side * channels;
        layer(c, &format!("add {side}x{side}x{channels}"), bytes, |kernels, x, y| {
            add::add(kernels, &x[..bytes], &mut y[..bytes], 128).unwrap();
        });
    }
    let (side, channels) = POOL;
    let mut sums = vec![0; channels];
    layer(c, &format!("pool {side}x{side}x{channels}"), side * side * channels, |kernels, x, _| {
        pool::sums(kernels, &x[..side * side * channels], &mut sums).unwrap();
    });
}

criterion_group!(benches, convolutions, others);
criterion_main!(benches);
