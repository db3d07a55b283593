//! `area-standardise/1` written a second time, as plainly as its definition, to compare the real
//! one with.

use edge_core::{Frame, PixelFormat};

/// Cell means and network input of a frame, from the definition: no streaming, no running sums,
/// 128-bit integers.
pub fn area_standardise(frame: &Frame, side: u16) -> (Vec<u16>, Vec<u8>) {
    let pixels: Vec<Vec<u16>> = frame.rows().map(|row| luminances(frame.geometry().format(), row)).collect();
    let (width, height) = (u64::from(frame.geometry().width()), u64::from(frame.geometry().height()));
    let side = u64::from(side);
    let mut cells = Vec::new();
    for line in 0..side {
        for column in 0..side {
            let mut sum = 0u128;
            for y in 0..height {
                for x in 0..width {
                    let covered = overlap(x * side, side, column * width, width)
                        * overlap(y * side, side, line * height, height);
                    sum += u128::from(covered) * u128::from(pixels[y as usize][x as usize]);
                }
            }
            cells.push(round_half_up(sum, u128::from(width * height)) as u16);
        }
    }
    let input = standardise(&cells);
    (cells, input)
}

/// Length that the intervals `[a, a + a_length)` and `[b, b + b_length)` share.
fn overlap(a: u64, a_length: u64, b: u64, b_length: u64) -> u64 {
    (a + a_length).min(b + b_length).saturating_sub(a.max(b))
}

fn round_half_up(a: u128, b: u128) -> u128 {
    (2 * a + b) / (2 * b)
}

fn standardise(cells: &[u16]) -> Vec<u8> {
    let n = cells.len() as i128;
    let sum: i128 = cells.iter().map(|&c| i128::from(c)).sum();
    let mean = round_half_up(sum as u128, n as u128) as i128;
    // n^2 times the variance; the deviation is its root over n, rounded down.
    let spread = n * cells.iter().map(|&c| i128::from(c) * i128::from(c)).sum::<i128>() - sum * sum;
    let deviation = (0i128..).take_while(|d| d * d * n * n <= spread).last().unwrap().max(1);
    let one = |&cell: &u16| {
        let distance = (i128::from(cell) - mean) * 48;
        let steps = (2 * distance.abs() + deviation) / (2 * deviation) * distance.signum();
        (128 + steps).clamp(0, 255) as u8
    };
    cells.iter().map(one).collect()
}

fn luminances(format: PixelFormat, row: &[u8]) -> Vec<u16> {
    let samples: Vec<u32> = match format {
        PixelFormat::Gray8 | PixelFormat::Rgb8 => row.iter().map(|&v| u32::from(v) * 257).collect(),
        // Every second byte is luminance; which one is all that tells the two apart.
        PixelFormat::Yuyv => row.iter().step_by(2).map(|&v| u32::from(v) * 257).collect(),
        PixelFormat::Uyvy => row.iter().skip(1).step_by(2).map(|&v| u32::from(v) * 257).collect(),
        PixelFormat::Gray16 | PixelFormat::Rgb16 => {
            row.chunks(2).map(|v| u32::from(v[0]) + 256 * u32::from(v[1])).collect()
        }
    };
    match format {
        PixelFormat::Gray8 | PixelFormat::Gray16 | PixelFormat::Yuyv | PixelFormat::Uyvy => {
            samples.iter().map(|&v| v as u16).collect()
        }
        PixelFormat::Rgb8 | PixelFormat::Rgb16 => {
            samples.chunks(3).map(|p| ((77 * p[0] + 150 * p[1] + 29 * p[2] + 128) / 256) as u16).collect()
        }
    }
}
