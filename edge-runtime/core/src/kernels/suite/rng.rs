//! Random numbers by their number: SplitMix64 (Steele, Lea, Flood 2014), the same on every machine.

pub(super) struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number of `low..=high`.
    pub fn range(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        let at = self.range(0, from.len().saturating_sub(1));
        from.get(at).copied().unwrap_or(otherwise)
    }

    /// Fills bytes: mostly random, sometimes all at one end or jumping between both.
    pub fn bytes(&mut self, to: &mut [u8]) {
        match self.range(0, 9) {
            0 => to.fill(255),
            1 => to.fill(0),
            2 => to.iter_mut().for_each(|b| *b = if self.next().is_multiple_of(2) { 0 } else { 255 }),
            _ => to.iter_mut().for_each(|b| *b = self.next() as u8),
        }
    }

    /// Fills weights up to `most` either way: mostly random, sometimes all at one end or jumping
    /// between both.
    pub fn weights(&mut self, to: &mut [i8], most: i8) {
        match self.range(0, 9) {
            0 => to.fill(most),
            1 => to.fill(-most),
            2 => to.iter_mut().for_each(|w| *w = if self.next().is_multiple_of(2) { -most } else { most }),
            _ => {
                let values = 2 * u64::from(most.unsigned_abs()) + 1;
                to.iter_mut().for_each(|w| *w = ((self.next() % values) as i16 - i16::from(most)) as i8);
            }
        }
    }

    /// A multiplier under which accumulators up to `largest` fill the output's range, miss it by
    /// far, or fall on ties.
    pub fn multiplier(&mut self, largest: f32) -> f32 {
        match self.range(0, 9) {
            0 => 0.5,
            1 => 0.25,
            2 => 1.0 / 1024.0,
            3 => 1e-9,
            // The contract's bound: products stay below 2^22.
            4 => (4e6 / largest).min(1.0),
            _ => {
                let part = (self.next() >> 40) as f32 / (1u32 << 24) as f32;
                (255.0 / largest.max(1.0)) * (0.5 + 8.0 * part)
            }
        }
    }
}
