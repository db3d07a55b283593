//! Which format and size to ask a camera for.

use super::sys::Sizes;
use crate::capture::{CaptureOptions, Encoding};

/// A long side that is enough: several times the network's input, and small enough for any bus.
const ENOUGH: u32 = 1024;
/// A long side below which a format is taken only where there is no better one.
const FAIR: u32 = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub encoding: Encoding,
    pub width: u32,
    pub height: u32,
}

/// Chooses among what a camera offers; none where it has no format that is understood, or not the
/// one wished for.
///
/// `current` is the size that the camera has now: for one that takes its picture from elsewhere it
/// is the right one.
pub fn choose(
    offered: &[(Encoding, Sizes)],
    current: (u32, u32),
    options: &CaptureOptions,
) -> Option<Choice> {
    let wanted = offered.iter().filter(|(encoding, _)| options.format.is_none_or(|wish| wish == *encoding));
    wanted
        .map(|(encoding, sizes)| {
            let (width, height) = options.size().unwrap_or_else(|| best(sizes, current));
            Choice { encoding: *encoding, width, height }
        })
        .min_by_key(|choice| {
            let rank = Encoding::ALL.iter().position(|encoding| *encoding == choice.encoding);
            (choice.width.max(choice.height) < FAIR, rank)
        })
}

/// The smallest size whose long side is enough, else the largest. Of two with the same long side
/// the one that shows more.
fn best(sizes: &Sizes, current: (u32, u32)) -> (u32, u32) {
    let long = |&(width, height): &(u32, u32)| width.max(height);
    let area = |&(width, height): &(u32, u32)| u64::from(width) * u64::from(height);
    match sizes {
        Sizes::Unknown => current,
        Sizes::Discrete(sizes) => {
            let enough = sizes.iter().filter(|size| long(size) >= ENOUGH);
            let smallest = enough.min_by_key(|size| (long(size), std::cmp::Reverse(area(size))));
            let largest = sizes.iter().max_by_key(|size| (long(size), area(size)));
            smallest.or(largest).copied().unwrap_or(current)
        }
        Sizes::Range(least, most) => {
            // The camera scales: what it has now keeps its shape, so only a size that is out of reason is
            // changed.
            let now = long(&current).max(1);
            let scale = if (FAIR..=2 * ENOUGH).contains(&now) { now } else { ENOUGH };
            let scaled = |side: u32| (u64::from(side) * u64::from(scale) / u64::from(now)) as u32;
            let fit = |side: u32, least: u32, most: u32| scaled(side).max(least).min(most);
            (fit(current.0, least.0, most.0), fit(current.1, least.1, most.1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::*;

    fn discrete(sizes: &[(u32, u32)]) -> Sizes {
        Sizes::Discrete(sizes.to_vec())
    }

    fn chosen(offered: &[(Encoding, Sizes)], options: &CaptureOptions) -> Option<(Encoding, u32, u32)> {
        choose(offered, (640, 480), options).map(|c| (c.encoding, c.width, c.height))
    }

    #[test]
    fn luminance_in_place_and_the_smallest_size_that_is_enough() {
        let sizes = discrete(&[(640, 480), (1920, 1080), (1280, 720), (1280, 960), (160, 120)]);
        let offered = [(Mjpeg, sizes.clone()), (Yuyv, sizes.clone())];
        assert_eq!(chosen(&offered, &CaptureOptions::default()), Some((Yuyv, 1280, 960)));
        let offered = [(Yuyv, sizes.clone()), (Nv12, sizes.clone()), (Grey, discrete(&[(640, 480)]))];
        assert_eq!(chosen(&offered, &CaptureOptions::default()), Some((Grey, 640, 480)));
    }

    #[test]
    fn a_format_that_comes_in_thumbnails_only_is_the_last_resort() {
        let offered = [(Yuyv, discrete(&[(320, 240)])), (Mjpeg, discrete(&[(1280, 720)]))];
        assert_eq!(chosen(&offered, &CaptureOptions::default()), Some((Mjpeg, 1280, 720)));
        assert_eq!(chosen(&offered[..1], &CaptureOptions::default()), Some((Yuyv, 320, 240)));
    }

    #[test]
    fn wishes_come_first() {
        let offered = [(Yuyv, discrete(&[(640, 480)])), (Mjpeg, discrete(&[(1280, 720)]))];
        let wish = CaptureOptions { format: Some(Mjpeg), ..Default::default() };
        assert_eq!(chosen(&offered, &wish), Some((Mjpeg, 1280, 720)));
        let wish = CaptureOptions { width: Some(800), height: Some(600), ..Default::default() };
        assert_eq!(chosen(&offered, &wish), Some((Yuyv, 800, 600)));
        let wish = CaptureOptions { format: Some(Grey), ..Default::default() };
        assert_eq!(chosen(&offered, &wish), None, "not offered");
        assert_eq!(chosen(&[], &CaptureOptions::default()), None);
    }

    #[test]
    fn where_the_camera_scales_or_does_not_say_its_own_size_is_kept() {
        let none = CaptureOptions::default();
        assert_eq!(chosen(&[(Grey, Sizes::Unknown)], &none), Some((Grey, 640, 480)));
        let range = |most| [(Grey, Sizes::Range((16, 16), most))];
        assert_eq!(chosen(&range((4096, 2160)), &none), Some((Grey, 640, 480)));
        let from = |current| choose(&range((4096, 2160)), current, &none).map(|c| (c.width, c.height));
        assert_eq!(from((3840, 2160)), Some((1024, 576)), "much too large");
        assert_eq!(from((160, 120)), Some((1024, 768)), "much too small");
        assert_eq!(from((0, 0)), Some((16, 16)), "nonsense");
        let odd = [(Grey, Sizes::Range((900, 900), (16, 16)))];
        assert!(choose(&odd, (640, 480), &none).is_some(), "a range that is none does not panic");
    }
}
