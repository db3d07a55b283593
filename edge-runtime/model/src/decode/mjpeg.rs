//! Frames of cameras that send MJPEG.

use super::jpeg;
use super::outcome::{DecodeError, Picture};
use crate::guard::guarded;

/// Decodes one frame of a camera that sends MJPEG, `buffer` being what the driver filled, or all of
/// its buffer.
///
/// Huffman tables that are left out are the standard ones. Whatever stands behind the end of the
/// image is cut off, and up to two bytes before a restart marker are passed over.
///
/// # Errors
/// [`DecodeError::MjpegFrame`] where the frame is no JPEG, incomplete or damaged: it is to be dropped,
/// the next one may be whole. Other errors say that all frames are of a kind that is not read.
/// Whether a picture's size is the agreed one is the caller's to check.
///
/// ```
/// use edge_model::decode::decode_mjpeg;
/// use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};
///
/// let mut buffer = Vec::new();
/// JpegEncoder::new(&mut buffer).encode(&[90; 64 * 48], 64, 48, ExtendedColorType::L8)?;
/// let length = buffer.len();
/// buffer.resize(64 * 48 * 2, 0); // a driver's buffer is larger than the frame in it
/// let picture = decode_mjpeg(&buffer)?;
/// assert_eq!((picture.geometry().width(), picture.geometry().height()), (64, 48));
/// assert!(decode_mjpeg(&buffer[..length / 2]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decode_mjpeg(buffer: &[u8]) -> Result<Picture, DecodeError> {
    match guarded(|| jpeg::decode(buffer)) {
        Ok(Err(DecodeError::Damaged { what, .. })) | Err(what) => Err(DecodeError::MjpegFrame { what }),
        Ok(decoded) => decoded,
    }
}
