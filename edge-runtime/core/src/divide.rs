//! Division by a number that stays the same: a multiplication by its reciprocal and one correction,
//! exact.
//!
//! A microcontroller divides 64 bits in software, in about a hundred instructions; every cell of
//! every frame needs one such division.

/// A divisor below 2^31, and what dividing by it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Divisor {
    by: u32,
    /// `2^(31 + bits) / by`, rounded down, where `2^(bits - 1) < by <= 2^bits`: its top bit is set.
    reciprocal: u32,
    /// Bits of the number that the estimate leaves out.
    dropped: u32,
    /// Bits of the product's upper half that are below the quotient.
    below: u32,
}

impl Divisor {
    /// `by` is taken as at least 2.
    pub fn new(by: u32) -> Self {
        let by = by.max(2);
        let bits = 32 - (by - 1).leading_zeros();
        let reciprocal = ((1u64 << (31 + bits)) / u64::from(by)) as u32;
        let dropped = bits.saturating_sub(16);
        Self { by, reciprocal, dropped, below: bits - 1 - dropped }
    }

    /// `number / by`, rounded down, for a number below `by * 2^16`.
    ///
    /// Without the dropped bits the number fits 32, and leaving them out takes less than 2^-15 from
    /// the quotient, as does rounding the reciprocal down. So the estimate is right or one too
    /// small, which the rest tells.
    #[inline]
    pub fn quotient(&self, number: u64) -> u32 {
        // The masks tell the compiler what holds anyway, and make one shift of several.
        let kept = (number >> (self.dropped & 31)) as u32;
        let product = u64::from(kept) * u64::from(self.reciprocal);
        let estimate = (product >> 32) as u32 >> (self.below & 31);
        let rest = (number as u32).wrapping_sub(estimate.wrapping_mul(self.by));
        estimate.wrapping_add(u32::from(rest >= self.by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers around every kind of border: multiples of the divisor, powers of two, the largest.
    fn numbers(by: u32) -> impl Iterator<Item = u64> {
        let most = u64::from(by) << 16;
        let multiples = (0..=16).map(move |bit| u64::from(by) << bit);
        let odd = (0..997).map(move |k| u64::from(by) * (k * 65 + 7));
        let near = |n: u64| [n.saturating_sub(1), n, n + 1];
        multiples.chain(odd).chain((0..48).map(|bit| 1 << bit)).flat_map(near).filter(move |n| *n < most)
    }

    fn divisors() -> impl Iterator<Item = u32> {
        let powers = (1..31).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        (2..3000).chain(powers.filter(|by| *by >= 2)).chain([76_800, 307_200, 1_000_003, 64_000_000])
    }

    #[test]
    fn equals_the_division() {
        for by in divisors() {
            let divisor = Divisor::new(by);
            for number in numbers(by) {
                assert_eq!(u64::from(divisor.quotient(number)), number / u64::from(by), "{number} / {by}");
            }
        }
    }

    /// The test above bites: without the correction some quotients are one too small.
    #[test]
    fn the_correction_is_needed() {
        let wrong = |by: u32| {
            let divisor = Divisor::new(by);
            let estimate = |number: u64| {
                let product = u64::from((number >> divisor.dropped) as u32) * u64::from(divisor.reciprocal);
                (product >> 32) >> divisor.below
            };
            numbers(by).any(|number| estimate(number) != number / u64::from(by))
        };
        assert!(divisors().any(wrong));
    }
}
