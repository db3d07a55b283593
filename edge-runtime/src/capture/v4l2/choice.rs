//! Which format and size to ask a camera for.

use super::sys::Sizes;
use crate::capture::{CaptureOptions, Encoding};

/// A long side that is enough: several times the network's input, and small enough for any bus.
const ENOUGH: u32 = 1024;
/// A long side below which a format is taken only where there is no better one.
const FAIR: u32 = 512;
/// Frames in 1000 seconds that are enough: a frame is then a fifth of a second old at most when it is
/// looked at, and several come for each answer.
const FAST: u64 = 5000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub encoding: Encoding,
    pub width: u32,
    pub height: u32,
}

/// Chooses among what a camera offers; none where it has no format that is understood, or not the
/// one wished for.
///
/// Of the formats those are preferred that come in the size wished for, then those in a fair size,
/// then those that come fast enough by `rate` (frames in 1000 seconds; unknown is fast enough), then
/// the order of [`Encoding::ALL`]. So MJPEG, whose luminance must be decoded and is blurred by its
/// blocks, is taken over YUYV where the bus has no room for YUYV in that size, or only for one or
/// two frames a second.
///
/// `current` is the size that the camera has now: for one that takes its picture from elsewhere it
/// is the right one.
pub fn choose(
    offered: &[(Encoding, Sizes)],
    rate: impl Fn(Encoding, (u32, u32)) -> Option<u64>,
    current: (u32, u32),
    options: &CaptureOptions,
) -> Option<Choice> {
    let wanted = offered.iter().filter(|(encoding, _)| options.format.is_none_or(|wish| wish == *encoding));
    wanted
        .map(|(encoding, sizes)| {
            let (width, height) = options.size().unwrap_or_else(|| best(sizes, current));
            (Choice { encoding: *encoding, width, height }, sizes)
        })
        .min_by_key(|(choice, sizes)| {
            let size = (choice.width, choice.height);
            let rank = Encoding::ALL.iter().position(|encoding| *encoding == choice.encoding);
            let slow = rate(choice.encoding, size).is_some_and(|rate| rate < FAST);
            (!has(sizes, size), choice.width.max(choice.height) < FAIR, slow, rank)
        })
        .map(|(choice, _)| choice)
}

/// Whether a size is among them, as far as the camera says.
fn has(sizes: &Sizes, size: (u32, u32)) -> bool {
    match sizes {
        Sizes::Unknown => true,
        Sizes::Discrete(sizes) => sizes.contains(&size),
        Sizes::Range(least, most) => {
            (least.0..=most.0).contains(&size.0) && (least.1..=most.1).contains(&size.1)
        }
    }
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
        choose(offered, |_, _| None, (640, 480), options).map(|c| (c.encoding, c.width, c.height))
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

    /// As webcams on USB 2 list them: raw frames are slow where they are large.
    #[test]
    fn a_format_that_comes_too_slowly_or_not_in_the_size_gives_way_to_mjpeg() {
        let sizes = discrete(&[(640, 480), (1280, 720), (1920, 1080)]);
        let offered = [(Yuyv, sizes.clone()), (Mjpeg, sizes)];
        let rate = |encoding, (width, _): (u32, u32)| match (encoding, width) {
            (Yuyv, 1920) => Some(2000),
            (Yuyv, 1280) => Some(5000),
            _ => Some(30_000),
        };
        let chosen = |size: Option<(u32, u32)>, offered: &[(Encoding, Sizes)]| {
            let (width, height) = size.unzip();
            let options = CaptureOptions { width, height, ..Default::default() };
            choose(offered, rate, (640, 480), &options).map(|choice| (choice.encoding, choice.width))
        };
        assert_eq!(chosen(Some((1920, 1080)), &offered), Some((Mjpeg, 1920)), "two frames a second");
        assert_eq!(chosen(Some((1280, 720)), &offered), Some((Yuyv, 1280)), "five are enough");
        assert_eq!(chosen(None, &offered), Some((Yuyv, 1280)));
        assert_eq!(chosen(Some((1920, 1080)), &offered[..1]), Some((Yuyv, 1920)), "it has no other");
        let offered = [(Yuyv, discrete(&[(640, 480)])), (Mjpeg, discrete(&[(640, 480), (1280, 720)]))];
        assert_eq!(chosen(Some((1280, 720)), &offered), Some((Mjpeg, 1280)), "not in that size");
        assert_eq!(chosen(Some((640, 480)), &offered), Some((Yuyv, 640)));
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
        let from =
            |current| choose(&range((4096, 2160)), |_, _| None, current, &none).map(|c| (c.width, c.height));
        assert_eq!(from((3840, 2160)), Some((1024, 576)), "much too large");
        assert_eq!(from((160, 120)), Some((1024, 768)), "much too small");
        assert_eq!(from((0, 0)), Some((16, 16)), "nonsense");
        let odd = [(Grey, Sizes::Range((900, 900), (16, 16)))];
        assert!(
            choose(&odd, |_, _| None, (640, 480), &none).is_some(),
            "a range that is none does not panic"
        );
    }
}
