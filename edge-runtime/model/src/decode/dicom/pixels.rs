//! Samples to a picture: monochrome by the table of values, colour as RGB or its stored luminance.

use super::coded::{self, Samples};
use super::error::DicomError;
use super::header::{Header, Pixels};
use super::range;
use super::syntax::{Coding, Syntax};
use super::values;
use crate::decode::outcome::{DecodeError, Picture};
use edge_core::{Geometry, PixelFormat, Reason};
use std::borrow::Cow;

/// Makes the picture, and gives why its values must not be judged, where they do not tell black from
/// white. Nothing is allocated before its size was found to be that of a picture.
pub(super) fn picture(header: &Header, syntax: &Syntax) -> Result<(Picture, Option<Reason>), DecodeError> {
    let geometry = |format| Geometry::new(header.columns.into(), header.rows.into(), format);
    geometry(PixelFormat::Gray8)?;
    let colour = match (header.samples, header.photometric.as_str()) {
        (1, "MONOCHROME1" | "MONOCHROME2") => None,
        (3, model @ ("RGB" | "YBR_FULL" | "YBR_FULL_422" | "YBR_RCT" | "YBR_ICT")) => Some(model),
        (_, other) => {
            let readable = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ');
            let got = other.chars().filter(readable).take(16).collect();
            return Err(DicomError::ColourModel { got }.into());
        }
    };
    let samples = match (&header.pixels, syntax.coding) {
        (Pixels::Plain { bytes, words }, Coding::Plain) => plain(bytes, *words, header, syntax),
        (Pixels::Fragments(fragments), _) => match coded::decode(fragments, header, syntax)? {
            Samples::Picture(picture) => return Ok((picture, None)),
            Samples::Bytes(bytes) => Unpacked::Bytes(bytes.into()),
            Samples::Words(bytes) => Unpacked::Little(bytes.into()),
        },
        (Pixels::Plain { .. }, _) => return Err(syntax.unread("").into()),
    };
    let pixels = usize::from(header.rows) * usize::from(header.columns);
    let Some(model) = colour else {
        let (bytes, refused) = monochrome(samples, pixels, header)?;
        return Ok((Picture::new(geometry(PixelFormat::Gray16)?, bytes)?, refused));
    };
    let (format, bytes) = match &samples {
        Unpacked::Bytes(bytes) => colours(bytes, pixels, model, header, syntax)?,
        Unpacked::Little(bytes) if model == "RGB" && syntax.coding != Coding::Plain => {
            let most = (1u32 << header.bits_stored) - 1;
            let whole = |sample: u16| (u32::from(sample).min(most) * u32::from(u16::MAX) / most) as u16;
            let words = bytes.get(..pixels * 6).ok_or_else(short)?.as_chunks::<2>().0;
            let wide = words.iter().flat_map(|pair| whole(u16::from_le_bytes(*pair)).to_le_bytes());
            (PixelFormat::Rgb16, wide.collect())
        }
        _ => {
            let (allocated, stored, high) = (header.bits_allocated, header.bits_stored, header.high_bit);
            return Err(DicomError::Bits { allocated, stored, high }.into());
        }
    };
    Ok((Picture::new(geometry(format)?, bytes)?, None))
}

/// RGB, or the luminance of what is stored as luminance and chroma.
fn colours(
    bytes: &[u8],
    pixels: usize,
    model: &str,
    header: &Header,
    syntax: &Syntax,
) -> Result<(PixelFormat, Vec<u8>), DecodeError> {
    let plain = syntax.coding == Coding::Plain;
    // Four samples for two pixels: both luminances first. All others have three a pixel.
    let halved = model == "YBR_FULL_422" && plain;
    let planes = header.planes && plain;
    let bytes = bytes.get(..if halved { pixels * 2 } else { pixels * 3 }).ok_or_else(short)?;
    let luminance = matches!(model, "YBR_FULL" | "YBR_FULL_422");
    Ok(match () {
        () if halved => {
            (PixelFormat::Gray8, bytes.chunks(4).flat_map(|four| four.iter().take(2)).copied().collect())
        }
        () if luminance && planes => (PixelFormat::Gray8, bytes[..pixels].to_vec()),
        () if luminance => (PixelFormat::Gray8, bytes.iter().step_by(3).copied().collect()),
        () if planes => {
            let [red, green, blue] = [0, 1, 2].map(|plane| &bytes[plane * pixels..(plane + 1) * pixels]);
            let pixel = |((r, g), b): ((&u8, &u8), &u8)| [*r, *g, *b];
            (PixelFormat::Rgb8, red.iter().zip(green).zip(blue).flat_map(pixel).collect())
        }
        () => (PixelFormat::Rgb8, bytes.to_vec()),
    })
}

/// Samples as they lie in memory.
enum Unpacked<'a> {
    Bytes(Cow<'a, [u8]>),
    Little(Cow<'a, [u8]>),
    Big(Cow<'a, [u8]>),
}

/// Uncompressed samples. A big-endian writer of bytes in words has turned each two around.
fn plain<'a>(bytes: &'a [u8], words: bool, header: &Header, syntax: &Syntax) -> Unpacked<'a> {
    match (header.bits_allocated, syntax.big_endian()) {
        (8, true) if words => {
            Unpacked::Bytes(bytes.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect())
        }
        (8, _) => Unpacked::Bytes(bytes.into()),
        (_, true) => Unpacked::Big(bytes.into()),
        (_, false) => Unpacked::Little(bytes.into()),
    }
}

/// Luminance, two bytes a pixel, little-endian, in the place of the samples where they are words; and why
/// it must not be judged.
fn monochrome(
    samples: Unpacked,
    pixels: usize,
    header: &Header,
) -> Result<(Vec<u8>, Option<Reason>), DecodeError> {
    let table = values::table(header);
    let shift = header.high_bit + 1 - header.bits_stored;
    // As long as a power of two, so that what lies above the stored bits falls away.
    let mask = table.len() - 1;
    let mut seen = vec![false; table.len()];
    let mut luminance = |sample: u16| {
        let value = usize::from(sample >> shift) & mask;
        seen[value] = true;
        table[value].to_le_bytes()
    };
    let words = |bytes: Cow<[u8]>| {
        let mut bytes = bytes.into_owned();
        bytes.truncate(pixels * 2);
        if bytes.len() < pixels * 2 { Err(short()) } else { Ok(bytes) }
    };
    let out = match samples {
        Unpacked::Bytes(bytes) => {
            let bytes = bytes.get(..pixels).ok_or_else(short)?;
            let mut out = vec![0; pixels * 2];
            let places = out.as_chunks_mut::<2>().0.iter_mut();
            places.zip(bytes).for_each(|(place, &byte)| *place = luminance(byte.into()));
            out
        }
        Unpacked::Little(bytes) => {
            let mut out = words(bytes)?;
            let places = out.as_chunks_mut::<2>().0.iter_mut();
            places.for_each(|place| *place = luminance(u16::from_le_bytes(*place)));
            out
        }
        Unpacked::Big(bytes) => {
            let mut out = words(bytes)?;
            let places = out.as_chunks_mut::<2>().0.iter_mut();
            places.for_each(|place| *place = luminance(u16::from_be_bytes(*place)));
            out
        }
    };
    Ok((out, range::refused(header, &seen)?))
}

fn short() -> DecodeError {
    DecodeError::damaged("DICOM", "it has fewer samples than its size says")
}
