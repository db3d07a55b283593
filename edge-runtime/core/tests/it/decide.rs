//! Frame, gate and decision: every input gives a state or a clear error.

use edge_core::decide::{Calibration, Thresholds};
use edge_core::gate::{GateThresholds, QualityMetrics};
use edge_core::{Decision, Frame, FrameError, Geometry, PixelFormat, PixelStats, Reason, State, decide};
use proptest::prelude::*;

const CALIBRATION: Calibration = Calibration { temperature: 1.0, bias: 0.0 };
const THRESHOLDS: Thresholds = Thresholds { negative_below: 0.25, positive_above: 0.75 };

/// Any bit pattern at all: infinities, NaN, subnormal numbers.
fn floats() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits)
}

proptest! {
    #[test]
    fn any_numbers_at_all_give_a_state(
        logit in floats(), temperature in floats(), bias in floats(), low in floats(), high in floats(),
    ) {
        let thresholds = Thresholds { negative_below: low, positive_above: high };
        let decision = decide(logit, &Calibration { temperature, bias }, &thresholds);
        let judged = matches!(decision.state, State::Positive | State::Negative | State::Refer);
        prop_assert_ne!(decision.state, State::Invalid, "the gate's alone");
        prop_assert_eq!(judged, decision.score.is_some());
        prop_assert!(decision.score.is_none_or(|score| (0.0..=1.0).contains(&score)), "{:?}", decision);
        prop_assert_eq!(decision.logit.map(f32::to_bits), Some(logit.to_bits()));
    }

    #[test]
    fn a_finite_logit_on_valid_metadata_is_never_a_fault(
        logit in floats().prop_filter("finite", |f| f.is_finite()),
        temperature in floats().prop_filter("valid", |t| t.is_finite() && *t > 0.0),
        bias in floats().prop_filter("finite", |f| f.is_finite()),
    ) {
        let decision = decide(logit, &Calibration { temperature, bias }, &THRESHOLDS);
        prop_assert_ne!(decision.state, State::Fault);
    }

    #[test]
    fn the_state_follows_from_the_score_and_the_thresholds(
        logit in -30f32..30.0, temperature in 0.05f32..20.0, bias in -5f32..5.0,
        (low, high) in (0f32..=1.0, 0f32..=1.0).prop_map(|(a, b)| (a.min(b), a.max(b))),
    ) {
        let thresholds = Thresholds { negative_below: low, positive_above: high };
        let decision = decide(logit, &Calibration { temperature, bias }, &thresholds);
        let score = decision.score.unwrap();
        let exact = 1.0 / (1.0 + (-(f64::from(logit) / f64::from(temperature) + f64::from(bias))).exp());
        prop_assert!((f64::from(score) - exact).abs() < 1e-5, "{score} for {exact}");
        let expected = if score > high { State::Positive } else if score < low { State::Negative } else { State::Refer };
        prop_assert_eq!(decision.state, expected);
    }

    /// Whatever the score, nobody is answered on a picture that must be referred; a FAULT stays one.
    #[test]
    fn what_is_referred_is_never_an_answer(logit in floats()) {
        let decision = decide(logit, &CALIBRATION, &THRESHOLDS);
        let referred = decision.referred(Reason::Unfamiliar(1, 2));
        if decision.state == State::Fault {
            prop_assert_eq!(referred.state, State::Fault);
            prop_assert_eq!(referred.reason, decision.reason);
        } else {
            prop_assert_eq!(referred, Decision { state: State::Refer, reason: Reason::Unfamiliar(1, 2), ..decision });
        }
    }

    #[test]
    fn frames_are_checked_once_and_then_give_every_row(
        width in 0u32..70, height in 0u32..70, format in prop_oneof![Just(PixelFormat::Gray8), Just(PixelFormat::Rgb16)],
        stride in prop_oneof![0usize..500, Just(usize::MAX)], size in 0usize..30_000,
    ) {
        let Ok(geometry) = Geometry::new(width, height, format) else {
            prop_assert!(width < 32 || height < 32);
            return Ok(());
        };
        let bytes = vec![0; size];
        match Frame::new(geometry, stride, &bytes) {
            Ok(frame) => {
                prop_assert_eq!(frame.rows().count(), height as usize);
                prop_assert!(frame.rows().all(|row| row.len() == geometry.row_bytes()));
            }
            Err(FrameError::Stride { expected, got }) => {
                prop_assert_eq!((expected, got), (geometry.row_bytes(), stride));
                prop_assert!(stride < expected);
            }
            Err(FrameError::Bytes { expected, got }) => {
                prop_assert_eq!(got, size);
                prop_assert!(size < expected);
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    /// A part's rows are the picture's own bytes: as many, from the right column and row, of the
    /// right length.
    #[test]
    fn a_part_of_a_frame_is_the_rectangle_asked_for_or_none(
        format in prop_oneof![Just(PixelFormat::Gray8), Just(PixelFormat::Yuyv), Just(PixelFormat::Rgb8)],
        (x, y) in (prop_oneof![0u32..40, Just(u32::MAX)], prop_oneof![0u32..40, Just(u32::MAX)]),
        (width, height) in (30u32..80, 30u32..80), padding in 0usize..9,
    ) {
        let geometry = Geometry::new(70, 60, format).unwrap();
        let (pixel, stride) = (format.bytes_per_pixel(), geometry.row_bytes() + padding);
        let bytes: Vec<u8> = (0..stride * 59 + geometry.row_bytes()).map(|i| (i * 7 + i / 251) as u8).collect();
        let part = Frame::new(geometry, stride, &bytes).unwrap().crop(x, y, width, height);
        let inside = u64::from(x) + u64::from(width) <= 70 && u64::from(y) + u64::from(height) <= 60;
        match part {
            Ok(part) => {
                prop_assert!(inside);
                prop_assert_eq!(part.rows().count(), height as usize);
                for (row, got) in part.rows().enumerate() {
                    let start = (y as usize + row) * stride + x as usize * pixel;
                    prop_assert_eq!(got, &bytes[start..start + width as usize * pixel]);
                }
            }
            Err(FrameError::Size { .. }) => prop_assert!(width < 32 || height < 32),
            Err(error) => {
                prop_assert!(!inside && width >= 32 && height >= 32);
                prop_assert_eq!(error, FrameError::Crop { width: 70, height: 60 });
            }
        }
    }

    #[test]
    fn the_gate_lets_through_exactly_what_keeps_to_all_limits(
        (width, height) in (prop::sample::select(vec![32, 64, 96, 100]), prop::sample::select(vec![32, 64, 100])),
        // Few values, so that measures often lie exactly on their limits.
        (mean, deviation) in (0u16..5, 0u16..5),
        (black_permille, white_permille, max_black_permille, max_white_permille) in (0u16..3, 0u16..3, 0u16..3, 0u16..3),
        (min_mean, max_mean, min_deviation) in (0u16..5, 0u16..5, 0u16..5),
        max_elongation_permille in prop::sample::select(vec![1000, 1562, 2000, 3000, 3125]),
    ) {
        let geometry = Geometry::new(width, height, PixelFormat::Gray8).unwrap();
        let stats = PixelStats { mean, deviation, black_permille, white_permille };
        let limits: GateThresholds<&[i8]> = GateThresholds {
            min_mean, max_mean, min_deviation, max_elongation_permille, max_black_permille, max_white_permille, ..GateThresholds::open()
        };
        let (long, short) = (u32::max(width, height), u32::min(width, height));
        let fits = long * 1000 / short <= max_elongation_permille
            && (min_mean..=max_mean).contains(&mean)
            && deviation >= min_deviation
            && black_permille <= max_black_permille
            && white_permille <= max_white_permille;
        prop_assert_eq!(QualityMetrics::of(geometry, &stats, &[], &limits).judge(&limits).is_ok(), fits);
    }
}

#[test]
fn a_frame_needs_its_last_byte_but_no_padding_after_it() {
    let geometry = Geometry::new(32, 32, PixelFormat::Rgb8).unwrap();
    let bytes = vec![0; 100 * 31 + 96];
    assert!(Frame::new(geometry, 100, &bytes).is_ok());
    let short = Frame::new(geometry, 100, &bytes[1..]).map(|_| ());
    assert_eq!(short, Err(FrameError::Bytes { expected: 3196, got: 3195 }));
    let narrow = Frame::new(geometry, 95, &bytes).map(|_| ());
    assert_eq!(narrow, Err(FrameError::Stride { expected: 96, got: 95 }));
}

#[test]
fn a_score_on_a_threshold_is_referred() {
    let half = decide(0.0, &CALIBRATION, &Thresholds { negative_below: 0.5, positive_above: 0.5 });
    assert_eq!((half.score, half.state), (Some(0.5), State::Refer));
}

#[test]
fn extremes_and_what_is_no_number() {
    let state = |logit| decide(logit, &CALIBRATION, &THRESHOLDS).state;
    assert_eq!(state(f32::MAX), State::Positive);
    assert_eq!(state(f32::MIN), State::Negative);
    assert_eq!(state(0.0), State::Refer);
    for logit in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let decision = decide(logit, &CALIBRATION, &THRESHOLDS);
        assert_eq!(
            (decision.state, decision.reason, decision.score),
            (State::Fault, Reason::NotFinite, None)
        );
    }
    // A calibration that no metadata check would pass must not end in a light either.
    let decision = decide(1.0, &Calibration { temperature: f32::NAN, bias: 0.0 }, &THRESHOLDS);
    assert_eq!((decision.state, decision.score), (State::Fault, None));
}

/// Logs are read by number, for years: these never change.
#[test]
fn reason_codes_are_fixed_and_differ() {
    let codes = [
        (Reason::AboveThreshold, 1),
        (Reason::BelowThreshold, 2),
        (Reason::BetweenThresholds, 3),
        (Reason::Unsettled(1, 2), 4),
        (Reason::Unacknowledged(1), 5),
        (Reason::NoFrontalView, 6),
        (Reason::Elongated(4000, 3000), 10),
        (Reason::Dark(1, 2), 11),
        (Reason::Bright(2, 1), 12),
        (Reason::LowContrast(1, 2), 13),
        (Reason::Underexposed(2, 1), 14),
        (Reason::Overexposed(2, 1), 15),
        (Reason::Blurred(1, 2), 16),
        (Reason::UnlikeLayout(1, 2), 17),
        (Reason::UnlikeFeatures(1, 2), 18),
        (Reason::Unfamiliar(1, 2), 19),
        (Reason::NotFinite, 20),
        (Reason::UnreadKind, 37),
        (Reason::WrongSize(20, 32), 38),
        (Reason::OtherModality, 50),
        (Reason::OtherBodyPart, 51),
        (Reason::NotFrontal, 52),
        (Reason::OtherAge(72, 71), 53),
        (Reason::UnusedBits(12, 16), 54),
        (Reason::Transparent, 55),
    ];
    for (reason, code) in codes {
        assert_eq!(reason.code(), code, "{reason}");
        assert!(!reason.to_string().is_empty());
    }
}

#[test]
fn a_refusal_names_measure_and_limit() {
    let geometry = Geometry::new(100, 32, PixelFormat::Gray8).unwrap();
    let limits: GateThresholds<&[i8]> = GateThresholds {
        min_mean: 3000,
        max_mean: 60000,
        min_deviation: 1500,
        max_elongation_permille: 3000,
        ..GateThresholds::open()
    };
    let text = |geometry, mean, deviation| {
        let stats = PixelStats { mean, deviation, black_permille: 0, white_permille: 0 };
        QualityMetrics::of(geometry, &stats, &[], &limits).judge(&limits).unwrap_err().to_string()
    };
    assert_eq!(
        text(geometry, 30000, 9000),
        "wrong shape: sides 3125:1000, at most 3000:1000; crop to the film"
    );
    let square = Geometry::new(64, 64, PixelFormat::Gray8).unwrap();
    assert_eq!(text(square, 30000, 12), "blank or low contrast: deviation 12 of 65535, at least 1500");
    assert_eq!(text(square, 2999, 9000), "too dark: mean 2999 of 65535, at least 3000");
    assert_eq!(text(square, 60001, 9000), "too bright: mean 60001 of 65535, at most 60000");
    let (young, old) = (Reason::OtherAge(11, 12), Reason::OtherAge(72, 71));
    assert_eq!(young.to_string(), "the file says: a patient of 11 months, meant for at least 12");
    assert_eq!(old.to_string(), "the file says: a patient of 72 months, meant for at most 71");
    let (small, large) = (Reason::WrongSize(20, 32), Reason::WrongSize(9000, 8000));
    assert_eq!(small.to_string(), "a side of 20 pixels, at least 32: send the picture itself, no preview");
    assert_eq!(large.to_string(), "a side of 9000 pixels, at most 8000: send the picture smaller");
    let low = Reason::UnusedBits(12, 16);
    assert!(low.to_string().starts_with("12 bits in 16: the file does not say"), "{low}");
    assert!(Reason::Transparent.to_string().starts_with("every pixel is transparent; "));
    assert_eq!((large.numbers(), Reason::Transparent.numbers()), (Some([9000, 8000]), None));
    assert_eq!((low.numbers(), young.numbers()), (Some([12, 16]), Some([11, 12])));
    let refused = Decision::refused(Reason::Dark(1, 2));
    assert_eq!((refused.state, refused.score, refused.logit), (State::Invalid, None, None));
}

#[test]
fn a_state_is_shown_by_the_name_that_logs_and_programs_read() {
    let names = [
        (State::Positive, "POSITIVE"),
        (State::Negative, "NEGATIVE"),
        (State::Refer, "REFER"),
        (State::Invalid, "INVALID"),
        (State::Fault, "FAULT"),
    ];
    for (state, name) in names {
        assert_eq!((state.name(), state.to_string().as_str()), (name, name));
    }
}
