//! A frame into memory, and what is wrong where none comes.

use super::line::{Line, Value};
use edge_core::ports::{FrameSource, SourceError, SourceEvent};
use edge_core::{Geometry, PixelFormat};

/// A frame that came whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) geometry: Geometry,
    /// Its rows that found room in memory.
    pub(super) kept: usize,
}

impl Taken {
    /// The rows that were kept, out of the memory that they were put into.
    pub(super) fn rows<'m>(&self, memory: &'m [u8]) -> impl Iterator<Item = &'m [u8]> + Clone {
        memory.chunks_exact(self.geometry.row_bytes().max(1)).take(self.kept)
    }
}

/// Takes one frame into `memory`, or says in the name of `check` why none came. `goes_on` is asked
/// again and again whether there is still time.
pub(super) fn take(
    check: &'static str,
    source: &mut impl FrameSource,
    memory: &mut [u8],
    mut goes_on: impl FnMut() -> bool,
) -> Result<Taken, Line> {
    source.request();
    let mut open: Option<(Geometry, usize)> = None;
    // What was wrong last: what is told once there is no more time.
    let mut wrong = Wrong::Nothing;
    while goes_on() {
        match source.poll() {
            Ok(SourceEvent::Quiet) => {}
            Ok(SourceEvent::Begin(geometry, _)) => open = Some((geometry, 0)),
            Ok(SourceEvent::Row(row)) => {
                if let Some((geometry, count)) = &mut open {
                    let bytes = geometry.row_bytes().max(1);
                    let to = memory.chunks_exact_mut(bytes).nth(*count).unwrap_or_default();
                    if row.len() != bytes {
                        wrong = Wrong::Source(SourceError::Damaged);
                        open = None;
                        source.request();
                    } else {
                        to.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
                        *count += 1;
                    }
                }
            }
            Ok(SourceEvent::End) => {
                if let Some((geometry, count)) = open.take() {
                    let height = usize::from(geometry.height());
                    if count == height {
                        let room = memory.len() / geometry.row_bytes().max(1);
                        return Ok(Taken { geometry, kept: height.min(room) });
                    }
                    wrong = Wrong::Rows { expected: height as u32, got: count as u32 };
                    source.request();
                }
            }
            Err(error) => {
                wrong = Wrong::Source(error);
                open = None;
                // A lost source goes on by itself.
                if matches!(error, SourceError::Damaged | SourceError::Overrun) {
                    source.request();
                }
            }
        }
    }
    Err(wrong.line(check))
}

#[derive(Clone, Copy)]
enum Wrong {
    Nothing,
    Source(SourceError),
    Rows { expected: u32, got: u32 },
}

impl Wrong {
    fn line(self, check: &'static str) -> Line {
        let frame = Value::Word("frame");
        let fail = |came, wires, look| Line::failed(check, frame, Value::Word(came), wires, look);
        match self {
            Self::Nothing => {
                fail("nothing", ["vsync", "pclk"], "no frame began: the camera's clock, and these two")
            }
            Self::Source(SourceError::Lost) => {
                fail("lost", ["sda", "scl"], "the camera does not answer, or does not take its settings")
            }
            Self::Source(SourceError::NoSignal) => fail(
                "no-signal",
                ["vsync", "pclk"],
                "the camera answers and no row comes: VSYNC or PCLK is not connected, or they are swapped",
            ),
            Self::Source(SourceError::Damaged) => fail(
                "damaged",
                ["href", "pclk"],
                "a row did not come whole or in time: HREF or PCLK has a bad contact, or HREF is another line",
            ),
            Self::Source(SourceError::Overrun) => fail(
                "overrun",
                ["pclk", ""],
                "rows come faster than they are taken: PCLK rings, or the clock is too fast",
            ),
            Self::Rows { expected, got } => Line::failed(
                check,
                Value::Number(expected),
                Value::Number(got),
                ["href", "vsync"],
                "rows are missing: HREF has a bad contact, or VSYNC moves within a frame",
            ),
        }
    }
}

/// Makes the rows in `memory` grey, in place; returns the pixels of a row.
pub(super) fn grey(taken: &Taken, memory: &mut [u8]) -> usize {
    let width = usize::from(taken.geometry.width());
    if taken.geometry.format() == PixelFormat::Yuyv {
        for at in 0..width * taken.kept {
            if let Some(luminance) = memory.get(2 * at).copied()
                && let Some(to) = memory.get_mut(at)
            {
                *to = luminance;
            }
        }
    }
    width
}
