//! `edge-runtime bench`: how long preprocessing and inference take on this machine, one thread.

use crate::cli::{BenchOptions, Output};
use crate::exit::Outcome;
use crate::{model, report};
use anyhow::{Result, ensure};
use edge_core::{Decision, State};
use edge_runtime::classify::Classifier;
use edge_runtime::decode::Picture;
use edge_runtime::engine;
use edge_runtime::model_file::ModelFile;
use edge_runtime::phantom::{self, Label};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// Different pictures, so that no branch predictor learns one by heart; they are used in turn.
const PICTURES: u64 = 8;
/// Frames that are not measured, for caches and clocks to settle.
const WARM_UP: u32 = 5;

/// One engine's times, in microseconds.
#[derive(Serialize)]
struct Times {
    engine: &'static str,
    frames: u32,
    frame_side: u16,
    preprocess_us_median: f64,
    preprocess_us_p99: f64,
    infer_us_median: f64,
    infer_us_p99: f64,
    model_sha256: String,
}

/// `only` names the engine to measure; without it all are.
pub fn run(model: &ModelFile, only: Option<&str>, options: &BenchOptions, output: Output) -> Result<Outcome> {
    let draw = |seed| {
        phantom::draw(if seed % 2 == 0 { Label::Normal } else { Label::Pneumonia }, seed, options.side)
    };
    let pictures: Vec<Picture> = (0..PICTURES).map(draw).collect();
    let mut results = Vec::new();
    for name in engine::NAMES.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let times = measure(name, model, &pictures, options)?;
        if output == Output::Json {
            report::json(&times)?;
        }
        results.push(times);
    }
    if output == Output::Text {
        let mut out = io::stdout().lock();
        let side = model.metadata.input_side;
        writeln!(
            out,
            "{0}x{0} grey to {side}x{side}, {1} frames, one thread\n",
            options.side, options.frames
        )?;
        writeln!(out, "{:<12}{:>26}{:>26}", "", "preprocess, ms", "infer, ms")?;
        writeln!(out, "{:<12}{:>14}{:>12}{:>14}{:>12}", "engine", "median", "99th", "median", "99th")?;
        for t in &results {
            let times = [t.preprocess_us_median, t.preprocess_us_p99, t.infer_us_median, t.infer_us_p99];
            let [a, b, c, d] = times.map(|us| us / 1000.0);
            writeln!(out, "{:<12}{a:>14.3}{b:>12.3}{c:>14.3}{d:>12.3}", t.engine)?;
        }
    }
    Ok(Outcome::Complete)
}

fn measure(name: &str, model: &ModelFile, pictures: &[Picture], options: &BenchOptions) -> Result<Times> {
    let mut classifier = Classifier::new(model, model::engine(name, model)?);
    let (mut preprocess, mut infer) = (Vec::new(), Vec::new());
    let progress = report::progress(options.frames.into(), "frames");
    for (i, picture) in (0..WARM_UP + options.frames).zip(pictures.iter().cycle()) {
        let classified = classifier.classify(&picture.frame())?;
        let Decision { state, reason, .. } = classified.decision;
        ensure!(
            state != State::Invalid,
            "the model's gate refuses the drawn frames ({reason}), so that there is nothing to measure"
        );
        if i >= WARM_UP {
            preprocess.push(classified.preprocess);
            infer.push(classified.infer);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    let (preprocess_us_median, preprocess_us_p99) = median_and_p99(&mut preprocess);
    let (infer_us_median, infer_us_p99) = median_and_p99(&mut infer);
    Ok(Times {
        engine: edge_runtime::engine::Engine::name(classifier.engine()),
        frames: options.frames,
        frame_side: options.side,
        preprocess_us_median,
        preprocess_us_p99,
        infer_us_median,
        infer_us_p99,
        model_sha256: model.sha256.clone(),
    })
}

/// The least times that half and 99 of 100 frames do not exceed (nearest rank), in microseconds; 0 for no times.
fn median_and_p99(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let rank = |percent: usize| {
        let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    (rank(50), rank(99))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_nearest_rank_method() {
        let mut times: Vec<_> = (1..=200).rev().map(Duration::from_micros).collect();
        assert_eq!(median_and_p99(&mut times), (100.0, 198.0));
        assert_eq!(median_and_p99(&mut [Duration::from_micros(3)]), (3.0, 3.0));
        assert_eq!(median_and_p99(&mut []), (0.0, 0.0));
    }
}
