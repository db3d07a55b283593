//! The tags of a data set that matter for its picture, and where its pixels lie. All others are passed
//! over unread.

use super::elements::{Element, Elements};
use super::error::DicomError;
use super::grey::{Function, Lut, Window};
use super::padding::padding;
use super::syntax::{Form, Syntax};
use crate::decode::exam::Tags;
use crate::decode::outcome::DecodeError;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use std::ops::RangeInclusive;

/// What a data set says of its picture.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub tags: Tags,
    pub study_uid: Option<String>,
    pub accession_number: Option<String>,
    pub rows: u16,
    pub columns: u16,
    /// Samples a pixel.
    pub samples: u16,
    pub photometric: String,
    /// Whether the samples of a colour lie together, plane after plane.
    pub planes: bool,
    pub bits_allocated: u16,
    pub bits_stored: u16,
    pub high_bit: u16,
    pub signed: bool,
    /// Whether small values are bright: MONOCHROME1.
    pub inverted: bool,
    pub slope: f64,
    pub intercept: f64,
    pub modality_lut: Option<Lut>,
    pub voi_lut: Option<Lut>,
    pub window: Option<Window>,
    /// Stored values that are no part of the picture.
    pub padding: Option<RangeInclusive<i32>>,
    /// A pixel's height and width in any unit.
    pub pixel_sides: Option<[f64; 2]>,
    pub pixels: Pixels<'a>,
}

/// The value of Pixel Data, (7FE0,0010).
#[derive(Debug)]
pub(super) enum Pixels<'a> {
    /// Samples as they are; whether they were written as words, which big-endian writers turn around.
    Plain { bytes: &'a [u8], words: bool },
    /// Pieces of a coded picture, without the table of offsets.
    Fragments(Vec<&'a [u8]>),
}

/// Longest value that is read, in bytes: a lookup table of 65,536 words.
const LONGEST: usize = 1 << 17;

/// A value as it lies in the file.
#[derive(Clone, Copy, Debug)]
struct Value<'a> {
    bytes: &'a [u8],
    signed: bool,
    big_endian: bool,
}

impl Value<'_> {
    /// All 16-bit words.
    fn words(&self) -> impl Iterator<Item = u16> + '_ {
        let big_endian = self.big_endian;
        self.bytes.chunks_exact(2).map(move |pair| {
            let pair = [pair[0], pair[1]];
            if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        })
    }

    fn word(&self) -> Option<u16> {
        self.words().next()
    }

    /// Its text without what it is filled up with.
    fn text(&self) -> String {
        let end = self.bytes.len().min(128);
        String::from_utf8_lossy(&self.bytes[..end]).trim_matches(['\0', ' ']).to_owned()
    }

    /// The first of its numbers in digits.
    fn decimal(&self) -> Option<f64> {
        let text = self.text();
        text.split('\\').next()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A pixel's height and width: two numbers in digits, both above 0.
    fn sides(&self) -> Option<[f64; 2]> {
        let text = self.text();
        let mut numbers = text.split('\\').map(|number| number.trim().parse().ok());
        let sides: [f64; 2] = [numbers.next()??, numbers.next()??];
        sides.iter().all(|side| side.is_finite() && *side > 0.0).then_some(sides)
    }
}

/// What was read, before it is complete.
#[derive(Debug, Default)]
struct Found<'a> {
    tags: Tags,
    study_uid: String,
    accession_number: String,
    rows: Option<u16>,
    columns: Option<u16>,
    frames: Option<f64>,
    samples: Option<u16>,
    photometric: String,
    planes: bool,
    bits_allocated: Option<u16>,
    bits_stored: Option<u16>,
    high_bit: Option<u16>,
    signed: bool,
    slope: Option<Option<f64>>,
    intercept: Option<Option<f64>>,
    centre: Option<f64>,
    width: Option<f64>,
    function: Function,
    modality_lut: FoundLut,
    voi_lut: FoundLut,
    padding: Option<u16>,
    padding_limit: Option<u16>,
    /// By [`SPACINGS`].
    pixel_sides: [Option<[f64; 2]>; SPACINGS.len()],
    pixels: Option<Pixels<'a>>,
}

/// What says how high and how wide a pixel is, the first that is there: the ratio only where no distance
/// is stated (PS3.3 C.7.6.3.1.7).
const SPACINGS: [Tag; 4] = [
    tags::PIXEL_SPACING,
    tags::IMAGER_PIXEL_SPACING,
    tags::NOMINAL_SCANNED_PIXEL_SPACING,
    tags::PIXEL_ASPECT_RATIO,
];

/// The item of a LUT's sequence.
#[derive(Debug, Default)]
struct FoundLut {
    descriptor: Option<[i32; 3]>,
    outputs: Vec<u16>,
}

impl FoundLut {
    fn take(&mut self, tag: Tag, value: &Value) {
        match tag {
            tags::LUT_DESCRIPTOR => {
                let mut words = value.words();
                let mut next = || words.next().map(i32::from);
                self.descriptor = next().zip(next()).zip(next()).map(|((entries, first), bits)| {
                    let first = if value.signed { i32::from(first as u16 as i16) } else { first };
                    [if entries == 0 { 1 << 16 } else { entries }, first, bits]
                });
            }
            tags::LUT_DATA => self.outputs = value.words().collect(),
            _ => {}
        }
    }

    /// The table where there is a whole one.
    fn finish(mut self) -> Result<Option<Lut>, DecodeError> {
        let Some([entries, first, bits]) = self.descriptor else { return Ok(None) };
        let wrong = |what| Err(DecodeError::damaged("DICOM", what));
        let (Ok(entries), Some(bits @ 8..=16)) = (usize::try_from(entries), u32::try_from(bits).ok()) else {
            return wrong("a lookup table of other than 8 to 16 bits");
        };
        if self.outputs.len() < entries {
            return wrong("a lookup table is shorter than it says");
        }
        self.outputs.truncate(entries);
        Ok(Some(Lut { first, outputs: self.outputs, bits }))
    }
}

impl<'a> Header<'a> {
    /// Reads the data set that begins at `start`, up to its pixels.
    pub fn read(bytes: &'a [u8], start: usize, syntax: &Syntax) -> Result<Self, DecodeError> {
        let found = read(bytes, start, syntax)?;
        let missing = |what| DicomError::NoPicture { what };
        let pixels = found.pixels.ok_or_else(|| missing("Pixel Data is missing"))?;
        let rows = found.rows.ok_or_else(|| missing("Rows is missing"))?;
        let columns = found.columns.ok_or_else(|| missing("Columns is missing"))?;
        let frames = found.frames.unwrap_or(1.0);
        if frames > 1.0 {
            return Err(DicomError::Frames { frames: frames as u32 }.into());
        }
        let bits_allocated = found.bits_allocated.ok_or_else(|| missing("Bits Allocated is missing"))?;
        let bits_stored = found.bits_stored.unwrap_or(bits_allocated);
        let high_bit = found.high_bit.unwrap_or(bits_stored.saturating_sub(1));
        let fits = matches!((bits_allocated, bits_stored), (8, 8) | (16, 8..=16))
            && (bits_stored..=bits_allocated).contains(&high_bit.saturating_add(1));
        if !fits {
            let (allocated, stored, high) = (bits_allocated, bits_stored, high_bit);
            return Err(DicomError::Bits { allocated, stored, high }.into());
        }
        let number = |read: Option<Option<f64>>, otherwise, what| match read {
            None => Ok(otherwise),
            Some(number) => number.ok_or_else(|| DecodeError::damaged("DICOM", what)),
        };
        let slope = number(found.slope, 1.0, "Rescale Slope is no number")?;
        if slope == 0.0 {
            return Err(DecodeError::damaged("DICOM", "Rescale Slope is 0"));
        }
        let photometric =
            if found.photometric.is_empty() { "MONOCHROME2".to_owned() } else { found.photometric };
        let window = found.centre.zip(found.width);
        let window = window.map(|(centre, width)| Window { centre, width, function: found.function });
        let some = |text: String| (!text.is_empty()).then_some(text);
        Ok(Self {
            tags: found.tags,
            study_uid: some(found.study_uid),
            accession_number: some(found.accession_number),
            rows,
            columns,
            samples: found.samples.unwrap_or(1),
            inverted: photometric == "MONOCHROME1",
            photometric,
            planes: found.planes,
            bits_allocated,
            bits_stored,
            high_bit,
            signed: found.signed,
            slope,
            intercept: number(found.intercept, 0.0, "Rescale Intercept is no number")?,
            modality_lut: found.modality_lut.finish()?,
            voi_lut: found.voi_lut.finish()?,
            window: window.filter(Window::is_valid),
            padding: padding(found.padding, found.padding_limit, bits_stored, found.signed),
            pixel_sides: found.pixel_sides.into_iter().flatten().next(),
            pixels,
        })
    }

    /// Whether a stored value is no part of the picture.
    pub fn is_padding(&self, value: i32) -> bool {
        self.padding.as_ref().is_some_and(|padding| padding.contains(&value))
    }
}

fn read<'a>(bytes: &'a [u8], start: usize, syntax: &Syntax) -> Result<Found<'a>, DecodeError> {
    let (mut found, mut elements) = (Found::default(), Elements::new(bytes, start, syntax.form));
    while let Some(element) = elements.next()? {
        match element {
            Element::Fragments(fragments) => {
                found.pixels = Some(Pixels::Fragments(fragments));
                return Ok(found);
            }
            Element::Value { sequence: None, tag: tags::PIXEL_DATA, vr, bytes } => {
                found.pixels = Some(Pixels::Plain { bytes, words: vr != VR::OB });
                return Ok(found);
            }
            Element::Value { sequence, tag, vr, bytes } => {
                let bytes = &bytes[..bytes.len().min(LONGEST)];
                let big_endian = syntax.big_endian();
                // Without types a table's first input is a number of the kind that the samples are.
                let signed = vr == VR::SS || (found.signed && syntax.form == Form::ImplicitLittle);
                found.take(sequence, tag, &Value { bytes, signed, big_endian });
            }
        }
    }
    Ok(found)
}

impl Found<'_> {
    /// Takes an element of the top level, or of a sequence's first item.
    fn take(&mut self, sequence: Option<Tag>, tag: Tag, value: &Value) {
        match sequence {
            Some(tags::MODALITY_LUT_SEQUENCE) => return self.modality_lut.take(tag, value),
            Some(tags::VOILUT_SEQUENCE) => return self.voi_lut.take(tag, value),
            Some(tags::VIEW_CODE_SEQUENCE) => {
                if matches!(tag, tags::CODE_VALUE | tags::CODE_MEANING) {
                    self.tags.view_code += &format!("{} ", value.text());
                }
                return;
            }
            Some(_) => return,
            None => {}
        }
        match tag {
            tags::MODALITY => self.tags.modality = value.text(),
            tags::BODY_PART_EXAMINED => self.tags.body_part = value.text(),
            tags::VIEW_POSITION => self.tags.view_position = value.text(),
            tags::PATIENT_ORIENTATION => self.tags.orientation = value.text(),
            tags::PATIENT_AGE => self.tags.age = value.text(),
            tags::PATIENT_BIRTH_DATE => self.tags.birth_date = value.text(),
            tags::STUDY_DATE => self.tags.study_date = value.text(),
            tags::STUDY_INSTANCE_UID => {
                let uid = value.text();
                let is_uid = |c: char| c.is_ascii_digit() || c == '.';
                self.study_uid = uid.chars().filter(|c| is_uid(*c)).take(64).collect();
            }
            tags::ACCESSION_NUMBER => {
                let number = value.text();
                self.accession_number = number.chars().filter(|c| !c.is_control()).take(64).collect();
            }
            tags::ROWS => self.rows = value.word(),
            tags::COLUMNS => self.columns = value.word(),
            tags::NUMBER_OF_FRAMES => self.frames = value.decimal(),
            tags::SAMPLES_PER_PIXEL => self.samples = value.word(),
            tags::PHOTOMETRIC_INTERPRETATION => self.photometric = value.text(),
            tags::PLANAR_CONFIGURATION => self.planes = value.word() == Some(1),
            tags::BITS_ALLOCATED => self.bits_allocated = value.word(),
            tags::BITS_STORED => self.bits_stored = value.word(),
            tags::HIGH_BIT => self.high_bit = value.word(),
            tags::PIXEL_REPRESENTATION => self.signed = value.word() == Some(1),
            tags::RESCALE_SLOPE if !value.text().is_empty() => self.slope = Some(value.decimal()),
            tags::RESCALE_INTERCEPT if !value.text().is_empty() => self.intercept = Some(value.decimal()),
            tags::PIXEL_PADDING_VALUE => self.padding = value.word(),
            tags::PIXEL_PADDING_RANGE_LIMIT => self.padding_limit = value.word(),
            tags::WINDOW_CENTER => self.centre = value.decimal(),
            tags::WINDOW_WIDTH => self.width = value.decimal(),
            tags::VOILUT_FUNCTION => {
                self.function = match value.text().as_str() {
                    "SIGMOID" => Function::Sigmoid,
                    "LINEAR_EXACT" => Function::LinearExact,
                    _ => Function::Linear,
                }
            }
            tag => {
                if let Some(place) = SPACINGS.iter().position(|known| *known == tag) {
                    self.pixel_sides[place] = value.sides();
                }
            }
        }
    }
}
