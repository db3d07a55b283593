//! What a file holds, by its first bytes, never by its name.

use super::dicom::is_dicom;

/// A format that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    Tiff,
    Bmp,
    WebP,
    Dicom,
}

/// First bytes of what is read, and of what is only named.
const READ: [(&[u8], Kind); 6] = [
    (b"\xFF\xD8", Kind::Jpeg),
    (b"\x89PNG\r\n\x1A\n", Kind::Png),
    (b"II*\0", Kind::Tiff),
    (b"MM\0*", Kind::Tiff),
    (b"BM", Kind::Bmp),
    (b"RIFF", Kind::WebP),
];
const NAMED: [(&[u8], &str); 11] = [
    (b"GIF8", "GIF"),
    (b"%PDF", "PDF"),
    (b"\0\0\0\x0CjP  ", "JPEG 2000"),
    (b"\xFF\x4F\xFF\x51", "JPEG 2000"),
    (b"\0\0\0\x0CJXL ", "JPEG XL"),
    (b"\xFF\x0A", "JPEG XL"),
    (b"II+\0", "BigTIFF"),
    (b"MM\0+", "BigTIFF"),
    (b"PK\x03\x04", "a zip file"),
    (b"\x1F\x8B", "a gzip file"),
    (b"SIMPLE  =", "FITS"),
];

impl Kind {
    /// The format, or the name of what it is instead, as far as it shows.
    pub fn of(bytes: &[u8]) -> Result<Self, &'static str> {
        let read = READ.iter().find(|(start, _)| bytes.starts_with(start));
        let named = NAMED.iter().find(|(start, _)| bytes.starts_with(start));
        match (read, named) {
            // First, because what stands in a DICOM file's preamble may make a TIFF of it too.
            _ if is_dicom(bytes) => Ok(Self::Dicom),
            (Some((_, Kind::WebP)), _) if bytes.get(8..12) != Some(b"WEBP") => Err("unknown content"),
            (Some((_, kind)), _) => Ok(*kind),
            (None, Some((_, name))) => Err(name),
            _ if bytes.get(4..8) == Some(b"ftyp") => Err("HEIC, AVIF or a film"),
            _ if matches!(bytes, [b'P', b'1'..=b'7', b'\n' | b' ', ..]) => Err("PNM"),
            _ if bytes.iter().all(|&byte| byte == 0) => Err("zero bytes only"),
            _ => Err("unknown content"),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::WebP => "WebP",
            Self::Dicom => "DICOM",
        }
    }
}
