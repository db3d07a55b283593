//! Pictures that the model is not for, shown beside those that it learns from: a second head learns to
//! tell them apart, so that the features say it too, which the gate weighs over the same cells (outlier
//! exposure, Hendrycks, Mazeika and Dietterich 2019). No answer is asked for these pictures, and
//! nothing of the head is kept.

use crate::augment::batches::{Batch, Changes};
use crate::dataset::Sample;
use crate::random::{Purpose, SeededRng};
use edge_core::gate::FEATURE_SIDE;
use edge_model::model_file::sha256_hex;
use tch::{Reduction, Tensor};

/// So many beside the pictures of each step.
const EACH_STEP: usize = 16;

/// Groups of pictures that the model is not for; each is drawn from as often as the others.
#[derive(Debug)]
pub struct OtherPictures {
    samples: Vec<Sample>,
    /// First sample of each group, and the one behind its last.
    groups: Vec<(usize, usize)>,
    /// Of the head's loss beside the network's own.
    weight: f64,
}

impl OtherPictures {
    /// None where no group has a picture.
    pub fn new(groups: Vec<Vec<Sample>>, weight: f64) -> Option<Self> {
        let mut samples = vec![];
        let mut bounds = vec![];
        for group in groups.into_iter().filter(|group| !group.is_empty()) {
            let first = samples.len();
            samples.extend(group);
            bounds.push((first, samples.len()));
        }
        (!bounds.is_empty()).then_some(Self { samples, groups: bounds, weight })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.samples.len()
    }

    /// SHA-256 over the pictures' own hashes, in their order.
    pub fn sha256(&self) -> String {
        let hashes: Vec<[u8; 32]> = self.samples.iter().map(|sample| sample.content).collect();
        sha256_hex(hashes.as_flattened())
    }

    /// Those beside batch `index` of an epoch, `key` its seed and number: inputs of `side` squared bytes,
    /// changed as training pictures are.
    pub fn beside(&self, (seed, number): (u64, u64), index: usize, film: f64, side: u16) -> Vec<Vec<u8>> {
        let mut rng = SeededRng::new(seed, Purpose::Others, number, index as u64);
        let drawn: Vec<usize> = (0..EACH_STEP)
            .map(|at| {
                let (first, end) = self.groups[at % self.groups.len()];
                first + rng.below(end - first)
            })
            .collect();
        // A picture that another step draws again is changed otherwise.
        let number = number.wrapping_mul(1 << 20).wrapping_add(index as u64);
        let changes = Changes::of_epoch(seed, number).with_film(film);
        Batch::make(&self.samples, &drawn, changes, &[side]).pictures.remove(0)
    }

    /// The head's loss, weighed: `familiar` are its logits for pictures of a batch, which are to be 1, and
    /// for the others behind them, 0; both count the same.
    pub fn loss(&self, familiar: &Tensor) -> Tensor {
        let entropy = |logits: Tensor, wanted: f64| {
            let wanted = logits.full_like(wanted);
            let none = None::<&Tensor>;
            logits.binary_cross_entropy_with_logits(&wanted, none, none, Reduction::Mean)
        };
        let others = EACH_STEP as i64;
        let own = familiar.size()[0] - others;
        let both = entropy(familiar.narrow(0, 0, own), 1.0) + entropy(familiar.narrow(0, own, others), 0.0);
        both * (self.weight / 2.0)
    }
}

/// How many parameters the head has over `channels` features.
pub fn head_size(channels: i64) -> i64 {
    cells() * cells() * channels + 1
}

/// The head's logits, shape N: `features` of shape N x channels x side x side, weighed cell by cell and
/// channel by channel as the gate does it.
pub fn head(features: &Tensor, parameters: &Tensor) -> Tensor {
    let cells = features.adaptive_avg_pool2d([cells(); 2]).flatten(1, -1);
    let count = cells.size()[1];
    cells.matmul(&parameters.narrow(0, 0, count)) + parameters.narrow(0, count, 1)
}

fn cells() -> i64 {
    FEATURE_SIDE as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::phantoms;
    use crate::gate::cells;
    use std::collections::HashSet;

    fn others(weight: f64) -> OtherPictures {
        let samples = phantoms::load(8, 32).samples;
        let (first, second) = samples.split_at(2);
        OtherPictures::new(vec![first.to_vec(), vec![], second.to_vec()], weight).unwrap()
    }

    #[test]
    fn groups_are_drawn_from_alike_and_a_key_gives_the_same_pictures() {
        let beside = |key, index| others(1.0).beside(key, index, 0.25, 32);
        let pictures = beside((1, 3), 5);
        assert_eq!((pictures.len(), pictures[0].len()), (EACH_STEP, 32 * 32));
        assert_eq!(pictures, beside((1, 3), 5));
        // Steps, epochs and seeds have others.
        let elsewhere = [beside((1, 3), 6), beside((1, 4), 5), beside((2, 3), 5)];
        assert!(elsewhere.iter().all(|other| *other != pictures));
        // Half of each step is of the first group, however small it is.
        let different =
            |first: usize| pictures.iter().skip(first).step_by(2).collect::<HashSet<&Vec<u8>>>().len();
        assert!(different(0) <= 2 && different(1) > 2, "{} {}", different(0), different(1));
        assert!(OtherPictures::new(vec![vec![], vec![]], 1.0).is_none());
        assert_ne!(
            others(1.0).sha256(),
            OtherPictures::new(vec![phantoms::load(6, 32).samples], 1.0).unwrap().sha256()
        );
    }

    #[test]
    fn own_pictures_and_others_count_the_same() {
        let (own, other) = (vec![2.0f32; 24], vec![-1.0f32; EACH_STEP]);
        let familiar = Tensor::from_slice(&[own, other].concat());
        let entropy = |z: f64| (1.0 + (-z).exp()).ln();
        let found = others(0.5).loss(&familiar).double_value(&[]);
        // Either group's mean, whatever the number: logits of 2 for 1, of -1 for 0.
        let expected = 0.5 * (entropy(2.0) + entropy(1.0)) / 2.0;
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn the_head_weighs_what_the_gate_weighs() {
        let (side, channels) = (8usize, 3usize);
        let bytes: Vec<u8> = (0..side * side * channels).map(|at| (at * 37 % 251) as u8).collect();
        let sums = cells::<FEATURE_SIDE>(&bytes, channels, 0.0).unwrap();
        // The gate's cells hold channel by channel, the head's cell by cell.
        let count = FEATURE_SIDE * FEATURE_SIDE;
        let weights: Vec<f32> = (0..count * channels).map(|at| (at % 7) as f32 - 3.0).collect();
        let area = (side / FEATURE_SIDE).pow(2) as f32;
        let expected: f32 = (0..count * channels)
            .map(|at| sums[at] / area * weights[at % channels * count + at / channels])
            .sum();
        let features = Tensor::from_slice(&bytes.iter().map(|&v| f32::from(v)).collect::<Vec<_>>());
        let features = features.view([1, side as i64, side as i64, channels as i64]).permute([0, 3, 1, 2]);
        let parameters = Tensor::from_slice(&[weights, vec![0.5]].concat());
        assert_eq!(parameters.size(), [head_size(channels as i64)]);
        let found = head(&features, &parameters).double_value(&[0]);
        assert!((found - f64::from(expected) - 0.5).abs() < 1e-2, "{found} {expected}");
    }
}
