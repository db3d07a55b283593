//! A camera's or file's picture as a checked view over bytes.
//!
//! [`Geometry`] is what must be known before the first row arrives (a microcontroller never sees
//! more); [`Frame`] is geometry plus all rows in memory. Both are checked when made; afterwards no
//! access can fail.

use core::fmt;

/// Shortest side that a picture may have, in pixels.
pub const MIN_SIDE: u16 = 32;
/// Longest side that a picture may have, in pixels.
pub const MAX_SIDE: u16 = 8000;

/// How one pixel is stored. Multi-byte samples are little-endian; colour is interleaved red, green,
/// blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PixelFormat {
    /// One byte, 0 is black.
    Gray8,
    /// Two bytes, little-endian, 0 is black.
    Gray16,
    /// Three bytes: red, green, blue.
    Rgb8,
    /// Three little-endian samples of two bytes.
    Rgb16,
    /// Two bytes: luminance, then a chroma sample, which is not looked at. V4L2's YUYV and YVYU.
    Yuyv,
    /// Two bytes: a chroma sample, which is not looked at, then luminance. V4L2's UYVY and VYUY.
    Uyvy,
}

impl PixelFormat {
    /// All of them. A format's place here is its number in files and on lines, so another one comes
    /// last.
    pub const ALL: [Self; 6] = [Self::Gray8, Self::Gray16, Self::Rgb8, Self::Rgb16, Self::Yuyv, Self::Uyvy];

    /// Bytes that one pixel takes.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            PixelFormat::Gray8 => 1,
            PixelFormat::Gray16 | PixelFormat::Yuyv | PixelFormat::Uyvy => 2,
            PixelFormat::Rgb8 => 3,
            PixelFormat::Rgb16 => 6,
        }
    }

    /// One pixel's bytes as luminance in 0..=65535.
    ///
    /// Colour weights are those of ITU-R BT.601 in 1/256 (77, 150, 29): they add up to 256, so a
    /// grey pixel stored as colour gives exactly the value of the same pixel stored as grey.
    /// Eight bits widen by 257 (0xAB to 0xABAB).
    ///
    /// `pixel` is [`PixelFormat::bytes_per_pixel`] bytes; any other number of them is black.
    #[inline]
    pub fn luminance(self, pixel: &[u8]) -> u16 {
        let wide = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]));
        let mix = |r: u32, g: u32, b: u32| ((77 * r + 150 * g + 29 * b + 128) >> 8) as u16;
        match (self, pixel) {
            (PixelFormat::Gray8, &[v]) | (PixelFormat::Yuyv, &[v, _]) | (PixelFormat::Uyvy, &[_, v]) => {
                u16::from(v) * 257
            }
            (PixelFormat::Gray16, &[l, h]) => u16::from_le_bytes([l, h]),
            (PixelFormat::Rgb8, &[r, g, b]) => {
                mix(u32::from(r) * 257, u32::from(g) * 257, u32::from(b) * 257)
            }
            (PixelFormat::Rgb16, &[r0, r1, g0, g1, b0, b1]) => mix(wide(r0, r1), wide(g0, g1), wide(b0, b1)),
            _ => 0,
        }
    }
}

/// Width, height and pixel format of a picture, within [`MIN_SIDE`] and [`MAX_SIDE`].
///
/// ```
/// use edge_core::{FrameError, Geometry, PixelFormat};
///
/// let film = Geometry::new(640, 480, PixelFormat::Yuyv)?;
/// assert_eq!((film.row_bytes(), film.elongation_permille()), (1280, 1333));
/// let error = Geometry::new(640, 16, PixelFormat::Yuyv).unwrap_err();
/// assert_eq!(error, FrameError::Size { width: 640, height: 16 });
/// # Ok::<(), FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    width: u16,
    height: u16,
    format: PixelFormat,
}

impl Geometry {
    /// A picture of `width` x `height` pixels.
    ///
    /// # Errors
    /// [`FrameError::Size`] where a side is outside [`MIN_SIDE`]..=[`MAX_SIDE`].
    pub fn new(width: u32, height: u32, format: PixelFormat) -> Result<Self, FrameError> {
        let fits = |side: u32| (u32::from(MIN_SIDE)..=u32::from(MAX_SIDE)).contains(&side);
        if fits(width) && fits(height) {
            Ok(Self { width: width as u16, height: height as u16, format })
        } else {
            Err(FrameError::Size { width, height })
        }
    }

    /// Pixels in a row, [`MIN_SIDE`]..=[`MAX_SIDE`].
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Rows, [`MIN_SIDE`]..=[`MAX_SIDE`].
    pub fn height(&self) -> u16 {
        self.height
    }

    /// How a pixel is stored.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Bytes in one row without padding.
    pub fn row_bytes(&self) -> usize {
        usize::from(self.width) * self.format.bytes_per_pixel()
    }

    /// The longer side divided by the shorter one, in thousandths (1000 is square).
    pub fn elongation_permille(&self) -> u32 {
        let (long, short) = (self.width.max(self.height), self.width.min(self.height));
        // No side is 0; the compiler is told so, for there must be no panic path.
        u32::from(long) * 1000 / u32::from(short).max(1)
    }
}

/// A whole picture in memory: rows from top to bottom, `stride` bytes from one row's start to the
/// next.
///
/// ```
/// use edge_core::{Frame, FrameError, Geometry, PixelFormat};
///
/// // 100 bytes a row, each padded to 128.
/// let geometry = Geometry::new(100, 50, PixelFormat::Gray8)?;
/// let buffer: Vec<u8> = (0..128 * 50).map(|at| (at % 128) as u8).collect();
/// let frame = Frame::new(geometry, 128, &buffer)?;
/// assert!(frame.rows().all(|row| row.len() == 100));
///
/// let part = frame.crop(10, 0, 40, 40)?; // the same bytes
/// assert_eq!(part.rows().next().unwrap()[0], 10);
/// assert!(matches!(Frame::new(geometry, 128, &buffer[1..128]), Err(FrameError::Bytes { .. })));
/// # Ok::<(), FrameError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    geometry: Geometry,
    stride: usize,
    bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// A view over `bytes`. The last row needs no padding after it.
    ///
    /// # Errors
    /// [`FrameError::Stride`] where a row does not fit into `stride`, [`FrameError::Bytes`] where
    /// `bytes` is too short.
    pub fn new(geometry: Geometry, stride: usize, bytes: &'a [u8]) -> Result<Self, FrameError> {
        let row = geometry.row_bytes();
        if stride < row {
            return Err(FrameError::Stride { expected: row, got: stride });
        }
        let rows_before_last = usize::from(geometry.height) - 1;
        let expected = stride.checked_mul(rows_before_last).and_then(|b| b.checked_add(row));
        match expected {
            Some(expected) if bytes.len() >= expected => Ok(Self { geometry, stride, bytes }),
            _ => Err(FrameError::Bytes { expected: expected.unwrap_or(usize::MAX), got: bytes.len() }),
        }
    }

    /// A view over rows that follow each other without padding.
    pub fn packed(geometry: Geometry, bytes: &'a [u8]) -> Result<Self, FrameError> {
        Self::new(geometry, geometry.row_bytes(), bytes)
    }

    /// The part of the picture that begins `x` columns from the left and `y` rows from the top.
    /// Nothing is copied.
    ///
    /// # Errors
    /// [`FrameError::Size`] where the part is smaller than a picture may be, [`FrameError::Crop`]
    /// where it reaches beyond this one.
    pub fn crop(&self, x: u32, y: u32, width: u32, height: u32) -> Result<Frame<'a>, FrameError> {
        let whole = self.geometry;
        let part = Geometry::new(width, height, whole.format)?;
        let within = |start: u32, length: u32, whole: u16| {
            start.checked_add(length).is_some_and(|end| end <= u32::from(whole))
        };
        let pixel = whole.format.bytes_per_pixel();
        if !within(x, width, whole.width) || !within(y, height, whole.height) {
            return Err(FrameError::Crop { width: whole.width, height: whole.height });
        }
        let start = y as usize * self.stride + x as usize * pixel;
        // Were it not there, too few bytes would be the error.
        Frame::new(part, self.stride, self.bytes.get(start..).unwrap_or_default())
    }

    /// Size and format, as given to [`Frame::new`].
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The rows from top to bottom, each of [`Geometry::row_bytes`] bytes.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let row = self.geometry.row_bytes();
        self.bytes
            .chunks(self.stride)
            .take(usize::from(self.geometry.height))
            .map(move |r| r.get(..row).unwrap_or(r)) // each holds a row; of a shorter one preprocessing makes an error
    }
}

/// Why bytes are not a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // fields: the variant says what they are
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FrameError {
    /// A side, in pixels, is outside [`MIN_SIDE`]..=[`MAX_SIDE`].
    Size { width: u32, height: u32 },
    /// A row of `expected` bytes is longer than the distance between rows.
    Stride { expected: usize, got: usize },
    /// Too few bytes for the size.
    Bytes { expected: usize, got: usize },
    /// A part reaches beyond its picture of that size in pixels.
    Crop { width: u16, height: u16 },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Size { width, height } => write!(
                f,
                "expected a picture with sides of {MIN_SIDE} to {MAX_SIDE} pixels, got {width}x{height}; \
                 scale or crop it first"
            ),
            FrameError::Stride { expected, got } => {
                write!(f, "expected a stride of at least {expected} bytes, got {got}; check the pixel format")
            }
            FrameError::Bytes { expected, got } => {
                write!(f, "expected {expected} bytes of pixels, got {got}; the picture is cut short")
            }
            FrameError::Crop { width, height } => {
                write!(f, "expected a rectangle within the picture of {width}x{height}; choose a smaller one")
            }
        }
    }
}

impl core::error::Error for FrameError {}
