//! A camera that is open and runs: from its node to frames, without a word on what to do when it
//! fails.

use super::choice::choose;
use super::newest::{self, Taken};
use super::sys::{Filled, Format, Node, Ready, Stream};
use crate::capture::{CaptureOptions, Encoding};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Buffers to ask for: one that is being judged, and enough for the driver to go on meanwhile.
const BUFFERS: u32 = 4;

#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    #[error("{asked}: {answer}")]
    Call { asked: &'static str, answer: io::Error },
    #[error("{0} is no camera that is understood here; `edge-runtime devices` lists those that are")]
    NoCapture(String),
    #[error(
        "expected the format {wanted}, of those that are understood the camera gives {offered}; choose one of them"
    )]
    Format {
        /// What is understood or configured.
        wanted: String,
        offered: String,
    },
}

impl CameraError {
    fn of(asked: &'static str) -> impl Fn(io::Error) -> Self {
        move |answer| Self::Call { asked, answer }
    }
}

impl From<(&'static str, io::Error)> for CameraError {
    fn from((asked, answer): (&'static str, io::Error)) -> Self {
        Self::Call { asked, answer }
    }
}

#[derive(Debug)]
pub struct Camera {
    stream: Stream,
    input: Option<u32>,
    encoding: Encoding,
    format: Format,
}

impl Camera {
    /// Opens, agrees on a format, starts.
    pub fn start(path: &Path, options: &CaptureOptions) -> Result<Self, CameraError> {
        let node = Node::open(path).map_err(CameraError::of("open"))?;
        let card = node.card().map_err(CameraError::of("VIDIOC_QUERYCAP"))?;
        if !card.captures() {
            return Err(CameraError::NoCapture(card.card));
        }
        let fourccs: Vec<_> = node.formats().into_iter().map(|(fourcc, _)| fourcc).collect();
        let known = fourccs.iter().filter_map(|&fourcc| Some((fourcc, Encoding::from_fourcc(fourcc)?)));
        let offered: Vec<_> = known.map(|(fourcc, encoding)| (encoding, node.sizes(fourcc))).collect();
        let current = node.format().map_err(CameraError::of("VIDIOC_G_FMT"))?;
        let mismatch = |offered: &[[u8; 4]]| CameraError::Format {
            wanted: options.format.map_or(names(Encoding::ALL.iter()), |wish| wish.to_string()),
            offered: names(offered.iter().filter_map(|&fourcc| Encoding::from_fourcc(fourcc))),
        };
        let choice = choose(&offered, (current.width, current.height), options);
        let choice = choice.ok_or_else(|| mismatch(&fourccs))?;
        // The driver's own four characters: JPEG and MJPG are two names of one thing.
        let spelt = fourccs.iter().find(|&&fourcc| Encoding::from_fourcc(fourcc) == Some(choice.encoding));
        let fourcc = spelt.copied().unwrap_or(choice.encoding.fourcc());
        let format = node.set_format(fourcc, choice.width, choice.height);
        let format = format.map_err(CameraError::of("VIDIOC_S_FMT"))?;
        let encoding = Encoding::from_fourcc(format.fourcc);
        let encoding = encoding.filter(|got| options.format.is_none_or(|wish| wish == *got));
        let encoding = encoding.ok_or_else(|| mismatch(&[format.fourcc]))?;
        let input = node.input();
        // Many drivers have no such event; the input's status is asked for with each frame anyway.
        let _ = node.watch_source();
        let stream = Stream::start(node, BUFFERS)?;
        Ok(Self { stream, input, encoding, format })
    }

    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// Waits for a frame or an event, at most `wait`.
    pub fn wait(&mut self, wait: Duration) -> Result<Ready, CameraError> {
        let ready = self.stream.node().wait(wait).map_err(CameraError::of("poll"))?;
        if ready.event {
            self.stream.node().drain_events();
        }
        if ready.broken && !ready.frame {
            // The kernel says why to whoever asks for a buffer.
            let answer = match self.stream.dequeue() {
                Err(answer) => answer,
                Ok(_) => io::Error::other("the camera has stopped"),
            };
            return Err(CameraError::Call { asked: "VIDIOC_DQBUF", answer });
        }
        Ok(ready)
    }

    /// The newest of the frames that have come since `judged`, the last one taken, was taken.
    pub fn catch_up(&mut self, judged: Option<Filled>) -> Result<Taken, CameraError> {
        Ok(newest::catch_up(&mut self.stream, judged)?)
    }

    /// The newest of the frames that wait. They came just now.
    pub fn newest(&mut self) -> Result<Taken, CameraError> {
        Ok(newest::newest(&mut self.stream)?)
    }

    /// Whether the camera still gives what was agreed on: another program, or a new source at its
    /// input, may change it.
    pub fn keeps_its_format(&self) -> Result<bool, CameraError> {
        Ok(self.stream.node().format().map_err(CameraError::of("VIDIOC_G_FMT"))? == self.format)
    }

    /// Whether there is a signal on its input; true where the driver cannot tell.
    pub fn has_signal(&self) -> Result<bool, CameraError> {
        let Some(input) = self.input else { return Ok(true) };
        self.stream.node().has_signal(input).map_err(CameraError::of("VIDIOC_ENUMINPUT"))
    }

    pub fn bytes(&self, filled: &Filled) -> &[u8] {
        self.stream.bytes(filled)
    }
}

fn names(items: impl Iterator<Item = impl ToString>) -> String {
    let names: Vec<_> = items.map(|item| item.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
