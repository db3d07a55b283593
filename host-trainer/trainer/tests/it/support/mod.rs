//! A model and an engine that need no network file: the engine looks at how bright the lung fields
//! are. And drawings.

use edge_core::model::key;
use edge_core::{Metadata, preprocess};
use edge_model::engine::{Engine, EngineError};
use edge_model::model_file::ModelFile;
use phantoms::Label;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, LazyLock};
use test_support::model;
use trainer::dataset::{self, PictureSource, Sample};
use trainer::evaluate::metrics::Bootstrap;
use trainer::evaluate::{Evaluation, EvaluationOptions, LabelledPicture, run_with};

/// How the tests evaluate phantoms.
pub fn options(sample_limit: usize) -> EvaluationOptions {
    EvaluationOptions {
        description: "phantoms".into(),
        bootstrap: Bootstrap { resamples: 200, seed: 5 },
        sample_limit,
        ..EvaluationOptions::default()
    }
}

/// Evaluates [`LungBrightness`] on `items` into the folder `out`.
pub fn evaluate(items: &[LabelledPicture], out: &Path, sample_limit: usize) -> anyhow::Result<Evaluation> {
    let make = || Ok(Box::new(LungBrightness) as Box<dyn Engine>);
    run_with(&fake(), Some(98_765), &make, items, out, &options(sample_limit))
}

/// Side of the fake model's input.
pub const SIDE: u16 = 64;

/// Metadata as an exported model has it, around a network that is not asked.
pub fn fake() -> ModelFile {
    let hash = "ab".repeat(32);
    let props = [
        (key::FORMAT, "2"),
        (key::PREPROCESSING, preprocess::NAME),
        (key::NAME, "lung-brightness"),
        (key::VERSION, "0.1.0"),
        (key::INPUT_SIDE, "64"),
        (key::LABEL_NEGATIVE, "NORMAL"),
        (key::LABEL_POSITIVE, "PNEUMONIA"),
        (key::TEMPERATURE, "1"),
        (key::BIAS, "0"),
        (key::FITTED_ON, "nothing: a test's model"),
        (key::SCORE_DECILES, "1 2 3 4 5 6 7 8 9"),
        (key::NEGATIVE_BELOW, "0.3"),
        (key::POSITIVE_ABOVE, "0.7"),
        (key::CHOSEN_FOR, "nothing: a test's model"),
        (key::MIN_MEAN, "2000"),
        (key::MAX_MEAN, "63000"),
        (key::MIN_DEVIATION, "1000"),
        (key::MAX_ELONGATION, "2500"),
        (key::MAX_BLACK, "1000"),
        (key::MAX_WHITE, "1000"),
        (key::MIN_SHARPNESS, "0"),
        (key::MIN_LAYOUT, "0"),
        (key::MIN_FEATURES, "0"),
        (key::LAYOUT, "none"),
        (key::FEATURES, "none"),
        (key::INTENDED_USE, "tests of the evaluation; frontal drawings of chests"),
        (key::TRAINING_DATA, &hash),
        (key::SEEDS, "1"),
        (key::MADE_BY, "a test"),
        (key::METRICS, "none"),
    ];
    let find = |name: &str| props.iter().find(|(k, _)| *k == name).map(|(_, v)| *v);
    // A head that only adds up: every feature speaks for the positive label.
    let mut proto = model::unsealed(SIDE, 1);
    let head = model::tensor_mut(proto.graph.as_mut().unwrap(), "head");
    head.raw_data = 1f32.to_le_bytes().repeat(FEATURES.1);
    edge_model::model_file::seal(&mut proto);
    let network = ModelFile::from_bytes(&model::bytes(&proto)).unwrap();
    let bytes = network.with_metadata(&Metadata::from_props(find).unwrap()).unwrap();
    ModelFile::from_bytes(&bytes).unwrap()
}

/// Features of the fake model that lie evenly over the picture.
static EVEN: [u8; FEATURES.0 * FEATURES.0 * FEATURES.1] = [1; FEATURES.0 * FEATURES.0 * FEATURES.1];

/// Side of the fake model's features, and their channels.
pub const FEATURES: (usize, usize) = (SIDE as usize / 4, 16);

/// Mean brightness of the lung fields over that of the whole picture, scaled to a logit.
pub struct LungBrightness;

impl Engine for LungBrightness {
    fn name(&self) -> &'static str {
        "lung-brightness"
    }

    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
        let side = usize::from(SIDE);
        let (mut sum, mut n) = (0.0, 0.0);
        for (y, row) in input.chunks(side).enumerate().skip(side / 4).take(side / 3) {
            for (x, &v) in row.iter().enumerate() {
                let across = x as f32 / side as f32;
                if (0.2..0.4).contains(&across) || (0.6..0.8).contains(&across) {
                    // A slope down the picture keeps equal means from giving equal logits.
                    sum += f32::from(v) + y as f32 * 1e-3;
                    n += 1.0;
                }
            }
        }
        Ok((sum / n - 133.0) / 4.0)
    }

    fn features(&self) -> Result<&[u8], EngineError> {
        Ok(&EVEN)
    }
}

pub struct Broken;

impl Engine for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn infer(&mut self, _: &[u8]) -> Result<f32, EngineError> {
        Err(EngineError::Run { engine: "broken", what: "planted".into() })
    }

    fn features(&self) -> Result<&[u8], EngineError> {
        Ok(&[])
    }
}

/// `n` phantoms in memory, every second one ill, two of a patient; the ill are called bacterial and
/// viral in turn.
pub fn phantoms(n: u64) -> Vec<LabelledPicture> {
    let one = |i: u64| {
        let ill = i % 2 == 1;
        let label = if ill { Label::Pneumonia } else { Label::Normal };
        let subgroup = match (ill, i / 2 % 3) {
            (false, _) => "",
            (true, 0) => "virus",
            (true, _) => "bacteria",
        };
        LabelledPicture {
            id: format!("phantom-{i:04}"),
            source: PictureSource::Memory(Arc::new(phantoms::draw(label, i, 96))),
            label: ill,
            patient: format!("{}{}", if ill { "i" } else { "w" }, i / 4),
            subgroup: subgroup.into(),
        }
    };
    (0..n).map(one).collect()
}

/// 200 drawings as the trainer loads them for a network input of 32 or 64 pixels a side: drawn once,
/// because each takes some milliseconds.
pub fn drawn(side: u16) -> &'static [Sample] {
    static SMALL: LazyLock<Vec<Sample>> = LazyLock::new(|| dataset::phantoms::load(200, 32).samples);
    static LARGE: LazyLock<Vec<Sample>> = LazyLock::new(|| dataset::phantoms::load(200, 64).samples);
    match side {
        32 => &SMALL,
        64 => &LARGE,
        _ => panic!("no drawings of {side} pixels"),
    }
}

/// A new folder of four drawings, as its path.
pub fn pictures(at: &Path, first_seed: u64) -> String {
    std::fs::create_dir(at).unwrap();
    for seed in first_seed..first_seed + 4 {
        let drawing = phantoms::draw(Label::Normal, seed, 64);
        let image = image::GrayImage::from_raw(64, 64, drawing.bytes().to_vec()).unwrap();
        image.save(at.join(format!("picture{seed}.png"))).unwrap();
    }
    at.to_str().unwrap().to_owned()
}

/// A teacher that a recipe's file may name, trained in seconds.
pub const SMALL_TEACHER: &str = "
[[teacher]]
name = 'small'
size = 'lite0'
side = 32
epochs = 1
from_scratch = true
";

/// Runs a program to its end. How much it took at most of one kind of memory, in kB, by the name that
/// `/proc/PID/status` has for it; and what it said.
#[cfg(target_os = "linux")]
pub fn most_memory(program: &mut Command, kind: &str) -> (u64, Output) {
    let mut child = program.stdout(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
        let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most = most.max(kb.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (most, child.wait_with_output().unwrap())
}
