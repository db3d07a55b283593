//! Frames over a serial line, USB or UART: packets with a checksum, a row each, so that a picture
//! that lost a byte is never judged.
//!
//! ```text
//! packet:  'P' 'N' kind length(2) payload CRC(4)     CRC-32 (as in Ethernet and zip) over kind, length and payload
//! Begin:   kind 1, 18 bytes: width(2) height(2) format(1) 0(1) sequence(4) microseconds(8)
//! Row:     kind 2: number of the row from 0(2), then its bytes
//! End:     kind 3, 4 bytes: sequence(4), as in Begin
//! ```
//!
//! Numbers are little-endian. Formats: 0 Gray8, 1 Gray16, 2 Rgb8, 3 Rgb16, 4 Yuyv, 5 Uyvy. The
//! device sends [`READY`] when it wants a frame, again each second in which none begins, and
//! [`TAKEN`] when one is whole; what is sent unasked is dropped. Whatever does not fit voids the
//! frame: a checksum, a row out of order, rows that are missing, another sequence at the end. After
//! that it looks for the next 'P' 'N', and asks again.

mod encode;
mod packet;

pub use encode::encode;

use crate::rows::Sender;
use crc::{Digest, Table};
use edge_core::agree::FrameStamp;
use edge_core::{Geometry, PixelFormat};
use packet::{BEGIN, CRC, END, MAGIC, ROW};

/// What the device sends when it wants a frame.
pub const READY: u8 = b'R';
/// What the device sends when a frame has come whole.
pub const TAKEN: u8 = b'T';

/// Bytes of the longest row: 1,024 grey pixels. A host sends none that is longer, and a board keeps
/// room for it.
pub const LONGEST_ROW: usize = 1024;
/// Bytes of the longest payload: a row after its number.
pub const LONGEST_PAYLOAD: usize = LONGEST_ROW + 2;

/// Where in a packet the next byte belongs.
#[derive(Clone, Copy)]
enum Place {
    Magic(usize),
    Kind,
    Length(usize),
    Payload(usize),
    Check(usize),
}

#[derive(Clone, Copy)]
struct Open {
    sequence: u32,
    /// Its next row.
    row: u16,
    height: u16,
}

/// Bytes to rows; `N` is the longest payload: the longest row and 2.
pub struct Decoder<const N: usize> {
    place: Place,
    kind: u8,
    length: [u8; 2],
    payload: [u8; N],
    check: [u8; 4],
    digest: Digest<'static, u32, Table<1>>,
    frame: Option<Open>,
    whole: bool,
}

impl<const N: usize> Default for Decoder<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Decoder<N> {
    /// Before the first byte.
    pub fn new() -> Self {
        Self {
            place: Place::Magic(0),
            kind: 0,
            length: [0; 2],
            payload: [0; N],
            check: [0; 4],
            digest: CRC.digest(),
            frame: None,
            whole: false,
        }
    }

    /// Takes bytes until a packet is whole or there are no more, and says how many. What the packet
    /// says is handed to `sender`.
    ///
    /// So a caller can wait for room between two packets, and a line with flow control makes its
    /// sender wait.
    pub fn take<const R: usize>(&mut self, bytes: &[u8], sender: &mut Sender<'_, R>) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            if self.byte(*byte, sender) {
                return index + 1;
            }
        }
        bytes.len()
    }

    /// Whether a frame has become whole since this was asked last.
    pub fn taken(&mut self) -> bool {
        core::mem::take(&mut self.whole)
    }

    /// One byte; true at the end of a packet.
    fn byte<const R: usize>(&mut self, byte: u8, sender: &mut Sender<'_, R>) -> bool {
        match self.place {
            Place::Magic(at) => {
                if MAGIC.get(at) == Some(&byte) {
                    self.place = if at + 1 == MAGIC.len() { Place::Kind } else { Place::Magic(at + 1) };
                } else {
                    // Bytes between packets belong to a packet that was damaged.
                    self.void(sender);
                    self.place = Place::Magic(usize::from(MAGIC.first() == Some(&byte)));
                }
            }
            Place::Kind => {
                self.kind = byte;
                self.digest = CRC.digest();
                self.digest.update(&[byte]);
                self.place = Place::Length(0);
            }
            Place::Length(at) => {
                self.digest.update(&[byte]);
                put(&mut self.length, at, byte);
                self.place = match usize::from(u16::from_le_bytes(self.length)) {
                    _ if at == 0 => Place::Length(1),
                    0 => Place::Check(0),
                    length if length <= N => Place::Payload(0),
                    _ => {
                        self.void(sender);
                        Place::Magic(0)
                    }
                };
            }
            Place::Payload(at) => {
                self.digest.update(&[byte]);
                put(&mut self.payload, at, byte);
                let whole = at + 1 >= usize::from(u16::from_le_bytes(self.length));
                self.place = if whole { Place::Check(0) } else { Place::Payload(at + 1) };
            }
            Place::Check(at) => {
                put(&mut self.check, at, byte);
                if at < 3 {
                    self.place = Place::Check(at + 1);
                    return false;
                }
                self.place = Place::Magic(0);
                if self.digest.clone().finalize() != u32::from_le_bytes(self.check)
                    || self.packet(sender).is_none()
                {
                    self.void(sender);
                }
                return true;
            }
        }
        false
    }

    /// What a whole packet says; none where it does not fit.
    fn packet<const R: usize>(&mut self, sender: &mut Sender<'_, R>) -> Option<()> {
        let payload = self.payload.get(..usize::from(u16::from_le_bytes(self.length)))?;
        match self.kind {
            BEGIN => {
                let (width, rest) = payload.split_first_chunk()?;
                let (height, rest) = rest.split_first_chunk()?;
                let (&[format, _], rest) = rest.split_first_chunk()?;
                let (sequence, rest) = rest.split_first_chunk()?;
                let (micros, rest) = rest.split_first_chunk()?;
                let side = |bytes: &[u8; 2]| u32::from(u16::from_le_bytes(*bytes));
                let format = *PixelFormat::ALL.get(usize::from(format))?;
                let geometry = Geometry::new(side(width), side(height), format).ok()?;
                if !rest.is_empty() || geometry.row_bytes() > R {
                    return None;
                }
                let sequence = u32::from_le_bytes(*sequence);
                self.frame =
                    sender.is_wanted().then_some(Open { sequence, row: 0, height: geometry.height() });
                if self.frame.is_some() {
                    sender.begin(geometry, FrameStamp { sequence, micros: u64::from_le_bytes(*micros) });
                }
            }
            ROW => {
                let (number, row) = payload.split_first_chunk()?;
                if let Some(open) = &mut self.frame {
                    if open.row != u16::from_le_bytes(*number) {
                        return None;
                    }
                    open.row = open.row.wrapping_add(1);
                    sender.row(row);
                }
            }
            END => {
                let sequence = u32::from_le_bytes(payload.try_into().ok()?);
                if let Some(open) = self.frame {
                    if (open.sequence, open.row) != (sequence, open.height) {
                        return None;
                    }
                    self.frame = None;
                    self.whole = true;
                    sender.end();
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// The line was cut, or what came does not fit: an open frame is void.
    pub fn void<const R: usize>(&mut self, sender: &mut Sender<'_, R>) {
        if self.frame.take().is_some() {
            sender.damaged();
        }
    }
}

fn put(to: &mut [u8], at: usize, byte: u8) {
    if let Some(to) = to.get_mut(at) {
        *to = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::RowPipe;
    use edge_core::Frame;
    use edge_core::ports::{FrameSource, SourceError, SourceEvent};
    use proptest::prelude::*;
    use std::vec::Vec;

    const WIDTH: usize = 40;
    const HEIGHT: usize = 33;

    /// A frame's packets, each by itself.
    fn packets() -> Vec<Vec<u8>> {
        let pixels: Vec<u8> = (0..HEIGHT).flat_map(|row| [row as u8; WIDTH]).collect();
        let geometry = Geometry::new(WIDTH as u32, HEIGHT as u32, PixelFormat::Gray8).unwrap();
        let frame = Frame::packed(geometry, &pixels).unwrap();
        let mut all: Vec<Vec<u8>> = Vec::new();
        encode(&frame, FrameStamp { sequence: 7, micros: 99 }, |part| {
            if part == MAGIC {
                all.push(Vec::new());
            }
            all.last_mut().unwrap().extend(part);
        });
        all
    }

    /// What the loop sees of these bytes: a row's first byte each, true for a whole frame, which
    /// the decoder says too.
    fn seen(bytes: &[u8]) -> (Vec<u8>, bool, Option<SourceError>) {
        let mut pipe = RowPipe::<64, 4>::new();
        let (mut sender, mut receiver) = pipe.split();
        receiver.request();
        let mut decoder = Decoder::<66>::new();
        let (mut rows, mut whole, mut error, mut rest) = (Vec::new(), false, None, bytes);
        while !rest.is_empty() {
            rest = &rest[decoder.take(rest, &mut sender)..];
            loop {
                match receiver.poll() {
                    Ok(SourceEvent::Quiet) => break,
                    Ok(SourceEvent::Begin(..)) => rows.clear(),
                    Ok(SourceEvent::Row(row)) => rows.push(row[0]),
                    Ok(SourceEvent::End) => whole = true,
                    Err(got) => {
                        error = Some(got);
                        break;
                    }
                }
            }
        }
        assert_eq!(decoder.taken(), whole);
        assert!(!decoder.taken());
        (rows, whole, error)
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in_and_noise_before_it_does_not_matter() {
        let expected: Vec<u8> = (0..HEIGHT as u8).collect();
        assert_eq!(seen(&packets().concat()), (expected.clone(), true, None));
        let noisy = [b"PPNPN\x01\x02\x00ab----P".to_vec(), packets().concat()].concat();
        assert_eq!(seen(&noisy), (expected, true, None));
    }

    #[test]
    fn any_packet_that_is_missing_twice_or_elsewhere_makes_no_whole_frame() {
        let all = packets();
        for index in 0..all.len() {
            let mut missing = all.clone();
            missing.remove(index);
            let (rows, whole, error) = seen(&missing.concat());
            assert!(!whole || rows.is_empty(), "without packet {index}: {rows:?}");
            assert!(
                index == 0 || index == all.len() - 1 || error == Some(SourceError::Damaged),
                "packet {index}"
            );
            if (1..=HEIGHT).contains(&index) {
                let mut twice = all.clone();
                twice.insert(index, all[index].clone());
                assert!(!seen(&twice.concat()).1, "packet {index} twice");
            }
        }
    }

    #[test]
    fn a_frame_that_nobody_asked_for_is_dropped() {
        let mut pipe = RowPipe::<64, 4>::new();
        let (mut sender, mut receiver) = pipe.split();
        let (mut decoder, bytes) = (Decoder::<66>::new(), packets().concat());
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            rest = &rest[decoder.take(rest, &mut sender)..];
        }
        assert_eq!(receiver.poll(), Ok(SourceEvent::Quiet));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_makes_no_whole_frame(at in 0..packets().concat().len(), bit in 0..8) {
            let mut bytes = packets().concat();
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(!seen(&bytes).1);
        }

        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            seen(&bytes);
        }
    }
}
