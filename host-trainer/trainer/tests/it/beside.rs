//! Pictures that the model is not for, shown beside those that it learns from.

use crate::support::{drawn, pictures};
use std::path::Path;
use std::process::Command;
use tch::{Device, Tensor};
use trainer::augment::batches::shifted_input;
use trainer::dataset::{self, Sample, phantoms};
use trainer::quantize::{Quantized, quantize};
use trainer::run::{Recipe, Run};
use trainer::train::others::OtherPictures;
use trainer::train::{self, net};

const SIDE: u16 = 32;

/// Chests of another kind: a bright disc lies over the heart.
fn others(from: &[Sample]) -> Vec<Sample> {
    let side = usize::from(dataset::WORKING_SIDE);
    let disc = |sample: &Sample| {
        let mut pixels = sample.working.to_vec();
        for (at, pixel) in pixels.iter_mut().enumerate() {
            let (x, y) = ((at % side) as i32 - 112, (at / side) as i32 - 130);
            if x * x + y * y < 25 * 25 {
                *pixel = 250;
            }
        }
        Sample { working: pixels.into(), ..sample.clone() }
    };
    from.iter().map(disc).collect()
}

/// A run whose float network is trained.
fn trained(folder: &Path, weight: f64) -> Run {
    tch::set_num_threads(1);
    let data = &drawn(SIDE)[..120];
    let recipe = Recipe {
        side: SIDE,
        epochs: 3,
        quantized_epochs: 6,
        quantized_rate: 0.2,
        batch: 16,
        average: 0.9,
        others: weight,
        ..Recipe::default()
    };
    let about = (phantoms::NAME.to_owned(), dataset::content_hash(data));
    let mut run = Run::start(folder, recipe, about, vec![], data, false).unwrap();
    train::train(&mut run, data, None, Device::Cpu).unwrap();
    run
}

/// Its int8 network, with others beside its own pictures or without.
fn learned(run: &mut Run) -> Quantized {
    let data = &drawn(SIDE)[..120];
    let weight = run.recipe.others;
    let beside = (weight > 0.0).then(|| OtherPictures::new(vec![others(&data[..40])], weight).unwrap());
    quantize(run, data, None, beside.as_ref(), Device::Cpu).unwrap();
    Quantized::load(run, Device::Cpu).unwrap()
}

/// How far the last features of the int8 network put the two groups apart: the distance of their means
/// along the line through them, over the deviation of both along it.
fn apart(quantized: &Quantized, groups: [&[Sample]; 2]) -> f64 {
    let features = groups.map(|samples| {
        let inputs: Vec<Vec<u8>> =
            samples.iter().map(|sample| shifted_input(sample, SIDE).bytes.to_vec()).collect();
        let steps = net::to_steps(inputs.iter().map(Vec::as_slice), i64::from(SIDE), Device::Cpu);
        let mut last = Tensor::new();
        let _ = quantized.network.logits_observed(&quantized.parameters, &steps, &mut |_, value| {
            last = value.shallow_clone();
        });
        last.flatten(1, -1).to_kind(tch::Kind::Double)
    });
    let mean = |group: &Tensor| group.mean_dim([0i64].as_slice(), false, tch::Kind::Double);
    let line = mean(&features[0]) - mean(&features[1]);
    let line = &line / line.norm();
    let [one, two] = features.map(|group| group.matmul(&line));
    let distance = (one.mean(tch::Kind::Double) - two.mean(tch::Kind::Double)).double_value(&[]);
    let spread = (one.var(true) + two.var(true)).sqrt().double_value(&[]);
    distance / spread
}

#[test]
fn features_tell_apart_what_was_shown_beside_them_and_nothing_of_the_head_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let [without, with, again] = [("without", 0.0), ("with", 3.0), ("again", 3.0)]
        .map(|(name, weight)| learned(&mut trained(&folder.path().join(name), weight)));
    assert_eq!(with.parameters.size(), without.parameters.size());
    assert_eq!(with.parameters, again.parameters, "a run repeats");
    // Of pictures that neither has seen.
    let (own, other) = (&drawn(SIDE)[120..160], others(&drawn(SIDE)[160..]));
    let [before, after] = [&without, &with].map(|int8| apart(int8, [own, &other]));
    println!("apart: {before:.3} without, {after:.3} with");
    assert!(after > 1.5 * before, "{before} without, {after} with");
}

#[test]
fn a_recipe_that_learns_from_others_is_refused_without_them_or_with_strange_ones() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let [wrists, hands] =
        [("wrists", 1), ("hands", 50)].map(|(name, seed)| pictures(&folder.path().join(name), seed));
    let step = |step: &str, more: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
        program.arg(step).arg("--run").arg(&run).args(more);
        let output = program.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let small =
        ["--phantoms", "60", "--side", "32", "--epochs", "1", "--quantized-epochs", "1", "--others", "0.5"];
    let (code, error) = step("train", &small);
    assert_eq!(code, Some(0), "{error}");
    let (code, error) = step("quantize", &[]);
    assert!(code == Some(1) && error.contains("expected --unfamiliar DIR or --not-chests DIR"), "{error}");
    let (code, error) = step("quantize", &["--not-chests", &wrists]);
    assert_eq!(code, Some(0), "{error}");
    let (code, error) = step("quantize", &["--not-chests", &hands]);
    assert!(code == Some(1) && error.contains("began with 2 other pictures"), "{error}");
}
