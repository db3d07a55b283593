//! One arena for the whole frame gives bit by bit what the stages give apart, each in memory of its
//! own.

use crate::packed::packed;
use edge_core::gate::{LinearDetector, QualityMetrics};
use edge_core::infer::{Engine, InferError};
use edge_core::kernels::Kernels;
use edge_core::packed::Packed;
use edge_core::pipeline::{FrameResult, Stage};
use edge_core::preprocess::PreprocessError;
use edge_core::{
    Decision, Frame, Geometry, Pipeline, PixelFormat, PixelStats, Reason, Scratch, decide, preprocess,
};
use proptest::prelude::*;
use test_support::network::{Aligned, Built};

const SIDE: usize = 16;

/// A pipeline with a model whose gate looks at everything.
fn pipeline(seed: u64) -> Pipeline<Aligned> {
    let mut built = Built::new(SIDE, seed);
    let gate = &mut built.metadata.gate;
    (gate.max_elongation_permille, gate.min_sharpness) = (2500, 20);
    let weight = |i: usize| (i * 37 % 255) as u8 as i8;
    gate.layout = LinearDetector { weights: (0..256).map(weight).collect(), least: -4000 };
    gate.features = LinearDetector { weights: (0..16 * 9).map(weight).collect(), least: 0 };
    let weight = |i: usize| (i * 59 % 251) as u8 as i8;
    gate.familiar = LinearDetector { weights: (0..16 * 9).map(weight).collect(), least: -4000 };
    Pipeline::new(Packed::new(packed(&built)).unwrap(), Kernels::SCALAR)
}

/// A picture of light that slopes and waves, with some grain; what it is depends on every number.
fn picture(width: u16, height: u16, format: PixelFormat, seed: u32) -> (Geometry, Vec<u8>) {
    let geometry = Geometry::new(width.into(), height.into(), format).unwrap();
    let row = geometry.row_bytes();
    let bytes = (0..row * usize::from(height)).map(|at| {
        let (x, y) = ((at % row * 256 / row) as u32, (at / row * 256 / usize::from(height)) as u32);
        let wave = (x * (1 + seed % 3) + y * (seed % 5)) % 256;
        let grain = (at as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 27;
        (wave * (seed % 7 + 1) / 8 + grain + seed % 11 * 8).min(255) as u8
    });
    (geometry, bytes.collect())
}

/// What the stages give apart: the network's input and the answer.
fn apart(
    pipeline: &Pipeline<Aligned>,
    geometry: Geometry,
    bytes: &[u8],
) -> (PixelStats, Vec<u8>, FrameResult) {
    let model = Packed::new(pipeline.engine().model().bytes()).unwrap();
    let checked = pipeline.engine().model();
    let metadata = checked.plan().unwrap().metadata().unwrap();
    let mut input = vec![0; SIDE * SIDE];
    let (mut row, mut line, mut cells) = ([0; SIDE], [0; SIDE], [0; SIDE * SIDE]);
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    let frame = Frame::packed(geometry, bytes).unwrap();
    let stats = preprocess(&frame, SIDE as u16, scratch, &mut input).unwrap();
    let mut figures = QualityMetrics::of(geometry, &stats, &input, &metadata.gate);
    let engine = Engine::new(model, Kernels::SCALAR);
    let mut arena = vec![0; engine.model().arena_bytes()];
    let decision = match figures.judge(&metadata.gate) {
        Err(reason) => Decision::refused(reason),
        Ok(()) => {
            let logit = engine.infer(&mut arena, &input).unwrap();
            match figures.judge_features(engine.features(&arena).unwrap(), &metadata.gate) {
                Err(reason) => Decision::refused(reason),
                Ok(()) => {
                    let decision = decide(logit, &metadata.calibration, &metadata.thresholds);
                    let least = metadata.gate.familiar.least;
                    match figures.familiarity.unwrap() {
                        got if got < least => decision.referred(Reason::Unfamiliar(got, least)),
                        _ => decision,
                    }
                }
            }
        }
    };
    (stats, input, FrameResult { decision, figures })
}

fn together(
    pipeline: &Pipeline<Aligned>,
    arena: &mut [u8],
    geometry: Geometry,
    bytes: &[u8],
) -> (PixelStats, Vec<u8>, FrameResult) {
    let mut incoming = pipeline.begin(geometry, arena).unwrap();
    bytes.chunks_exact(geometry.row_bytes()).for_each(|row| incoming.row(row).unwrap());
    let stats = incoming.finish().unwrap();
    let input = pipeline.input(arena).unwrap().to_vec();
    let judged = pipeline.judge(geometry, &stats, arena, &mut |_| ()).unwrap();
    (stats, input, judged)
}

/// Floats by their bits: what must be equal is that.
fn bits(judged: &FrameResult) -> impl PartialEq + std::fmt::Debug + use<> {
    let FrameResult { decision, figures } = *judged;
    (
        decision.state,
        decision.reason,
        decision.logit.map(f32::to_bits),
        decision.score.map(f32::to_bits),
        figures,
    )
}

fn arena(pipeline: &Pipeline<Aligned>, poison: u8) -> Aligned {
    let mut arena = Aligned::zeroed(pipeline.engine().model().arena_bytes());
    arena.as_mut().fill(poison);
    arena
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever lay in the arena before.
    #[test]
    fn one_arena_gives_what_the_stages_give_apart(
        (width, height, format) in (32u16..150, 32u16..150, 0..PixelFormat::ALL.len()),
        (seed, poison) in (any::<u32>(), any::<u8>()),
        model_seed in 0u64..4,
    ) {
        let pipeline = pipeline(model_seed);
        let mut arena = arena(&pipeline, poison);
        let (geometry, bytes) = picture(width, height, PixelFormat::ALL[format], seed);
        let (stats, input, judged) = together(&pipeline, arena.as_mut(), geometry, &bytes);
        let expected = apart(&pipeline, geometry, &bytes);
        prop_assert_eq!((stats, input), (expected.0, expected.1));
        prop_assert_eq!(bits(&judged), bits(&expected.2));
    }
}

/// Frame after frame in one arena, as a device goes on; the pictures are worth it: they end before
/// the network, behind it, and with scores.
#[test]
fn frames_do_not_disturb_each_other() {
    let pipeline = pipeline(1);
    let mut arena = arena(&pipeline, 0xA5);
    let (mut before, mut behind, mut unfamiliar, mut judged) = (0, 0, 0, 0);
    for seed in 0..300 {
        let (width, height) = (32 + seed as u16 * 7 % 200, 40 + seed as u16 * 11 % 90);
        let (geometry, bytes) = picture(width, height, PixelFormat::ALL[seed as usize % 6], seed);
        let got = together(&pipeline, arena.as_mut(), geometry, &bytes).2;
        assert_eq!(bits(&got), bits(&apart(&pipeline, geometry, &bytes).2), "{seed}");
        match got.decision.reason {
            Reason::UnlikeFeatures(..) => behind += 1,
            Reason::Unfamiliar(..) => unfamiliar += 1,
            _ if got.decision.score.is_some() => judged += 1,
            _ => before += 1,
        }
    }
    let all = [before, behind, unfamiliar, judged];
    assert!(all.iter().all(|count| *count > 5), "{all:?}");
}

/// The comparison bites: one byte of the input changed in the arena, before it is judged, is seen
/// in the answer.
#[test]
fn a_planted_fault_is_seen() {
    let pipeline = pipeline(1);
    let mut arena = arena(&pipeline, 0);
    let place = pipeline.engine().model().plan().unwrap().value(0).unwrap().range();
    for seed in 0..40 {
        let (geometry, bytes) = picture(60, 50, PixelFormat::Gray8, seed);
        let expected = apart(&pipeline, geometry, &bytes).2;
        let mut incoming = pipeline.begin(geometry, arena.as_mut()).unwrap();
        bytes.chunks_exact(60).for_each(|row| incoming.row(row).unwrap());
        let stats = incoming.finish().unwrap();
        arena.as_mut()[place.start + SIDE * SIDE / 2 + SIDE / 2] ^= 0x80;
        let got = pipeline.judge(geometry, &stats, arena.as_mut(), &mut |_| ()).unwrap();
        assert_ne!(bits(&got), bits(&expected), "{seed}");
    }
}

#[test]
fn the_observer_is_told_every_stage_in_order() {
    let pipeline = pipeline(1);
    let mut arena = arena(&pipeline, 0);
    let layers = pipeline.engine().model().plan().unwrap().layers();
    let (mut full, mut short) = (0, 0);
    for seed in 0..60 {
        let (geometry, bytes) = picture(60, 50, PixelFormat::Gray8, seed);
        let mut incoming = pipeline.begin(geometry, arena.as_mut()).unwrap();
        bytes.chunks_exact(60).for_each(|row| incoming.row(row).unwrap());
        let stats = incoming.finish().unwrap();
        let mut stages = Vec::new();
        let judged =
            pipeline.judge(geometry, &stats, arena.as_mut(), &mut |stage| stages.push(stage)).unwrap();
        let mut expected = vec![Stage::Gate];
        if judged.figures.features.is_some() {
            expected.extend((0..layers).map(|layer| Stage::Layer(layer as u8)));
            expected.push(Stage::Features);
        }
        if judged.decision.score.is_some() {
            expected.push(Stage::Decide);
            full += 1;
        } else {
            short += 1;
        }
        assert_eq!(stages, expected);
    }
    assert!(full > 0 && short > 0);
}

#[test]
fn every_stage_has_a_code_of_its_own() {
    let mut stages =
        vec![Stage::Wait, Stage::Rows, Stage::Standardise, Stage::Gate, Stage::Features, Stage::Decide];
    stages.extend((0..=u8::MAX).map(Stage::Layer));
    for stage in &stages {
        assert_eq!(Stage::from_code(stage.code()), Some(*stage));
    }
    let known = (0..=u16::MAX).filter_map(Stage::from_code).count();
    assert_eq!(known, stages.len());
}

#[test]
fn damaged_frames_are_refused_and_leave_nothing_behind() {
    let pipeline = pipeline(1);
    let mut arena = arena(&pipeline, 0x5A);
    let (geometry, bytes) = picture(60, 50, PixelFormat::Yuyv, 3);
    let rows: Vec<&[u8]> = bytes.chunks_exact(120).collect();

    let mut incoming = pipeline.begin(geometry, arena.as_mut()).unwrap();
    incoming.row(rows[0]).unwrap();
    let short = PreprocessError::RowBytes { expected: 120, got: 119 };
    assert_eq!(incoming.row(&rows[1][1..]), Err(short));
    let long = PreprocessError::RowBytes { expected: 120, got: 121 };
    assert_eq!(incoming.row(&bytes[..121]), Err(long));
    assert_eq!(incoming.row(&[]), Err(PreprocessError::RowBytes { expected: 120, got: 0 }));
    assert_eq!(incoming.finish(), Err(PreprocessError::Rows { expected: 50, got: 1 }));

    let mut incoming = pipeline.begin(geometry, arena.as_mut()).unwrap();
    rows.iter().for_each(|row| incoming.row(row).unwrap());
    assert_eq!(incoming.row(rows[0]), Err(PreprocessError::Rows { expected: 50, got: 51 }));
    incoming.finish().unwrap();

    let got = together(&pipeline, arena.as_mut(), geometry, &bytes).2;
    assert_eq!(bits(&got), bits(&apart(&pipeline, geometry, &bytes).2));
}

#[test]
fn an_arena_that_does_not_fit_is_an_error() {
    let pipeline = pipeline(1);
    let needed = pipeline.engine().model().arena_bytes();
    let (geometry, bytes) = picture(60, 50, PixelFormat::Gray8, 3);
    let mut memory = Aligned::zeroed(needed + 8);
    for length in 0..needed {
        let short = InferError::Arena { expected: needed, got: length };
        assert_eq!(pipeline.begin(geometry, &mut memory.as_mut()[..length]).err(), Some(short));
    }
    for offset in 1..8 {
        let shifted = &mut memory.as_mut()[offset..][..needed];
        let misfit = InferError::Preprocess(PreprocessError::Scratch { side: SIDE as u16 });
        assert_eq!(pipeline.begin(geometry, shifted).err(), Some(misfit), "at {offset}");
    }
    let stats = together(&pipeline, &mut memory.as_mut()[8..], geometry, &bytes).0;
    let judged = pipeline.judge(geometry, &stats, &mut memory.as_mut()[..needed - 1], &mut |_| ());
    assert_eq!(judged, Err(InferError::Arena { expected: needed, got: needed - 1 }));
    assert!(pipeline.input(&[]).is_err());
}
