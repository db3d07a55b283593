//! Thumbnails of right and wrong answers, and what the network looked at in each.
//!
//! The four kinds of answers at the decision point, the wrong ones first; of each the most and the
//! least certain ones, so that nobody chose them.

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

/// Most pictures of a changed set.
const MOST: usize = 12;
/// Pictures at either end of a kind of answer.
const EACH_END: usize = 4;
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

/// What a kind of answer is called, whether it was right, and which label it is about.
const KINDS: [(&str, bool, u8); 4] = [
    ("disease that was missed (false negatives)", false, 1),
    ("false alarms (false positives)", false, 0),
    ("disease that was found (true positives)", true, 1),
    ("no disease, and called so (true negatives)", true, 0),
];

fn section(set: &EvaluatedSet, find: &Find) -> Markup {
    let mut scored: Vec<&Prediction> = set.predictions.iter().filter(|p| p.score.is_some()).collect();
    scored.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
    let right = |p: &Prediction| called(p) == (p.label == 1);
    if set.changed {
        let wrong: Vec<&Prediction> = scored.iter().copied().filter(|p| !right(p)).collect();
        let shown = &wrong[..MOST.min(wrong.len())];
        return html! {
            h3 { (set.name) ": wrong at score 0.5, most certain first" }
            p.note {
                (wrong.len()) " of " (scored.len()) " scored pictures; " (shown.len()) " shown. "
                "The thumbnails show the pictures before the change; score and state are those after it."
            }
            (thumbnails(shown, find))
        };
    }
    html! { @for (what, is_right, label) in KINDS {
        @let kind = scored.iter().copied().filter(|p| right(p) == is_right && p.label == label).collect::<Vec<_>>();
        h3 { (set.name) ": " (what) }
        @if kind.len() <= 2 * EACH_END {
            p.note { (kind.len()) " of " (scored.len()) " scored pictures" @if kind.is_empty() { "." } @else { "; all, most certain first." } }
            (thumbnails(&kind, find))
        } @else {
            p.note { (kind.len()) " of " (scored.len()) " scored pictures. The " (EACH_END) " most certain:" }
            (thumbnails(&kind[..EACH_END], find))
            p.note { "The " (EACH_END) " least certain:" }
            (thumbnails(&kind[kind.len() - EACH_END..], find))
        }
    } }
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
