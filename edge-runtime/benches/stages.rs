//! Each stage on its own: decode, preprocess, infer, decide.

#[path = "../tests/support/mod.rs"]
mod support;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use edge_core::{Scratch, decide, preprocess};
use edge_runtime::decode::decode;
use edge_runtime::engine;
use edge_runtime::model_file::ModelFile;
use edge_runtime::phantom::{self, Label};
use std::hint::black_box;
use support::{model, picture};

/// Picture sides: the public set's, a small camera's, a film scanner's.
const SIDES: [u16; 3] = [224, 1024, 2048];
const INPUT: u16 = 128;

fn decoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for side in SIDES.map(u32::from) {
        group.throughput(Throughput::Elements(u64::from(side) * u64::from(side)));
        for (format, bytes) in [("jpeg", picture::jpeg(side, side, None)), ("png", picture::png(side, side))]
        {
            group.bench_function(BenchmarkId::new(format, side), |b| b.iter(|| decode(black_box(&bytes))));
        }
    }
}

fn preprocessing(c: &mut Criterion) {
    let mut group = c.benchmark_group("preprocess");
    let n = usize::from(INPUT);
    let (mut row, mut line, mut cells, mut input) = (vec![0; n], vec![0; n], vec![0; n * n], vec![0; n * n]);
    for side in SIDES {
        group.throughput(Throughput::Elements(u64::from(side) * u64::from(side)));
        let picture = phantom::draw(Label::Normal, 1, side);
        group.bench_function(BenchmarkId::from_parameter(side), |b| {
            b.iter(|| {
                let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
                preprocess(black_box(&picture.frame()), INPUT, scratch, &mut input)
            });
        });
    }
}

fn inferring(c: &mut Criterion) {
    let model = ModelFile::from_bytes(include_bytes!("../../models/pneumonia/model.onnx")).unwrap();
    let side = usize::from(model.metadata.input_side);
    let input: Vec<u8> = (0..side * side).map(|i| (i * 7) as u8).collect();
    for name in engine::NAMES {
        let mut engine = engine::load(name, &model).unwrap().unwrap();
        c.bench_function(&format!("infer/{name}"), |b| b.iter(|| engine.infer(black_box(&input)).unwrap()));
    }
}

fn deciding(c: &mut Criterion) {
    let metadata = model::metadata(32);
    c.bench_function("decide", |b| {
        b.iter(|| decide(black_box(0.7), &metadata.calibration, &metadata.thresholds))
    });
}

criterion_group!(stages, decoding, preprocessing, inferring, deciding);
criterion_main!(stages);
