//! Pictures that are there more than once: the same file, or another file of the same film.
//!
//! The second is told by a perceptual hash, the difference hash (Krawetz 2013): whether it gets
//! brighter from each cell of a coarse grid to the next. It has 16 by 16 comparisons in place of the
//! usual 8 by 8, because chests are all alike: of 13.6 million pairs of different films of Kermany's
//! training data, 775 have the very same 64 bits, and none differs in fewer than 13 of 256. Copies
//! that were scaled, coded again at quality 30 or toned differ in 0 to 12, nineteen of twenty in 7
//! or fewer.

use super::findings::{Findings, Groups};
use super::sample::{Labelled, Sample, WORKING_SIDE};
use std::collections::HashMap;

/// Comparisons in each direction.
const GRID: usize = 16;
/// Most bits in which copies of one film differ.
const MOST_BITS: u32 = 8;

/// A difference hash, a row of comparisons after the other.
pub type Look = [u64; 4];

/// What is compared of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub id: String,
    pub patient: String,
    pub positive: bool,
    /// SHA-256 of the file.
    pub content: [u8; 32],
    pub look: Look,
}

/// What data hold, without their pictures.
#[derive(Debug)]
pub struct Survey {
    pub prints: Vec<Fingerprint>,
    /// The form, and what was noticed.
    pub notes: Vec<String>,
    pub findings: Findings,
}

impl Fingerprint {
    pub fn of(sample: &Sample) -> Self {
        Self {
            id: sample.id.clone(),
            patient: sample.patient.clone(),
            positive: sample.positive,
            content: sample.content,
            look: look(&sample.working),
        }
    }

    /// What goes into the data's own hash.
    pub(super) fn hashed(&self) -> (&str, bool, &[u8; 32]) {
        (&self.id, self.positive, &self.content)
    }
}

impl Labelled for Fingerprint {
    fn id(&self) -> &str {
        &self.id
    }

    fn patient(&self) -> &str {
        &self.patient
    }

    fn positive(&self) -> bool {
        self.positive
    }

    fn content(&self) -> &[u8; 32] {
        &self.content
    }
}

/// The hash of [`WORKING_SIDE`] squared grey pixels.
pub fn look(working: &[u8]) -> Look {
    let side = usize::from(WORKING_SIDE);
    let mut look = [0; 4];
    let edge = |at: usize, cells: usize| at * side / cells;
    for y in 0..GRID {
        let mean = |x: usize| {
            let (left, right) = (edge(x, GRID + 1), edge(x + 1, GRID + 1));
            let rows = working.chunks_exact(side).skip(edge(y, GRID)).take(side / GRID);
            let sum: u32 = rows.flat_map(|row| &row[left..right]).map(|&grey| u32::from(grey)).sum();
            // Cells differ in width by a pixel; a mean in 1/256 of a step is exact enough to compare.
            256 * sum / ((right - left) * (side / GRID)) as u32
        };
        let mut before = mean(0);
        for x in 0..GRID {
            let next = mean(x + 1);
            let bit = y * GRID + x;
            look[bit / 64] |= u64::from(next > before) << (bit % 64);
            before = next;
        }
    }
    look
}

fn differing_bits(a: &Look, b: &Look) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// Adds to `findings` which pictures are there more than once: of `own`, and in `other`, the part
/// that they are to be kept apart from.
pub fn compare(own: &[Fingerprint], other: &[Fingerprint], findings: &mut Findings) {
    let all: Vec<&Fingerprint> = own.iter().chain(other).collect();
    let identical = identical(&all);
    // One file stands for its copies: what is alike are different files.
    let firsts: Vec<usize> = identical.iter().map(|group| group[0]).collect();
    let alike = sorted(alike(&all, &firsts).into_iter());
    for (groups, kind) in [(&identical, &mut findings.identical), (&alike, &mut findings.alike)] {
        for group in groups.iter().filter(|group| group.len() > 1) {
            let names = |of: &mut dyn Iterator<Item = &usize>| -> Vec<String> {
                of.map(|&i| all[i].id.clone()).collect()
            };
            let mine = names(&mut group.iter().filter(|&&i| i < own.len()));
            if mine.len() < group.len() && !mine.is_empty() {
                findings.in_training_and_test.add(names(&mut group.iter()));
            }
            if group.iter().any(|&i| all[i].positive) && group.iter().any(|&i| !all[i].positive) {
                findings.contradictory.add(names(&mut group.iter()));
            }
            if mine.len() > 1 {
                kind.add(mine);
            }
        }
    }
}

/// Groups of the same file with both labels, which no model can learn.
pub fn contradictory(prints: &[Fingerprint]) -> Groups {
    let mut groups = Groups::default();
    for group in identical(&prints.iter().collect::<Vec<_>>()) {
        if group.iter().any(|&i| prints[i].positive != prints[group[0]].positive) {
            groups.add(group.iter().map(|&i| prints[i].id.clone()).collect());
        }
    }
    groups
}

/// Groups of the same content, alone or not.
fn identical(prints: &[&Fingerprint]) -> Vec<Vec<usize>> {
    let mut of_content: HashMap<[u8; 32], Vec<usize>> = HashMap::new();
    for (index, print) in prints.iter().enumerate() {
        of_content.entry(print.content).or_default().push(index);
    }
    sorted(of_content.into_values())
}

/// Groups in the order of their first members.
fn sorted(groups: impl Iterator<Item = Vec<usize>>) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = groups.collect();
    groups.sort_unstable();
    groups
}

/// Groups of those of `firsts` that look alike, or like one that looks like the others.
///
/// Two hashes that differ in 8 bits at most agree in one of 9 stretches of bits at least, so only
/// those that do are compared; equal hashes are compared once.
fn alike(all: &[&Fingerprint], firsts: &[usize]) -> Vec<Vec<usize>> {
    let mut of_look: HashMap<Look, Vec<usize>> = HashMap::new();
    firsts.iter().for_each(|&i| of_look.entry(all[i].look).or_default().push(i));
    let mut looks: Vec<Look> = of_look.keys().copied().collect();
    looks.sort_unstable();
    let mut parent: Vec<usize> = (0..looks.len()).collect();
    fn root(parent: &mut [usize], mut i: usize) -> usize {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }
    let stretches = MOST_BITS as usize + 1;
    for stretch in 0..stretches {
        let bits = stretch * 256 / stretches..(stretch + 1) * 256 / stretches;
        let key = |look: &Look| {
            bits.clone().fold(0u32, |key, bit| key << 1 | (look[bit / 64] >> (bit % 64) & 1) as u32)
        };
        let mut order: Vec<(u32, usize)> = looks.iter().enumerate().map(|(i, look)| (key(look), i)).collect();
        order.sort_unstable();
        for run in order.chunk_by(|a, b| a.0 == b.0) {
            for (at, &(_, i)) in run.iter().enumerate() {
                for &(_, j) in &run[at + 1..] {
                    if differing_bits(&looks[i], &looks[j]) <= MOST_BITS {
                        let (a, b) = (root(&mut parent, i), root(&mut parent, j));
                        parent[a.max(b)] = a.min(b);
                    }
                }
            }
        }
    }
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for (i, look) in looks.iter().enumerate() {
        groups.entry(root(&mut parent, i)).or_default().extend(&of_look[look]);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::phantoms;
    use crate::random::{Purpose, SeededRng};

    fn print(id: &str, positive: bool, content: u8, look: Look) -> Fingerprint {
        Fingerprint { id: id.into(), patient: id.into(), positive, content: [content; 32], look }
    }

    /// `look` with the first `bits` of a drawn order turned.
    fn turned(look: Look, bits: usize, seed: u64) -> Look {
        let mut order: Vec<usize> = (0..256).collect();
        SeededRng::new(seed, Purpose::Sample, 0, 0).shuffle(&mut order);
        let mut turned = look;
        order[..bits].iter().for_each(|bit| turned[bit / 64] ^= 1 << (bit % 64));
        turned
    }

    #[test]
    fn every_difference_within_the_bound_is_found_and_none_beyond() {
        let first = [0x0123_4567_89ab_cdef, 5, u64::MAX, 77];
        for seed in 0..200 {
            for (bits, found) in [(0, true), (1, true), (8, true), (9, false), (40, false)] {
                let prints = [print("a", true, 1, first), print("b", true, 2, turned(first, bits, seed))];
                let mut findings = Findings::default();
                compare(&prints, &[], &mut findings);
                assert_eq!(findings.alike.count == 1, found, "{bits} bits of seed {seed}");
                assert_eq!(findings.identical.count, 0);
            }
        }
    }

    #[test]
    fn a_changed_drawing_looks_as_before_and_another_does_not() {
        let samples = phantoms::load(40, 32).samples;
        let looks: Vec<Look> = samples.iter().map(|sample| look(&sample.working)).collect();
        let darker: Vec<u8> = samples[0].working.iter().map(|&v| (f32::from(v) * 0.8) as u8).collect();
        assert!(differing_bits(&look(&darker), &looks[0]) <= MOST_BITS);
        let mirrored: Vec<u8> =
            samples[0].working.chunks(224).flat_map(|row| row.iter().rev().copied()).collect();
        assert!(differing_bits(&look(&mirrored), &looks[0]) > 5 * MOST_BITS);
        // From left to right brighter everywhere: all bits; the reverse: none.
        let ramp: Vec<u8> = (0..224 * 224).map(|i| (i % 224) as u8).collect();
        assert_eq!(look(&ramp), [u64::MAX; 4]);
        assert_eq!(look(&ramp.iter().map(|v| 255 - v).collect::<Vec<_>>()), [0; 4]);
    }

    #[test]
    fn copies_are_told_by_what_they_mean() {
        let (a, b) = ([1, 2, 3, 4], [u64::MAX, 9, 8, 7]);
        let own = [
            print("a", false, 1, a),
            print("a again", true, 1, a),
            print("b", true, 2, b),
            print("b coded again", true, 3, turned(b, 3, 1)),
        ];
        let test = [print("test/b", true, 2, b), print("test/c", true, 4, [!0, !0, 0, 0])];
        let mut findings = Findings::default();
        compare(&own, &test, &mut findings);
        assert_eq!(findings.identical.listed, [["a", "a again"]]);
        assert_eq!(findings.contradictory.listed, [["a", "a again"]]);
        assert_eq!(findings.alike.listed, [["b", "b coded again"]]);
        assert_eq!(findings.in_training_and_test.listed, [["b", "test/b"]]);
        assert_eq!(contradictory(&own).count, 1);
        assert_eq!(contradictory(&own[1..]).count, 0);
    }
}
