//! Thumbnails of right and wrong answers, and what the network looked at in each.
//!
//! Wrong ones are the most confident first: those are what a reader must see. Right ones are spread
//! evenly over the list, so that they are neither the best nor chosen by anybody.

use super::heat::HeatMaps;
use super::inputs::{EvaluatedSet, PageOptions};
use super::words::state_badge;
use crate::evaluate::Prediction;
use crate::evaluate::metrics::DECISION_POINT;
use crate::evaluate::perturbation::dynamic_image;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge_model::decode::{self, Picture};
use image::{DynamicImage, GrayImage, ImageFormat};
use maud::{Markup, html};
use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

const MOST: usize = 12;
/// Longer side of a thumbnail, in pixels.
const SIDE: u32 = 176;

/// A picture, and the same with the network's map over it; PNGs in base 64.
struct Thumbnail {
    grey: String,
    heat: Option<String>,
}

impl Thumbnail {
    fn of(picture: &Picture, maps: Option<&HeatMaps>) -> Option<Self> {
        let small: GrayImage =
            DynamicImage::ImageLuma8(dynamic_image(picture)?.to_luma8()).thumbnail(SIDE, SIDE).to_luma8();
        let heat = maps.and_then(|maps| maps.over(picture, &small));
        let heat = heat.and_then(|heat| png(&DynamicImage::ImageRgb8(heat)));
        Some(Self { grey: png(&DynamicImage::ImageLuma8(small))?, heat })
    }
}

fn png(image: &DynamicImage) -> Option<String> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(STANDARD.encode(bytes.into_inner()))
}

/// Finds the thumbnail of a predicted picture.
type Find<'a> = dyn Fn(&Prediction) -> Option<Thumbnail> + 'a;

/// The examples of all sets. Of a changed set only the wrong ones are shown, as they were before
/// the change, and without a map: the network looked at the changed ones.
pub(super) fn sections(sets: &[EvaluatedSet], maps: Option<&HeatMaps>, options: &PageOptions) -> Markup {
    let files: HashMap<&str, &str> = sets
        .iter()
        .filter(|s| !s.changed)
        .flat_map(|s| &s.predictions)
        .filter(|p| !p.path.is_empty())
        .map(|p| (p.id.as_str(), p.path.as_str()))
        .collect();
    let find = |p: &Prediction| picture(p, files.get(p.id.as_str()).copied(), options);
    let section = |set: &EvaluatedSet| {
        let maps = maps.filter(|maps| !set.changed && maps.is_of(&set.metrics.model.sha256));
        section(set, &|p| Thumbnail::of(&find(p)?, maps))
    };
    html! { @for set in sets.iter().filter(|s| !s.predictions.is_empty()) { (section(set)) } }
}

fn section(set: &EvaluatedSet, find: &Find) -> Markup {
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
        p.note {
            (all_wrong) " of " (all_wrong + all_right) " scored pictures; " (wrong.len()) " shown."
            @if set.changed { " The thumbnails show the pictures before the change; score and state are those after it." }
        }
        (thumbnails(&wrong, find))
        @if !set.changed {
            h3 { (set.name) ": right at score 0.5" }
            p.note { (all_right) " of " (all_wrong + all_right) " scored pictures; " (spread.len()) " shown, evenly spread over the list." }
            (thumbnails(&spread, find))
        }
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

fn thumbnails(predictions: &[&Prediction], find: &Find) -> Markup {
    html! {
        div.pictures {
            @for p in predictions {
                figure.picture {
                    @match find(p) {
                        Some(Thumbnail { grey, heat }) => {
                            img alt=(p.id) src=(format!("data:image/png;base64,{grey}"));
                            @if let Some(heat) = heat {
                                img.heat alt=(format!("what the network looked at in {}", p.id)) src=(format!("data:image/png;base64,{heat}"));
                            }
                        }
                        None => span.nopicture { "picture not on disk" }
                    }
                    figcaption {
                        (state_badge(&p.state)) " " b { (p.score.map_or_else(|| "–".to_owned(), |s| format!("{s:.3}"))) }
                        br; "truth: " (if p.label == 1 { "disease" } else { "no disease" })
                        @if !p.subgroup.is_empty() { ", " (p.subgroup) }
                        br; span.id { (p.id) }
                    }
                }
            }
        }
    }
}

/// From the prediction's file, else from the file of that id, else from the caller.
fn picture(p: &Prediction, file: Option<&str>, options: &PageOptions) -> Option<Picture> {
    let path = if p.path.is_empty() { file } else { Some(p.path.as_str()) };
    let from_file = path.and_then(|path| decode::open(Path::new(path)).ok());
    from_file.or_else(|| options.open.and_then(|open| open(&p.id)))
}
