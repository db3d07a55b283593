//! Which pictures were taken alike: clusters of acquisition, found without labels.
//!
//! The figures of [`acquisition`] are averaged over each patient (with whoever shares a file with
//! him), standardised over patients, and clustered by k-means. Labels are looked at only afterwards:
//! a cluster that is too small to say anything of a class is joined with its nearest.

use super::acquisition::{self, FIGURES, NAMES};
use super::kmeans::{distance, kmeans, mean};
use super::sample::Sample;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// Fewest pictures of each class that a cluster may have.
const LEAST: usize = 20;
/// Standardised figures are cut off here: one odd picture is no cluster.
const FARTHEST: f32 = 3.0;
/// How many of its figures a cluster is described by.
const TRAITS: usize = 4;

/// What a cluster is, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterFacts {
    /// From 1, the largest first.
    pub number: usize,
    pub pictures: usize,
    pub patients: usize,
    /// Pictures with the disease.
    pub positives: usize,
    pub negatives: usize,
    /// What it differs by most, in standard deviations over all patients.
    pub traits: String,
}

/// The cluster of each sample, from 0, and what each is. `unit_of` gives each sample's patient or
/// group of patients, as any index that its members share; no unit is in two clusters.
pub fn clusters(
    samples: &[Sample],
    unit_of: &[usize],
    count: usize,
    seed: u64,
) -> (Vec<usize>, Vec<ClusterFacts>) {
    let figures = acquisition::figures(samples);
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    unit_of.iter().enumerate().for_each(|(i, &unit)| members.entry(unit).or_default().push(i));
    let members: Vec<Vec<usize>> = members.into_values().collect();
    let units =
        standardised(members.iter().map(|m| mean(m.iter().map(|&i| figures[i].as_slice()))).collect());
    let of_unit = joined(&units, &members, samples, kmeans(&units, count, seed));

    let mut of = vec![0; samples.len()];
    for (members, &cluster) in members.iter().zip(&of_unit) {
        members.iter().for_each(|&i| of[i] = cluster);
    }
    let count = of.iter().max().map_or(0, |last| last + 1);
    let fact = |number: usize| {
        let mine: Vec<&Sample> =
            samples.iter().zip(&of).filter(|(_, c)| **c == number).map(|(s, _)| s).collect();
        let patients: HashSet<&str> = mine.iter().map(|sample| sample.patient.as_str()).collect();
        let positives = mine.iter().filter(|sample| sample.positive).count();
        let centre = centre(&units, &of_unit, number);
        ClusterFacts {
            number: number + 1,
            pictures: mine.len(),
            patients: patients.len(),
            positives,
            negatives: mine.len() - positives,
            traits: traits(&centre),
        }
    };
    let facts = (0..count).map(fact).collect();
    (of, facts)
}

/// Each figure with mean 0 and deviation 1 over the units, cut off at [`FARTHEST`]; one that is the
/// same everywhere is 0.
fn standardised(mut units: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    for figure in 0..FIGURES {
        let values = || units.iter().map(|unit| f64::from(unit[figure]));
        let count = units.len().max(1) as f64;
        let mean = values().sum::<f64>() / count;
        let deviation = (values().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
        let scale = if deviation > 1e-6 { 1.0 / deviation } else { 0.0 };
        for unit in &mut units {
            let value = ((f64::from(unit[figure]) - mean) * scale) as f32;
            unit[figure] = value.clamp(-FARTHEST, FARTHEST);
        }
    }
    units
}

fn centre(units: &[Vec<f32>], of: &[usize], number: usize) -> Vec<f32> {
    mean(units.iter().zip(of).filter(|(_, of)| **of == number).map(|(unit, _)| unit.as_slice()))
}

/// The clusters after those with fewer than [`LEAST`] pictures of a class were joined with their
/// nearest, numbered by size.
fn joined(units: &[Vec<f32>], members: &[Vec<usize>], samples: &[Sample], mut of: Vec<usize>) -> Vec<usize> {
    loop {
        let mut sizes: BTreeMap<usize, [usize; 2]> = BTreeMap::new();
        for (members, &cluster) in members.iter().zip(&of) {
            let size = sizes.entry(cluster).or_default();
            members.iter().for_each(|&i| size[usize::from(samples[i].positive)] += 1);
        }
        let small = sizes.iter().map(|(&cluster, size)| (size[0].min(size[1]), cluster)).min();
        let Some((_, small)) = small.filter(|(fewest, _)| *fewest < LEAST && sizes.len() > 1) else {
            let mut order: Vec<(usize, usize)> =
                sizes.iter().map(|(&c, size)| (size[0] + size[1], c)).collect();
            order.sort_by_key(|&(size, cluster)| (std::cmp::Reverse(size), cluster));
            let place = |cluster: usize| order.iter().position(|&(_, c)| c == cluster).unwrap_or(0);
            return of.into_iter().map(place).collect();
        };
        let from = centre(units, &of, small);
        let others = sizes.keys().filter(|&&c| c != small);
        let nearest = others.map(|&c| (distance(&from, &centre(units, &of, c)), c));
        let Some((_, nearest)) = nearest.min_by(|(a, _), (b, _)| a.total_cmp(b)) else { return of };
        of.iter_mut().filter(|c| **c == small).for_each(|c| *c = nearest);
    }
}

/// The largest of a centre's figures in words, such as `noise +1.2, border -0.8`.
fn traits(centre: &[f32]) -> String {
    let mut figures: Vec<(&str, f32)> = NAMES.into_iter().zip(centre.iter().copied()).collect();
    figures.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
    let named = figures.iter().take(TRAITS).map(|(name, value)| format!("{name} {value:+.1}"));
    named.collect::<Vec<_>>().join(", ")
}
