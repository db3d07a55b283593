//! Frames to packets: what a host sends and the device decodes.

use super::packet::{BEGIN, CRC, END, MAGIC, ROW};
use edge_core::agree::FrameStamp;
use edge_core::{Frame, PixelFormat};

/// Gives a frame's packets to `put`, piece by piece.
pub fn encode(frame: &Frame, stamp: FrameStamp, mut put: impl FnMut(&[u8])) {
    let geometry = frame.geometry();
    // There is no format that the list lacks; were there one, the device would refuse the number.
    let format = PixelFormat::ALL.iter().position(|known| *known == geometry.format()).unwrap_or(usize::MAX);
    let sequence = stamp.sequence.to_le_bytes();
    let sides = [geometry.width().to_le_bytes(), geometry.height().to_le_bytes(), [format as u8, 0]];
    packet(BEGIN, &[sides.as_flattened(), &sequence, &stamp.micros.to_le_bytes()], &mut put);
    for (number, row) in (0_u16..).zip(frame.rows()) {
        packet(ROW, &[&number.to_le_bytes(), row], &mut put);
    }
    packet(END, &[&sequence], &mut put);
}

/// One packet, its payload in parts.
fn packet(kind: u8, payload: &[&[u8]], put: &mut impl FnMut(&[u8])) {
    let length = payload.iter().map(|part| part.len()).sum::<usize>() as u16;
    let [low, high] = length.to_le_bytes();
    let mut digest = CRC.digest();
    put(&MAGIC);
    for part in [&[kind, low, high][..]].iter().chain(payload) {
        digest.update(part);
        put(part);
    }
    put(&digest.finalize().to_le_bytes());
}
