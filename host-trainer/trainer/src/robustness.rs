//! The same pictures as another room might have taken them: does the answer hold?
//!
//! Each change stands for something that differs between installations: framing, compression, exposure, focus.
//! Preprocessing squashes a picture to a square, so cutting 1/6 off the height is what an acquisition with 20 % more
//! aspect looks like to the network. Changes are made to the decoded picture, before the gate.

use crate::evaluate::record::Prediction;
use crate::evaluate::scoring::{Engines, Outcome};
use crate::evaluate::table::{estimate, number};
use crate::evaluate::{Item, rows};
use crate::metrics::{Bootstrap, Estimate, measure};
use crate::progress;
use crate::random::{Dice, Purpose};
use edge_core::{Geometry, PixelFormat};
use edge_model::decode::Picture;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One way in which a picture may differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Height cut to 1/1.2, centre kept.
    Wider,
    /// Width cut to 1/1.2, centre kept.
    Narrower,
    /// 10 % of each side's length cut off, 5 % at each border.
    Crop,
    /// Stored as a JPEG of quality 30.
    Jpeg,
    /// Samples to the power of this number.
    Gamma(f32),
    /// Gaussian blur with a standard deviation of 1 % of the shorter side.
    Blur,
    Brightness(f32),
}

pub const CHANGES: [Change; 9] = [
    Change::Wider,
    Change::Narrower,
    Change::Crop,
    Change::Jpeg,
    Change::Gamma(0.7),
    Change::Gamma(1.4),
    Change::Blur,
    Change::Brightness(1.2),
    Change::Brightness(0.8),
];

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Wider => write!(f, "aspect +20 % (height cut)"),
            Change::Narrower => write!(f, "aspect -20 % (width cut)"),
            Change::Crop => write!(f, "crop 10 %"),
            Change::Jpeg => write!(f, "JPEG quality 30"),
            Change::Gamma(g) => write!(f, "gamma {g}"),
            Change::Blur => write!(f, "blur, sigma 1 % of side"),
            Change::Brightness(b) => write!(f, "brightness {:+.0} %", (b - 1.0) * 100.0),
        }
    }
}

impl Change {
    /// The changed picture; none where it falls below the least size of a frame or cannot be compressed.
    pub fn apply(self, picture: &Picture) -> Option<Picture> {
        let image = to_image(picture)?;
        let (w, h) = (image.width(), image.height());
        let centre = |cw: u32, ch: u32| image.crop_imm((w - cw) / 2, (h - ch) / 2, cw, ch);
        let changed = match self {
            Change::Wider => centre(w, h * 5 / 6),
            Change::Narrower => centre(w * 5 / 6, h),
            Change::Crop => centre(w * 9 / 10, h * 9 / 10),
            Change::Jpeg => {
                let mut bytes = Vec::new();
                let grey_or_colour = if image.color().has_color() {
                    DynamicImage::ImageRgb8(image.to_rgb8())
                } else {
                    DynamicImage::ImageLuma8(image.to_luma8())
                };
                grey_or_colour.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 30)).ok()?;
                image::load_from_memory(&bytes).ok()?
            }
            Change::Gamma(g) => map_samples(image, |v| v.powf(g)),
            Change::Blur => image.fast_blur(w.min(h) as f32 / 100.0),
            Change::Brightness(b) => map_samples(image, |v| v * b),
        };
        from_image(changed)
    }
}

/// Applies `f` to each sample, 0..=1.
fn map_samples(mut image: DynamicImage, f: impl Fn(f32) -> f32) -> DynamicImage {
    let table: Vec<u8> = (0..=255u8).map(|v| (f(f32::from(v) / 255.0) * 255.0).round() as u8).collect();
    let narrow = |v: &mut u8| *v = table.get(usize::from(*v)).copied().unwrap_or(*v);
    let wide = |v: &mut u16| *v = (f(f32::from(*v) / 65535.0) * 65535.0).round() as u16;
    match &mut image {
        DynamicImage::ImageLuma8(b) => b.iter_mut().for_each(narrow),
        DynamicImage::ImageRgb8(b) => b.iter_mut().for_each(narrow),
        DynamicImage::ImageLuma16(b) => b.iter_mut().for_each(wide),
        DynamicImage::ImageRgb16(b) => b.iter_mut().for_each(wide),
        _ => {} // not reached: `to_image` makes no other kind
    }
    image
}

/// A picture as the image crate holds it.
pub(crate) fn to_image(picture: &Picture) -> Option<DynamicImage> {
    let (w, h) = (u32::from(picture.geometry().width()), u32::from(picture.geometry().height()));
    let narrow = || picture.bytes().to_vec();
    let wide = || picture.bytes().as_chunks().0.iter().map(|b| u16::from_le_bytes(*b)).collect();
    Some(match picture.geometry().format() {
        PixelFormat::Gray8 => DynamicImage::ImageLuma8(ImageBuffer::from_raw(w, h, narrow())?),
        PixelFormat::Gray16 => DynamicImage::ImageLuma16(ImageBuffer::from_raw(w, h, wide())?),
        PixelFormat::Rgb8 => DynamicImage::ImageRgb8(ImageBuffer::from_raw(w, h, narrow())?),
        PixelFormat::Rgb16 => DynamicImage::ImageRgb16(ImageBuffer::from_raw(w, h, wide())?),
        PixelFormat::Yuyv | PixelFormat::Uyvy => return None, // a camera's; no file is decoded to them
    })
}

fn from_image(image: DynamicImage) -> Option<Picture> {
    let (w, h) = (image.width(), image.height());
    let wide = |samples: &[u16]| samples.iter().flat_map(|v| v.to_le_bytes()).collect();
    let (format, bytes): (_, Vec<u8>) = match image {
        DynamicImage::ImageLuma8(b) => (PixelFormat::Gray8, b.into_raw()),
        DynamicImage::ImageLuma16(b) => (PixelFormat::Gray16, wide(b.as_raw())),
        DynamicImage::ImageRgb8(b) => (PixelFormat::Rgb8, b.into_raw()),
        DynamicImage::ImageRgb16(b) => (PixelFormat::Rgb16, wide(b.as_raw())),
        other => (PixelFormat::Rgb8, other.into_rgb8().into_raw()),
    };
    Picture::new(Geometry::new(w, h, format).ok()?, bytes).ok()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robustness {
    /// Pictures in the sample, drawn from each class by its share.
    pub pictures: usize,
    /// Pictures that the sample was drawn from: those with a score.
    pub drawn_from: usize,
    pub seed: u64,
    /// First the unchanged sample, then one line a change.
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub change: String,
    pub scored: usize,
    pub auc: Estimate,
    /// At the decision point, over the scored.
    pub sensitivity: Estimate,
    /// At the decision point, over the scored.
    pub specificity: Estimate,
    /// Mean |difference of logits| from the unchanged picture.
    pub logit_difference: Option<f64>,
    /// Share of the sample whose state differs from that of the unchanged picture.
    pub changed_states: Option<f64>,
}

/// Measures all [`CHANGES`] on at most `limit` scored pictures.
pub(crate) fn run(
    engines: &Engines,
    items: &[Item],
    predictions: &[Prediction],
    limit: usize,
    bootstrap: &Bootstrap,
) -> Robustness {
    let (sample, drawn_from) = draw(predictions, limit, bootstrap.seed);
    let pairs: Vec<(&Item, &Prediction)> =
        sample.iter().filter_map(|&i| items.get(i).zip(predictions.get(i))).collect();
    // One pass over the pictures: opening a file costs as much as scoring it.
    let changed: Vec<Vec<Prediction>> = progress::map("changing pictures", &pairs, |(item, _)| {
        let picture = item.source.open().ok();
        let one = |change: Change| match picture.as_ref().and_then(|p| change.apply(p)) {
            Some(picture) => Prediction::new(item, engines.classify(&picture)),
            None => Prediction::new(item, Outcome::none(None, "the change leaves no picture")),
        };
        CHANGES.into_iter().map(one).collect()
    });
    let before: Vec<&Prediction> = pairs.iter().map(|(_, p)| *p).collect();
    let mut lines = vec![line("unchanged".to_owned(), &before, before.iter().copied(), bootstrap)];
    for (i, change) in CHANGES.into_iter().enumerate() {
        let after = changed.iter().filter_map(|of_one| of_one.get(i));
        lines.push(line(change.to_string(), &before, after, bootstrap));
    }
    Robustness { pictures: pairs.len(), drawn_from, seed: bootstrap.seed, lines }
}

/// Positions of at most `limit` scored pictures (two at least), from each class by its share, rising.
fn draw(predictions: &[Prediction], limit: usize, seed: u64) -> (Vec<usize>, usize) {
    let mut classes: [Vec<usize>; 2] = Default::default();
    for (i, p) in predictions.iter().enumerate().filter(|(_, p)| p.score.is_some()) {
        classes[usize::from(p.label == 1)].push(i);
    }
    let all = classes[0].len() + classes[1].len();
    let mut sample = Vec::new();
    for (number, mut class) in classes.into_iter().enumerate() {
        let take = if all <= limit { class.len() } else { (class.len() * limit / all).max(1) };
        Dice::new(seed, Purpose::Sample, 0, number as u64).shuffle(&mut class);
        sample.extend(class.into_iter().take(take));
    }
    sample.sort_unstable();
    (sample, all)
}

/// Compares `after` with `before`, picture by picture.
fn line<'a>(
    change: String,
    before: &[&Prediction],
    after: impl Iterator<Item = &'a Prediction>,
    bootstrap: &Bootstrap,
) -> Line {
    let after: Vec<&Prediction> = after.collect();
    let rows = rows(after.iter().copied());
    let m = measure(&rows, bootstrap);
    let pairs = || before.iter().zip(&after);
    let differences: Vec<f64> =
        pairs().filter_map(|(a, b)| Some((f64::from(a.logit?) - f64::from(b.logit?)).abs())).collect();
    let changed = pairs().filter(|(a, b)| a.state != b.state).count();
    let mean = |sum: f64, n: usize| (n > 0).then(|| sum / n as f64);
    Line {
        change,
        scored: rows.len(),
        auc: m.statistics.auc,
        sensitivity: m.statistics.sensitivity,
        specificity: m.statistics.specificity,
        logit_difference: mean(differences.iter().sum(), differences.len()),
        changed_states: mean(changed as f64, before.len()),
    }
}

impl fmt::Display for Robustness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "under changes ({} of {} scored pictures, seed {})",
            self.pictures, self.drawn_from, self.seed
        )?;
        writeln!(
            f,
            "  {:<28}{:<26}{:>12}{:>12}{:>14}{:>16}",
            "", "AUC", "sensitivity", "specificity", "|logit diff|", "states changed"
        )?;
        for l in &self.lines {
            writeln!(
                f,
                "  {:<28}{:<26}{:>12}{:>12}{:>14}{:>16}",
                l.change,
                estimate(&l.auc),
                number(l.sensitivity.value),
                number(l.specificity.value),
                number(l.logit_difference),
                l.changed_states.map_or_else(|| "-".to_owned(), |s| format!("{:.1} %", s * 100.0)),
            )?;
        }
        Ok(())
    }
}
