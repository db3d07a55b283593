//! A number with its interval: how resamples become one, and how both are written in a terminal.

use edge_model::intervals::{Z_95, wilson};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The tails of a 95 % interval.
const TAILS: [f64; 2] = [0.025, 0.975];

/// Resamples that are nearer to each other say nothing of chance.
const LEAST_WIDTH: f64 = 1e-9;

/// An interval is only stated where at least this share of the resamples defines the number.
const LEAST_DEFINED: f64 = 0.95;

/// A number with its 95 % interval; each is none where undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// On the data as they are.
    pub value: Option<f64>,
    /// 2.5 % quantile over the resamples, or the lower end of Wilson's interval.
    pub low: Option<f64>,
    /// 97.5 % quantile, or the upper end.
    pub high: Option<f64>,
}

impl Estimate {
    /// `value` with the percentile interval of `resamples`. Where these agree, as they do on 20 of 20,
    /// they would give an interval without a width. A share of none or all of `patients` then has Wilson's
    /// for so many, each counted once; anything else has none.
    pub(super) fn resampled(
        value: Option<f64>,
        resamples: impl ExactSizeIterator<Item = Option<f64>>,
        patients: Option<usize>,
    ) -> Self {
        let all = resamples.len();
        let defined: Vec<f64> = resamples.flatten().collect();
        if value.is_none() || defined.is_empty() || (defined.len() as f64) < LEAST_DEFINED * all as f64 {
            return Self { value, low: None, high: None };
        }
        let [low, high] = interval(defined);
        if low.zip(high).is_some_and(|(low, high)| high - low > LEAST_WIDTH) {
            return Self { value, low, high };
        }
        let (low, high) = value.zip(patients).and_then(|(value, patients)| extreme(value, patients)).unzip();
        Self { value, low, high }
    }
}

/// Wilson's 95 % interval where `share` is none or all of `total`.
fn extreme(share: f64, total: usize) -> Option<(f64, f64)> {
    match share {
        0.0 => wilson(0, total, Z_95),
        1.0 => wilson(total, total, Z_95),
        _ => None,
    }
}

/// The 95 % percentile interval of `values`, in any order; none of no values.
pub(super) fn interval(mut values: Vec<f64>) -> [Option<f64>; 2] {
    values.sort_by(f64::total_cmp);
    TAILS.map(|q| quantile(&values, q))
}

/// The `q` quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996).
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q * (sorted.len().checked_sub(1)? as f64);
    let (below, part) = (at.floor() as usize, at.fract());
    let low = *sorted.get(below)?;
    Some(sorted.get(below + 1).map_or(low, |high| low + (high - low) * part))
}

/// `0.953 (0.931 to 0.972)`, `0.953` without interval, `-` where undefined.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, self.low, self.high) {
            (Some(v), Some(low), Some(high)) => f.pad(&format!("{v:.3} ({low:.3} to {high:.3})")),
            _ => f.pad(&three_decimals(self.value)),
        }
    }
}

/// Three decimals, `-` where undefined.
pub(in crate::evaluate) fn three_decimals(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_cuts_a_fortieth_off_each_end_and_lies_between_neighbours() {
        let up_to = |most: u32| (0..=most).rev().map(f64::from).collect();
        assert_eq!(interval(up_to(40)), [Some(1.0), Some(39.0)]);
        assert_eq!(interval(up_to(10)), [Some(0.25), Some(9.75)]);
        assert_eq!(interval(vec![7.0]), [Some(7.0); 2]);
        assert_eq!(interval(Vec::new()), [None; 2]);
    }

    #[test]
    fn what_one_resample_in_twenty_leaves_undefined_has_an_interval_still() {
        let of = |value, undefined: usize| {
            let resamples = (0..20).map(|i| (i >= undefined).then_some((i % 2) as f64));
            Estimate::resampled(value, resamples.collect::<Vec<_>>().into_iter(), None).low
        };
        assert_eq!([0, 1, 2].map(|undefined| of(Some(0.5), undefined)), [Some(0.0), Some(0.0), None]);
        assert_eq!(of(None, 0), None, "no interval of no number");
    }

    #[test]
    fn resamples_that_agree_are_no_certainty() {
        let of = |value, patients| {
            let Estimate { low, high, .. } =
                Estimate::resampled(Some(value), vec![Some(value); 40].into_iter(), patients);
            low.zip(high).map(|ends| [ends.0, ends.1].map(|end| (end * 1e4).round() / 1e4))
        };
        // By scipy: binomtest(20, 20).proportion_ci(0.95, "wilson"), and of 0.
        assert_eq!(of(1.0, Some(20)), Some([0.8389, 1.0]));
        assert_eq!(of(0.0, Some(20)), Some([0.0, 0.1611]));
        assert_eq!((of(0.5, Some(20)), of(1.0, None), of(1.0, Some(0))), (None, None, None));
        let none = Estimate::resampled(Some(1.0), Vec::new().into_iter(), Some(20));
        assert_eq!(none.low, None, "no resamples were asked for");
    }

    #[test]
    fn a_number_is_written_with_its_interval_if_it_has_one() {
        let full = Estimate { value: Some(0.9531), low: Some(0.9312), high: Some(0.9718) };
        assert_eq!(format!("{full:25}|"), "0.953 (0.931 to 0.972)   |");
        assert_eq!(format!("{:>7}", Estimate { low: None, ..full }), "  0.953");
        assert_eq!(Estimate::default().to_string(), "-");
    }
}
