//! The metrics against values worked out by hand, and the laws that they must keep for any rows.

use edge_core::State;
use proptest::prelude::*;
use trainer::evaluate::metrics::{
    Bootstrap, Estimate, PerformanceMetrics, ScoreTable, ScoredPicture, Statistics, at_own_share, auc,
    measure,
};

/// A row by label and score; the logit is the score's, the thresholds are 0.3 and 0.7.
pub fn scored_picture(patient: &str, label: bool, score: f64) -> ScoredPicture {
    let state = match score {
        s if s > 0.7 => State::Positive,
        s if s < 0.3 => State::Negative,
        _ => State::Refer,
    };
    ScoredPicture {
        patient: patient.into(),
        label,
        subgroup: String::new(),
        score,
        probability: score,
        logit: (score / (1.0 - score)).ln(),
        state,
    }
}

fn scored_pictures(samples: &[(bool, f64)]) -> Vec<ScoredPicture> {
    samples
        .iter()
        .enumerate()
        .map(|(i, &(label, score))| scored_picture(&i.to_string(), label, score))
        .collect()
}

fn quick(rows: &[ScoredPicture]) -> PerformanceMetrics {
    measure(rows, &Bootstrap { resamples: 300, seed: 7 })
}

/// The headline numbers of `rows` without intervals.
fn point(rows: &[ScoredPicture]) -> Statistics<Option<f64>> {
    Statistics::of(&ScoreTable::new(rows), &vec![1; rows.len()])
}

fn near(got: Option<f64>, want: f64) {
    assert!(got.is_some_and(|g| (g - want).abs() < 1e-12), "expected {want}, got {got:?}");
}

/// Four pictures whose values scikit-learn's own documentation states: AUC 0.75, average precision
/// 0.8333.
#[test]
fn ranking_by_hand() {
    let m = quick(&scored_pictures(&[(false, 0.1), (false, 0.4), (true, 0.35), (true, 0.8)]));
    near(m.statistics.auc.value, 0.75);
    near(m.statistics.average_precision.value, 0.5 + 0.5 * 2.0 / 3.0);
    let curve: Vec<(f64, f64)> = m.roc.iter().map(|p| (p.fpr, p.tpr)).collect();
    assert_eq!(curve, [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
    let steps: Vec<(f64, f64)> = m.precision_recall.iter().map(|p| (p.recall, p.precision)).collect();
    assert_eq!(steps, [(0.5, 1.0), (0.5, 0.5), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
}

#[test]
fn ties_count_one_half() {
    near(auc(&[1.0, 1.0, 1.0], &[true, false, false]), 0.5);
    // Pairs: (2 over 1) 1, (2 over 2) 0.5, (3 over both) 2: 3.5 of 4.
    near(auc(&[1.0, 2.0, 2.0, 3.0], &[false, false, true, true]), 3.5 / 4.0);
    let m = quick(&scored_pictures(&[(false, 0.2), (false, 0.6), (true, 0.6), (true, 0.9)]));
    assert_eq!(m.roc.len(), 4, "equal scores are one step");
    near(m.statistics.average_precision.value, 0.5 + 0.5 * 2.0 / 3.0);
}

#[test]
fn undefined_is_said() {
    assert_eq!(auc(&[0.1, 0.9], &[true, true]), None);
    assert_eq!(auc(&[0.1], &[true, false]), None);
    assert_eq!(auc(&[f64::NAN, 0.2], &[true, false]), None);
    let m = quick(&scored_pictures(&[(true, 0.1), (true, 0.2)]));
    assert_eq!(m.statistics.auc, Estimate::default());
    assert_eq!(m.statistics.specificity.value, None);
    assert_eq!(m.statistics.precision.value, None, "nothing was called positive");
    assert_eq!(m.report.macro_average.recall, None);
    assert!(m.roc.is_empty() && m.roc_band.is_empty());
    assert_eq!(quick(&[]).statistics.accuracy, Estimate::default());
}

/// 3 TP, 1 FN, 2 FP, 4 TN; 0.5 itself is called positive.
#[test]
fn counts_by_hand() {
    let m = quick(&scored_pictures(&[
        (true, 0.9),
        (true, 0.5),
        (true, 0.6),
        (true, 0.2),
        (false, 0.75),
        (false, 0.55),
        (false, 0.4),
        (false, 0.3),
        (false, 0.1),
        (false, 0.05),
    ]));
    assert_eq!((m.pictures, m.positives, m.negatives), (10, 4, 6));
    let c = m.confusion;
    assert_eq!((c.true_positive, c.false_negative, c.false_positive, c.true_negative), (3, 1, 2, 4));
    let s = &m.statistics;
    near(s.accuracy.value, 7.0 / 10.0);
    near(s.sensitivity.value, 3.0 / 4.0);
    near(s.specificity.value, 4.0 / 6.0);
    near(s.balanced_accuracy.value, (3.0 / 4.0 + 4.0 / 6.0) / 2.0);
    near(s.precision.value, 3.0 / 5.0);
    near(s.negative_precision.value, 4.0 / 5.0);
    let r = &m.report;
    near(r.positive.f1.value, 6.0 / 9.0);
    near(r.negative.f1.value, 8.0 / 11.0);
    near(r.macro_average.f1, (6.0 / 9.0 + 8.0 / 11.0) / 2.0);
    near(r.weighted_average.precision, (4.0 * 3.0 / 5.0 + 6.0 * 4.0 / 5.0) / 10.0);
    assert_eq!((r.positive.support, r.negative.support), (4, 6));
    assert_eq!((r.macro_average.support, r.weighted_average.support), (10, 10));
    // States: positives 0.9 red, 0.5 and 0.6 amber, 0.2 green; negatives 0.75 red, 0.55, 0.4 and 0.3
    // amber, the others green.
    near(s.sensitivity_not_negative.value, 3.0 / 4.0);
    near(s.specificity_not_positive.value, 5.0 / 6.0);
    near(s.refer_share.value, 5.0 / 10.0);
}

#[test]
fn calibration_by_hand() {
    let m = quick(&scored_pictures(&[(true, 0.95), (false, 0.95), (true, 1.0 - 1e-9), (false, 0.01)]));
    let brier = (0.05f64.powi(2) + 0.95f64.powi(2) + 1e-18 + 0.01f64.powi(2)) / 4.0;
    near(m.statistics.brier.value, brier);
    // Last bin: three pictures, mean score (0.95 + 0.95 + 1) / 3, two of three positive; first bin:
    // 0.01 against 0.
    let last = ((1.9 + 1.0 - 1e-9) / 3.0 - 2.0f64 / 3.0).abs();
    near(m.statistics.ece.value, 0.75 * last + 0.25 * 0.01);
    assert_eq!(m.reliability.len(), 15);
    assert_eq!((m.reliability[0].count, m.reliability[14].count), (1, 3));
    near(m.reliability[14].share_positive, 2.0 / 3.0);
    assert_eq!(m.reliability[7].mean_score, None);
    // The bins meet and reach from 0 to 1, which is in the last one.
    for (i, bin) in m.reliability.iter().enumerate() {
        near(Some(bin.from), i as f64 / 15.0);
        near(Some(bin.to), (i as f64 + 1.0) / 15.0);
    }
    let certain = ScoredPicture { logit: 99.0, ..scored_picture("p", true, 1.0) };
    assert_eq!(quick(&[certain]).reliability[14].count, 1);
}

/// Scores that overlap, `copies` pictures a patient.
fn noisy(patients: usize, copies: usize) -> Vec<ScoredPicture> {
    (0..patients)
        .flat_map(|p| {
            let label = p % 2 == 0;
            let score = 0.05 + 0.9 * ((p * 37 % patients) as f64 / patients as f64);
            let score = if label { 0.6 * score + 0.35 } else { 0.65 * score };
            (0..copies).map(move |_| scored_picture(&format!("p{p}"), label, score))
        })
        .collect()
}

fn width(e: Estimate) -> f64 {
    e.high.unwrap() - e.low.unwrap()
}

#[test]
fn intervals_hold_the_estimate_and_shrink_with_patients() {
    let (few, many) = (quick(&noisy(60, 1)), quick(&noisy(600, 1)));
    for m in [&few, &many] {
        let s = &m.statistics;
        for e in [s.auc, s.accuracy, s.sensitivity, s.specificity, s.brier, s.average_precision] {
            let (v, low, high) = (e.value.unwrap(), e.low.unwrap(), e.high.unwrap());
            assert!(low <= v && v <= high && low < high, "{e:?}");
        }
        for b in &m.roc_band {
            assert!(b.low <= b.high && (0.0..=1.0).contains(&b.low) && b.high <= 1.0, "{b:?}");
        }
        assert_eq!(m.roc_band.len(), 101);
        assert_eq!([0, 1, 50, 100].map(|i| m.roc_band[i].fpr), [0.0, 0.01, 0.5, 1.0]);
    }
    // The width goes with one over the root of the number of patients: 3.16 times.
    let ratio = width(few.statistics.sensitivity) / width(many.statistics.sensitivity);
    assert!((2.2..4.5).contains(&ratio), "{ratio}");
}

/// The accuracy of 1,600 patients, of whom half are called right, is a mean of independent draws:
/// its 95 % interval is 0.5 and 1.96 standard errors to both sides. Other tails than 2.5 and 97.5 %
/// give others: 5 and 95 % give 1.64, 16 and 84 % give 0.99.
#[test]
fn the_interval_of_a_proportion_is_that_of_the_normal_approximation() {
    let n = 1600;
    let answers: Vec<(bool, f64)> = (0..n).map(|i| (i % 2 == 0, [0.9, 0.9, 0.1, 0.1][i % 4])).collect();
    let m = measure(&scored_pictures(&answers), &Bootstrap { resamples: 4000, seed: 11 });
    let (e, standard_error) = (m.statistics.accuracy, (0.25 / n as f64).sqrt());
    near(e.value, 0.5);
    for (end, sign) in [(e.low, -1.0), (e.high, 1.0)] {
        let errors = sign * (end.unwrap() - 0.5) / standard_error;
        assert!((1.86..2.06).contains(&errors), "{e:?}: {errors} standard errors");
    }
    // The band of the ROC curve is made with the same tails: a tenth of the negatives lie above
    // each step of a straight curve.
    let straight: Vec<(bool, f64)> = (0..n).map(|i| (i % 2 == 0, (i / 2 + 1) as f64 / n as f64)).collect();
    let m = measure(&scored_pictures(&straight), &Bootstrap { resamples: 2000, seed: 11 });
    let middle = m.roc_band[50];
    // Sensitivity at a false-positive rate: both the positives above the threshold and the
    // threshold itself vary.
    let errors = (middle.high - middle.low) / 2.0 / (2.0 * 0.25 / (n as f64 / 2.0)).sqrt();
    assert!((1.80..2.12).contains(&errors), "{middle:?}: {errors} standard errors");
}

/// Eight copies of each patient's picture say nothing new: the interval must be that of single
/// pictures, and about root eight wider than if the copies were taken for patients of their own.
#[test]
fn pictures_of_one_patient_are_drawn_together() {
    let together = noisy(80, 8);
    let mut apart = together.clone();
    for (i, r) in apart.iter_mut().enumerate() {
        r.patient = i.to_string();
    }
    let (single, together, apart) = (quick(&noisy(80, 1)), quick(&together), quick(&apart));
    assert_eq!(single.statistics.accuracy, together.statistics.accuracy);
    let ratio = width(together.statistics.auc) / width(apart.statistics.auc);
    assert!((2.2..3.6).contains(&ratio), "{ratio}");
    assert_eq!((together.patients, apart.patients, together.pictures), (80, 640, 640));
}

/// The mean of right answers is the accuracy, drawn the same way.
#[test]
fn the_mean_of_a_figure_has_the_interval_of_its_patients() {
    let (rows, bootstrap) = (noisy(60, 3), Bootstrap { resamples: 300, seed: 7 });
    let right = |r: &ScoredPicture| f64::from(u8::from(r.label == (r.score >= 0.5)));
    let figures: Vec<(&str, f64)> = rows.iter().map(|r| (&*r.patient, right(r))).collect();
    let (mean, accuracy) = (bootstrap.mean(&figures), measure(&rows, &bootstrap).statistics.accuracy);
    near(mean.value, accuracy.value.unwrap());
    near(mean.low, accuracy.low.unwrap());
    near(mean.high, accuracy.high.unwrap());
    assert_eq!(bootstrap.mean(&[]), Estimate::default());
    assert_eq!(
        bootstrap.mean(&[("p", 2.0), ("p", 4.0)]),
        Estimate { value: Some(3.0), low: None, high: None }
    );
}

#[test]
fn one_patient_gives_no_interval() {
    let same: Vec<ScoredPicture> =
        noisy(10, 1).into_iter().map(|r| ScoredPicture { patient: "p".into(), ..r }).collect();
    let auc = quick(&same).statistics.auc;
    assert!(auc.value.is_some() && auc.low.is_none() && auc.high.is_none());
    let two = quick(&scored_pictures(&[(true, 0.9), (true, 0.1)])).statistics.accuracy;
    assert_eq!((two.low, two.high), (Some(0.0), Some(1.0)), "two patients differ");
}

#[test]
fn the_seed_decides_and_the_number_of_threads_does_not() {
    let rows = noisy(50, 2);
    let on = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| measure(&rows, &Bootstrap { resamples: 200, seed }))
    };
    assert_eq!(on(1, 3), on(3, 3));
    assert_ne!(on(1, 3).statistics.auc.low, on(1, 4).statistics.auc.low);
}

prop_compose! {
    /// Scores on a coarse grid, so that ties are common.
    fn any_rows()(samples in prop::collection::vec((any::<bool>(), 1u32..40, 0u8..12), 2..60)) -> Vec<ScoredPicture> {
        samples.iter().map(|&(label, s, p)| scored_picture(&p.to_string(), label, f64::from(s) / 40.0)).collect()
    }
}

fn columns(rows: &[ScoredPicture]) -> (Vec<f64>, Vec<bool>) {
    (rows.iter().map(|r| r.logit).collect(), rows.iter().map(|r| r.label).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn auc_is_the_share_of_pairs_won(rows in any_rows()) {
        let (scores, labels) = columns(&rows);
        let (mut won, mut pairs) = (0.0, 0.0);
        for (&a, _) in scores.iter().zip(&labels).filter(|(_, l)| **l) {
            for (&b, _) in scores.iter().zip(&labels).filter(|(_, l)| !**l) {
                won += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                pairs += 1.0;
            }
        }
        prop_assert_eq!(auc(&scores, &labels), (pairs > 0.0).then(|| won / pairs));
        prop_assert_eq!(point(&rows).auc, auc(&scores, &labels));
    }

    #[test]
    fn auc_depends_on_order_only_and_turns_with_the_sign(rows in any_rows()) {
        let (scores, labels) = columns(&rows);
        let cubed: Vec<f64> = scores.iter().map(|s| s * s * s + 2.0 * s - 5.0).collect();
        let turned: Vec<f64> = scores.iter().map(|s| -s).collect();
        prop_assert_eq!(auc(&cubed, &labels), auc(&scores, &labels));
        if let Some(a) = auc(&scores, &labels) {
            prop_assert!((auc(&turned, &labels).unwrap() - (1.0 - a)).abs() < 1e-12);
        }
    }

    /// A resample is weights; a picture that was drawn three times counts as three pictures.
    #[test]
    fn a_weight_is_so_many_pictures(mut rows in any_rows(), weights in prop::collection::vec(0u32..4, 60)) {
        // Weights go by the table's order.
        rows.sort_by(|a, b| a.logit.total_cmp(&b.logit));
        let weights = &weights[..rows.len()];
        let repeated: Vec<ScoredPicture> =
            rows.iter().zip(weights).flat_map(|(r, &w)| (0..w).map(move |_| r.clone())).collect();
        let named = |s: Statistics<Option<f64>>| -> std::collections::BTreeMap<String, Option<f64>> {
            serde_json::from_value(serde_json::to_value(s).unwrap()).unwrap()
        };
        let (weighted, repeated) = (named(Statistics::of(&ScoreTable::new(&rows), weights)), named(point(&repeated)));
        for (name, value) in &weighted {
            let close = match (value, repeated[name]) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (a, b) => a.is_none() && b.is_none(),
            };
            prop_assert!(close, "{}: {:?} weighted, {:?} repeated", name, value, repeated[name]);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(rows in any_rows()) {
        let mut turned = rows.clone();
        turned.reverse();
        let (a, b) = (point(&rows), point(&turned));
        prop_assert_eq!(a.auc, b.auc);
        prop_assert_eq!(a.average_precision, b.average_precision);
        prop_assert_eq!(a.accuracy, b.accuracy);
    }

    #[test]
    fn the_curve_holds_the_area_and_all_shares_lie_between_0_and_1(rows in any_rows()) {
        let m = measure(&rows, &Bootstrap { resamples: 20, seed: 1 });
        let area: f64 = m.roc.windows(2).map(|w| (w[1].fpr - w[0].fpr) * (w[1].tpr + w[0].tpr) / 2.0).sum();
        if let Some(auc) = m.statistics.auc.value {
            prop_assert!((area - auc).abs() < 1e-9);
        }
        let text = serde_json::to_string(&m.statistics).unwrap();
        let all: std::collections::BTreeMap<String, Estimate> = serde_json::from_str(&text).unwrap();
        for (name, e) in all {
            for v in [e.value, e.low, e.high].into_iter().flatten() {
                prop_assert!((-1e-12..=1.0 + 1e-12).contains(&v), "{} {}", name, v);
            }
        }
        let c = m.confusion;
        let all = c.true_positive + c.false_negative + c.false_positive + c.true_negative;
        prop_assert_eq!(all as usize, rows.len());
        prop_assert_eq!(m.reliability.iter().map(|b| b.count).sum::<u64>() as usize, rows.len());
    }
}

#[test]
fn calibration_is_judged_at_the_pictures_own_share_of_disease() {
    // Scores that are probabilities at even odds, of pictures of which four in five are ill: of those with
    // a score of one half four in five are.
    let rows: Vec<(bool, f64)> = (0..100).map(|i| (i % 5 != 0, 0.5)).collect();
    let mut pictures = scored_pictures(&rows);
    let ece = |pictures: &[ScoredPicture]| {
        measure(pictures, &Bootstrap { resamples: 2, ..Bootstrap::default() }).statistics.ece.value
    };
    assert!((ece(&pictures).unwrap() - 0.3).abs() < 1e-6);
    at_own_share(&mut pictures, 0.5);
    assert!((pictures[0].probability - 0.8).abs() < 1e-6 && pictures[0].score == 0.5);
    assert!(ece(&pictures).unwrap() < 1e-6);
    // Where all are ill there are no odds.
    let mut ill = scored_pictures(&[(true, 0.5), (true, 0.7)]);
    at_own_share(&mut ill, 0.5);
    assert_eq!([ill[0].probability, ill[1].probability], [0.5, 0.7]);
}
