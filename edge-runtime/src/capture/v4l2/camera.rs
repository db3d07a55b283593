//! A camera that is open and runs: from its node to frames, without a word on what to do when it
//! fails.

use super::buffers::{Filled, Stream};
use super::choice::choose;
use super::error::CameraError;
use super::libcamera::needs_libcamera;
use super::newest::{self, Taken};
use super::running::Running;
use super::sys::{Format, Node, Ready};
use crate::capture::{CaptureOptions, Encoding};
use edge_core::{Frame, FrameError};
use edge_model::decode::{self, Picture};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Buffers to ask for: one that is being judged, and enough for the driver to go on meanwhile.
const BUFFERS: u32 = 4;

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
        if needs_libcamera(&card.driver, card.is_media_controlled(), &fourccs) {
            return Err(CameraError::Libcamera(card.card));
        }
        let known = fourccs.iter().filter_map(|&fourcc| Some((fourcc, Encoding::from_fourcc(fourcc)?)));
        let offered: Vec<_> = known.map(|(fourcc, encoding)| (encoding, node.sizes(fourcc))).collect();
        let current = node.format().map_err(CameraError::of("VIDIOC_G_FMT"))?;
        let mismatch = |offered: &[[u8; 4]]| CameraError::Format {
            wanted: options.format.map_or(names(Encoding::ALL.iter()), |wish| wish.to_string()),
            offered: names(offered.iter().filter_map(|&fourcc| Encoding::from_fourcc(fourcc))),
        };
        // The driver's own four characters: JPEG and MJPG are two names of one thing.
        let spelt = |encoding: Encoding| {
            let same = fourccs.iter().find(|&&fourcc| Encoding::from_fourcc(fourcc) == Some(encoding));
            same.copied().unwrap_or(encoding.fourcc())
        };
        let rate = |encoding, size| node.rate(spelt(encoding), size);
        let choice = choose(&offered, rate, (current.width, current.height), options);
        let choice = choice.ok_or_else(|| mismatch(&fourccs))?;
        let fourcc = spelt(choice.encoding);
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
}

impl Running for Camera {
    fn wait(&mut self, wait: Duration) -> Result<Ready, CameraError> {
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

    fn catch_up(&mut self, judged: Option<Filled>) -> Result<Taken, CameraError> {
        Ok(newest::catch_up(&mut self.stream, judged)?)
    }

    fn newest(&mut self) -> Result<Taken, CameraError> {
        Ok(newest::newest(&mut self.stream)?)
    }

    fn keeps_its_format(&self) -> Result<bool, CameraError> {
        Ok(self.stream.node().format().map_err(CameraError::of("VIDIOC_G_FMT"))? == self.format)
    }

    fn has_signal(&self) -> Result<bool, CameraError> {
        let Some(input) = self.input else { return Ok(true) };
        self.stream.node().has_signal(input).map_err(CameraError::of("VIDIOC_ENUMINPUT"))
    }

    fn decode(&self, filled: &Filled) -> Option<Result<Picture, String>> {
        (self.encoding == Encoding::Mjpeg).then(|| {
            let picture =
                decode::decode_mjpeg(self.stream.bytes(filled)).map_err(|error| error.to_string())?;
            let (geometry, Format { width, height, .. }) = (picture.geometry(), self.format);
            let got = (u32::from(geometry.width()), u32::from(geometry.height()));
            // The rectangle is of the agreed size.
            if got == (width, height) {
                return Ok(picture);
            }
            Err(format!("expected a picture of {width}x{height}, as agreed, got {}x{}", got.0, got.1))
        })
    }

    fn frame(&self, filled: &Filled) -> Result<Frame<'_>, FrameError> {
        let Format { width, height, stride, .. } = self.format;
        self.encoding.frame(width, height, stride as usize, self.stream.bytes(filled))
    }
}

fn names(items: impl Iterator<Item = impl ToString>) -> String {
    let names: Vec<_> = items.map(|item| item.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
