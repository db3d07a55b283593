//! Pictures over a serial line, to a board that takes its frames from a host (`firmware::serial`).
//!
//! The board leads: it asks for a frame, takes it or not, and says when it has come whole. So
//! nothing is sent that nobody waits for, and what counts as sent is what the board has taken.

use anyhow::{Context, bail, ensure};
use edge_core::agree::FrameStamp;
use edge_core::{Frame, Geometry, PixelFormat};
use edge_model::decode::Picture;
use firmware::device::Settings;
use firmware::serial::{LONGEST_ROW, READY, TAKEN, encode};
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// How often a frame is sent that does not come whole, before the line is given up.
const TRIES: u32 = 5;

/// Bytes that are written at once.
const PIECE: usize = 4096;

/// Most bytes of a picture: 512 x 512 grey pixels.
///
/// A board judges no frame that is older than three seconds, and shows its answer no longer
/// (`stale_after_ms` of `firmware::device::Settings`): the frame may take half of that, so that the
/// answer stands as long as it took. [`taken_ms`] estimates what it takes.
const MOST_BYTES: usize = 512 * 512;

/// Milliseconds from a frame's first byte to its answer on the slowest board, an nRF52840;
/// estimated, not measured.
///
/// Judging: docs/PERFORMANCE.md estimates 410 ms for a smaller frame; 600 are taken. Bytes: each
/// takes 0.8 us on the wire at least (USB 2.0, table 5-9: 1,216 a millisecond in bulk packets at
/// full speed), 0.6 us in the decoder (32 instructions in the linked firmware) and 0.3 us in the
/// rows (docs/PERFORMANCE.md: 14 instructions more a pixel), one after another, which makes 590 a
/// millisecond. What driver, executor and host take between two packets is a guess: as much
/// again, so 300 are taken.
const fn taken_ms(bytes: usize) -> usize {
    600 + bytes / 300
}

const _: () = assert!(
    2 * taken_ms(MOST_BYTES) <= Settings::CONTINUOUS.device.policy.stale_after_ms as usize,
    "the answer on a picture of this size would be stale too soon"
);

const GONE: &str = "the line broke: is the board still connected?";

pub struct Line<P> {
    port: P,
    began: Instant,
    patience: Duration,
    sequence: u32,
}

impl<P: Read + Write> Line<P> {
    /// A line over a port, whose reads end after a short while.
    pub fn new(port: P, patience: Duration) -> Self {
        Self { port, began: Instant::now(), patience, sequence: 0 }
    }

    /// Sends a picture once and waits until the board has it whole. `progress` is told the bytes
    /// that went out, and those of the frame.
    pub fn send(&mut self, frame: &Frame, progress: &mut dyn FnMut(usize, usize)) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            while self.answer("ask for a frame")? != READY {}
            // What it asked before, while nobody listened.
            while self.byte()?.is_some() {}
            self.sequence = self.sequence.wrapping_add(1);
            let micros = self.began.elapsed().as_micros() as u64;
            let mut bytes = Vec::new();
            encode(frame, FrameStamp { sequence: self.sequence, micros }, |part| {
                bytes.extend_from_slice(part)
            });
            self.put(&bytes, progress)?;
            if self.answer("say whether the frame came whole")? == TAKEN {
                return Ok(());
            }
        }
        bail!("the frame did not come whole in {TRIES} tries: this line loses bytes, see to its cable")
    }

    /// Writes all of them; a board may let its sender wait.
    fn put(&mut self, bytes: &[u8], progress: &mut dyn FnMut(usize, usize)) -> anyhow::Result<()> {
        let (mut done, mut moved) = (0, Instant::now());
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            match self.port.write(rest.get(..PIECE).unwrap_or(rest)) {
                Ok(0) => bail!(GONE),
                Ok(count) => (done, moved) = (done + count, Instant::now()),
                Err(error) if waits(&error) => self.within(moved, "take the frame's bytes")?,
                Err(error) => return Err(error).context(GONE),
            }
            progress(done, bytes.len());
        }
        Ok(())
    }

    fn answer(&mut self, expected: &str) -> anyhow::Result<u8> {
        let asked = Instant::now();
        loop {
            if let Some(sign @ (READY | TAKEN)) = self.byte()? {
                return Ok(sign);
            }
            self.within(asked, expected)?;
        }
    }

    fn byte(&mut self) -> anyhow::Result<Option<u8>> {
        let mut byte = [0];
        match self.port.read(&mut byte) {
            Ok(0) => bail!(GONE),
            Ok(_) => Ok(Some(byte[0])),
            Err(error) if waits(&error) => Ok(None),
            Err(error) => Err(error).context(GONE),
        }
    }

    fn within(&self, since: Instant, expected: &str) -> anyhow::Result<()> {
        ensure!(
            since.elapsed() < self.patience,
            "the board did not {expected} within {} s: is this its port, and does its heartbeat blink?",
            self.patience.as_secs_f32()
        );
        Ok(())
    }
}

/// Nothing came or went, and nothing is wrong.
fn waits(error: &std::io::Error) -> bool {
    [ErrorKind::TimedOut, ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&error.kind())
}

/// The picture as it is where its rows are short enough and it is soon across; else grey and
/// smaller, the mean of each square of pixels.
pub fn fit(picture: Picture) -> anyhow::Result<Picture> {
    let geometry = picture.geometry();
    let (width, height) = (usize::from(geometry.width()), usize::from(geometry.height()));
    let fits = |row: usize, rows: usize| row <= LONGEST_ROW && row * rows <= MOST_BYTES;
    if fits(geometry.row_bytes(), height) {
        return Ok(picture);
    }
    let format = geometry.format();
    let side = (1..=width.max(height)).find(|side| fits(width / side, height / side)).unwrap_or(width);
    let (columns, lines) = (width / side, height / side);
    let mut sums = vec![0_u64; columns * lines];
    let frame = picture.frame();
    for (sums, rows) in sums.chunks_mut(columns).zip(frame.rows().collect::<Vec<_>>().chunks_exact(side)) {
        for row in rows {
            for (index, pixel) in row.chunks_exact(format.bytes_per_pixel()).enumerate() {
                if let Some(sum) = sums.get_mut(index / side) {
                    *sum += u64::from(format.luminance(pixel));
                }
            }
        }
    }
    // 16-bit luminance, in which 8-bit white is 65535.
    let count = (side * side * 257) as u64;
    let bytes = sums.into_iter().map(|sum| ((sum + count / 2) / count) as u8).collect();
    let small = Geometry::new(columns as u32, lines as u32, PixelFormat::Gray8).with_context(|| {
        format!("{width} x {height} pixels are too long for their width to be made {columns} x {lines}")
    })?;
    Ok(Picture::new(small, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, format: PixelFormat, byte: impl Fn(usize) -> u8) -> Picture {
        let geometry = Geometry::new(width, height, format).unwrap();
        let bytes = geometry.row_bytes() * usize::from(geometry.height());
        Picture::new(geometry, (0..bytes).map(byte).collect()).unwrap()
    }

    #[test]
    fn a_picture_that_fits_goes_out_as_it_is() {
        for (width, format) in
            [(1024, PixelFormat::Gray8), (512, PixelFormat::Gray16), (341, PixelFormat::Rgb8)]
        {
            let picture = picture(width, 40, format, |index| index as u8);
            assert_eq!(fit(picture.clone()).unwrap(), picture);
        }
    }

    #[test]
    fn a_wider_one_becomes_grey_and_each_pixel_the_mean_of_a_square() {
        // Columns of 0, 10, 20, ...; 2050 wide are squares of 3, whose last column has a single
        // pixel and is left out.
        let wide = picture(2050, 97, PixelFormat::Gray8, |index| (index % 2050 % 9 * 10) as u8);
        let small = fit(wide).unwrap();
        assert_eq!((small.geometry().width(), small.geometry().height()), (683, 32));
        assert_eq!(small.bytes()[..6], [10, 40, 70, 10, 40, 70]);
        let colour = fit(picture(342, 33, PixelFormat::Rgb8, |_| 200)).unwrap();
        assert_eq!((colour.geometry().width(), colour.geometry().format()), (342, PixelFormat::Gray8));
        assert!(colour.bytes().iter().all(|pixel| *pixel == 200));
    }

    #[test]
    fn what_would_be_stale_when_it_is_judged_goes_out_with_fewer_bytes() {
        let sizes = [
            // As many as there may be, and a row more.
            ((512, 512, PixelFormat::Gray8), (512, 512)),
            ((512, 513, PixelFormat::Gray8), (256, 256)),
            // Rows that are short enough alone.
            ((1024, 1024, PixelFormat::Gray8), (512, 512)),
            ((512, 512, PixelFormat::Gray16), (512, 512)),
            ((341, 400, PixelFormat::Rgb8), (341, 400)),
            ((4000, 3000, PixelFormat::Gray8), (571, 428)),
            ((100, 8000, PixelFormat::Gray16), (50, 4000)),
        ];
        for ((width, height, format), expected) in sizes {
            let small = fit(picture(width, height, format, |_| 100)).unwrap();
            let geometry = small.geometry();
            assert_eq!((geometry.width(), geometry.height()), expected, "{width} x {height} {format:?}");
            assert_eq!(geometry.format(), PixelFormat::Gray8);
            assert!(taken_ms(small.bytes().len()) <= 1500 && small.bytes().iter().all(|pixel| *pixel == 100));
        }
    }

    #[test]
    fn a_picture_that_would_become_too_narrow_is_refused() {
        let flat = picture(4096, 40, PixelFormat::Gray8, |_| 0);
        let error = format!("{:#}", fit(flat).unwrap_err());
        assert!(
            error.starts_with("4096 x 40 pixels are too long for their width to be made 1024 x 10"),
            "{error}"
        );
    }
}
