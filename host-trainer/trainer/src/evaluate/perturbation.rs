//! Ways in which another room might have taken the same picture.
//!
//! Each perturbation stands for something that differs between installations: framing, compression,
//! exposure, focus. Preprocessing squashes a picture to a square, so cutting 1/6 off the height is
//! what an acquisition with 20 % more aspect looks like to the network. The decoded picture is
//! changed, before the gate.

use edge_core::{Geometry, PixelFormat};
use edge_model::decode::Picture;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer};
use std::fmt;

/// One way in which a picture may differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Perturbation {
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

pub const PERTURBATIONS: [Perturbation; 9] = [
    Perturbation::Wider,
    Perturbation::Narrower,
    Perturbation::Crop,
    Perturbation::Jpeg,
    Perturbation::Gamma(0.7),
    Perturbation::Gamma(1.4),
    Perturbation::Blur,
    Perturbation::Brightness(1.2),
    Perturbation::Brightness(0.8),
];

impl fmt::Display for Perturbation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Perturbation::Wider => write!(f, "aspect +20 % (height cut)"),
            Perturbation::Narrower => write!(f, "aspect -20 % (width cut)"),
            Perturbation::Crop => write!(f, "crop 10 %"),
            Perturbation::Jpeg => write!(f, "JPEG quality 30"),
            Perturbation::Gamma(g) => write!(f, "gamma {g}"),
            Perturbation::Blur => write!(f, "blur, sigma 1 % of side"),
            Perturbation::Brightness(b) => write!(f, "brightness {:+.0} %", (b - 1.0) * 100.0),
        }
    }
}

impl Perturbation {
    /// The changed picture; none where it falls below the least size of a frame or cannot be
    /// compressed.
    pub fn apply(self, picture: &Picture) -> Option<Picture> {
        let image = dynamic_image(picture)?;
        let (w, h) = (image.width(), image.height());
        let centre = |cw: u32, ch: u32| image.crop_imm((w - cw) / 2, (h - ch) / 2, cw, ch);
        let changed = match self {
            Perturbation::Wider => centre(w, h * 5 / 6),
            Perturbation::Narrower => centre(w * 5 / 6, h),
            Perturbation::Crop => centre(w * 9 / 10, h * 9 / 10),
            Perturbation::Jpeg => {
                let mut bytes = Vec::new();
                let grey_or_colour = if image.color().has_color() {
                    DynamicImage::ImageRgb8(image.to_rgb8())
                } else {
                    DynamicImage::ImageLuma8(image.to_luma8())
                };
                grey_or_colour.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 30)).ok()?;
                image::load_from_memory(&bytes).ok()?
            }
            Perturbation::Gamma(g) => map_samples(image, |v| v.powf(g)),
            Perturbation::Blur => image.fast_blur(w.min(h) as f32 / 100.0),
            Perturbation::Brightness(b) => map_samples(image, |v| v * b),
        };
        picture_of(changed)
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
        _ => {} // not reached: `dynamic_image` makes no other kind
    }
    image
}

/// A picture as the image crate holds it.
pub(crate) fn dynamic_image(picture: &Picture) -> Option<DynamicImage> {
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

fn picture_of(image: DynamicImage) -> Option<Picture> {
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
