//! The phantom's only source of chance: SplitMix64 (Steele, Lea and Flood 2014), integer, the same
//! on every machine.

#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    /// A stream of its own for each pair of `seed` and `stream`.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = Self(seed ^ stream.wrapping_mul(0xD605_BBB5_8C8A_BC03));
        rng.0 = rng.bits();
        rng
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1, in steps of 2^-24 so that the conversion is exact.
    pub(super) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 16_777_216.0
    }

    /// Uniform in `low..high`.
    pub(super) fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True in a share `p` of the calls.
    pub(super) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// -1 or 1.
    pub(super) fn sign(&mut self) -> f32 {
        if self.chance(0.5) { -1.0 } else { 1.0 }
    }

    /// Mean 0, variance 1, never beyond 3.5: the sum of four 16-bit uniforms (Irwin-Hall), as good
    /// as a normal variable for film grain and body measures, and free of `ln` and `cos`.
    pub(super) fn normal(&mut self) -> f32 {
        let bits = self.bits();
        let sum = (0..4).map(|i| ((bits >> (16 * i)) & 0xFFFF) as i32).sum::<i32>();
        (sum - 131_070) as f32 * (1.732_050_8 / 65_536.0)
    }

    /// A measure that varies between children: `mean` with deviation `spread`, cut at two
    /// deviations.
    pub(super) fn about(&mut self, mean: f32, spread: f32) -> f32 {
        mean + spread * self.normal().clamp(-2.0, 2.0)
    }
}
