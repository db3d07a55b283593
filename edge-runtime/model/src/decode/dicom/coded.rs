//! Coded pixels to samples: JPEG by DCT as any JPEG file, lossless JPEG, JPEG-LS, JPEG 2000, RLE.
//!
//! Each coded picture states its size itself: it must be that of the tags before anything is decoded.

use super::header::Header;
use super::rle;
use super::syntax::{Coding, Syntax};
use crate::decode::jpeg;
use crate::decode::outcome::{DecodeError, Picture};
use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};
use jpeg_decoder::{ColorTransform, Decoder};
use std::io::Cursor;
use std::ops::RangeInclusive;

/// A decoded picture's samples.
#[derive(Debug)]
pub(super) enum Samples {
    /// Already luminance or RGB, without rescale or window: a colour JPEG.
    Picture(Picture),
    /// One byte a sample, those of a pixel together.
    Bytes(Vec<u8>),
    /// Two bytes a sample, little-endian, those of a pixel together.
    Words(Vec<u8>),
}

/// Decodes the fragments, which together are one picture.
pub(super) fn decode(fragments: &[&[u8]], header: &Header, syntax: &Syntax) -> Result<Samples, DecodeError> {
    let joined;
    let coded = match fragments {
        [one] => one,
        pieces => {
            joined = pieces.concat();
            &joined[..]
        }
    };
    let pixels = usize::from(header.rows) * usize::from(header.columns);
    match syntax.coding {
        Coding::Rle => {
            let (samples, bytes) = (header.samples.into(), usize::from(header.bits_allocated / 8));
            let unpacked = rle::decode(coded, pixels, samples, bytes)?;
            Ok(if bytes == 1 { Samples::Bytes(unpacked) } else { Samples::Words(unpacked) })
        }
        Coding::Jpeg => {
            let frame = Frame::find(coded, 0xC0..=0xCF)?;
            frame.check(header)?;
            match (frame.marker, frame.precision) {
                (0xC0..=0xC2, 8) => dct(coded, header),
                (0xC3, _) => lossless(coded, &frame),
                (_, bits) => {
                    Err(syntax.unread(&format!(", process {:02X}, {bits} bits", frame.marker)).into())
                }
            }
        }
        Coding::JpegLs => {
            let frame = Frame::find(coded, 0xF7..=0xF7)?;
            frame.check(header)?;
            if frame.components != 1 {
                return Err(syntax.unread(" in colour").into());
            }
            let (width, height) = (header.columns.into(), header.rows.into());
            let decoded = jpegls::decode(coded, width, height);
            let (words, ..) = decoded.map_err(|error| damaged(&error))?;
            let mut bytes = vec![0; words.len() * 2];
            let places = bytes.as_chunks_mut::<2>().0.iter_mut();
            places.zip(words).for_each(|(place, word)| *place = word.to_le_bytes());
            Ok(Samples::Words(bytes))
        }
        Coding::Jpeg2000 => jpeg2000(coded, header),
        Coding::Plain | Coding::Unknown => Err(syntax.unread("").into()),
    }
}

/// JPEG by discrete cosine transform: the very decoder of JPEG files, but that rows and columns are
/// the tags' and no EXIF orientation turns them.
fn dct(coded: &[u8], header: &Header) -> Result<Samples, DecodeError> {
    // JFIF's or Adobe's, where it is whole.
    let marked = |marker| segment(coded, |found| found == marker).is_some_and(|(_, held)| held.len() >= 12);
    let picture = if header.samples == 3 && header.photometric == "RGB" && !marked(0xE0) && !marked(0xEE) {
        // The tags know what no marker says: Adobe's, without a transform of colours.
        const RGB: [u8; 16] = *b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0";
        jpeg::decode_as_stored(&[&coded[..2], &RGB, &coded[2..]].concat())?
    } else {
        jpeg::decode_as_stored(coded)?
    };
    Ok(match header.samples {
        1 => Samples::Bytes(picture.bytes().to_vec()),
        _ => Samples::Picture(picture),
    })
}

fn lossless(coded: &[u8], frame: &Frame) -> Result<Samples, DecodeError> {
    ends_with_end_of_image(coded)?;
    let mut decoder = Decoder::new(Cursor::new(coded));
    decoder.set_color_transform(ColorTransform::None);
    let mut decoded = decoder.decode().map_err(|error| damaged(&error))?;
    if frame.precision <= 8 {
        return Ok(Samples::Bytes(decoded));
    }
    // Words in this machine's order.
    decoded
        .as_chunks_mut::<2>()
        .0
        .iter_mut()
        .for_each(|word| *word = u16::from_ne_bytes(*word).to_le_bytes());
    Ok(Samples::Words(decoded))
}

fn jpeg2000(coded: &[u8], header: &Header) -> Result<Samples, DecodeError> {
    // The codestream may be wrapped as a file, whose boxes say nothing that the tags do not.
    const SIZE: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
    let begins = coded.windows(SIZE.len()).position(|four| four == SIZE);
    let coded = &coded[begins.ok_or_else(|| damaged(&"no JPEG 2000 codestream"))?..];
    ends_with_end_of_image(coded)?;
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = Image::new(coded, &settings).map_err(|error| damaged(&error))?;
    let samples = u16::from_be_bytes([byte(coded, 40), byte(coded, 41)]);
    same_size(header, [image.width(), image.height(), samples.into()])?;
    let signed = byte(coded, 42) & 0x80 != 0;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| damaged(&error))?;
    let planes = decoded.components();
    let depth = planes.first().map_or(0, |plane| plane.bit_depth());
    if !(1..=16).contains(&depth) || planes.iter().any(|plane| plane.bit_depth() != depth) {
        return Err(damaged(&format_args!("its JPEG 2000 samples have {depth} bits, expected 1 to 16")));
    }
    let most = ((1u32 << depth) - 1) as f32;
    // The decoder moves signed samples up by half their range, as it has to move unsigned ones.
    let half = if signed { 1u16 << (depth - 1) } else { 0 };
    // To the nearest; `round` is a call of a function where a processor has no instruction for it.
    let value = |sample: f32| ((sample.clamp(0.0, most) + 0.5) as u16).wrapping_sub(half);
    let pixels = usize::from(header.rows) * usize::from(header.columns);
    let planes: Vec<&[f32]> = planes.iter().map(|plane| plane.samples()).collect();
    if planes.len() != usize::from(header.samples) || planes.iter().any(|plane| plane.len() < pixels) {
        return Err(damaged(&"its JPEG 2000 planes are of different sizes"));
    }
    // The decoder keeps three planes of floating point numbers: no room for a copy but this one.
    let samples = planes.len();
    Ok(if header.bits_allocated == 8 {
        let mut bytes = vec![0; pixels * samples];
        for (sample, plane) in planes.iter().enumerate() {
            let places = bytes.iter_mut().skip(sample).step_by(samples);
            places.zip(*plane).for_each(|(place, sample)| *place = value(*sample) as u8);
        }
        Samples::Bytes(bytes)
    } else {
        let mut bytes = vec![0; pixels * samples * 2];
        for (sample, plane) in planes.iter().enumerate() {
            let places = bytes.as_chunks_mut::<2>().0.iter_mut().skip(sample).step_by(samples);
            places.zip(*plane).for_each(|(place, sample)| *place = value(*sample).to_le_bytes());
        }
        Samples::Words(bytes)
    })
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or_default()
}

/// A JPEG's or JPEG-LS's frame header (T.81 B.2.2).
struct Frame {
    marker: u8,
    precision: u8,
    height: u16,
    width: u16,
    components: u8,
}

impl Frame {
    /// The first frame header with one of these markers.
    fn find(coded: &[u8], markers: RangeInclusive<u8>) -> Result<Self, DecodeError> {
        let found = segment(coded, |marker| markers.contains(&marker) && !NO_FRAMES.contains(&marker));
        match found {
            Some((marker, &[precision, h0, h1, w0, w1, components, ..])) => {
                let (height, width) = (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([w0, w1]));
                Ok(Self { marker, precision, height, width, components })
            }
            _ => Err(damaged(&"its coded pixels have no frame header")),
        }
    }

    fn check(&self, header: &Header) -> Result<(), DecodeError> {
        same_size(header, [self.width.into(), self.height.into(), self.components.into()])
    }
}

/// Markers among those of frames that are of tables and extensions.
const NO_FRAMES: [u8; 3] = [0xC4, 0xC8, 0xCC];

/// The first segment before the coded data whose marker is wanted: its marker and what it holds.
fn segment(coded: &[u8], wanted: impl Fn(u8) -> bool) -> Option<(u8, &[u8])> {
    let mut at = coded.starts_with(&[0xFF, 0xD8]).then_some(2)?;
    loop {
        let &[0xFF, marker, high, low] = coded.get(at..at + 4)? else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        match marker {
            0xFF => at += 1,
            0xDA | 0xD9 => return None,
            _ if wanted(marker) => return Some((marker, coded.get(at + 4..at + 2 + length)?)),
            _ => at += 2 + length,
        }
    }
}

fn same_size(header: &Header, coded: [u32; 3]) -> Result<(), DecodeError> {
    let tags = [header.columns, header.rows, header.samples].map(u32::from);
    if coded == tags {
        return Ok(());
    }
    let shown = |[width, height, samples]: [u32; 3]| format!("{width}x{height} of {samples} samples a pixel");
    Err(damaged(&format_args!("its tags say {}, its coded pixels {}", shown(tags), shown(coded))))
}

/// Refuses what is cut short where a decoder would go on with zeros.
fn ends_with_end_of_image(coded: &[u8]) -> Result<(), DecodeError> {
    // Fragments are filled up to an even length, and by some writers further.
    let end = coded.iter().rposition(|&byte| byte == 0xD9);
    match end.and_then(|end| coded.get(end.checked_sub(1)?..)) {
        Some([0xFF, _, padding @ ..]) if padding.iter().all(|&byte| matches!(byte, 0 | 0xFF)) => Ok(()),
        _ => Err(damaged(&"its coded pixels have no end-of-image marker")),
    }
}

fn damaged(what: &dyn std::fmt::Display) -> DecodeError {
    DecodeError::damaged("DICOM", what.to_string())
}
