//! Why a DICOM file gives no picture.

/// Why a DICOM file that is not damaged gives no picture. The texts hold nothing of the patient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DicomError {
    /// The way in which the pixels are coded is not read here.
    #[error("the DICOM file's pixels are stored as {name} ({uid}), which is not read; {remedy}")]
    TransferSyntax {
        /// The transfer syntax's name in the standard.
        name: String,
        /// Its unique identifier.
        uid: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A film, a stack of slices, a clip.
    #[error(
        "expected a single picture, got a DICOM file of {frames} frames; send the one radiograph by itself"
    )]
    Frames {
        /// Number of Frames, (0028,0008).
        frames: u32,
    },
    /// A report, an order, a presentation state.
    #[error("the DICOM file holds no picture ({what}); send the radiograph itself")]
    NoPicture {
        /// The tag that is missing.
        what: &'static str,
    },
    /// Photometric Interpretation, (0028,0004).
    #[error(
        "expected a DICOM picture in MONOCHROME1, MONOCHROME2, RGB or YBR, got {got}; have it sent in greyscale"
    )]
    ColourModel {
        /// What stands there, as far as it is letters and digits.
        got: String,
    },
    /// The form of a sample.
    #[error(
        "expected a DICOM picture of 8 or 16 bits a sample, 8 to 16 of them stored, got {allocated} with {stored} \
         stored up to bit {high}; have it sent as the machine's plain radiograph"
    )]
    Bits {
        /// Bits Allocated, (0028,0100).
        allocated: u16,
        /// Bits Stored, (0028,0101).
        stored: u16,
        /// High Bit, (0028,0102).
        high: u16,
    },
    /// The pixels' height and width.
    #[error(
        "expected a DICOM picture whose pixels are at most four times as high as wide, or as wide as high, got \
         {height} by {width} (Pixel Spacing or Pixel Aspect Ratio); have it sent as the machine's plain radiograph"
    )]
    PixelShape {
        /// The height, in any unit.
        height: String,
        /// The width, in the same.
        width: String,
    },
}
