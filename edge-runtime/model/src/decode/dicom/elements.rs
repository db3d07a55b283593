//! The elements of a data set, one after the other, sequences and all (PS3.5 7.1 and 7.5).
//!
//! dicom-encoding reads each header; where values lie and sequences end is kept here, in a list and
//! not by recursion, so that no file exhausts the stack. An element of unknown type (UN) and unknown
//! length is a sequence of implicit elements, whatever the file is (PS3.5 6.2.2).

use super::syntax::Form;
use crate::decode::outcome::DecodeError;
use dicom_core::header::{DataElementHeader, Length, SequenceItemHeader};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_encoding::decode::explicit_be::ExplicitVRBigEndianDecoder;
use dicom_encoding::decode::explicit_le::ExplicitVRLittleEndianDecoder;
use dicom_encoding::decode::implicit_le::ImplicitVRLittleEndianDecoder;
use dicom_encoding::decode::{self, Decode};

/// An item of a sequence, and its end; they are no data elements, so no dictionary has them.
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_DELIMITER: Tag = Tag(0xFFFE, 0xE00D);

/// What is found at the top of a data set, or in the first item of a sequence there.
#[derive(Debug)]
pub(super) enum Element<'a> {
    Value {
        /// The sequence; none at the top.
        sequence: Option<Tag>,
        tag: Tag,
        vr: VR,
        bytes: &'a [u8],
    },
    /// Coded pixels, without the table of offsets.
    Fragments(Vec<&'a [u8]>),
}

#[derive(Debug)]
pub(super) struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    form: Form,
    /// The sequences and items that are open, outermost first.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    /// Where it ends; none where a delimiter says so.
    end: Option<usize>,
    form: Form,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A sequence, with the items that have begun in it.
    Sequence(Tag, u32),
    Item,
}

impl<'a> Elements<'a> {
    /// The elements from byte `at` on.
    pub fn new(bytes: &'a [u8], at: usize, form: Form) -> Self {
        Self { bytes, at, form, open: Vec::new() }
    }

    /// The next value; none at the end.
    pub fn next(&mut self) -> Result<Option<Element<'a>>, DecodeError> {
        loop {
            while self.open.last().is_some_and(|open| open.end.is_some_and(|end| self.at >= end)) {
                self.open.pop();
            }
            let form = self.open.last().map_or(self.form, |open| open.form);
            if let Some(Open { kind: Kind::Sequence(_, items), .. }) = self.open.last_mut() {
                *items = items.saturating_add(1);
                self.item(form)?;
                continue;
            }
            if self.at >= self.bytes.len() {
                return Ok(None);
            }
            let DataElementHeader { tag, vr, len } = self.header(form)?;
            if tag == ITEM_DELIMITER {
                self.open.pop();
            } else if tag == tags::PIXEL_DATA && len.is_undefined() && self.open.is_empty() {
                return self.fragments(form).map(Some);
            } else if vr == VR::SQ || len.is_undefined() {
                let end = len.get().map(|length| self.end(tag, length)).transpose()?;
                let form = if vr == VR::UN { Form::ImplicitLittle } else { form };
                self.open.push(Open { end, form, kind: Kind::Sequence(tag, 0) });
            } else {
                let end = self.end(tag, len.0)?;
                let bytes = &self.bytes[self.at..end];
                self.at = end;
                if let Some(sequence) = self.place() {
                    return Ok(Some(Element::Value { sequence, tag, vr, bytes }));
                }
            }
        }
    }

    /// The sequence whose first item is being read, none at the top; no place elsewhere.
    fn place(&self) -> Option<Option<Tag>> {
        match &self.open[..] {
            [] => Some(None),
            [Open { kind: Kind::Sequence(tag, 1), .. }, _] => Some(Some(*tag)),
            _ => None,
        }
    }

    /// Opens the next item of a sequence, or closes the sequence.
    fn item(&mut self, form: Form) -> Result<(), DecodeError> {
        match self.item_header(form)? {
            SequenceItemHeader::Item { len } => {
                let end = len.get().map(|length| self.end(ITEM, length)).transpose()?;
                self.open.push(Open { end, form, kind: Kind::Item });
            }
            SequenceItemHeader::SequenceDelimiter => drop(self.open.pop()),
            SequenceItemHeader::ItemDelimiter => {}
        }
        Ok(())
    }

    /// The pieces of the coded pixels; the first item is the table of offsets.
    fn fragments(&mut self, form: Form) -> Result<Element<'a>, DecodeError> {
        let mut items = Vec::new();
        loop {
            match self.item_header(form)? {
                SequenceItemHeader::Item { len: Length(length) } => {
                    let end = self.end(tags::PIXEL_DATA, length)?;
                    items.push(&self.bytes[self.at..end]);
                    self.at = end;
                }
                SequenceItemHeader::SequenceDelimiter => break,
                SequenceItemHeader::ItemDelimiter => return Err(damaged(&"its pixels have no end")),
            }
        }
        Ok(Element::Fragments(items.split_off(items.len().min(1))))
    }

    /// Where a value of this length ends.
    fn end(&self, tag: Tag, length: u32) -> Result<usize, DecodeError> {
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        let end = end.filter(|end| *end <= self.bytes.len());
        end.ok_or_else(|| damaged(&format_args!("element {tag} reaches beyond its end")))
    }

    fn header(&mut self, form: Form) -> Result<DataElementHeader, DecodeError> {
        let mut rest = self.bytes.get(self.at..).unwrap_or_default();
        let read = match form {
            Form::ImplicitLittle => ImplicitVRLittleEndianDecoder::default().decode_header(&mut rest),
            Form::ExplicitLittle => ExplicitVRLittleEndianDecoder::default().decode_header(&mut rest),
            Form::ExplicitBig => ExplicitVRBigEndianDecoder::default().decode_header(&mut rest),
        };
        self.advance(rest);
        read.map(|(header, _)| header).map_err(cut)
    }

    fn item_header(&mut self, form: Form) -> Result<SequenceItemHeader, DecodeError> {
        let mut rest = self.bytes.get(self.at..).unwrap_or_default();
        let read = match form {
            Form::ImplicitLittle => ImplicitVRLittleEndianDecoder::default().decode_item_header(&mut rest),
            Form::ExplicitLittle => ExplicitVRLittleEndianDecoder::default().decode_item_header(&mut rest),
            Form::ExplicitBig => ExplicitVRBigEndianDecoder::default().decode_item_header(&mut rest),
        };
        self.advance(rest);
        read.map_err(cut)
    }

    fn advance(&mut self, rest: &[u8]) {
        self.at = self.bytes.len() - rest.len();
    }
}

fn cut(error: decode::Error) -> DecodeError {
    damaged(&error)
}

fn damaged(what: &dyn std::fmt::Display) -> DecodeError {
    DecodeError::damaged("DICOM", what.to_string())
}
