//! Area under the ROC curve: the share of pairs, one ill and one healthy, that scores put in order.

use super::rates::Rate;
use edge_model::intervals::Z_95;

/// The area with its 95 % interval: Newcombe's method 5 (Stat. Med. 25, 2006, page 559), which is to
/// Hanley and McNeil's variance what Wilson's interval is to the binomial one, and holds where every
/// pair is in order. Equal scores count half. None where there are not both kinds.
pub fn auc(ill: &[f32], healthy: &[f32]) -> Option<Rate> {
    let pairs = ill.len() * healthy.len();
    if pairs == 0 {
        return None;
    }
    let mut sorted = healthy.to_vec();
    sorted.sort_by(f32::total_cmp);
    let in_order: f64 = ill
        .iter()
        .map(|score| {
            let below = sorted.partition_point(|other| other < score);
            (below + sorted.partition_point(|other| other <= score)) as f64 / 2.0
        })
        .sum();
    let estimate = in_order / pairs as f64;
    let more = (ill.len() + healthy.len()) as f64 / 2.0 - 1.0;
    let variance = |area: f64| {
        let others = more * ((1.0 - area) / (2.0 - area) + area / (1.0 + area));
        area * (1.0 - area) * (1.0 + others) / pairs as f64
    };
    // The areas that the estimate is within z deviations of; each end by halving.
    let within = |area: f64| (estimate - area).abs() <= Z_95 * variance(area).sqrt();
    let end = |outside: f64| {
        let (mut outside, mut inside) = (outside, estimate);
        for _ in 0..60 {
            let middle = f64::midpoint(outside, inside);
            if within(middle) { inside = middle } else { outside = middle }
        }
        inside
    };
    Some(Rate { estimate, low: end(0.0), high: end(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_and_equal_ones_by_half() {
        let area = |ill: &[f32], healthy: &[f32]| auc(ill, healthy).map(|rate| rate.estimate);
        assert_eq!(area(&[0.9, 0.4], &[0.1, 0.5]), Some(0.75));
        assert_eq!(area(&[0.5], &[0.5, 0.1]), Some(0.75));
        assert_eq!((area(&[], &[0.1]), area(&[0.1], &[])), (None, None));
    }

    /// Each end is where the distance to the estimate is 1.96 of Hanley and McNeil's deviations, written
    /// here from the two pair probabilities of their paper.
    #[test]
    fn ends_are_as_far_as_they_must_be() {
        let scores = |n: usize, from: usize| (0..n).map(|i| (i + from) as f32 / 100.0).collect::<Vec<_>>();
        for (ill, healthy, moved) in [(40, 40, 25), (30, 30, 5), (20, 20, 40)] {
            let found = auc(&scores(ill, moved), &scores(healthy, 0)).unwrap();
            for end in [found.low, found.high] {
                let (q1, q2) = (end / (2.0 - end), 2.0 * end * end / (1.0 + end));
                let n = ill as f64 - 1.0;
                let deviation = ((end * (1.0 - end) + n * (q1 - end * end) + n * (q2 - end * end))
                    / (ill * healthy) as f64)
                    .sqrt();
                let far = (found.estimate - end).abs() / deviation.max(f64::MIN_POSITIVE);
                assert!(end == 1.0 || (far - 1.96).abs() < 1e-3, "{found:?}: {far}");
            }
        }
        let perfect = auc(&scores(20, 40), &scores(20, 0)).unwrap();
        assert!(perfect.high == 1.0 && (0.7..0.95).contains(&perfect.low), "{perfect:?}");
        let reversed = auc(&scores(20, 0), &scores(20, 40)).unwrap();
        assert!(reversed.low == 0.0 && (0.05..0.3).contains(&reversed.high), "{reversed:?}");
    }
}
