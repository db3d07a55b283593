//! Frames out of a stream of bytes, as a program writes them into a pipe: raw ones of a size that
//! is known, or Y4M (`YUV4MPEG2`), whose header says it.
//!
//! A Y4M stream is a line `YUV4MPEG2 W640 H480 C420jpeg ...` and then, for each frame, a line that
//! begins with `FRAME` and the planes: luminance, then what chroma there is. The form is that of
//! mjpegtools' `yuv4mpeg(5)`, as ffmpeg and gst-launch write it.
//!
//! ```
//! use edge_model::frame_stream::FrameSplitter;
//!
//! let mut stream = b"YUV4MPEG2 W64 H32 Cmono\nFRAME\n".to_vec();
//! stream.extend([7; 64 * 32]);
//! let (mut splitter, mut frame) = (FrameSplitter::new(None), Vec::new());
//! let step = splitter.push(&stream, &mut frame)?;
//! let format = step.frame.expect("a whole frame");
//! assert_eq!((step.used, format.geometry().width(), frame.len()), (stream.len(), 64, 64 * 32));
//! # Ok::<(), edge_model::frame_stream::StreamError>(())
//! ```

use edge_core::{Frame, FrameError, Geometry, PixelFormat};
use std::fmt;

/// Most bytes of one frame.
pub const MOST_FRAME_BYTES: usize = 64 << 20;
/// Most bytes of a line of the stream.
const LONGEST_LINE: usize = 256;
/// How much of what came instead is told.
const SHOWN: usize = 24;

const MAGIC: &[u8] = b"YUV4MPEG2 ";
const FRAME: &[u8] = b"FRAME";

/// What every frame of a stream is: luminance in place, and bytes behind it that are not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamFormat {
    geometry: Geometry,
    frame_bytes: usize,
}

impl StreamFormat {
    /// Rows of `geometry` without padding, and `more` bytes of chroma after the last one.
    ///
    /// # Errors
    /// [`StreamError::TooLarge`] above [`MOST_FRAME_BYTES`].
    pub fn new(geometry: Geometry, more: usize) -> Result<Self, StreamError> {
        let rows = geometry.row_bytes() * usize::from(geometry.height());
        match rows.checked_add(more) {
            Some(frame_bytes) if frame_bytes <= MOST_FRAME_BYTES => Ok(Self { geometry, frame_bytes }),
            _ => Err(StreamError::TooLarge),
        }
    }

    /// Size and format of what is looked at.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Bytes of a frame in the stream, chroma included.
    pub fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }

    /// The picture in a frame's bytes.
    ///
    /// # Errors
    /// [`FrameError::Bytes`] where there are too few.
    pub fn frame<'a>(&self, bytes: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        Frame::packed(self.geometry, bytes)
    }
}

impl fmt::Display for StreamFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.geometry.width(), self.geometry.height())
    }
}

/// Why a stream holds no frames. What it quotes of the stream is escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // fields: the text says what they are
pub enum StreamError {
    /// Neither raw frames of a known size nor Y4M.
    #[error(
        "expected a Y4M stream, which begins with YUV4MPEG2, got `{0}`; have the program write Y4M, or give width and \
         height for raw frames"
    )]
    NoHeader(String),
    /// A line of the stream has no end.
    #[error(
        "expected a line of at most {LONGEST_LINE} bytes in the Y4M stream, got `{0}...`; the program writes no Y4M"
    )]
    Line(String),
    /// The header gives no size.
    #[error("expected W and H with whole numbers in the Y4M header, got `{0}`; the program writes no Y4M")]
    Header(String),
    /// Samples of more than 8 bits, or not in planes.
    #[error(
        "expected 8-bit planes in the Y4M header (C420, C422, C444, C411, Cmono), got `{0}`; have the program convert \
         them (ffmpeg: -pix_fmt yuv420p)"
    )]
    Colour(String),
    /// What stands between two frames is no beginning of one.
    #[error(
        "expected FRAME at the beginning of each Y4M frame, got `{0}`; the program writes something else into the stream"
    )]
    NoFrame(String),
    /// The header says another size than the one that is asked for.
    #[error(
        "expected frames of {expected} pixels, the Y4M header says {got}; give the size that the program writes"
    )]
    Size { expected: String, got: String },
    /// A frame is larger than is taken.
    #[error("expected frames of at most {} MB; have the program write smaller ones", MOST_FRAME_BYTES >> 20)]
    TooLarge,
    /// A side is outside what a picture may have.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Bytes of a stream as text of one line.
fn shown(bytes: &[u8]) -> String {
    let some = &bytes[..bytes.len().min(SHOWN)];
    some.escape_ascii().to_string()
}

/// What a Y4M stream's first line, without its end, says of the frames.
///
/// # Errors
/// [`StreamError`], where it is none or describes frames that are not taken.
pub fn parse_header(line: &[u8]) -> Result<StreamFormat, StreamError> {
    let Some(words) = line.strip_prefix(MAGIC) else { return Err(StreamError::NoHeader(shown(line))) };
    let (mut width, mut height, mut colour) = (None, None, &b"420"[..]);
    for word in words.split(|&byte| byte == b' ') {
        match word.split_first() {
            Some((b'W', number)) => width = whole(number),
            Some((b'H', number)) => height = whole(number),
            Some((b'C', name)) => colour = name,
            // Rate, field order, aspect ratio, comments: none changes where luminance lies.
            _ => {}
        }
    }
    let (Some(width), Some(height)) = (width, height) else {
        return Err(StreamError::Header(shown(words)));
    };
    let geometry = Geometry::new(width, height, PixelFormat::Gray8)?;
    let (width, height) = (width as usize, height as usize);
    let (across, down) = (width.div_ceil(2), height.div_ceil(2));
    let chroma = match colour {
        b"420" | b"420jpeg" | b"420mpeg2" | b"420paldv" => 2 * across * down,
        b"422" => 2 * across * height,
        b"444" => 2 * width * height,
        b"411" => 2 * width.div_ceil(4) * height,
        b"mono" => 0,
        other => return Err(StreamError::Colour(shown(other))),
    };
    StreamFormat::new(geometry, chroma)
}

fn whole(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    // `parse` would take a sign too.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// What comes next in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The first bytes, which tell Y4M from raw frames.
    Magic,
    Header,
    /// The line before a frame.
    FrameLine,
    Pixels,
}

/// What came of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many of them were used; the others are to be given again.
    pub used: usize,
    /// What the frame is that is complete now.
    pub frame: Option<StreamFormat>,
}

/// Cuts a stream into frames. It holds no frame, only a line at most.
#[derive(Clone, Debug)]
pub struct FrameSplitter {
    expected: Option<StreamFormat>,
    part: Part,
    line: Vec<u8>,
    /// What the frames are, once that is known.
    format: Option<StreamFormat>,
    is_y4m: bool,
    /// Bytes of the frame that has begun.
    filled: usize,
}

impl FrameSplitter {
    /// For raw frames of `expected`, or a Y4M stream of that size; none: a Y4M stream of any.
    pub fn new(expected: Option<StreamFormat>) -> Self {
        let (part, line) = (Part::Magic, Vec::with_capacity(LONGEST_LINE));
        Self { expected, part, line, format: None, is_y4m: false, filled: 0 }
    }

    /// Takes bytes up to the end of a frame, which is collected in `frame`: the same buffer, with
    /// what is in it, until [`Step::frame`] says that it is complete; then it is the caller's.
    ///
    /// # Errors
    /// [`StreamError`]: the stream is of no use from here on.
    pub fn push(&mut self, bytes: &[u8], frame: &mut Vec<u8>) -> Result<Step, StreamError> {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
            used += match self.part {
                Part::Magic => self.magic(rest, frame)?,
                Part::Header | Part::FrameLine => self.line(rest, frame)?,
                Part::Pixels => self.pixels(rest, frame),
            };
            let done = self.format.filter(|format| self.filled == format.frame_bytes);
            if let (Part::Pixels, Some(format)) = (self.part, done) {
                self.part = if self.is_y4m { Part::FrameLine } else { Part::Pixels };
                self.filled = 0;
                return Ok(Step { used, frame: Some(format) });
            }
        }
        Ok(Step { used, frame: None })
    }

    /// Bytes that have come of the frame that is incomplete, and how many it has; none before the
    /// stream has said what its frames are.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.format.map(|format| (self.filled, format.frame_bytes))
    }

    fn magic(&mut self, rest: &[u8], frame: &mut Vec<u8>) -> Result<usize, StreamError> {
        let take = rest.len().min(MAGIC.len() - self.line.len());
        self.line.extend_from_slice(&rest[..take]);
        if self.line == MAGIC {
            (self.part, self.is_y4m) = (Part::Header, true);
        } else if !MAGIC.starts_with(&self.line) {
            let Some(expected) = self.expected else {
                self.line.extend_from_slice(&rest[take..rest.len().min(take + SHOWN)]);
                return Err(StreamError::NoHeader(shown(&self.line)));
            };
            self.format = Some(expected);
            let first = std::mem::take(&mut self.line);
            self.begin(frame);
            self.pixels(&first, frame);
        }
        Ok(take)
    }

    fn line(&mut self, rest: &[u8], frame: &mut Vec<u8>) -> Result<usize, StreamError> {
        let end = rest.iter().position(|&byte| byte == b'\n');
        let take = end.unwrap_or(rest.len());
        let room = LONGEST_LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&rest[..take.min(room)]);
        if self.part == Part::FrameLine {
            let some = self.line.len().min(FRAME.len());
            let behind = self.line.get(FRAME.len()).copied();
            let cut = end.is_some() && some < FRAME.len();
            if !self.line.starts_with(&FRAME[..some]) || cut || behind.is_some_and(|byte| byte != b' ') {
                return Err(StreamError::NoFrame(shown(&self.line)));
            }
        }
        if take > room {
            return Err(StreamError::Line(shown(&self.line)));
        }
        if end.is_none() {
            return Ok(take);
        }
        if self.part == Part::Header {
            let format = parse_header(&self.line)?;
            if let Some(expected) = self.expected
                && expected.to_string() != format.to_string()
            {
                let (expected, got) = (expected.to_string(), format.to_string());
                return Err(StreamError::Size { expected, got });
            }
            (self.format, self.part) = (Some(format), Part::FrameLine);
            self.line.clear();
        } else {
            self.begin(frame);
        }
        Ok(take + 1)
    }

    fn begin(&mut self, frame: &mut Vec<u8>) {
        self.line.clear();
        frame.clear();
        (self.part, self.filled) = (Part::Pixels, 0);
    }

    fn pixels(&mut self, rest: &[u8], frame: &mut Vec<u8>) -> usize {
        let whole = self.format.map_or(0, |format| format.frame_bytes);
        if self.filled == 0 {
            frame.clear();
        }
        let take = rest.len().min(whole - self.filled);
        frame.extend_from_slice(&rest[..take]);
        self.filled += take;
        take
    }
}

#[cfg(test)]
mod tests;
