//! Intervals of measured shares, for every program that says how sure a figure is.

/// Normal quantile of a two-sided 95 % interval.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's interval ("Probable inference", J. Am. Stat. Assoc. 22, 1927) for `count` of `total`, at
/// the normal quantile `z`: shares of 0..=1. It holds for few cases and for none or all of them.
/// None where `total` is 0 or less than `count`.
pub fn wilson(count: usize, total: usize, z: f64) -> Option<(f64, f64)> {
    if total == 0 || count > total {
        return None;
    }
    let (n, p) = (total as f64, count as f64 / total as f64);
    let scale = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / scale;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / scale;
    // Rounding may step over the ends, which are exact for none and for all.
    let low = if count == 0 { 0.0 } else { (centre - half).clamp(0.0, p) };
    let high = if count == total { 1.0 } else { (centre + half).clamp(p, 1.0) };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_by_hand_and_at_the_ends() {
        // Newcombe (Stat. Med. 17, 1998), table I, method 3.
        for (count, total, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (a, b) = wilson(count, total, Z_95).unwrap();
            assert!((a - low).abs() < 5e-5 && (b - high).abs() < 5e-5, "{count} of {total}: {a} {b}");
        }
        assert_eq!(wilson(20, 20, Z_95).unwrap().1, 1.0);
        assert_eq!((wilson(0, 0, Z_95), wilson(3, 2, Z_95)), (None, None));
    }
}
