//! The pixel formats of cameras that are understood, and how luminance lies in a buffer of each.
//!
//! Luminance is taken as it comes. Video often keeps to 16..=235 of a byte; preprocessing takes
//! such a stretch out again.

use edge_core::{Frame, FrameError, Geometry, PixelFormat};
use edge_model::frame_stream::{StreamError, StreamFormat};
use std::fmt;
use std::str::FromStr;

/// A camera's pixel format, by its name in V4L2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
pub enum Encoding {
    /// One byte of luminance a pixel.
    #[serde(rename = "GREY")]
    Grey,
    /// A plane of luminance, then one of chroma pairs for 2 x 2 pixels.
    #[serde(rename = "NV12")]
    Nv12,
    /// A plane of luminance, then two of chroma for 2 x 2 pixels.
    #[serde(rename = "YU12")]
    Yu12,
    /// Luminance and chroma take turns, luminance first.
    #[serde(rename = "YUYV")]
    Yuyv,
    /// Luminance and chroma take turns, chroma first.
    #[serde(rename = "UYVY")]
    Uyvy,
    /// Red, green and blue, one byte each.
    #[serde(rename = "RGB3")]
    Rgb3,
    #[serde(rename = "MJPEG", alias = "MJPG")]
    Mjpeg,
}

impl Encoding {
    /// All, the preferred ones first: luminance that can be read in place, then fewer bytes a
    /// frame, then what must be decoded.
    pub const ALL: [Self; 7] =
        [Self::Grey, Self::Nv12, Self::Yu12, Self::Yuyv, Self::Uyvy, Self::Rgb3, Self::Mjpeg];

    pub const fn fourcc(self) -> [u8; 4] {
        match self {
            Self::Grey => *b"GREY",
            Self::Nv12 => *b"NV12",
            Self::Yu12 => *b"YU12",
            Self::Yuyv => *b"YUYV",
            Self::Uyvy => *b"UYVY",
            Self::Rgb3 => *b"RGB3",
            Self::Mjpeg => *b"MJPG",
        }
    }

    /// The one that V4L2 calls by these four characters; `JPEG`, which some drivers say, is the
    /// same as `MJPG`.
    pub fn from_fourcc(fourcc: [u8; 4]) -> Option<Self> {
        let fourcc = if fourcc == *b"JPEG" { *b"MJPG" } else { fourcc };
        Self::ALL.into_iter().find(|encoding| encoding.fourcc() == fourcc)
    }

    /// How a pixel's luminance is stored; none in what must be decoded.
    const fn pixel_format(self) -> Option<PixelFormat> {
        match self {
            Self::Grey | Self::Nv12 | Self::Yu12 => Some(PixelFormat::Gray8),
            Self::Yuyv => Some(PixelFormat::Yuyv),
            Self::Uyvy => Some(PixelFormat::Uyvy),
            Self::Rgb3 => Some(PixelFormat::Rgb8),
            Self::Mjpeg => None,
        }
    }

    /// Raw frames of this format in a stream, rows without padding; none where it has no frames of a
    /// size.
    pub fn stream(self, width: u32, height: u32) -> Option<Result<StreamFormat, StreamError>> {
        let chroma = match self {
            Self::Nv12 | Self::Yu12 => 2 * width.div_ceil(2) as usize * height.div_ceil(2) as usize,
            _ => 0,
        };
        let geometry = Geometry::new(width, height, self.pixel_format()?);
        Some(geometry.map_err(Into::into).and_then(|geometry| StreamFormat::new(geometry, chroma)))
    }

    /// The luminance in a camera's buffer, in place. `stride` is the driver's `bytesperline`, 0
    /// where it gives none.
    ///
    /// Chroma is never looked at, but its absence shows that a buffer was not filled to its end.
    ///
    /// # Errors
    /// [`FrameError`]: the buffer does not hold the whole picture. An MJPEG buffer never does: it must be decoded.
    pub fn frame(
        self,
        width: u32,
        height: u32,
        stride: usize,
        bytes: &[u8],
    ) -> Result<Frame<'_>, FrameError> {
        let format = self.pixel_format();
        let format = format.ok_or(FrameError::Bytes { expected: usize::MAX, got: bytes.len() })?;
        let geometry = Geometry::new(width, height, format)?;
        let stride = if stride == 0 { geometry.row_bytes() } else { stride };
        if matches!(self, Self::Nv12 | Self::Yu12) {
            let rows = geometry.height() as usize;
            let expected = stride.saturating_mul(rows + rows / 2);
            if bytes.len() < expected {
                return Err(FrameError::Bytes { expected, got: bytes.len() });
            }
        }
        Frame::new(geometry, stride, bytes)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected GREY, NV12, YU12, YUYV, UYVY, RGB3 or MJPEG, got `{0}`")]
pub struct EncodingError(String);

impl FromStr for Encoding {
    type Err = EncodingError;

    /// By the name that `Display` gives, in capitals or not, or by V4L2's.
    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let named = |e: &Self| text.eq_ignore_ascii_case(&e.to_string());
        let spelt = || text.as_bytes().try_into().ok().and_then(Self::from_fourcc);
        Self::ALL.into_iter().find(named).or_else(spelt).ok_or_else(|| EncodingError(text.to_owned()))
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grey => "GREY",
            Self::Nv12 => "NV12",
            Self::Yu12 => "YU12",
            Self::Yuyv => "YUYV",
            Self::Uyvy => "UYVY",
            Self::Rgb3 => "RGB3",
            Self::Mjpeg => "MJPEG",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: u32 = 34;
    const HEIGHT: u32 = 32;

    /// A luminance that tells every pixel from its neighbours.
    fn luminance(x: usize, y: usize) -> u8 {
        (x * 5 + y * 3) as u8
    }

    /// A driver's buffer: luminance as above, every other byte 0xEE, which no pixel may show.
    fn buffer(encoding: Encoding, stride: usize) -> Vec<u8> {
        let (width, height) = (WIDTH as usize, HEIGHT as usize);
        let planes = if matches!(encoding, Encoding::Nv12 | Encoding::Yu12) { height / 2 } else { 0 };
        let mut bytes = vec![0xEE; stride * (height + planes)];
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            let at = |pixel: usize| y * stride + x * pixel;
            match encoding {
                Encoding::Yuyv => bytes[at(2)] = luminance(x, y),
                Encoding::Uyvy => bytes[at(2) + 1] = luminance(x, y),
                Encoding::Rgb3 => bytes[at(3)..at(3) + 3].fill(luminance(x, y)),
                _ => bytes[at(1)] = luminance(x, y),
            }
        }
        bytes
    }

    fn row_bytes(encoding: Encoding) -> usize {
        WIDTH as usize
            * match encoding {
                Encoding::Yuyv | Encoding::Uyvy => 2,
                Encoding::Rgb3 => 3,
                _ => 1,
            }
    }

    /// Luminance of a pixel, read from the frame's row as the format says.
    fn shown(frame: &Frame, x: usize, y: usize) -> u8 {
        let row = frame.rows().nth(y).unwrap();
        match frame.geometry().format() {
            PixelFormat::Yuyv => row[2 * x],
            PixelFormat::Uyvy => row[2 * x + 1],
            PixelFormat::Rgb8 => row[3 * x],
            _ => row[x],
        }
    }

    fn uncompressed() -> impl Iterator<Item = Encoding> {
        Encoding::ALL.into_iter().filter(|&encoding| encoding != Encoding::Mjpeg)
    }

    #[test]
    fn every_pixel_is_found_whatever_the_stride_and_the_rectangle() {
        for encoding in uncompressed() {
            for padding in [0, 30] {
                let stride = row_bytes(encoding) + padding;
                let bytes = buffer(encoding, stride);
                let whole = encoding.frame(WIDTH, HEIGHT, stride, &bytes).unwrap();
                for x0 in [0, 1, 2] {
                    // An odd column too: chroma is shared by two pixels, luminance is not.
                    let part = whole.crop(x0, 0, 32, 32).unwrap();
                    for (x, y) in [(0, 0), (31, 0), (5, 9), (0, 31), (31, 31)] {
                        let expected = luminance(x + x0 as usize, y);
                        assert_eq!(shown(&part, x, y), expected, "{encoding} +{padding} at {x0}+{x},{y}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_driver_that_gives_no_stride_has_rows_without_padding() {
        for encoding in uncompressed() {
            let bytes = buffer(encoding, row_bytes(encoding));
            let frame = encoding.frame(WIDTH, HEIGHT, 0, &bytes).unwrap();
            assert_eq!(shown(&frame, 33, 31), luminance(33, 31), "{encoding}");
        }
    }

    #[test]
    fn a_buffer_that_lacks_one_byte_is_no_frame() {
        for encoding in uncompressed() {
            let bytes = buffer(encoding, row_bytes(encoding));
            assert!(encoding.frame(WIDTH, HEIGHT, 0, &bytes).is_ok());
            let short = encoding.frame(WIDTH, HEIGHT, 0, &bytes[1..]).map(|_| ());
            let expected = FrameError::Bytes { expected: bytes.len(), got: bytes.len() - 1 };
            assert_eq!(short, Err(expected), "{encoding}");
            assert!(encoding.frame(WIDTH, HEIGHT, 0, &[]).is_err());
            assert!(encoding.frame(WIDTH, HEIGHT, row_bytes(encoding) - 1, &bytes).is_err(), "narrow stride");
            assert!(encoding.frame(WIDTH, HEIGHT, usize::MAX, &bytes).is_err(), "absurd stride");
        }
        assert!(Encoding::Mjpeg.frame(WIDTH, HEIGHT, 0, &[0; 100_000]).is_err(), "a JPEG is no plane");
    }

    #[test]
    fn a_streams_frames_have_the_bytes_of_a_buffer_without_padding() {
        for encoding in uncompressed() {
            let format = encoding.stream(WIDTH, HEIGHT).unwrap().unwrap();
            let bytes = buffer(encoding, row_bytes(encoding));
            assert_eq!(format.frame_bytes(), bytes.len(), "{encoding}");
            assert_eq!(shown(&format.frame(&bytes).unwrap(), 33, 31), luminance(33, 31), "{encoding}");
        }
        let odd = Encoding::Yu12.stream(33, 35).unwrap().unwrap();
        assert_eq!(odd.frame_bytes(), 33 * 35 + 2 * 17 * 18);
        assert!(Encoding::Mjpeg.stream(WIDTH, HEIGHT).is_none());
        assert!(Encoding::Grey.stream(31, HEIGHT).unwrap().is_err());
    }

    #[test]
    fn names_lead_back_to_formats() {
        for encoding in Encoding::ALL {
            assert_eq!(Encoding::from_fourcc(encoding.fourcc()), Some(encoding));
            let name = serde_json::to_value(encoding).unwrap();
            assert_eq!(name, encoding.to_string());
            assert_eq!(serde_json::from_value::<Encoding>(name).unwrap(), encoding);
            assert_eq!(encoding.to_string().to_lowercase().parse(), Ok(encoding));
        }
        assert_eq!(Encoding::from_fourcc(*b"JPEG"), Some(Encoding::Mjpeg));
        assert_eq!(Encoding::from_fourcc(*b"H264"), None);
        assert_eq!("MJPG".parse(), Ok(Encoding::Mjpeg));
        assert_eq!("H264".parse::<Encoding>(), Err(EncodingError("H264".to_owned())));
    }
}
