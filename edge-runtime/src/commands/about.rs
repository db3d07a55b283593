//! `edge-runtime about`: versions, engines and how they compute the model, limits, and what the
//! model says of itself.

use crate::outcome::Outcome;
use crate::report::Output;
use crate::{model, report};
use anyhow::Result;
use edge_core::frame::{MAX_SIDE, MIN_SIDE};
use edge_core::gate::{GateThresholds, LinearDetector};
use edge_model::engine::{Convolutions, Engine, EngineKind};
use edge_runtime::config;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Serialize)]
struct About<'a> {
    version: &'static str,
    engines: [EngineKind; 3],
    engine: &'static str,
    /// How the engine computes the model's QLinearConv nodes; null where it knows one way only.
    convolutions: Option<&'a Convolutions>,
    preprocessing: &'static str,
    picture_side_min: u16,
    picture_side_max: u16,
    model_sha256: &'a str,
    /// Why it is this model.
    chosen: &'a str,
    model: BTreeMap<&'static str, String>,
    intended_use: &'a str,
    notice: &'static str,
}

pub fn run(config: &config::Model, engine: EngineKind, output: Output) -> Result<Outcome> {
    let chosen = model::chosen(config)?;
    let model = chosen.model();
    let engine = model::engine(engine, model)?;
    let mut words = Vec::new();
    model.metadata().write_props(|key, value| words.push((key, value.to_string())));
    let about = About {
        version: VERSION,
        engines: EngineKind::ALL,
        engine: engine.name(),
        convolutions: engine.convolutions(),
        preprocessing: edge_core::preprocess::NAME,
        picture_side_min: MIN_SIDE,
        picture_side_max: MAX_SIDE,
        model_sha256: model.sha256(),
        chosen: chosen.why(),
        model: words.iter().cloned().collect(),
        intended_use: &model.metadata().intended_use,
        notice: report::NOTICE,
    };
    report::answer(output, &about, |out| {
        let mut engines = vec![("Engine", format!("{}, of {}", engine.name(), EngineKind::names()))];
        engines.extend(engine.convolutions().map(|ways| ("QLinearConv", ways.to_string())));
        writeln!(out, "edge-runtime {VERSION}\n\n{}\n", report::pairs(engines))?;
        writeln!(out, "{}\n\nLimits", report::footer(model))?;
        writeln!(out, "{}\n\nThe model's own words", limits(&model.metadata().gate))?;
        let words = report::readable(words).chain([("sha256", model.sha256().to_owned())]);
        writeln!(out, "{}", report::pairs(words.chain([("chosen", chosen.why().to_owned())])))
    })
}

fn limits(gate: &GateThresholds<Vec<i8>>) -> String {
    let elongation = f64::from(gate.max_elongation_permille) / 1000.0;
    let percent = |luminance: u16| f64::from(luminance) * 100.0 / 65535.0;
    let [low, high, deviation] = [gate.min_mean, gate.max_mean, gate.min_deviation].map(percent);
    let (black, white) = (gate.max_black_permille, gate.max_white_permille);
    report::pairs([
        (
            "Pictures",
            format!(
                "JPEG, PNG, TIFF, BMP or WebP, sides of {MIN_SIDE} to {MAX_SIDE} pixels, one picture a file"
            ),
        ),
        ("Shape", format!("longer side at most {elongation} times the shorter")),
        ("Exposure", format!("mean luminance {low:.1} to {high:.1} % of white")),
        ("Contrast", format!("standard deviation of luminance {deviation:.1} % of white or more")),
        ("Clipping", format!("at most {black} of 1000 cells black, {white} white")),
        ("Sharpness", format!("{} or more", gate.min_sharpness)),
        ("Chest by layout", likeness(&gate.layout)),
        ("Chest by features", likeness(&gate.features)),
        ("Chest of a kind measured", familiarity(&gate.familiar)),
    ])
}

fn familiarity(familiar: &LinearDetector<Vec<i8>>) -> String {
    match familiar.weights.len() {
        0 => "not looked at: this model answers on any chest, an adult's too".to_owned(),
        weights => format!("likeness {} or more, by {weights} weights; else REFER", familiar.least),
    }
}

fn likeness(likeness: &LinearDetector<Vec<i8>>) -> String {
    match likeness.weights.len() {
        0 => "not looked at: this model's gate takes any picture for a chest".to_owned(),
        weights => format!("likeness {} or more, by {weights} weights", likeness.least),
    }
}
