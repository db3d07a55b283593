//! Thumbnails of right and wrong answers.
//!
//! Wrong ones are the most confident first: those are what a reader must see. Right ones are spread evenly over the
//! list, so that they are neither the best nor chosen by anybody.

use super::Options;
use super::inputs::EvaluatedSet;
use crate::evaluate::Prediction;
use crate::metrics::DECISION_POINT;
use crate::robustness::to_image;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge_runtime::decode::{self, Picture};
use image::{DynamicImage, ImageFormat};
use maud::{Markup, html};
use std::io::Cursor;
use std::path::Path;

/// Most pictures in one grid.
const MOST: usize = 12;
/// Longer side of a thumbnail, in pixels.
const SIDE: u32 = 176;

/// Both grids of one set.
pub(super) fn grids(set: &EvaluatedSet, options: &Options) -> Markup {
    let scored = |p: &&Prediction| p.score.is_some();
    let (right, mut wrong): (Vec<&Prediction>, Vec<&Prediction>) =
        set.predictions.iter().filter(scored).partition(|p| called(p) == (p.label == 1));
    wrong.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
    let (all_wrong, all_right) = (wrong.len(), right.len());
    let step = (all_right as f64 / MOST as f64).max(1.0);
    let spread: Vec<&Prediction> =
        (0..MOST.min(all_right)).filter_map(|i| right.get((i as f64 * step) as usize).copied()).collect();
    wrong.truncate(MOST);
    html! {
        h3 { (set.name) ": wrong at score 0.5, most confident first" }
        p.note { (all_wrong) " of " (all_wrong + all_right) " scored pictures; " (wrong.len()) " shown." }
        (grid(&wrong, options))
        h3 { (set.name) ": right at score 0.5" }
        p.note { (all_right) " of " (all_wrong + all_right) " scored pictures; " (spread.len()) " shown, evenly spread over the list." }
        (grid(&spread, options))
    }
}

fn called(p: &Prediction) -> bool {
    p.score.is_some_and(|s| f64::from(s) >= DECISION_POINT)
}

fn confidence(p: &Prediction) -> f64 {
    // The logit goes on where the score has run into 0 or 1.
    p.logit.map_or(0.0, |l| f64::from(l).abs()) * 1e-6
        + p.score.map_or(0.0, |s| (f64::from(s) - DECISION_POINT).abs())
}

fn grid(predictions: &[&Prediction], options: &Options) -> Markup {
    html! {
        div.pictures {
            @for p in predictions {
                figure.picture {
                    @match thumbnail(p, options) {
                        Some(png) => img alt=(p.id) src=(format!("data:image/png;base64,{png}"));
                        None => span.nopicture { "picture not on disk" }
                    }
                    figcaption {
                        (state(&p.state)) " " b { (p.score.map_or_else(|| "–".to_owned(), |s| format!("{s:.3}"))) }
                        br; "truth: " (if p.label == 1 { "disease" } else { "no disease" })
                        @if !p.subgroup.is_empty() { ", " (p.subgroup) }
                        br; span.id { (p.id) }
                    }
                }
            }
        }
    }
}

/// A state's name on its colour.
pub(super) fn state(name: &str) -> Markup {
    html! { span class=(format!("state {}", name.to_lowercase())) { (name) } }
}

/// A grey PNG in base 64.
fn thumbnail(p: &Prediction, options: &Options) -> Option<String> {
    let from_file = (!p.path.is_empty()).then(|| decode::open(Path::new(&p.path)).ok()).flatten();
    let picture: Picture = from_file.or_else(|| options.open.and_then(|open| open(&p.id)))?;
    let small = DynamicImage::ImageLuma8(to_image(&picture)?.to_luma8()).thumbnail(SIDE, SIDE);
    let mut bytes = Cursor::new(Vec::new());
    small.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(STANDARD.encode(bytes.into_inner()))
}
