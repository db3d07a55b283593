//! The gate's figures against their plain definitions, and what they must do to pictures that
//! differ in one thing.

use edge_core::gate::{
    FEATURE_CELLS, GateThresholds, LAYOUT_CELLS, LinearDetector, QualityMetrics, sharpness,
};
use edge_core::{Geometry, PixelFormat, PixelStats, Reason};
use proptest::prelude::*;

fn likeness(weights: &[i8]) -> LinearDetector<&[i8]> {
    LinearDetector { weights, least: 0 }
}

/// Bends over steps as the module's text has it, pixel by pixel.
fn plain_sharpness(input: &[u8], side: usize) -> u16 {
    let half = side / 2;
    let at = |x: usize, y: usize| -> i64 {
        let pixel = |dx: usize, dy: usize| i64::from(input[(2 * y + dy) * side + 2 * x + dx]);
        pixel(0, 0) + pixel(1, 0) + pixel(0, 1) + pixel(1, 1)
    };
    let (mut bends, mut steps) = (0, 0);
    for y in 0..half {
        for x in 0..half {
            let within = |v: usize| (2..half - 2).contains(&v);
            // Each direction keeps two from its own ends, and rows as well as columns from the top and
            // bottom.
            if within(x) && within(y) {
                bends += (at(x - 1, y) - 2 * at(x, y) + at(x + 1, y)).abs();
                steps += (at(x + 2, y) - at(x - 2, y)).abs();
                bends += (at(x, y - 1) - 2 * at(x, y) + at(x, y + 1)).abs();
                steps += (at(x, y + 2) - at(x, y - 2)).abs();
            }
        }
    }
    (bends * 1000 / steps.max(1)).min(65535) as u16
}

proptest! {
    #[test]
    fn sharpness_is_what_its_text_says(side in 10usize..60, pattern in prop::collection::vec(any::<u8>(), 1..400)) {
        let input: Vec<u8> = pattern.iter().copied().cycle().take(side * side).collect();
        prop_assert_eq!(sharpness(&input), plain_sharpness(&input, side));
    }

    #[test]
    fn layout_is_a_weighted_sum_of_cells(
        side in 16usize..70,
        weights in prop::collection::vec(any::<i8>(), LAYOUT_CELLS),
        pattern in prop::collection::vec(any::<u8>(), 1..400),
    ) {
        let input: Vec<u8> = pattern.iter().copied().cycle().take(side * side).collect();
        let weight = |at: usize| weights[at / side * 16 / side * 16 + at % side * 16 / side];
        let sum: i64 = input.iter().enumerate().map(|(at, &v)| i64::from(weight(at)) * (i64::from(v) - 128)).sum();
        let expected = sum / (side * side / LAYOUT_CELLS) as i64;
        prop_assert_eq!(i64::from(likeness(&weights).of_picture(&input)), expected);
    }

    #[test]
    fn features_are_a_weighted_sum_over_cells_and_channels(
        (side, channels) in (1usize..12, 1usize..20),
        seed in prop::collection::vec(any::<i8>(), 16..400),
    ) {
        let weights: Vec<i8> = seed.iter().copied().cycle().take(FEATURE_CELLS * channels).collect();
        let features: Vec<u8> = seed.iter().rev().map(|&v| v as u8).cycle().take(side * side * channels).collect();
        let mut sum = 0i64;
        for (at, &value) in features.iter().enumerate() {
            let (position, channel) = (at / channels, at % channels);
            let cell = position / side * 4 / side * 4 + position % side * 4 / side;
            sum += i64::from(weights[cell * channels + channel]) * i64::from(value);
        }
        let expected = sum / (side * side / FEATURE_CELLS).max(1) as i64;
        prop_assert_eq!(i64::from(likeness(&weights).of_features(&features)), expected);
    }

    #[test]
    fn any_bytes_give_figures(input in prop::collection::vec(any::<u8>(), 0..700), weights in prop::collection::vec(any::<i8>(), 0..300)) {
        sharpness(&input);
        likeness(&weights[..weights.len().min(256)]).of_picture(&input);
        likeness(&weights).of_features(&input);
    }
}

/// A picture of edges, `width` pixels from dark to light each.
fn edges(width: usize, contrast: f32) -> Vec<u8> {
    let ramp = |at: usize| {
        let phase = (at % 32) as f32;
        let up = ((phase - 8.0) / width as f32 + 0.5).clamp(0.0, 1.0);
        let down = ((phase - 24.0) / width as f32 + 0.5).clamp(0.0, 1.0);
        up - down
    };
    (0..128 * 128).map(|at| (128.0 + contrast * (ramp(at % 128) + ramp(at / 128) - 1.0)) as u8).collect()
}

#[test]
fn sharpness_falls_with_blur_and_does_not_care_for_contrast() {
    let figures = [1, 4, 8, 14].map(|width| sharpness(&edges(width, 100.0)));
    assert!(figures.windows(2).all(|pair| pair[1] < pair[0]), "{figures:?}");
    let flat = sharpness(&edges(8, 30.0));
    assert!(flat.abs_diff(figures[2]) < 20, "{flat} and {figures:?}");
}

#[test]
fn a_picture_without_steps_or_too_small_to_tell_is_not_sharp() {
    assert_eq!(sharpness(&[77; 128 * 128]), 0);
    assert_eq!(sharpness(&[]), 0);
    assert_eq!(sharpness(&(0..81).collect::<Vec<u8>>()), 0);
}

/// Weights that do not fit let nothing through by mistake; none at all are an open gate, which must
/// be asked for.
#[test]
fn weights_that_do_not_fit_are_the_least_likeness() {
    assert_eq!(likeness(&[1; 255]).of_picture(&[9; 64 * 64]), i32::MIN);
    assert_eq!(likeness(&[1; 256]).of_picture(&[9; 64 * 63]), i32::MIN);
    assert_eq!(likeness(&[1; 256]).of_picture(&[]), i32::MIN);
    assert_eq!(likeness(&[1; 32]).of_features(&[9; 2 * 15]), i32::MIN);
    assert_eq!(likeness(&[1; 32]).of_features(&[]), i32::MIN);
    assert_eq!(likeness(&[1; 15]).of_features(&[9; 16]), i32::MIN);
    assert_eq!(GateThresholds::<&[i8]>::open().layout.of_picture(&[9; 5]), 0);
    assert_eq!(GateThresholds::<&[i8]>::open().features.of_features(&[9; 5]), 0);
}

/// Each limit alone: what lies on it passes, what lies one beyond it is refused, for this reason
/// and with its numbers.
#[test]
fn each_limit_refuses_for_its_own_reason() {
    let mut limits = GateThresholds::<Vec<i8>>::open();
    (limits.max_elongation_permille, limits.min_deviation, limits.min_sharpness) = (1500, 2000, 300);
    (limits.min_mean, limits.max_mean) = (10_000, 50_000);
    (limits.max_black_permille, limits.max_white_permille) = (600, 400);
    (limits.layout.least, limits.features.least) = (-70, -90);
    let stats = PixelStats { mean: 30_000, deviation: 2000, black_permille: 600, white_permille: 400 };
    let good = QualityMetrics {
        elongation_permille: 1500,
        stats,
        sharpness: 300,
        layout: -70,
        features: None,
        familiarity: None,
    };
    type Change = fn(&mut QualityMetrics);
    let cases: [(Change, Reason); 8] = [
        (|f| f.elongation_permille += 1, Reason::Elongated(1501, 1500)),
        (|f| f.stats.deviation -= 1, Reason::LowContrast(1999, 2000)),
        (|f| f.stats.mean = 9999, Reason::Dark(9999, 10_000)),
        (|f| f.stats.mean = 50_001, Reason::Bright(50_001, 50_000)),
        (|f| f.stats.black_permille += 1, Reason::Underexposed(601, 600)),
        (|f| f.stats.white_permille += 1, Reason::Overexposed(401, 400)),
        (|f| f.sharpness -= 1, Reason::Blurred(299, 300)),
        (|f| f.layout -= 1, Reason::UnlikeLayout(-71, -70)),
    ];
    for mean in [10_000, 50_000] {
        let stats = PixelStats { mean, ..stats };
        assert_eq!(QualityMetrics { stats, ..good }.judge(&limits), Ok(()));
    }
    // The first that is broken is told: from the last case to the first, each hides those after it.
    let mut all = good;
    for (change, reason) in cases.into_iter().rev() {
        let mut one = good;
        change(&mut one);
        assert_eq!(one.judge(&limits), Err(reason));
        change(&mut all);
        assert_eq!(all.judge(&limits), Err(reason));
    }
    limits.features.weights = [1, 1].into_iter().cycle().take(FEATURE_CELLS).collect();
    limits.features.least = 9;
    let mut figures = good;
    let judged =
        |figures: &mut QualityMetrics, value: u8| figures.judge_features(&[value; FEATURE_CELLS], &limits);
    assert_eq!(judged(&mut figures, 0), Err(Reason::UnlikeFeatures(0, 9)));
    assert_eq!((judged(&mut figures, 1), figures.features), (Ok(()), Some(16)));
}

/// A chest of another kind is no refusal: it is told apart after it was let through.
#[test]
fn what_the_model_was_not_measured_on_is_unfamiliar() {
    let mut limits = GateThresholds::<Vec<i8>>::open();
    let familiarity = |figures: &mut QualityMetrics, value: u8, limits: &GateThresholds<Vec<i8>>| {
        assert_eq!(figures.judge_features(&[value; FEATURE_CELLS], limits), Ok(()));
        figures.unfamiliar(limits)
    };
    let stats = PixelStats { mean: 1, deviation: 1, black_permille: 0, white_permille: 0 };
    let geometry = Geometry::new(32, 32, PixelFormat::Gray8).unwrap();
    let mut figures = QualityMetrics::of(geometry, &stats, &[0; 1024], &limits);
    assert_eq!((figures.familiarity, figures.unfamiliar(&limits)), (None, None), "nothing before inference");
    assert_eq!(familiarity(&mut figures, 0, &limits), None, "without weights nothing is unfamiliar");
    limits.familiar = LinearDetector { weights: vec![1; FEATURE_CELLS], least: 32 };
    assert_eq!(familiarity(&mut figures, 2, &limits), None, "on the limit");
    assert_eq!(familiarity(&mut figures, 1, &limits), Some(Reason::Unfamiliar(16, 32)));
    assert_eq!(figures.familiarity, Some(16));
}
