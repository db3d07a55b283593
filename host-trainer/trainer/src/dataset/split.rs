//! Which patients train and which validate: grouped, so that no patient and no duplicated file is
//! on both sides.
//!
//! Patients that share a byte-for-byte identical file form one group. Groups are drawn in an order
//! that depends on the seed and the group's name alone, class by class, until the validation share
//! of each class is reached.

use super::sample::Sample;
use crate::random::{Purpose, SeededRng};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A stored split, by sample ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    pub seed: u64,
    /// Ids of samples to learn from, sorted.
    pub train: Vec<String>,
    /// Ids of samples to validate on, sorted.
    pub validation: Vec<String>,
    /// Groups of two or more samples with identical content.
    pub duplicate_groups: usize,
}

impl Split {
    /// Draws a split with about `share` of each class for validation.
    pub fn draw(samples: &[Sample], share: f32, seed: u64) -> Self {
        let (group_of, duplicate_groups) = groups(samples);
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, &root) in group_of.iter().enumerate() {
            // A group is named by its first patient in sorted order, whatever order the files came
            // in.
            members.entry(samples[root].patient.as_str()).or_default().push(index);
        }
        let mut split = Self { seed, train: vec![], validation: vec![], duplicate_groups };
        for positive in [false, true] {
            // A group with samples of both classes is drawn with the class of its first sample.
            let mut names: Vec<&str> = members
                .iter()
                .filter(|(_, m)| samples[m[0]].positive == positive)
                .map(|(name, _)| *name)
                .collect();
            SeededRng::new(seed, Purpose::Split, 0, u64::from(positive)).shuffle(&mut names);
            let total: usize = names.iter().map(|name| members[name].len()).sum();
            let mut drawn = 0;
            for name in names {
                let wanted = (drawn as f32) < share * total as f32;
                let side = if wanted { &mut split.validation } else { &mut split.train };
                side.extend(members[name].iter().map(|&i| samples[i].id.clone()));
                drawn += if wanted { members[name].len() } else { 0 };
            }
        }
        split.train.sort();
        split.validation.sort();
        split
    }

    /// The indices into `samples` of training and of validation samples; none where a stored id is
    /// not in the data any more.
    pub fn indices(&self, samples: &[Sample]) -> Option<(Vec<usize>, Vec<usize>)> {
        let by_id: HashMap<&str, usize> =
            samples.iter().enumerate().map(|(i, c)| (c.id.as_str(), i)).collect();
        let find =
            |ids: &[String]| ids.iter().map(|id| by_id.get(id.as_str()).copied()).collect::<Option<Vec<_>>>();
        Some((find(&self.train)?, find(&self.validation)?))
    }
}

/// For each sample the index of its group's sample with the smallest patient name, and how many
/// contents occur twice or more.
fn groups(samples: &[Sample]) -> (Vec<usize>, usize) {
    let mut parent: Vec<usize> = (0..samples.len()).collect();
    fn root(parent: &mut [usize], mut i: usize) -> usize {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }
    let mut first_of_patient = HashMap::new();
    let mut first_of_content: HashMap<[u8; 32], (usize, usize)> = HashMap::new();
    for (i, sample) in samples.iter().enumerate() {
        let patient = *first_of_patient.entry(sample.patient.as_str()).or_insert(i);
        let content = first_of_content.entry(sample.content).or_insert((i, 0));
        content.1 += 1;
        for other in [patient, content.0] {
            let (a, b) = (root(&mut parent, i), root(&mut parent, other));
            let (low, high) = if samples[a].patient <= samples[b].patient { (a, b) } else { (b, a) };
            parent[high] = low;
        }
    }
    let duplicates = first_of_content.values().filter(|(_, count)| *count > 1).count();
    ((0..samples.len()).map(|i| root(&mut parent, i)).collect(), duplicates)
}
