//! What a picture tells of how it was taken: the machine, the room, the age of the child, what was
//! done to the file. Nothing here asks for the label.
//!
//! Some figures move with the disease too (an ill lung is brighter), so clusters of them are no pure
//! clusters of machines.

use super::sample::{PictureSource, Sample, WORKING_SIDE};
use crate::progress;

/// How many figures there are.
pub const FIGURES: usize = 14;

/// Their names, as reports call them.
pub const NAMES: [&str; FIGURES] = [
    "mean",
    "deviation",
    "dark tenth",
    "bright tenth",
    "black",
    "white",
    "noise",
    "finest detail",
    "fine detail",
    "border",
    "lettering",
    "aspect",
    "size",
    "JPEG steps",
];

const N: usize = WORKING_SIDE as usize;
/// Width of the border that is looked at, in pixels of the working square.
const BORDER: usize = 6;

/// The figures of each sample.
pub fn figures(samples: &[Sample]) -> Vec<[f32; FIGURES]> {
    progress::map("how pictures were taken", samples, of)
}

/// In the order of [`NAMES`]; greys are shares of full scale, lengths logarithms of pixels.
fn of(sample: &Sample) -> [f32; FIGURES] {
    let grey: Vec<f32> = sample.working.iter().map(|&v| f32::from(v) / 255.0).collect();
    let mean = average(grey.iter().copied());
    let deviation = average(grey.iter().map(|v| (v - mean).powi(2))).sqrt();
    let mut sorted = sample.working.to_vec();
    sorted.sort_unstable();
    let quantile = |share: f32| f32::from(sorted[(share * (N * N - 1) as f32) as usize]) / 255.0;
    let share =
        |of: &dyn Fn(u8) -> bool| sample.working.iter().filter(|v| of(**v)).count() as f32 / (N * N) as f32;
    let half = halved(&grey, N);
    let quarter = halved(&half, N / 2);
    let detail = [detail(&grey, N), detail(&half, N / 2), detail(&quarter, N / 4)];
    let is_border = |i: usize| {
        let inside = BORDER..N - BORDER;
        !inside.contains(&(i % N)) || !inside.contains(&(i / N))
    };
    let border = average(grey.iter().enumerate().filter(|(i, _)| is_border(*i)).map(|(_, v)| *v));
    // Markers and names are white and stand high up, beside the neck.
    let top = &sample.working[..N * N / 6];
    let lettering = top.iter().filter(|v| **v >= 235).count() as f32 / top.len() as f32;
    let (width, height) = (f32::from(sample.size.0), f32::from(sample.size.1));
    [
        mean,
        deviation,
        quantile(0.1),
        quantile(0.9),
        share(&|v| v <= 8),
        share(&|v| v >= 247),
        noise(&grey),
        (detail[0] / detail[1].max(1e-6)).max(1e-6).ln(),
        (detail[1] / detail[2].max(1e-6)).max(1e-6).ln(),
        border - mean,
        lettering,
        (width / height.max(1.0)).max(1e-6).ln(),
        (width * height).max(1.0).ln() / 2.0,
        jpeg_steps(&sample.original).map_or(0.0, |steps| (1.0 + steps).ln()),
    ]
}

fn average(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0f64, 0.0f64), |(sum, count), v| (sum + f64::from(v), count + 1.0));
    (sum / count.max(1.0)) as f32
}

/// Each pixel the mean of four.
fn halved(grey: &[f32], side: usize) -> Vec<f32> {
    let half = side / 2;
    let at = |x: usize, y: usize| grey[y * side + x];
    let mean = |i: usize| {
        let (x, y) = (2 * (i % half), 2 * (i / half));
        (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4.0
    };
    (0..half * half).map(mean).collect()
}

/// Root mean square of what a pixel differs from the mean of its four neighbours: the energy of the
/// finest octave at this size.
fn detail(grey: &[f32], side: usize) -> f32 {
    average(differences(grey, side).map(|d| d * d)).sqrt()
}

/// The median of those differences, by their size: edges are few, noise is everywhere.
fn noise(grey: &[f32]) -> f32 {
    let mut sizes: Vec<f32> = differences(grey, N).map(f32::abs).collect();
    let middle = sizes.len() / 2;
    *sizes.select_nth_unstable_by(middle, f32::total_cmp).1
}

fn differences(grey: &[f32], side: usize) -> impl Iterator<Item = f32> {
    let inner = move |i: usize| {
        let (x, y) = (i % (side - 2) + 1, i / (side - 2) + 1);
        y * side + x
    };
    (0..(side - 2) * (side - 2))
        .map(inner)
        .map(move |at| grey[at] - (grey[at - 1] + grey[at + 1] + grey[at - side] + grey[at + side]) / 4.0)
}

/// Mean step of the first quantization table of a JPEG file (ITU-T T.81, B.2.4.1); none for other
/// pictures.
fn jpeg_steps(original: &PictureSource) -> Option<f32> {
    let PictureSource::File(path) = original else { return None };
    mean_step(&std::fs::read(path).ok()?)
}

fn mean_step(file: &[u8]) -> Option<f32> {
    let mut rest = file.strip_prefix(&[0xff, 0xd8])?;
    while let [0xff, marker, high, low, ..] = *rest {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length)?;
        if marker == 0xdb {
            let (kind, table) = segment.split_first()?;
            let sum: u32 = match kind >> 4 {
                0 => table.get(..64)?.iter().map(|&step| u32::from(step)).sum(),
                _ => table.get(..128)?.chunks_exact(2).map(|s| u32::from(s[0]) << 8 | u32::from(s[1])).sum(),
            };
            return Some(sum as f32 / 64.0);
        }
        rest = rest.get(2 + length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::blur;
    use crate::dataset::phantoms;
    use crate::random::{Purpose, SeededRng};
    use image::ExtendedColorType;
    use image::codecs::jpeg::JpegEncoder;

    fn figure(name: &str, sample: &Sample) -> f32 {
        of(sample)[NAMES.iter().position(|n| *n == name).unwrap()]
    }

    fn changed(sample: &Sample, change: impl FnOnce(&mut Vec<f32>)) -> Sample {
        let mut grey: Vec<f32> = sample.working.iter().map(|&v| f32::from(v)).collect();
        change(&mut grey);
        Sample {
            working: grey.iter().map(|v| v.round().clamp(0.0, 255.0) as u8).collect::<Vec<u8>>().into(),
            ..sample.clone()
        }
    }

    #[test]
    fn noise_blur_border_and_lettering_each_move_their_own_figure() {
        let sample = phantoms::load(40, 32).samples[0].clone();
        let mut rng = SeededRng::new(1, Purpose::Cluster, 0, 0);
        let noisy = changed(&sample, |grey| grey.iter_mut().for_each(|v| *v += 12.0 * rng.normal()));
        assert!(figure("noise", &noisy) > 2.0 * figure("noise", &sample).max(0.005));
        let blurred = changed(&noisy, |grey| blur(grey, N, 2.0));
        assert!(figure("finest detail", &blurred) < figure("finest detail", &noisy) - 0.5);
        let framed = |value: f32| changed(&sample, |grey| grey[..BORDER * N].fill(value));
        assert!(figure("border", &framed(255.0)) > figure("border", &framed(0.0)) + 0.1);
        let marked = changed(&sample, |grey| {
            (10..30).for_each(|y| grey[y * N + 180..y * N + 200].fill(250.0));
        });
        let letters = figure("lettering", &marked) - figure("lettering", &sample);
        assert!((letters - 400.0 / (N * N / 6) as f32).abs() < 0.01, "{letters}");
    }

    #[test]
    fn a_jpeg_of_lower_quality_has_larger_steps_and_other_files_none() {
        let coded = |quality| {
            let mut file = Vec::new();
            let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
            encoder.encode(&[90; 32 * 32], 32, 32, ExtendedColorType::L8).unwrap();
            mean_step(&file)
        };
        assert!(coded(30).unwrap() > 3.0 * coded(85).unwrap());
        assert_eq!(mean_step(b"\x89PNG\r\n\x1a\n"), None);
        assert_eq!(mean_step(&[0xff, 0xd8, 0xff, 0xdb, 0, 67, 0]), None, "cut off");
    }
}
