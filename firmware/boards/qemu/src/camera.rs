//! The camera: frames of the script, their rows read from the host one by one as the loop takes
//! them.

use crate::chip::Clock;
use crate::host::{self, Ends, Open};
use crate::script::{self, Damage, Picture, Standing};
use crate::world::WORLD;
use core::sync::atomic::Ordering::Relaxed;
use edge_core::agree::FrameStamp;
use edge_core::frame::Geometry;
use edge_core::ports::{Clock as _, FrameSource, SourceError, SourceEvent};

pub struct Camera {
    /// The row that the loop looks at.
    held: &'static mut [u8],
    wanted: bool,
    frame: Option<Frame>,
}

struct Frame {
    file: Open,
    geometry: Geometry,
    damage: Damage,
    rows: u32,
}

impl Camera {
    pub fn new(held: &'static mut [u8]) -> Self {
        Self { held, wanted: false, frame: None }
    }

    fn begin(&mut self, picture: &Picture) -> Result<SourceEvent<'_>, SourceError> {
        self.wanted = false;
        script::frame_begins();
        // A camera that announces what no picture is: its driver says so.
        let geometry =
            Geometry::new(picture.width, picture.height, picture.format).map_err(|_| SourceError::Damaged)?;
        if picture.damage != Damage::Stuck {
            WORLD.sequence.fetch_add(1, Relaxed);
        }
        let (file, damage) = (Open::rows(picture.path), picture.damage);
        self.frame = Some(Frame { file, geometry, damage, rows: 0 });
        Ok(SourceEvent::Begin(geometry, stamp()))
    }
}

fn stamp() -> FrameStamp {
    FrameStamp { sequence: WORLD.sequence.load(Relaxed), micros: 0 }
}

impl FrameSource for Camera {
    fn request(&mut self) {
        self.wanted = true;
        self.frame = None;
    }

    fn poll(&mut self) -> Result<SourceEvent<'_>, SourceError> {
        let Some(Frame { file, geometry, damage, rows }) = &mut self.frame else {
            return match script::advance(Clock.now_ms()) {
                Standing::Frame(picture) if self.wanted => self.begin(&picture),
                Standing::Error(error) => Err(error),
                Standing::Frame(_) | Standing::Quiet => Ok(SourceEvent::Quiet),
            };
        };
        let height = u32::from(geometry.height());
        let (row, middle) = (*rows, *rows == height / 2);
        *rows = row.saturating_add(1);
        let last = match damage {
            Damage::Halts if row >= height / 2 => return Ok(SourceEvent::Quiet),
            Damage::CutShort if middle => return Ok(SourceEvent::Begin(*geometry, stamp())),
            Damage::MissingRow => height - 1,
            Damage::RowTooMany => height + 1,
            _ => height,
        };
        if row >= last {
            self.frame = None;
            return Ok(SourceEvent::End);
        }
        let length = geometry.row_bytes();
        let Some(bytes) = self.held.get_mut(..length) else { return Err(SourceError::Damaged) };
        // The row too many is the last one once more.
        if row < height && !file.fill(bytes) {
            host::complain(b"a picture: it has fewer rows than the script says", Ends::File);
        }
        let sent = match damage {
            Damage::ShortRow if middle => length - 1,
            Damage::LongRow if middle => length + 1,
            _ => length,
        };
        Ok(SourceEvent::Row(self.held.get(..sent).unwrap_or(&[])))
    }
}
