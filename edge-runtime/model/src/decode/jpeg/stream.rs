//! A JPEG as `jpeg-decoder` gets it: the segments it needs, and compressed data that show their end.
//!
//! - Left out are bytes between segments, comments, application segments, what follows the end: as
//!   libjpeg passes over them.
//! - **Behind each run of compressed data stand ones.** Where a run is too short, a decoder fills up
//!   with zeros, which mean flat grey; ones are no Huffman code (T.81, C), so they are an error.
//!   Only the bits that refine a progressive picture have no codes: a loss among them stays within
//!   the last bits.
//! - A file without Huffman tables gets the standard ones, as in libjpeg.
//! - Baseline is called extended, which is coded alike and may have more tables.

use super::super::outcome::DecodeError;
use super::header::{ColourModel, FrameHeader, coding, damaged};
use super::huffman::standard_tables;

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const BASELINE: u8 = 0xC0;
const EXTENDED: u8 = 0xC1;
const HUFFMAN_TABLES: u8 = 0xC4;
const START_OF_SCAN: u8 = 0xDA;

/// Ones behind a run of compressed data: the bits of a coefficient, at most 14, and then a whole
/// code of 16. The decoder holds 56 bits before it looks for a restart marker; what these leave
/// free, two bytes, may stand between data and marker, as some cameras have it.
const GUARD: [u8; 8] = [0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00];

/// What a JPEG is, and its stream.
pub(super) struct Stream<'a> {
    pub frame: FrameHeader,
    pub colours: ColourModel,
    pub exif: Option<&'a [u8]>,
    pub bytes: Vec<u8>,
}

impl<'a> Stream<'a> {
    /// Walks over the file from its first byte to its end-of-image marker.
    pub fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if !bytes.starts_with(&[0xFF, START_OF_IMAGE]) {
            return Err(damaged("no start-of-image marker"));
        }
        let mut file = File { bytes, at: 2 };
        let mut out = Vec::with_capacity(bytes.len() + 1024);
        out.extend([0xFF, START_OF_IMAGE]);
        let (mut frame, mut exif, mut jfif, mut adobe) = (None::<FrameHeader>, None, false, None);
        let (mut tables, mut scans) = (false, 0);
        loop {
            let marker = file.next_marker().ok_or_else(no_end)?;
            let body = match marker {
                END_OF_IMAGE => break,
                START_OF_IMAGE => return Err(damaged("a second start-of-image marker")),
                0x01 | 0xD0..=0xD7 => continue, // without a body
                _ => file.body().ok_or_else(no_end)?,
            };
            match marker {
                HUFFMAN_TABLES => {
                    tables = true;
                    segment(&mut out, marker, body);
                }
                // Quantization tables, restart interval.
                0xDB | 0xDD => segment(&mut out, marker, body),
                // All frame headers, and what goes with those of other codings.
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCF | 0xDE | 0xDF | 0xF7 => {
                    if frame.is_some() {
                        return Err(damaged("a second frame header"));
                    }
                    frame = Some(FrameHeader::read(marker, body)?);
                    segment(&mut out, if marker == BASELINE { EXTENDED } else { marker }, body);
                }
                START_OF_SCAN => {
                    let frame = frame.as_ref().ok_or_else(|| damaged("a scan before the frame header"))?;
                    check_scan(frame, body)?;
                    if scans == 0 && !tables {
                        segment(&mut out, HUFFMAN_TABLES, &standard_tables());
                    }
                    scans += 1;
                    segment(&mut out, marker, body);
                    file.copy_compressed(&mut out);
                }
                // What comes behind the first scan says nothing about it.
                0xE0 if scans == 0 => jfif |= body.len() >= 14 && body.starts_with(b"JFIF\0"),
                0xE1 if scans == 0 && exif.is_none() => exif = body.strip_prefix(b"Exif\0\0"),
                0xEE if scans == 0 && body.len() >= 12 && body.starts_with(b"Adobe") => {
                    adobe = Some(body[11]);
                }
                // Application segments, comments, a number of lines that the frame header has told.
                0xE0..=0xEF | 0xFE | 0xDC => {}
                other => {
                    return Err(damaged(format!("an unknown marker, FF {other:02X}")));
                }
            }
        }
        out.extend([0xFF, END_OF_IMAGE]);
        let frame = frame.ok_or_else(|| damaged("no frame header"))?;
        if scans == 0 {
            return Err(damaged("no scan"));
        }
        let colours = ColourModel::of(&frame.components, jfif, adobe);
        Ok(Self { frame, colours, exif, bytes: out })
    }
}

/// Refuses a scan whose blocks `jpeg-decoder` counts wrongly. Whether the scan fits the frame
/// otherwise, it checks itself.
fn check_scan(frame: &FrameHeader, body: &[u8]) -> Result<(), DecodeError> {
    let &[1, id, ..] = body else { return Ok(()) };
    let component = frame.components.iter().find(|component| component.id == id);
    if component.is_some_and(|&component| !frame.counts_blocks_of(component)) {
        return Err(coding("scans of one component that is sampled neither most nor least"));
    }
    Ok(())
}

/// Appends a segment, its length in front.
fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
    out.extend([0xFF, marker]);
    // A body was read by its own 16-bit length, or is the standard tables.
    out.extend((body.len() as u16 + 2).to_be_bytes());
    out.extend(body);
}

/// A file and how far it has been read.
struct File<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> File<'a> {
    /// The next marker, past whatever stands before it; none where the file ends.
    fn next_marker(&mut self) -> Option<u8> {
        loop {
            self.at += memchr::memchr(0xFF, self.bytes.get(self.at..)?)?;
            let byte = self.past_fill()?;
            self.at += 1;
            if byte != 0 {
                return Some(byte);
            }
        }
    }

    /// Skips the 0xFF here and any that follow it, and shows the byte behind them.
    fn past_fill(&mut self) -> Option<u8> {
        self.at += self.bytes.get(self.at..)?.iter().position(|&byte| byte != 0xFF)?;
        self.bytes.get(self.at).copied()
    }

    /// What a segment holds, by its length; none where the file ends before.
    fn body(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_be_bytes(*self.bytes.get(self.at..)?.first_chunk()?));
        let body = self.bytes.get(self.at + 2..self.at + length)?;
        self.at += length;
        Some(body)
    }

    /// Copies compressed data up to the next marker that is no restart, each run of it with
    /// [`GUARD`] behind.
    fn copy_compressed(&mut self, out: &mut Vec<u8>) {
        while let Some(data) = self.bytes.get(self.at..)
            && let Some(length) = memchr::memchr(0xFF, data)
        {
            out.extend(&data[..length]);
            self.at += length;
            let marker_at = self.at;
            match self.past_fill() {
                Some(0x00) => out.extend([0xFF, 0x00]), // a data byte that is 0xFF
                Some(restart @ 0xD0..=0xD7) => {
                    out.extend(GUARD);
                    out.extend([0xFF, restart]);
                }
                _ => {
                    out.extend(GUARD);
                    self.at = marker_at;
                    return;
                }
            }
            self.at += 1;
        }
        self.at = self.bytes.len(); // the end is missing
    }
}

fn no_end() -> DecodeError {
    damaged("no end-of-image marker")
}
