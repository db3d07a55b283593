//! `edge-runtime aim`: one frame as the device sees it, with the rectangle and what gate and
//! network say of what is in it.

use crate::cli::AimOptions;
use crate::outcome::Outcome;
use crate::report::Output;
use crate::{model, report};
use anyhow::{Context, Result};
use edge_core::{Frame, State};
use edge_model::activation::ActivationMapper;
use edge_model::classify::{Classifier, Inference};
use edge_model::engine::Engine;
use edge_model::engine::EngineKind;
use edge_model::files;
use edge_model::model_file::ModelFile;
use edge_runtime::capture::{self, CaptureError, CaptureOptions, Crop};
use edge_runtime::preview;
use serde::Serialize;
use std::io::Write;
use std::time::{Duration, Instant};

/// How long a camera may take to show a frame.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a camera gets to find its exposure, once it shows frames.
const SETTLING: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Aim<'a> {
    source: &'a str,
    /// Of the whole picture, in pixels.
    width: u16,
    height: u16,
    crop: Option<Crop>,
    /// Of what is judged, in 16-bit luminance.
    mean: u16,
    deviation: u16,
    black_permille: u16,
    white_permille: u16,
    /// What else the gate measures, with the model's limits: each must be at least that.
    sharpness: u16,
    min_sharpness: u16,
    layout: i32,
    min_layout: i32,
    /// None where the gate refused before the network.
    features: Option<i32>,
    min_features: i32,
    familiarity: Option<i32>,
    min_familiarity: i32,
    state: State,
    score: Option<f32>,
    reason: String,
    reason_code: u8,
    model_sha256: &'a str,
    out: String,
}

pub fn run(model: &ModelFile, engine: EngineKind, options: &AimOptions, output: Output) -> Result<Outcome> {
    let mut classifier = Classifier::new(model, model::engine(engine, model)?);
    let (width, height) = options.size.unzip();
    // The whole picture is wanted; the rectangle is cut here. Files that lie in a folder already serve
    // as well as new ones.
    let wishes = CaptureOptions {
        source: options.source.clone(),
        format: options.format,
        width,
        height,
        existing: true,
        ..Default::default()
    };
    let mut source = capture::open(&wishes)?;
    let name = source.name().to_owned();

    let (start, mut first) = (Instant::now(), None);
    let settling = if source.is_live() { SETTLING } else { Duration::ZERO };
    let aim = loop {
        match source.next(Duration::from_millis(500)) {
            Ok(shot) if first.get_or_insert_with(Instant::now).elapsed() >= settling => {
                break look(&mut classifier, &shot.frame, &name, model, options)?;
            }
            Err(error @ CaptureError::End) => return Err(error.into()),
            Err(error) if start.elapsed() >= PATIENCE => return Err(error.into()),
            Ok(_) | Err(_) => {}
        }
    };
    report::answer(output, &aim, |out| {
        let figures = figures(&aim).join("\n");
        writeln!(out, "{figures}\n\nWritten: {}\n\n{}", aim.out, report::footer(model))
    })
}

/// Judges the part of the frame that the rectangle holds, and writes the preview.
fn look<'a>(
    classifier: &mut Classifier<impl Engine>,
    frame: &Frame,
    source: &'a str,
    model: &'a ModelFile,
    options: &AimOptions,
) -> Result<Aim<'a>> {
    let geometry = frame.geometry();
    let cut = |c: Crop| frame.crop(c.x, c.y, c.width, c.height).with_context(|| format!("--crop {c}"));
    let part = options.crop.map_or(Ok(*frame), cut)?;
    let Inference { decision, stats, figures: measured, .. } = classifier.classify(&part).context("FAULT")?;
    let limits = &model.metadata().gate;
    let aim = Aim {
        source,
        width: geometry.width(),
        height: geometry.height(),
        crop: options.crop,
        mean: stats.mean,
        deviation: stats.deviation,
        black_permille: stats.black_permille,
        white_permille: stats.white_permille,
        sharpness: measured.sharpness,
        min_sharpness: limits.min_sharpness,
        layout: measured.layout,
        min_layout: limits.layout.least,
        features: measured.features,
        min_features: limits.features.least,
        familiarity: measured.familiarity,
        min_familiarity: limits.familiar.least,
        state: decision.state,
        score: decision.score,
        reason: decision.reason.to_string(),
        reason_code: decision.reason.code(),
        model_sha256: model.sha256(),
        out: options.out.display().to_string(),
    };
    // Before the network there is nothing that it looked at.
    let looked = options.heatmap && measured.features.is_some();
    let map = looked.then(|| {
        let features = classifier.engine().features()?;
        ActivationMapper::new(model)?.map(features).map_err(anyhow::Error::from)
    });
    let picture = preview::draw(frame, options.crop, map.transpose()?.as_ref(), &figures(&aim));
    files::write_private(&options.out, &preview::png(&picture)?)?;
    Ok(aim)
}

fn figures(aim: &Aim) -> Vec<String> {
    let &Aim { sharpness, min_sharpness, layout, min_layout, min_features, min_familiarity, .. } = aim;
    let [mean, contrast] = [aim.mean, aim.deviation].map(|level| f64::from(level) * 100.0 / 65535.0);
    let [black, white] = [aim.black_permille, aim.white_permille].map(|share| f64::from(share) / 10.0);
    let [features, familiar] = [aim.features, aim.familiarity]
        .map(|figure| figure.map_or("not looked at".to_owned(), |figure| figure.to_string()));
    let crop = aim.crop.map_or("the whole picture".to_owned(), |crop| format!("the rectangle {crop}"));
    let score = aim.score.map_or(String::new(), |score| format!(", score {score:.3}"));
    vec![
        format!("{}: {}x{}, judged: {crop}", report::printable(aim.source), aim.width, aim.height),
        format!(
            "mean {mean:.1} %, contrast {contrast:.1} % of white; black {black:.1} %, white {white:.1} % of the area"
        ),
        format!(
            "sharpness {sharpness} (at least {min_sharpness}); likeness to a chest: \
             layout {layout} (at least {min_layout}), features {features} (at least {min_features}), \
             familiar {familiar} (at least {min_familiarity})"
        ),
        format!("{}{score} (reason {}): {}", aim.state, aim.reason_code, aim.reason),
    ]
}
