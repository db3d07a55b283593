//! From logits of validation patients to a calibrated score, thresholds and the gate's limits.
//!
//! Score: Platt scaling (Platt 1999, with his smoothed targets), written as temperature and bias.
//! Thresholds: order statistics of the scores. Each picture counts once as it is and once shifted, so
//! that both hold for more than one installation.
//!
//! Thresholds for new patients ([`for_new_patients`]) are conformal: from validation patients that are
//! held apart for it and not reported on, or from predictions out of fold (then they hold for new
//! patients of the folds' networks, and for the exported one as far as it is like these). Where there
//! are too few patients to promise anything, both are fitted on the validation patients that are then
//! reported: metadata and report say so.
//!
//! A score is a probability where as many have the disease as have not: how common it is where a device
//! stands nobody knows beforehand, and the share in the data is that of a hospital's archive.

use crate::dataset::Sample;
use edge_core::decide::{Calibration, Thresholds};
use edge_core::gate::GateThresholds;
use edge_model::prevalence::PriorShift;
use std::collections::{BTreeMap, HashSet};

/// Share of positives that may be called NEGATIVE.
pub const MISSED: f64 = 0.02;
/// Share of negatives that may be called POSITIVE.
pub const FALSE_ALARMS: f64 = 0.05;

/// Share of pneumonia at which a score is a probability.
pub const PREVALENCE: f64 = 0.5;

/// One judged picture.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub logit: f32,
    /// True for pneumonia.
    pub positive: bool,
    pub patient: &'a str,
}

/// Score and thresholds for patients that none of these cases is of; a list of cases a condition.
///
/// The thresholds are split-conformal, class by class (Mondrian; Vovk, Gammerman and Shafer,
/// "Algorithmic Learning in a Random World", 2005, section 4.5). The unit is the patient, since
/// pictures of one patient are not exchangeable with those of others: a patient counts with the
/// picture that is hardest for the promise. With n patients of a class and `k = floor((n + 1) a)`,
/// a new patient's hardest score lies beyond the k-th of theirs with a probability of at most
/// `k / (n + 1) <= a`; where k is 0 nothing can be promised and the light is never lit. Of the
/// conditions' thresholds the more careful ones are taken, so the promise holds under each of them.
pub fn for_new_patients(conditions: &[Vec<Case>]) -> (Calibration, Thresholds) {
    let all = || conditions.iter().flatten();
    let logits: Vec<f32> = all().map(|case| case.logit).collect();
    let labels: Vec<bool> = all().map(|case| case.positive).collect();
    let calibration = fit_at_even_odds(&logits, &labels);
    let mut careful = Thresholds { negative_below: 1.0, positive_above: 0.0 };
    for cases in conditions {
        let found = conformal(cases, &calibration);
        careful.negative_below = careful.negative_below.min(found.negative_below);
        careful.positive_above = careful.positive_above.max(found.positive_above);
    }
    (calibration, uncrossed(careful))
}

/// Whether there are enough patients of each class for [`for_new_patients`] to light both answers.
pub fn can_promise(cases: &[Case]) -> bool {
    [(true, MISSED), (false, FALSE_ALARMS)].into_iter().all(|(positive, share)| {
        let of: HashSet<&str> =
            cases.iter().filter(|case| case.positive == positive).map(|case| case.patient).collect();
        rank(of.len(), share) > 0
    })
}

/// How many of `count` patients may lie beyond a limit that a new one passes by a chance of `share`. A hair
/// more than the product: 0.02 * 50 must be 1 whatever binary fractions make of it.
fn rank(count: usize, share: f64) -> usize {
    ((count + 1) as f64 * share + 1e-9) as usize
}

/// The thresholds of one condition; they may cross.
fn conformal(cases: &[Case], calibration: &Calibration) -> Thresholds {
    // The hardest picture of each patient of a class: the lowest of the ill, the highest of the healthy.
    let hardest = |positive: bool| {
        let mut of: BTreeMap<&str, f32> = BTreeMap::new();
        for case in cases.iter().filter(|case| case.positive == positive) {
            let score = calibration.score(case.logit);
            let worst = of.entry(case.patient).or_insert(score);
            *worst = if positive { worst.min(score) } else { worst.max(score) };
        }
        let mut scores: Vec<f32> = of.into_values().collect();
        scores.sort_by(f32::total_cmp);
        scores
    };
    let (ill, healthy) = (hardest(true), hardest(false));
    let low = rank(ill.len(), MISSED).checked_sub(1).and_then(|at| ill.get(at));
    let high = healthy.len().checked_sub(rank(healthy.len(), FALSE_ALARMS));
    let high = high.and_then(|at| healthy.get(at));
    Thresholds { negative_below: low.copied().unwrap_or(0.0), positive_above: high.copied().unwrap_or(1.0) }
}

/// Where the classes are so well apart that the thresholds cross, they change places, which keeps both
/// promises.
fn uncrossed(t: Thresholds) -> Thresholds {
    Thresholds {
        negative_below: t.negative_below.min(t.positive_above),
        positive_above: t.positive_above.max(t.negative_below),
    }
}

/// [`fit`], moved to [`PREVALENCE`] by Bayes' rule; of one class alone there are no odds to move.
pub fn fit_at_even_odds(logits: &[f32], labels: &[bool]) -> Calibration {
    let fitted = fit(logits, labels);
    let share = labels.iter().filter(|&&l| l).count() as f64 / labels.len().max(1) as f64;
    if share <= 0.0 || share >= 1.0 {
        return fitted;
    }
    PriorShift { prevalence: PREVALENCE, fitted_prevalence: share }.calibration(fitted)
}

/// Fits `score = 1 / (1 + exp(-(logit / T + b)))` by Newton's method on the cross-entropy.
pub fn fit(logits: &[f32], labels: &[bool]) -> Calibration {
    let positives = labels.iter().filter(|&&l| l).count() as f64;
    let negatives = labels.len() as f64 - positives;
    // Platt's targets keep the fit finite where the classes are separable.
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let (mut slope, mut bias) = (1.0f64, 0.0f64);
    for _ in 0..50 {
        let (mut g, mut h) = ([0.0; 2], [1e-9, 0.0, 1e-9]);
        for (&z, &label) in logits.iter().zip(labels) {
            let z = f64::from(z);
            let p = 1.0 / (1.0 + (-(slope * z + bias)).exp());
            let (error, weight) = (p - if label { high } else { low }, (p * (1.0 - p)).max(1e-12));
            g[0] += error * z;
            g[1] += error;
            h[0] += weight * z * z;
            h[1] += weight * z;
            h[2] += weight;
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        let step = [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
        // A bounded step: Newton's method overshoots far from the optimum.
        slope = (slope - step[0].clamp(-0.5, 0.5)).max(1e-3);
        bias -= step[1].clamp(-1.0, 1.0);
    }
    Calibration { temperature: (1.0 / slope) as f32, bias: bias as f32 }
}

/// The widest lights that keep to [`MISSED`] and [`FALSE_ALARMS`] on these scores.
///
/// `negative_below` leaves at most that share of positives below it, `positive_above` at most that
/// share of negatives above it.
pub fn thresholds(scores: &[f32], labels: &[bool]) -> Thresholds {
    let of = |label: bool| {
        let mut sorted: Vec<f32> =
            scores.iter().zip(labels).filter(|(_, l)| **l == label).map(|(s, _)| *s).collect();
        sorted.sort_by(f32::total_cmp);
        sorted
    };
    let (positives, negatives) = (of(true), of(false));
    let missed = (MISSED * positives.len() as f64) as usize;
    let alarms = (FALSE_ALARMS * negatives.len() as f64) as usize;
    let low = positives.get(missed).copied().unwrap_or(0.0);
    let high = negatives.len().checked_sub(alarms + 1).map_or(1.0, |i| negatives[i]);
    uncrossed(Thresholds { negative_below: low, positive_above: high })
}

/// What the thresholds promise of these people, for the metadata.
pub fn chosen_for(whom: &str) -> String {
    format!(
        "{whom}: at most {:.0} % of pneumonia NEGATIVE, at most {:.0} % of normal POSITIVE",
        100.0 * MISSED,
        100.0 * FALSE_ALARMS
    )
}

/// GateThresholds with room around the training pictures: half the lowest mean and deviation,
/// halfway from the highest mean to white, a quarter more than the longest shape, and never tighter
/// than 5:2 (training files may have been squashed to squares), halfway from the most clipped
/// picture to half of all cells clipped.
///
/// Blur and likeness are left open.
pub fn limits(samples: &[Sample], indices: &[usize]) -> GateThresholds<Vec<i8>> {
    let stats = || indices.iter().map(|&i| samples[i].input.stats);
    let lowest = stats().map(|s| s.mean).min().unwrap_or(0);
    let highest = stats().map(|s| s.mean).max().unwrap_or(u16::MAX);
    let flattest = stats().map(|s| s.deviation).min().unwrap_or(0);
    let longest = indices.iter().map(|&i| {
        let (width, height) = samples[i].size;
        u32::from(width.max(height)) * 1000 / u32::from(width.min(height)).max(1)
    });
    GateThresholds {
        min_mean: lowest / 2,
        max_mean: highest + (u16::MAX - highest) / 2,
        min_deviation: (flattest / 2).max(1),
        max_elongation_permille: (longest.max().unwrap_or(1000) * 5 / 4).max(2500),
        max_black_permille: roomy(stats().map(|s| s.black_permille).max()),
        max_white_permille: roomy(stats().map(|s| s.white_permille).max()),
        // What needs the exported network, or many more pictures, is set by the gate's own step.
        ..GateThresholds::open()
    }
}

/// A limit of clipped cells, in thousandths, with room above what was seen.
fn roomy(most: Option<u16>) -> u16 {
    let most = most.unwrap_or(0).min(1000);
    most.max(most.midpoint(500))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ModelInput, phantoms};
    use crate::random::{Purpose, SeededRng};
    use edge_core::PixelStats;
    use edge_core::gate::LinearDetector;

    /// Logits from a known slope and bias, labels drawn by the true probability.
    fn drawn(slope: f32, bias: f32) -> (Vec<f32>, Vec<bool>) {
        let mut rng = SeededRng::new(3, Purpose::Calibrate, 0, 0);
        let logits: Vec<f32> = (0..20_000).map(|_| 3.0 * rng.normal()).collect();
        let labels =
            logits.iter().map(|z| rng.bernoulli(1.0 / (1.0 + (-(slope * z + bias)).exp()))).collect();
        (logits, labels)
    }

    #[test]
    fn finds_the_temperature_and_bias_that_labels_were_drawn_with() {
        let (logits, labels) = drawn(0.5, -1.0);
        let found = fit(&logits, &labels);
        assert!((found.temperature - 2.0).abs() < 0.1, "{found:?}");
        assert!((found.bias + 1.0).abs() < 0.08, "{found:?}");
        // A fit that looked at wrong labels would be found.
        let flipped: Vec<bool> = labels.iter().map(|l| !l).collect();
        assert!((fit(&logits, &flipped).temperature - 2.0).abs() > 0.5);
    }

    /// Two logits have as many parameters as the curve, so that it goes through Platt's targets: of
    /// `n` positives `(n + 1) / (n + 2)`, of `n` negatives `1 / (n + 2)`.
    #[test]
    fn the_targets_are_platts() {
        let found = fit(&[-1.0, 1.0, 1.0], &[false, true, true]);
        // log(2/1) on one side of 0, log(3/1) on the other.
        let (slope, bias) = ((3f32.ln() + 2f32.ln()) / 2.0, (3f32.ln() - 2f32.ln()) / 2.0);
        assert!((found.temperature - 1.0 / slope).abs() < 1e-5, "{found:?}");
        assert!((found.bias - bias).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn separable_and_one_sided_data_give_finite_numbers() {
        for labels in [[false, false, true, true], [true; 4], [false; 4]] {
            let found = fit(&[-9.0, -8.0, 8.0, 9.0], &labels);
            assert!(found.temperature > 0.0 && found.temperature.is_finite() && found.bias.is_finite());
        }
    }

    #[test]
    fn thresholds_are_the_widest_that_keep_both_promises() {
        // Positives from 0.01 to 1, negatives from 0 to 0.99: two of the first may lie below, five of the
        // second above.
        let scores: Vec<f32> = (1..=100).chain(0..100).map(|percent| percent as f32 / 100.0).collect();
        let labels: Vec<bool> = (0..200).map(|i| i < 100).collect();
        let found = thresholds(&scores, &labels);
        assert_eq!((found.negative_below, found.positive_above), (0.03, 0.94));
        assert!(
            chosen_for("validation patients")
                .ends_with("at most 2 % of pneumonia NEGATIVE, at most 5 % of normal POSITIVE")
        );
    }

    #[test]
    fn thresholds_keep_both_promises() {
        let (logits, labels) = drawn(1.0, 0.0);
        let scores: Vec<f32> = logits.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect();
        let t = thresholds(&scores, &labels);
        let share = |label: bool, of: &dyn Fn(f32) -> bool| {
            let class: Vec<f32> =
                scores.iter().zip(&labels).filter(|(_, l)| **l == label).map(|(s, _)| *s).collect();
            class.iter().filter(|s| of(**s)).count() as f64 / class.len() as f64
        };
        let (missed, alarms) =
            (share(true, &|s| s < t.negative_below), share(false, &|s| s > t.positive_above));
        assert!(missed <= MISSED && missed > MISSED - 0.01, "{missed}");
        assert!(alarms <= FALSE_ALARMS && alarms > FALSE_ALARMS - 0.01, "{alarms}");
        // Well apart: the lights widen until they would cross, and never beyond.
        let t = thresholds(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]);
        assert!(t.negative_below <= t.positive_above && t.negative_below > 0.1 && t.positive_above < 0.9);
    }

    #[test]
    fn conformal_ranks_are_those_counted_by_hand() {
        let calibration = Calibration { temperature: 1.0, bias: 0.0 };
        let names: Vec<String> = (0..99).map(|i| format!("p{i}")).collect();
        let of = |positive: bool, count: usize| {
            let case = move |(i, patient): (usize, &'_ String)| (i as f32 / 10.0, positive, patient.clone());
            names.iter().take(count).enumerate().map(case).collect::<Vec<_>>()
        };
        let found = |ill: usize, healthy: usize| {
            let all = [of(true, ill), of(false, healthy)].concat();
            let cases: Vec<Case> = all
                .iter()
                .map(|(logit, positive, patient)| Case { logit: *logit, positive: *positive, patient })
                .collect();
            conformal(&cases, &calibration)
        };
        // 99 patients: floor(100 * .02) = 2, the second lowest; floor(100 * .05) = 5, the fifth highest.
        let t = found(99, 99);
        assert_eq!(t.negative_below, calibration.score(0.1));
        assert_eq!(t.positive_above, calibration.score(9.4));
        // 49 ill are just enough, 48 are not; 19 healthy are, 18 are not: then the light is never lit.
        assert_eq!(found(49, 19).negative_below, calibration.score(0.0));
        assert_eq!(found(49, 19).positive_above, calibration.score(1.8));
        assert_eq!(found(48, 18), Thresholds { negative_below: 0.0, positive_above: 1.0 });
    }

    #[test]
    fn at_even_odds_a_score_is_the_likelihood_ratio() {
        // Four in five are ill; of these and of the others the same share lies at each logit, so no picture
        // says anything, and at even odds every score is one half.
        let logits: Vec<f32> = (0..1000).map(|i| (i % 10) as f32 - 4.5).collect();
        let labels: Vec<bool> = (0..1000).map(|i| i / 10 % 5 != 0).collect();
        let at = |fitted: Calibration| [-4.5, 0.0, 4.5].map(|z| fitted.score(z));
        for score in at(fit_at_even_odds(&logits, &labels)) {
            assert!((score - 0.5).abs() < 0.01, "{score}");
        }
        // The comparison bites: as fitted, it is the share.
        assert!(at(fit(&logits, &labels)).iter().all(|score| (score - 0.8).abs() < 0.01));
        let one = [true; 4];
        assert_eq!(fit_at_even_odds(&[1.0, 2.0, 3.0, 4.0], &one), fit(&[1.0, 2.0, 3.0, 4.0], &one));
    }

    /// Draws patients of three pictures each, who differ more than their pictures do.
    fn patients(count: usize, seed: u64) -> Vec<(String, bool, [f32; 3])> {
        let mut rng = SeededRng::new(seed, Purpose::Calibrate, 0, 1);
        let one = |i: usize| {
            let positive = i.is_multiple_of(2);
            let middle = if positive { 1.5 } else { -1.5 } + rng.normal();
            (format!("p{i}"), positive, [0; 3].map(|_| middle + 0.5 * rng.normal()))
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn new_patients_are_promised_what_new_patients_get() {
        // Many small fits, each on 200 patients, each looked at on 200 others: the promise is one on
        // average over such fits.
        let shares: Vec<[f64; 4]> = (0..60)
            .map(|round| {
                let (known, new) = (patients(200, 2 * round), patients(200, 2 * round + 1));
                let cases: Vec<Case> = known
                    .iter()
                    .flat_map(|(patient, positive, logits)| {
                        logits.map(|logit| Case { logit, positive: *positive, patient })
                    })
                    .collect();
                let (calibration, conformal) = for_new_patients(std::slice::from_ref(&cases));
                let scores: Vec<f32> = cases.iter().map(|case| calibration.score(case.logit)).collect();
                let labels: Vec<bool> = cases.iter().map(|case| case.positive).collect();
                let plain = thresholds(&scores, &labels);
                let share = |positive: bool, wrong: &dyn Fn(f32) -> bool| {
                    let mine = || new.iter().filter(|(_, p, _)| *p == positive);
                    let hit = |z: &[f32; 3]| z.iter().any(|z| wrong(calibration.score(*z)));
                    mine().filter(|(_, _, z)| hit(z)).count() as f64 / mine().count() as f64
                };
                [
                    share(true, &|s| s < conformal.negative_below),
                    share(false, &|s| s > conformal.positive_above),
                    share(true, &|s| s < plain.negative_below),
                    share(false, &|s| s > plain.positive_above),
                ]
            })
            .collect();
        let mean = |at: usize| shares.iter().map(|s| s[at]).sum::<f64>() / shares.len() as f64;
        // Both bounds leave room for three standard errors of the mean.
        assert!(mean(0) <= MISSED + 0.008 && mean(0) > 0.005, "{}", mean(0));
        assert!(mean(1) <= FALSE_ALARMS + 0.012 && mean(1) > 0.02, "{}", mean(1));
        // The comparison bites: order statistics over pictures promise patients more than they get.
        assert!(mean(2) > MISSED + 0.008 && mean(3) > FALSE_ALARMS + 0.012, "{} {}", mean(2), mean(3));
    }

    /// Samples of these exposures and sizes.
    fn samples(seen: &[(PixelStats, (u16, u16))]) -> Vec<Sample> {
        let first = &phantoms::load(1, 32).samples[0];
        let make = |&(stats, size): &(PixelStats, (u16, u16))| {
            let input = ModelInput { stats, ..first.input.clone() };
            Sample { size, input, ..first.clone() }
        };
        seen.iter().map(make).collect()
    }

    #[test]
    fn limits_stand_half_way_between_what_was_seen_and_what_is_no_picture() {
        let stats = |mean, deviation, black_permille, white_permille| PixelStats {
            mean,
            deviation,
            black_permille,
            white_permille,
        };
        let samples = samples(&[
            (stats(20_000, 9_000, 100, 0), (300, 200)),
            (stats(45_535, 5_000, 300, 20), (200, 800)),
            // Not a training picture: more extreme in everything.
            (stats(10, 10, 900, 900), (30, 900)),
        ]);
        let found = limits(&samples, &[0, 1]);
        assert_eq!((found.min_mean, found.max_mean, found.min_deviation), (10_000, 55_535, 2_500));
        assert_eq!(found.max_elongation_permille, 5_000, "a quarter more than 4:1");
        assert_eq!((found.max_black_permille, found.max_white_permille), (400, 260));
        // Never tighter than 5:2, and never below what was seen.
        let found = limits(&samples, &[0]);
        assert_eq!(found.max_elongation_permille, 2_500);
        assert_eq!(limits(&samples, &[2]).max_black_permille, 900);
        // The rest is the gate's own step.
        assert_eq!((found.min_sharpness, &found.layout), (0, &LinearDetector::default()));
    }
}
