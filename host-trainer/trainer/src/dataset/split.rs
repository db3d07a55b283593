//! Which patients train and which validate: grouped, so that no patient and no duplicated file is
//! on both sides.
//!
//! Patients that share a byte-for-byte identical file form one group. A plain split draws groups in an
//! order that depends on the seed and the group's name alone, class by class, until the validation
//! share of each class is reached; folds deal that order out; a cluster of acquisition
//! ([`super::cluster`]) is held out whole.

use super::cluster::{ClusterFacts, clusters};
use super::sample::{Labelled, Sample};
use crate::random::{Purpose, SeededRng};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

/// One part of several, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    pub number: usize,
    pub of: usize,
}

impl FromStr for Fold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((number, of)) if (2..=100).contains(&of) && (1..=of).contains(&number) => {
                Ok(Self { number, of })
            }
            _ => Err("expected K/N with N from 2 to 100 and K from 1 to N, such as 2/5".into()),
        }
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// Which patients are for validation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// A share of each class.
    #[default]
    Share,
    /// One of several parts of equal size, class by class.
    PatientFold(Fold),
    /// One of as many clusters of pictures that were taken alike; small ones are joined, so there may be
    /// fewer.
    HeldOutCluster(Fold),
}

impl fmt::Display for SplitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share => f.write_str("a share of the patients"),
            Self::PatientFold(fold) => write!(f, "fold {fold} of the patients"),
            Self::HeldOutCluster(fold) => write!(f, "acquisition cluster {fold}, held out whole"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    #[error(
        "expected a cluster of 1 to {found}, got {asked}: small clusters were joined, and {found} are left; \
         take one of these, or other folds"
    )]
    NoSuchCluster { asked: usize, found: usize },
    #[error("all pictures fall into one cluster of acquisition, so none can be held out; take patient folds")]
    OneCluster,
    #[error(
        "expected {least} pictures at least, of both classes, to {to}; the split leaves {normal} NORMAL and {pneumonia} \
         PNEUMONIA; {patients}add pictures{few}"
    )]
    TooFew {
        least: usize,
        to: &'static str,
        normal: usize,
        pneumonia: usize,
        /// What to do where patients are taken for another's.
        patients: String,
        /// What else would help.
        few: &'static str,
    },
}

/// Fewest pictures that are to train, or to validate: with fewer, no figure says anything.
pub const LEAST_PICTURES: usize = 20;

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
    /// The clusters of acquisition, where one of them is held out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<ClusterFacts>,
}

impl Split {
    /// Draws a split with about `share` of each class for validation.
    pub fn draw<T: Labelled>(samples: &[T], share: f32, seed: u64) -> Self {
        let groups = Groups::of(samples);
        let mut validates = vec![false; samples.len()];
        for names in groups.by_class(samples, seed, 0) {
            let total: usize = names.iter().map(|name| groups.members[name].len()).sum();
            let mut drawn = 0;
            for name in names {
                if (drawn as f32) < share * total as f32 {
                    groups.members[name].iter().for_each(|&i| validates[i] = true);
                    drawn += groups.members[name].len();
                }
            }
        }
        groups.split(samples, seed, &validates, vec![])
    }

    /// The split of this kind; `share` is that of [`SplitKind::Share`].
    pub fn of_kind(kind: SplitKind, samples: &[Sample], share: f32, seed: u64) -> Result<Self, SplitError> {
        match kind {
            SplitKind::Share => Ok(Self::draw(samples, share, seed)),
            SplitKind::PatientFold(fold) => Ok(Self::patient_fold(samples, fold, seed)),
            SplitKind::HeldOutCluster(fold) => Self::held_out(samples, fold, seed),
        }
    }

    /// Each group goes to the fold that has the fewest pictures of its class so far.
    fn patient_fold(samples: &[Sample], fold: Fold, seed: u64) -> Self {
        let groups = Groups::of(samples);
        let mut validates = vec![false; samples.len()];
        for names in groups.by_class(samples, seed, 1) {
            let mut sizes = vec![0; fold.of];
            for name in names {
                let members = &groups.members[name];
                let smallest = (0..fold.of).min_by_key(|&f| sizes[f]).unwrap_or(0);
                sizes[smallest] += members.len();
                members.iter().for_each(|&i| validates[i] = smallest + 1 == fold.number);
            }
        }
        groups.split(samples, seed, &validates, vec![])
    }

    fn held_out(samples: &[Sample], fold: Fold, seed: u64) -> Result<Self, SplitError> {
        let groups = Groups::of(samples);
        let (of, facts) = clusters(samples, &groups.root_of, fold.of, seed);
        if facts.len() < 2 {
            return Err(SplitError::OneCluster);
        }
        if fold.number > facts.len() {
            return Err(SplitError::NoSuchCluster { asked: fold.number, found: facts.len() });
        }
        let validates: Vec<bool> = of.iter().map(|cluster| cluster + 1 == fold.number).collect();
        Ok(groups.split(samples, seed, &validates, facts))
    }

    /// An error where fewer than `least` pictures, or those of one class only, train or validate.
    /// `few` says what else would help where each side has both classes, such as an option.
    pub fn check<T: Labelled>(
        &self,
        samples: &[T],
        least: usize,
        few: &'static str,
    ) -> Result<(), SplitError> {
        let (train, validation) = self.indices(samples).unwrap_or_default();
        let sides = [("train", train), ("validate", validation)].map(|(to, side)| {
            let pneumonia = side.iter().filter(|&&i| samples[i].positive()).count();
            (to, side.len() - pneumonia, pneumonia)
        });
        let both_classes = sides.iter().all(|(_, normal, pneumonia)| *normal > 0 && *pneumonia > 0);
        let too_few = |(_, normal, pneumonia): &&(_, usize, usize)| {
            normal + pneumonia < least || *normal == 0 || *pneumonia == 0
        };
        let Some(&(to, normal, pneumonia)) = sides.iter().find(too_few) else { return Ok(()) };
        let mut pictures: BTreeMap<&str, usize> = BTreeMap::new();
        samples.iter().for_each(|sample| *pictures.entry(sample.patient()).or_default() += 1);
        let patients = match pictures.into_values().max().unwrap_or(0) {
            0 | 1 => String::new(),
            largest => format!(
                "{largest} pictures are taken for one patient's: where that is not so, name the patients with \
                 --patients FILE; else "
            ),
        };
        let few = if both_classes { few } else { "" };
        Err(SplitError::TooFew { least, to, normal, pneumonia, patients, few })
    }

    /// The indices into `samples` of training and of validation samples; none where a stored id is
    /// not in the data any more.
    pub fn indices<T: Labelled>(&self, samples: &[T]) -> Option<(Vec<usize>, Vec<usize>)> {
        let by_id: HashMap<&str, usize> = samples.iter().enumerate().map(|(i, c)| (c.id(), i)).collect();
        let find =
            |ids: &[String]| ids.iter().map(|id| by_id.get(id.as_str()).copied()).collect::<Option<Vec<_>>>();
        Some((find(&self.train)?, find(&self.validation)?))
    }

    /// A patient of whom some samples train and others validate: there is none among those that the split
    /// was drawn by.
    pub fn torn<'a>(&self, samples: &'a [Sample]) -> Option<&'a str> {
        let (train, validation) = self.indices(samples)?;
        let learned: HashSet<&str> = train.into_iter().map(|i| samples[i].patient.as_str()).collect();
        validation.into_iter().map(|i| samples[i].patient.as_str()).find(|patient| learned.contains(patient))
    }

    /// How many of these groups, of samples by their ids, both train and validate.
    pub fn divided(&self, groups: &[Vec<String>]) -> usize {
        let learned: HashSet<&str> = self.train.iter().map(String::as_str).collect();
        let trains = |id: &String| learned.contains(id.as_str());
        groups.iter().filter(|group| group.iter().any(trains) && !group.iter().all(trains)).count()
    }

    /// The validation samples in two halves of the same shares of classes, by groups: what score and
    /// thresholds are fitted on, and what is reported on. Both in the order of `samples`.
    pub fn halves(&self, samples: &[Sample]) -> Option<(Vec<usize>, Vec<usize>)> {
        let (_, validation) = self.indices(samples)?;
        let validation: HashSet<usize> = validation.into_iter().collect();
        let groups = Groups::of(samples);
        let (mut fitted, mut reported) = (Vec::new(), Vec::new());
        for names in groups.by_class(samples, self.seed, 2) {
            let members = names.iter().map(|name| &groups.members[name]);
            for (number, group) in members.filter(|group| validation.contains(&group[0])).enumerate() {
                let half = if number % 2 == 0 { &mut fitted } else { &mut reported };
                half.extend_from_slice(group);
            }
        }
        fitted.sort_unstable();
        reported.sort_unstable();
        Some((fitted, reported))
    }
}

/// Patients with all whom they share a file with.
struct Groups<'a> {
    /// For each sample the index of its group's first sample.
    root_of: Vec<usize>,
    /// A group is named by its first patient in sorted order, whatever order the files came in.
    members: BTreeMap<&'a str, Vec<usize>>,
    duplicates: usize,
}

impl<'a> Groups<'a> {
    fn of<T: Labelled>(samples: &'a [T]) -> Self {
        let (root_of, duplicates) = roots(samples);
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, &root) in root_of.iter().enumerate() {
            members.entry(samples[root].patient()).or_default().push(index);
        }
        Self { root_of, members, duplicates }
    }

    /// The names of each class's groups in a drawn order. A group with samples of both classes is drawn
    /// with the class of its first sample.
    fn by_class<T: Labelled>(&self, samples: &[T], seed: u64, draw: u64) -> [Vec<&'a str>; 2] {
        [false, true].map(|positive| {
            let mine = self.members.iter().filter(|(_, m)| samples[m[0]].positive() == positive);
            let mut names: Vec<&str> = mine.map(|(name, _)| *name).collect();
            SeededRng::new(seed, Purpose::Split, draw, u64::from(positive)).shuffle(&mut names);
            names
        })
    }

    fn split<T: Labelled>(
        &self,
        samples: &[T],
        seed: u64,
        validates: &[bool],
        clusters: Vec<ClusterFacts>,
    ) -> Split {
        let ids = |validation: bool| {
            let mine = samples.iter().zip(validates).filter(|(_, v)| **v == validation);
            let mut ids: Vec<String> = mine.map(|(sample, _)| sample.id().to_owned()).collect();
            ids.sort();
            ids
        };
        let (train, validation) = (ids(false), ids(true));
        Split { seed, train, validation, duplicate_groups: self.duplicates, clusters }
    }
}

/// For each sample the index of its group's sample with the smallest patient name, and how many
/// contents occur twice or more.
fn roots<T: Labelled>(samples: &[T]) -> (Vec<usize>, usize) {
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
        let patient = *first_of_patient.entry(sample.patient()).or_insert(i);
        let content = first_of_content.entry(*sample.content()).or_insert((i, 0));
        content.1 += 1;
        for other in [patient, content.0] {
            let (a, b) = (root(&mut parent, i), root(&mut parent, other));
            let (low, high) = if samples[a].patient() <= samples[b].patient() { (a, b) } else { (b, a) };
            parent[high] = low;
        }
    }
    let duplicates = first_of_content.values().filter(|(_, count)| *count > 1).count();
    ((0..samples.len()).map(|i| root(&mut parent, i)).collect(), duplicates)
}
