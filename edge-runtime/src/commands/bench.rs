//! `edge-runtime bench`: how long preprocessing and inference take on this machine, one thread.

use crate::cli::BenchOptions;
use crate::outcome::Outcome;
use crate::report::Output;
use crate::{model, report};
use anyhow::{Result, ensure};
use edge_core::frame::{Geometry, PixelFormat};
use edge_core::{Decision, State};
use edge_model::classify::Classifier;
use edge_model::decode::Picture;
use edge_model::drawings::DRAWINGS;
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::ModelFile;
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

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

/// `only` is the engine to measure; without it all are.
pub fn run(
    model: &ModelFile,
    only: Option<EngineKind>,
    options: &BenchOptions,
    output: Output,
) -> Result<Outcome> {
    // Different pictures, so that no branch predictor learns one by heart; they are used in turn.
    let drawn = DRAWINGS.iter().map(|drawing| scaled(&drawing.picture()?, options.side));
    let pictures = drawn.collect::<Result<Vec<Picture>>>()?;
    let mut results = Vec::new();
    for kind in EngineKind::ALL.into_iter().filter(|&kind| only.is_none_or(|only| only == kind)) {
        let times = measure(kind, model, &pictures, options)?;
        if output == Output::Json {
            report::json(&times)?;
        }
        results.push(times);
    }
    if output == Output::Text {
        let mut out = io::stdout().lock();
        let side = model.metadata().input_side;
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

/// A square picture of 8-bit grey at another side: each pixel the nearest one. What is measured
/// does not depend on how they look.
fn scaled(picture: &Picture, side: u16) -> Result<Picture> {
    let geometry = Geometry::new(side.into(), side.into(), PixelFormat::Gray8)?;
    let (from, to) = (usize::from(picture.geometry().width()), usize::from(side));
    let pixel = |at: usize| picture.bytes()[at / to * from / to * from + at % to * from / to];
    Ok(Picture::new(geometry, (0..to * to).map(pixel).collect())?)
}

fn measure(
    kind: EngineKind,
    model: &ModelFile,
    pictures: &[Picture],
    options: &BenchOptions,
) -> Result<Times> {
    let mut classifier = Classifier::new(model, model::engine(kind, model)?);
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
        engine: classifier.engine().name(),
        frames: options.frames,
        frame_side: options.side,
        preprocess_us_median,
        preprocess_us_p99,
        infer_us_median,
        infer_us_p99,
        model_sha256: model.sha256().to_owned(),
    })
}

/// The least times that half and 99 of 100 frames do not exceed (nearest rank), in microseconds; 0
/// for no times.
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
