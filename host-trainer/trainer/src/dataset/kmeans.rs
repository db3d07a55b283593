//! K-means: Lloyd's iteration from centres drawn by k-means++ (Arthur and Vassilvitskii 2007), the
//! best of several starts. Seeded, so the same points give the same clusters.

use crate::random::{Purpose, SeededRng};

const STARTS: u64 = 16;
const ROUNDS: usize = 100;

/// The cluster of each point, 0 to `count - 1`; fewer clusters where there are fewer distinct points.
pub fn kmeans(points: &[Vec<f32>], count: usize, seed: u64) -> Vec<usize> {
    let starts = (0..STARTS).map(|start| {
        let mut rng = SeededRng::new(seed, Purpose::Cluster, 0, start);
        settle(points, first_centres(points, count, &mut rng))
    });
    let best = starts.min_by(|(_, a), (_, b)| a.total_cmp(b));
    best.map_or(vec![], |(of, _)| of)
}

/// Square of the Euclidean distance.
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// The mean of points; empty where there is none.
pub fn mean<'a>(points: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let (mut sum, mut count) = (Vec::<f64>::new(), 0.0);
    for point in points {
        sum.resize(point.len(), 0.0);
        sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += f64::from(*value));
        count += 1.0;
    }
    sum.iter().map(|sum| (sum / count) as f32).collect()
}

/// One point at random, then each next one with a probability that grows with the square of its
/// distance from those before.
fn first_centres(points: &[Vec<f32>], count: usize, rng: &mut SeededRng) -> Vec<Vec<f32>> {
    let mut centres: Vec<Vec<f32>> = points.get(rng.below(points.len())).cloned().into_iter().collect();
    while centres.len() < count.min(points.len()) {
        let far: Vec<f64> = points.iter().map(|point| nearest(point, &centres).1).collect();
        let total: f64 = far.iter().sum();
        if total == 0.0 {
            break; // every point is a centre already
        }
        let mut left = f64::from(rng.unit()) * total;
        let next = far.iter().position(|far| {
            left -= far;
            left < 0.0
        });
        centres.push(points[next.unwrap_or(points.len() - 1)].clone());
    }
    centres
}

/// The nearest of the centres and the square of its distance.
fn nearest(point: &[f32], centres: &[Vec<f32>]) -> (usize, f64) {
    let distances = centres.iter().map(|centre| distance(point, centre)).enumerate();
    distances.min_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, 0.0))
}

/// The clusters after Lloyd's iteration, and the sum of squared distances within them.
fn settle(points: &[Vec<f32>], mut centres: Vec<Vec<f32>>) -> (Vec<usize>, f64) {
    let mut of = vec![usize::MAX; points.len()];
    for _ in 0..ROUNDS {
        let next: Vec<usize> = points.iter().map(|point| nearest(point, &centres).0).collect();
        if next == of {
            break;
        }
        of = next;
        for (number, centre) in centres.iter_mut().enumerate() {
            let mine = points.iter().zip(&of).filter(|(_, of)| **of == number);
            let moved = mean(mine.map(|(point, _)| point.as_slice()));
            if !moved.is_empty() {
                *centre = moved;
            }
        }
    }
    let within = points.iter().zip(&of).map(|(point, &of)| distance(point, &centres[of])).sum();
    (of, within)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three clouds of 30 points around these middles.
    fn clouds() -> (Vec<Vec<f32>>, Vec<usize>) {
        let mut rng = SeededRng::new(1, Purpose::Cluster, 9, 0);
        let middles = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]];
        let truth: Vec<usize> = (0..90).map(|i| i % 3).collect();
        let points = truth.iter().map(|&t| middles[t].map(|m: f32| m + rng.normal()).to_vec()).collect();
        (points, truth)
    }

    /// Whether two labellings are one but for the names.
    fn same(a: &[usize], b: &[usize]) -> bool {
        (0..a.len()).all(|i| (0..a.len()).all(|j| (a[i] == a[j]) == (b[i] == b[j])))
    }

    #[test]
    fn finds_clouds_that_lie_apart_and_the_same_ones_again() {
        let (points, truth) = clouds();
        let found = kmeans(&points, 3, 5);
        assert!(same(&found, &truth));
        assert_eq!(found, kmeans(&points, 3, 5));
        // The comparison bites: two clusters cannot be the three clouds.
        assert!(!same(&kmeans(&points, 2, 5), &truth));
    }

    #[test]
    fn few_points_give_few_clusters() {
        assert_eq!(kmeans(&[], 3, 1), Vec::<usize>::new());
        assert_eq!(kmeans(&[1.0; 5].map(|x| vec![x]), 3, 1), vec![0; 5]);
    }
}
