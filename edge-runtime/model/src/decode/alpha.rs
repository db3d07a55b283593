//! Transparency over black: what a viewer does not see must not decide.

use edge_core::{PixelFormat, Reason};

/// Multiplies each sample by its pixel's alpha, which follows the samples of `format`, and closes
/// the gaps. Gives why the picture must not be judged where nothing of it can be seen.
pub(super) fn over_black(pixels: &mut Vec<u8>, format: PixelFormat) -> Option<Reason> {
    let colour = format.bytes_per_pixel();
    let wide = matches!(format, PixelFormat::Gray16 | PixelFormat::Rgb16);
    let pixel = colour + if wide { 2 } else { 1 };
    let count = pixels.len() / pixel;
    let mut visible = false;
    for i in 0..count {
        let (from, to) = (i * pixel, i * colour);
        if wide {
            let sample = |at: usize| u32::from(u16::from_le_bytes([pixels[at], pixels[at + 1]]));
            let alpha = sample(from + colour);
            visible |= alpha > 0;
            let mut mixed = [0; 6];
            for at in (0..colour).step_by(2) {
                // 65535 * 65535 + 32767 still fits 32 bits.
                let value = ((sample(from + at) * alpha + 32767) / 65535) as u16;
                mixed[at..at + 2].copy_from_slice(&value.to_le_bytes());
            }
            pixels[to..to + colour].copy_from_slice(&mixed[..colour]);
        } else {
            let alpha = u32::from(pixels[from + colour]);
            visible |= alpha > 0;
            for at in 0..colour {
                pixels[to + at] = ((u32::from(pixels[from + at]) * alpha + 127) / 255) as u8;
            }
        }
    }
    pixels.truncate(count * colour);
    (!visible).then_some(Reason::Transparent)
}
