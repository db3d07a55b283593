//! How a DICOM file is written: where its data set begins, in which byte order, with or without the
//! types of its values, and how its pixels are coded.

use super::error::DicomError;
use crate::decode::outcome::{DecodeError, MAX_FILE_BYTES};
use dicom_encoding::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::{TransferSyntaxRegistry, entries};
use flate2::read::DeflateDecoder;
use std::borrow::Cow;
use std::io::Read;

/// How the pixels are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Plain samples.
    Plain,
    /// PackBits over planes of bytes (PS3.5 annex G).
    Rle,
    /// ITU-T T.81, by DCT or lossless.
    Jpeg,
    /// ITU-T T.87.
    JpegLs,
    /// ITU-T T.800.
    Jpeg2000,
    /// Something else.
    Unknown,
}

/// How a file is written.
pub(super) struct Syntax {
    /// Where the data set begins.
    pub start: usize,
    /// Whether the data set is deflated from there on.
    pub deflated: bool,
    pub form: Form,
    pub coding: Coding,
    /// As the file names it, cut to what a UID may be.
    pub uid: String,
}

impl Syntax {
    /// The bytes in which the data set lies, inflated where it was deflated, and where it begins there.
    pub fn data_set<'a>(&self, bytes: &'a [u8]) -> Result<(Cow<'a, [u8]>, usize), DecodeError> {
        if !self.deflated {
            return Ok((Cow::Borrowed(bytes), self.start));
        }
        Ok((Cow::Owned(inflate(bytes.get(self.start..).unwrap_or_default())?), 0))
    }

    /// Reads the file meta information where there is one, else looks at the first element.
    pub fn of(bytes: &[u8]) -> Result<Self, DecodeError> {
        let begins = data_set_begins(bytes).unwrap_or_default();
        let (stated, start) = meta(bytes, begins)?;
        let looks = looks_like(bytes.get(start..).unwrap_or_default());
        let uid = stated.unwrap_or_else(|| looks.unwrap_or(Form::ImplicitLittle).uid().to_owned());
        let deflated = uid == entries::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN.uid();
        let stated = [Form::ImplicitLittle, Form::ExplicitBig].into_iter().find(|form| form.uid() == uid);
        // All other transfer syntaxes are explicit and little-endian (PS3.5 annex A).
        let stated = stated.unwrap_or(Form::ExplicitLittle);
        // Some writers state the one form and write the other.
        let form = if deflated { stated } else { looks.unwrap_or(stated) };
        Ok(Self { start, deflated, form, coding: coding(&uid), uid })
    }

    pub fn big_endian(&self) -> bool {
        self.form == Form::ExplicitBig
    }

    /// That the pixels are not read because of how they are coded; `which` says more than the name does.
    pub fn unread(&self, which: &str) -> DicomError {
        let name = TransferSyntaxRegistry.get(&self.uid).map_or("an unknown transfer syntax", |s| s.name());
        let remedy = match self.uid.strip_prefix(JPEG_AND_FILMS).and_then(|number| number.parse().ok()) {
            Some(100..=108) => "it is a film: send the one radiograph by itself, uncompressed",
            // What GDCM reads.
            Some(50..=91) => {
                "have it sent uncompressed (Explicit VR Little Endian), or convert it, such as by \
                 `gdcmconv --raw IN OUT`"
            }
            _ => "have it sent uncompressed (Explicit VR Little Endian)",
        };
        DicomError::TransferSyntax { name: format!("{name}{which}"), uid: self.uid.clone(), remedy }
    }
}

/// What the codings of ISO's groups for JPEG and MPEG begin with.
const JPEG_AND_FILMS: &str = "1.2.840.10008.1.2.4.";

fn coding(uid: &str) -> Coding {
    let Some(rest) = uid.strip_prefix("1.2.840.10008.1.2") else { return Coding::Unknown };
    match rest {
        "" | ".1" | ".1.99" | ".2" => Coding::Plain,
        ".5" => Coding::Rle,
        // Progressive and arithmetic ones are long retired; which it is shows in the frame header.
        ".4.50" | ".4.51" | ".4.53" | ".4.55" | ".4.57" | ".4.70" => Coding::Jpeg,
        ".4.80" | ".4.81" => Coding::JpegLs,
        ".4.90" | ".4.91" => Coding::Jpeg2000,
        _ => Coding::Unknown,
    }
}

/// How elements are written: with the type of their value or without it, and in which byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
}

impl Form {
    fn uid(self) -> &'static str {
        match self {
            Self::ImplicitLittle => entries::IMPLICIT_VR_LITTLE_ENDIAN.uid(),
            Self::ExplicitLittle => entries::EXPLICIT_VR_LITTLE_ENDIAN.uid(),
            Self::ExplicitBig => entries::EXPLICIT_VR_BIG_ENDIAN.uid(),
        }
    }
}

/// Where the elements of a DICOM file begin: behind its preamble, or at once; none where the bytes are
/// no DICOM file.
pub(super) fn data_set_begins(bytes: &[u8]) -> Option<usize> {
    const PREFIX: &[u8] = b"DICM";
    const PREAMBLE: usize = 128;
    if bytes.get(PREAMBLE..PREAMBLE + PREFIX.len()) == Some(PREFIX) {
        return Some(PREAMBLE + PREFIX.len());
    }
    if bytes.starts_with(PREFIX) {
        return Some(PREFIX.len());
    }
    looks_like(bytes).map(|_| 0)
}

/// What the first element looks like, if it is the first that a DICOM file may have: one of file meta
/// information or of the identifying group.
fn looks_like(bytes: &[u8]) -> Option<Form> {
    let &[g0, g1, e0, e1, v0, v1, l0, l1] = bytes.get(..8)? else { return None };
    let known_type = KNOWN_TYPES.contains(&[v0, v1]);
    let first = |group: u16, element: u16| matches!((group, element), (2, 0..=0x0103) | (8, 0..=0x0070));
    if first(u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1])) {
        if known_type {
            return Some(Form::ExplicitLittle);
        }
        let length = u32::from_le_bytes([v0, v1, l0, l1]) as usize;
        // A code, a date, a UID: short, and of printable characters; or the four bytes of a group's length.
        let value = bytes.get(8..8 + length.min(1024))?;
        let text = value.iter().all(|&byte| matches!(byte, 0 | 0x20..0x7F));
        return (length <= 1024 && (text || (e0, length) == (0, 4))).then_some(Form::ImplicitLittle);
    }
    let big = first(u16::from_be_bytes([g0, g1]), u16::from_be_bytes([e0, e1])) && known_type;
    big.then_some(Form::ExplicitBig)
}

/// Types of the values that a file may begin with.
const KNOWN_TYPES: [[u8; 2]; 15] = [
    *b"UL", *b"OB", *b"UI", *b"SH", *b"CS", *b"DA", *b"TM", *b"LO", *b"SQ", *b"DT", *b"AE", *b"UN", *b"ST",
    *b"IS", *b"PN",
];

/// The transfer syntax that the file meta information states, and where it ends. It is always explicit
/// and little endian (PS3.10 7.1).
fn meta(bytes: &[u8], begins: usize) -> Result<(Option<String>, usize), DecodeError> {
    let (mut at, mut stated) = (begins, None);
    loop {
        let Some(&[2, 0, e0, e1, v0, v1, l0, l1]) = bytes.get(at..at + 8) else { return Ok((stated, at)) };
        let long = matches!(&[v0, v1], b"OB" | b"OW" | b"SQ" | b"UN" | b"UT");
        let (length, value) = match long {
            false => (usize::from(u16::from_le_bytes([l0, l1])), at + 8),
            true => {
                let length = bytes.get(at + 8..at + 12).and_then(|four| four.try_into().ok());
                (length.map_or(usize::MAX, |four| u32::from_le_bytes(four) as usize), at + 12)
            }
        };
        let end = value.saturating_add(length);
        let value = bytes.get(value..end).ok_or_else(|| {
            DecodeError::damaged("DICOM", "its file meta information reaches beyond its end")
        })?;
        if [e0, e1] == [0x10, 0] {
            let uid = value.iter().map(|&byte| char::from(byte));
            stated = Some(uid.filter(|c| c.is_ascii_digit() || *c == '.').take(64).collect());
        }
        at = end;
    }
}

/// The data set that was deflated (RFC 1951), at most as large as a file may be.
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut inflated = Vec::new();
    let read = DeflateDecoder::new(bytes).take(MAX_FILE_BYTES + 1).read_to_end(&mut inflated);
    // A padding byte behind the stream, which the standard wants, is not looked at.
    read.map_err(|error| DecodeError::damaged("DICOM", format!("its data set does not inflate: {error}")))?;
    if inflated.len() as u64 > MAX_FILE_BYTES {
        return Err(DecodeError::TooLong);
    }
    Ok(inflated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_element() {
        let preamble = [&[0; 128][..], b"DICM"].concat();
        let table: [(&[u8], Option<usize>); 11] = [
            (&preamble, Some(132)),
            (b"DICM\x02\0\0\0UL\x04\0", Some(4)),
            (b"\x02\0\0\0UL\x04\0\xD0\0\0\0", Some(0)),
            (b"\x08\0\x05\0CS\x0A\0ISO_IR 100", Some(0)),
            (b"\0\x08\0\x05CS\0\x0AISO_IR 100", Some(0)),
            (b"\x08\0\x05\0\x0A\0\0\0ISO_IR 100", Some(0)),
            (b"\x08\0\0\0\x04\0\0\0\x92\x01\0\0", Some(0)),
            (b"\x08\0\x05\0\x0A\0\0\0ISO\x01IR 100", None),
            (b"\x08\0\x05\0\xFF\xFF\xFF\xFFISO_IR 100", None),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF", None),
            (b"DICOM", None),
        ];
        for (bytes, begins) in table {
            assert_eq!(data_set_begins(bytes), begins, "{bytes:?}");
        }
    }

    #[test]
    fn what_inflates_without_end_is_refused_before_memory_is_gone() {
        let deflated = |bytes: &[u8]| {
            let mut deflated = Vec::new();
            flate2::read::DeflateEncoder::new(bytes, flate2::Compression::best())
                .read_to_end(&mut deflated)
                .unwrap();
            deflated
        };
        assert_eq!(inflate(&deflated(b"abc")).unwrap(), b"abc");
        let cut = deflated(&[7; 100_000]);
        assert!(inflate(&cut[..cut.len() / 2]).is_err());
    }
}
