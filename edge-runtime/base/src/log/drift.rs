//! Have the scores moved? The population stability index between a reference and the newest scores.
//!
//! `PSI = sum over bins of (a - e) ln(a / e)`, e and a being a bin's shares in reference and newest
//! scores (Siddiqi, "Credit Risk Scorecards", 2006, who calls 0.1 to 0.25 some change and more a
//! large one). Bins are the reference's deciles. Even without any change the index of n and m
//! independent scores is about chi-squared with (bins - 1) degrees of freedom times (1/n + 1/m)
//! (Yurdakul, "Statistical Properties of Population Stability Index", 2018): what chance alone
//! explains is no drift.

use serde::Serialize;

/// 95 % quantiles of chi-squared with 1 to 9 degrees of freedom.
const CHI_SQUARED_95: [f64; 9] = [3.841, 5.991, 7.815, 9.488, 11.070, 12.592, 14.067, 15.507, 16.919];

pub(super) const LEAST: usize = 50;

/// How far the newest scores are from a reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// Population stability index; 0 where the shares are equal.
    pub psi: f64,
    /// What it stays below in 95 of 100 cases if nothing changed and frames are independent, which
    /// successive ones are not.
    pub by_chance: f64,
    /// `none`, `some` or `much`: above chance and above 0.1 or 0.25.
    pub level: &'static str,
    /// Scores in the reference; none for a training distribution, whose size the model does not
    /// say.
    pub reference: Option<usize>,
    pub newest: usize,
    /// Each bin: scores up to which it goes, share in the reference, share in the newest.
    pub bins: Vec<Bin>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Greatest score in it; 1 for the last.
    pub up_to: f32,
    /// Share of the reference, 0..=1.
    pub reference: f64,
    /// Share of the newest scores, 0..=1.
    pub newest: f64,
}

/// Nine scores that cut `scores` into ten equal parts; none for none.
pub(super) fn deciles(scores: &[f32]) -> Option<[f32; 9]> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f32::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some(std::array::from_fn(|i| sorted[((i + 1) * sorted.len()).div_ceil(10).saturating_sub(1).min(last)]))
}

/// Compares `newest` with a reference: its deciles, and its scores where they are there (else a
/// tenth lies in each bin). None where there are fewer than 50 of either, or the deciles do not
/// rise.
pub fn drift(deciles: &[f32; 9], reference: Option<&[f32]>, newest: &[f32]) -> Option<Drift> {
    let enough = newest.len() >= LEAST && reference.is_none_or(|scores| scores.len() >= LEAST);
    if !enough || deciles.iter().any(|d| !d.is_finite()) || !deciles.is_sorted() {
        return None;
    }
    // Deciles that coincide make one bin of their tenths; the last bin has no upper edge.
    let mut edges: Vec<(f32, f64)> = Vec::new();
    for &edge in deciles {
        match edges.last_mut() {
            Some((last, share)) if *last == edge => *share += 0.1,
            _ => edges.push((edge, 0.1)),
        }
    }
    edges.push((f32::INFINITY, 0.1));
    let shares = |scores: &[f32]| -> Vec<f64> {
        let mut counts = vec![0.5; edges.len()]; // half a score more in each: an empty bin has no logarithm
        for score in scores {
            // No score is above the last edge.
            counts[edges.partition_point(|(edge, _)| edge < score)] += 1.0;
        }
        let total: f64 = counts.iter().sum();
        counts.iter().map(|count| count / total).collect()
    };
    let expected = reference.map_or_else(|| edges.iter().map(|(_, share)| *share).collect(), shares);
    let actual = shares(newest);
    let psi = expected.iter().zip(&actual).map(|(e, a)| (a - e) * (a / e).ln()).sum::<f64>();
    let one_over = 1.0 / newest.len() as f64 + reference.map_or(0.0, |scores| 1.0 / scores.len() as f64);
    let freedom = edges.len() - 1; // at least one: nine deciles make two bins or more
    let by_chance = CHI_SQUARED_95[freedom.clamp(1, 9) - 1] * one_over;
    let level = match psi {
        _ if psi <= by_chance || psi <= 0.1 => "none",
        _ if psi <= 0.25 => "some",
        _ => "much",
    };
    let bins = edges.iter().zip(expected.iter().zip(&actual));
    let bins = bins.map(|(edge, (&reference, &newest))| Bin { up_to: edge.0.min(1.0), reference, newest });
    Some(Drift {
        psi,
        by_chance,
        level,
        reference: reference.map(<[f32]>::len),
        newest: newest.len(),
        bins: bins.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores spread evenly from `from` to `to`, not in order.
    fn even(n: usize, from: f32, to: f32) -> Vec<f32> {
        (0..n).map(|i| from + (to - from) * ((i * 7919) % n) as f32 / n as f32).collect()
    }

    #[test]
    fn known_values() {
        let ninths: [f32; 9] = std::array::from_fn(|i| (i + 1) as f32 / 10.0);
        let same = drift(&ninths, None, &even(1000, 0.0, 1.0)).unwrap();
        assert!(same.psi < 1e-4 && same.level == "none", "{same:?}");
        // All in the upper half: five bins of a fifth, five of nothing.
        let moved = drift(&ninths, None, &even(1000, 0.5001, 1.0)).unwrap();
        let (full, empty) = (200.5f64 / 1005.0, 0.5f64 / 1005.0);
        let by_hand = 5.0 * (full - 0.1) * (full / 0.1).ln() + 5.0 * (empty - 0.1) * (empty / 0.1).ln();
        assert!((moved.psi - by_hand).abs() < 0.02, "{} {by_hand}", moved.psi);
        assert_eq!(moved.level, "much");
        assert!((same.by_chance - 16.919 / 1000.0).abs() < 1e-12);
    }

    /// Above 0.1 and 0.25, and above what chance alone explains.
    #[test]
    fn levels_are_those_of_both_limits() {
        let tenths: [f32; 9] = std::array::from_fn(|i| (i + 1) as f32 / 10.0);
        for (low, high, between, level) in [
            (70, 130, 0.08..0.1, "none"),
            (60, 140, 0.1..0.25, "some"),
            (50, 150, 0.25..0.3, "much"),
            // Fifty scores may be as far by chance.
            (3, 7, 0.1..0.25, "none"),
        ] {
            // Five bins of so many, then five of the others.
            let bin = |i: usize| std::iter::repeat_n((i as f32 + 0.5) / 10.0, if i < 5 { low } else { high });
            let found = drift(&tenths, None, &(0..10).flat_map(bin).collect::<Vec<_>>()).unwrap();
            assert!(between.contains(&found.psi) && found.level == level, "{found:?}");
        }
    }

    #[test]
    fn deciles_are_those_of_the_nearest_rank() {
        let scores = even(100, 0.0, 1.0);
        let found = deciles(&scores).unwrap();
        assert!(
            found.iter().enumerate().all(|(i, d)| (d - (i as f32 * 0.1 + 0.09)).abs() < 1e-6),
            "{found:?}"
        );
        assert_eq!(deciles(&[]), None);
        assert_eq!(deciles(&[0.5]), Some([0.5; 9]));
    }

    #[test]
    fn ties_and_wrong_references_give_a_number_or_none() {
        let tied = drift(&[0.5; 9], None, &[0.5; 60]).unwrap();
        assert_eq!(tied.bins.len(), 2);
        assert!((tied.bins[0].reference - 0.9).abs() < 1e-9 && tied.psi.is_finite());
        // A score on an edge lies below it; two bins have one degree of freedom.
        assert!((tied.bins[0].newest - 60.5 / 61.0).abs() < 1e-9);
        assert!((tied.by_chance - 3.841 / 60.0).abs() < 1e-9);
        let far = [f32::NEG_INFINITY, f32::INFINITY, f32::NAN].repeat(20);
        assert!(drift(&[0.5; 9], None, &far).unwrap().psi.is_finite());
        assert_eq!(drift(&[0.5; 9], None, &[0.5; 49]), None);
        let mut wrong = [0.5; 9];
        wrong[3] = 0.1;
        assert_eq!(drift(&wrong, None, &[0.5; 60]), None);
        wrong[3] = f32::NAN;
        assert_eq!(drift(&wrong, None, &[0.5; 60]), None);
    }
}
