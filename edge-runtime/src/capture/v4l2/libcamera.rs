//! Cameras that give only what their sensor sees, such as those on a Raspberry Pi's ribbon cable:
//! Video4Linux alone makes no picture of it, libcamera does.

use crate::capture::Encoding;

/// What to write into the configuration for one of them, for a Raspberry Pi's.
pub const LIBCAMERA: &str = "source = \"exec:\", command = [\"rpicam-vid\", \"--nopreview\", \"--timeout\", \"0\", \
     \"--codec\", \"yuv420\", \"--width\", \"1280\", \"--height\", \"960\", \"--framerate\", \"10\", \"--flush\", \
     \"--output\", \"-\"], width = 1280, height = 960";

/// What one of them gives, and what to do about it.
pub fn advice() -> String {
    format!(
        "raw sensor data (Bayer), of which libcamera must make a picture; write under [capture]: {LIBCAMERA}"
    )
}

/// Drivers of such sensors' receivers on a Raspberry Pi: up to 4, and 5.
const RECEIVERS: [&str; 2] = ["unicam", "rp1-cfe"];

/// Whether a camera needs libcamera: its parts must be linked first, or it gives Bayer patterns and
/// nothing else.
pub fn needs_libcamera(driver: &str, is_media_controlled: bool, fourccs: &[[u8; 4]]) -> bool {
    let understood = fourccs.iter().any(|&fourcc| Encoding::from_fourcc(fourcc).is_some());
    let bayer = fourccs.iter().any(|&fourcc| is_bayer(fourcc));
    RECEIVERS.contains(&driver) || is_media_controlled || (bayer && !understood)
}

/// Whether V4L2 calls a Bayer pattern by these characters, of 8 to 16 bits, packed or compressed.
fn is_bayer(fourcc: [u8; 4]) -> bool {
    let [first, second, third, fourth] = fourcc;
    let colours = |a: u8, b: u8| matches!(&[a, b], b"BA" | b"GB" | b"BG" | b"GR" | b"RG");
    match fourcc {
        // 8 and 16 bits, which have names of their own.
        [b'B', b'A', b'8', b'1'] | [b'B', b'Y', b'R', b'2'] => true,
        [b'G', b'B', b'R', b'G'] | [b'G', b'R', b'B', b'G'] | [b'R', b'G', b'G', b'B'] => true,
        // pRAA, pgCC and so on: packed, 10, 12 or 14 bits. The PiSP's compressed form: PC1R.
        [b'p', b'B' | b'G' | b'g' | b'R', a, b] if a == b => matches!(a, b'A' | b'C' | b'E'),
        [b'P', b'C', b'1' | b'2', b'B' | b'G' | b'g' | b'R' | b'M'] => true,
        // RG10, BA12, aBA8, bRG8.
        [b'a' | b'b', _, _, b'8'] => colours(second, third),
        _ => colours(first, second) && matches!(&[third, fourth], b"10" | b"12" | b"14" | b"16"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bayer_patterns_are_told_from_pictures() {
        for bayer in [
            "BA81", "GBRG", "GRBG", "RGGB", "BG10", "GB10", "BA10", "RG10", "pBAA", "pGAA", "pgAA", "pRAA",
            "aBA8", "bBA8", "bRG8", "BG12", "GB12", "BA12", "RG12", "pBCC", "pgCC", "pREE", "RG14", "BYR2",
            "GB16", "GR16", "RG16", "PC1R", "PC1B",
        ] {
            assert!(is_bayer(bayer.as_bytes().try_into().unwrap()), "{bayer}");
        }
        let others =
            ["MJPG", "JPEG", "H264", "YUYV", "NV12", "GREY", "Y10 ", "Y16 ", "RGB3", "BGR3", "RGBP", "YU12"];
        for other in others {
            assert!(!is_bayer(other.as_bytes().try_into().unwrap()), "{other}");
        }
    }

    #[test]
    fn who_needs_libcamera() {
        let (bayer, yuyv) = (*b"pRAA", *b"YUYV");
        assert!(needs_libcamera("imx", false, &[bayer, *b"RG10"]), "Bayer only");
        assert!(!needs_libcamera("uvcvideo", false, &[bayer, yuyv]), "it gives pictures too");
        // They list pictures that they cannot give.
        assert!(needs_libcamera("unicam", false, &[bayer, yuyv]));
        assert!(needs_libcamera("other", true, &[yuyv]));
        assert!(!needs_libcamera("uvcvideo", false, &[yuyv]));
        assert!(!needs_libcamera("uvcvideo", false, &[*b"H264"]), "not understood, and no Bayer pattern");
        assert!(!needs_libcamera("uvcvideo", false, &[]));
    }

    /// `devices` and an error say the same.
    #[test]
    fn the_error_names_the_line_to_write() {
        let said = crate::capture::v4l2::error::CameraError::Libcamera("/dev/video0".into()).to_string();
        assert_eq!(said, format!("/dev/video0 gives {}", advice()));
        assert!(said.ends_with(&format!("under [capture]: {LIBCAMERA}")), "{said}");
    }

    /// What is named is a configuration that is taken.
    #[test]
    fn the_line_to_write_is_a_configuration() {
        let text = LIBCAMERA
            .replace(", command", "\ncommand")
            .replace(", width", "\nwidth")
            .replace(", height", "\nheight");
        let options: crate::capture::CaptureOptions = toml::from_str(&text).unwrap();
        assert_eq!(options.check(), Ok(()));
        assert_eq!(options.words().unwrap()[0], "rpicam-vid");
        let said = |word: &str| options.words().unwrap().iter().skip_while(|w| *w != word).nth(1).cloned();
        assert_eq!((said("--width"), said("--height")), (Some("1280".into()), Some("960".into())));
        assert_eq!(options.size(), Some((1280, 960)));
    }
}
