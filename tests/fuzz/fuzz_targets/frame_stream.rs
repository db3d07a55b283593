//! A program's output, in pieces of any size: frames of the size that is announced, the same
//! whatever the pieces, or an error of one line.
#![no_main]

use edge_core::{Geometry, PixelFormat};
use edge_model::frame_stream::{FrameSplitter, MOST_FRAME_BYTES, StreamError, StreamFormat};
use fuzz::{assert_one_line, planted_fault};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check(bytes));

/// All frames of a stream, each with what it is, and how that ended.
type Frames = (Vec<(StreamFormat, Vec<u8>)>, Result<Option<(usize, usize)>, StreamError>);

/// The first byte says whether frames of a size are expected, the second how long the pieces are.
fn check(bytes: &[u8]) {
    let [raw, piece, stream @ ..] = bytes else { return };
    let geometry = Geometry::new(32 + u32::from(raw >> 4), 32, PixelFormat::Gray8).expect("allowed sides");
    let expected = (raw & 1 == 1).then(|| StreamFormat::new(geometry, usize::from(raw >> 2)).expect("small"));
    let whole = split(expected, stream, stream.len().max(1));
    let pieces = split(expected, stream, usize::from(*piece).max(1));
    // What an error quotes is what had come by then.
    assert_eq!((&whole.0, whole.1.is_ok()), (&pieces.0, pieces.1.is_ok()));
    for (frames, end) in [&whole, &pieces] {
        for (format, frame) in frames {
            assert!(format.frame_bytes() <= MOST_FRAME_BYTES);
            let short = usize::from(planted_fault());
            let frame = &frame[..frame.len() - short];
            assert_eq!(frame.len(), format.frame_bytes());
            let picture = format.frame(frame).expect("a whole frame");
            assert_eq!(picture.rows().count(), usize::from(format.geometry().height()));
            assert!(expected.is_none_or(|expected| expected.to_string() == format.to_string()));
        }
        match end {
            Ok(Some((came, of))) => assert!(came < of && *came <= stream.len()),
            Ok(None) => {}
            Err(error) => assert_one_line(error),
        }
    }
}

fn split(expected: Option<StreamFormat>, stream: &[u8], piece: usize) -> Frames {
    let (mut splitter, mut frame, mut frames) = (FrameSplitter::new(expected), Vec::new(), Vec::new());
    for mut bytes in stream.chunks(piece) {
        while !bytes.is_empty() {
            match splitter.push(bytes, &mut frame) {
                Ok(step) => {
                    assert!(step.used > 0, "it stands still");
                    bytes = &bytes[step.used..];
                    frames.extend(step.frame.map(|format| (format, std::mem::take(&mut frame))));
                }
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    // No more memory than bytes that came, as a vector grows.
    assert!(frame.capacity() <= 2 * stream.len().max(64));
    (frames, Ok(splitter.progress()))
}
