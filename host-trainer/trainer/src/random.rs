//! Random draws that depend on a key alone: (seed, purpose, epoch, index) gives the same numbers on
//! every machine, in every order of calls and on any number of threads. That is what lets a resumed
//! run equal an uninterrupted one.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What the draws are for; keeps the streams of one seed apart.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum Purpose {
    /// Which patients are for validation.
    Split = 1,
    Weights = 2,
    /// Order of the training pictures within an epoch.
    Order = 3,
    /// Changes made to a training picture.
    Augment = 4,
    /// Changes made to a picture of the shifted validation set.
    Shift = 5,
    /// Which training pictures calibrate the quantizer.
    Calibrate = 6,
    /// Which patients a bootstrap resample draws.
    Resample = 7,
    /// Which pictures the robustness table is measured on.
    Sample = 8,
    /// Pictures that the gate is fitted on.
    Gate = 9,
    /// Pictures that the gate's report is measured on.
    GateReport = 10,
    /// How much of a neighbour is mixed into the pictures of a training batch.
    Mix = 11,
    /// Which part of a picture is covered by lot.
    Cover = 12,
    /// A photograph of the film, in training and in the film validation set.
    Film = 13,
    /// First centres of clusters.
    Cluster = 14,
    /// Pictures that the model is not for, beside a training batch.
    Others = 15,
}

/// A ChaCha8 generator seeded with a key. Trained weights follow from its sequences: how a draw is
/// made from its words must not change.
#[derive(Debug)]
pub struct SeededRng(ChaCha8Rng);

impl SeededRng {
    pub fn new(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> Self {
        let mut key = [0; 32];
        for (slot, word) in key.chunks_exact_mut(8).zip([seed, purpose as u64, epoch, index]) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in 0..1, with 24 bits.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1u32 << 24) as f32
    }

    /// Uniform in low..high, with 24 bits between them.
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with this probability.
    pub fn bernoulli(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.unit()).cos()
    }

    /// Uniform in 0..n; 0 for n = 0. The bias of the multiplication is below n / 2^32.
    pub fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// A random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trained weights, splits and phantoms follow from these numbers; a change of them is another
    /// model.
    #[test]
    fn a_key_gives_the_numbers_that_it_always_gave() {
        let mut rng = SeededRng::new(1, Purpose::Augment, 2, 3);
        assert_eq!(rng.unit().to_bits(), 0x3f6a_fc36);
        assert_eq!(rng.uniform(-1.0, 3.0).to_bits(), 0xbe9e_c0c8);
        // Two draws, through the platform's logarithm and cosine.
        assert!((rng.normal() - f32::from_bits(0xbe4b_8822)).abs() < 1e-6);
        assert_eq!((rng.bernoulli(0.5), rng.below(1000)), (false, 200));
        let mut order = [0, 1, 2, 3, 4, 5, 6, 7];
        rng.shuffle(&mut order);
        assert_eq!(order, [2, 6, 4, 0, 5, 1, 7, 3]);
        let weight = SeededRng::new(1, Purpose::Weights, 0, 0).normal();
        assert!((weight - f32::from_bits(0xbe9f_1196)).abs() < 1e-6);
    }
}
