//! Whole pictures for the boards, which judge them a row at a time: what a device must answer, and
//! in which form it is told.

use anyhow::Context;
use edge_core::decide::Decision;
use edge_core::gate::QualityMetrics;
use edge_core::{Geometry, PixelFormat};
use edge_model::decode::Picture;
use phantoms::{Label, draw};
use test_support::no_chest::{KINDS, Rng, grey};

/// Frames of cameras whose stages are counted: name, width, height, format. The first is the one
/// that is told of in full.
pub const CAMERAS: [(&str, u16, u16, PixelFormat); 4] = [
    ("320x240-grey", 320, 240, PixelFormat::Gray8),
    ("160x120-grey", 160, 120, PixelFormat::Gray8),
    ("640x480-grey", 640, 480, PixelFormat::Gray8),
    ("320x240-yuyv", 320, 240, PixelFormat::Yuyv),
];

/// Every picture that the boards judge: the phantoms of the golden frames, cameras' frames, every
/// format, and pictures of each kind that the gate is to refuse.
pub fn all() -> anyhow::Result<Vec<Picture>> {
    let mut pictures: Vec<Picture> =
        crate::frames::phantoms().into_iter().map(|(_, label, seed, side)| draw(label, seed, side)).collect();
    for (_, width, height, format) in CAMERAS {
        pictures.push(camera(width, height, format)?);
    }
    for format in PixelFormat::ALL {
        pictures.push(camera(250, 203, format)?);
    }
    pictures.extend(KINDS.iter().map(|(_, make)| make(&mut Rng::new(5))));
    // Too long; dark, bright, of low contrast, blank, underexposed, overexposed.
    pictures.push(camera(90, 600, PixelFormat::Gray8)?);
    let chest = draw(Label::Normal, 3, 200);
    for (scale, offset) in
        [(0.2, 0.0), (0.2, 220.0), (0.05, 100.0), (0.0, 128.0), (4.0, -500.0), (4.0, -200.0)]
    {
        let light = |x: usize, y: usize| f64::from(chest.bytes()[y * 200 + x]);
        pictures.push(grey(200, 200, |x, y| light(x, y) * scale + offset));
    }
    Ok(pictures)
}

/// A phantom as a camera of that size and format would send it: squashed, as its side does not
/// matter.
pub fn camera(width: u16, height: u16, format: PixelFormat) -> anyhow::Result<Picture> {
    let geometry = Geometry::new(width.into(), height.into(), format)?;
    let side = 480;
    let chest = draw(Label::Pneumonia, 1, side);
    let (side, width, height) = (usize::from(side), usize::from(width), usize::from(height));
    let pixels = (0..width * height).map(|at| {
        let (x, y) = (at % width, at / width);
        chest.bytes()[(y * side / height) * side + x * side / width]
    });
    // In 16 bits the low byte is not the high one; the chroma is not grey.
    let bytes = pixels.flat_map(|v| match format {
        PixelFormat::Gray8 => vec![v],
        PixelFormat::Gray16 => vec![!v, v],
        PixelFormat::Rgb8 => vec![v, v / 2, v],
        PixelFormat::Rgb16 => vec![!v, v, 7, v / 2, v, v],
        PixelFormat::Yuyv => vec![v, !v],
        PixelFormat::Uyvy => vec![!v, v],
    });
    Ok(Picture::new(geometry, bytes.collect())?)
}

/// The picture as it lies in a file that the boards read.
pub fn bytes(picture: &Picture) -> anyhow::Result<Vec<u8>> {
    let geometry = picture.geometry();
    let format =
        PixelFormat::ALL.iter().position(|f| *f == geometry.format()).context("a format without number")?;
    let header = [u32::from(geometry.width()), geometry.height().into(), format as u32];
    let header = header.into_iter().flat_map(u32::to_le_bytes);
    Ok(header.chain(picture.bytes().iter().copied()).collect())
}

/// An answer in the words of the boards, without its number.
pub fn line(decision: &Decision, figures: &QualityMetrics) -> String {
    let float = |value: Option<f32>| value.map_or("none".into(), |v| format!("{:08x}", v.to_bits()));
    let QualityMetrics { elongation_permille, stats, sharpness, layout, features, familiarity } = figures;
    format!(
        "{} {} {:?} {} {} {elongation_permille} {:?} {sharpness} {layout} {features:?} {familiarity:?}",
        decision.state,
        decision.reason.code(),
        decision.reason.numbers(),
        float(decision.logit),
        float(decision.score),
        [stats.mean, stats.deviation, stats.black_permille, stats.white_permille],
    )
}
