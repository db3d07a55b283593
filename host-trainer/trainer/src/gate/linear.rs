//! One direction that tells two groups of samples apart: ridge regression on +1 and -1, both groups
//! counting the same.
//!
//! Samples are whole numbers, so their sums of products are exact in `f64` and do not depend on the
//! order or on threads; the solution (Cholesky) is computed in a fixed order. The same samples give
//! the same weights on every machine.

use rayon::prelude::*;

/// What is added to the diagonal, as a share of the mean variance: weights then rest on more than a
/// few samples.
const RIDGE: f64 = 0.002;
/// Rows of the matrix that one thread sums at a time.
const ROWS: usize = 64;

/// Number, sums and sums of products of samples.
#[derive(Clone, Debug)]
pub struct Moments {
    count: f64,
    sums: Vec<f64>,
    /// Row-major, the upper triangle.
    products: Vec<f64>,
}

impl Moments {
    pub fn of(samples: &[Vec<f32>]) -> Self {
        let n = samples.first().map_or(0, Vec::len);
        let mut sums = vec![0.0; n];
        for sample in samples {
            for (sum, &x) in sums.iter_mut().zip(sample) {
                *sum += f64::from(x);
            }
        }
        let mut products = vec![0.0; n * n];
        products.par_chunks_mut(ROWS * n.max(1)).enumerate().for_each(|(block, rows)| {
            for sample in samples {
                for (row, i) in rows.chunks_exact_mut(n).zip(block * ROWS..) {
                    let x = f64::from(sample[i]);
                    // Most features are 0.
                    if x != 0.0 {
                        for (sum, &y) in row[i..].iter_mut().zip(&sample[i..]) {
                            *sum += x * f64::from(y);
                        }
                    }
                }
            }
        });
        Self { count: samples.len() as f64, sums, products }
    }

    /// Number of samples.
    pub fn count(&self) -> f64 {
        self.count
    }

    pub fn mean(&self) -> Vec<f64> {
        self.sums.iter().map(|sum| sum / self.count).collect()
    }

    /// The covariance, of which the lower triangle is filled, in rows.
    pub fn covariance(&self) -> Vec<f64> {
        let (n, mean) = (self.sums.len(), self.mean());
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in i..n {
                matrix[j * n + i] = self.products[i * n + j] / self.count - mean[i] * mean[j];
            }
        }
        matrix
    }
}

/// The direction along which `chests` are high and `others` low; none where nothing tells them
/// apart.
pub fn direction(chests: &Moments, others: &Moments) -> Option<Vec<f64>> {
    let n = chests.sums.len();
    if n == 0 || n != others.sums.len() || chests.count == 0.0 || others.count == 0.0 {
        return None;
    }
    let (high, low) = (chests.mean(), others.mean());
    let middle: Vec<f64> = high.iter().zip(&low).map(|(a, b)| (a + b) / 2.0).collect();
    let mut matrix = vec![0.0; n * n];
    for i in 0..n {
        for j in i..n {
            let at = i * n + j;
            let product = (chests.products[at] / chests.count + others.products[at] / others.count) / 2.0;
            // The lower triangle: the solution works on it.
            matrix[j * n + i] = product - middle[i] * middle[j];
        }
    }
    let variance = (0..n).map(|i| matrix[i * n + i]).sum::<f64>() / n as f64;
    (0..n).for_each(|i| matrix[i * n + i] += RIDGE * variance);
    let right: Vec<f64> = high.iter().zip(&low).map(|(a, b)| a - b).collect();
    let solution = solve(matrix, right, n)?;
    solution.iter().any(|w| *w != 0.0).then_some(solution)
}

/// Solves a symmetric positive definite system, of which the lower triangle is given, by Cholesky's
/// method.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    cholesky(&mut a, n)?;
    forward(&a, &mut b);
    for i in (0..n).rev() {
        let below: f64 = (i + 1..n).map(|j| a[j * n + i] * b[j]).sum();
        b[i] = (b[i] - below) / a[i * n + i];
    }
    Some(b)
}

/// Makes the lower triangle of a symmetric positive definite matrix into that of its Cholesky factor,
/// rows of `n`; none where it is not positive definite.
pub fn cholesky(a: &mut [f64], n: usize) -> Option<()> {
    for i in 0..n {
        let (above, row) = a.split_at_mut(i * n);
        for j in 0..i {
            let other = &above[j * n..j * n + j + 1];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let rest = row[i] - dot(&row[..i], &row[..i]);
        if !(rest > 0.0 && rest.is_finite()) {
            return None;
        }
        row[i] = rest.sqrt();
    }
    Some(())
}

/// Solves the lower triangle of a Cholesky factor for `b`, in place.
pub fn forward(factor: &[f64], b: &mut [f64]) {
    let n = b.len();
    for i in 0..n {
        b[i] = (b[i] - dot(&factor[i * n..i * n + i], &b[..i])) / factor[i * n + i];
    }
}

/// In eight strands and a fixed order: as fast as vectors allow, and the same everywhere.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut strands = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for (strand, (a, b)) in strands.iter_mut().zip(a.iter().zip(b)) {
            *strand += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    strands.iter().sum::<f64>() + rest
}

/// The direction in whole numbers, the largest of which is 127.
pub fn weights(direction: &[f64]) -> Vec<i8> {
    let largest = direction.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
    direction.iter().map(|w| (w * 127.0 / largest).round() as i8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_direction_that_differs_and_not_the_one_that_varies() {
        // The first number tells the groups apart, the second varies ten times as much in both, the
        // third is the first's noise.
        let sample = |group: f32, i: i32| {
            let noise = (i * 7 % 11 - 5) as f32;
            vec![20.0 * group + noise, (i * 13 % 101 - 50) as f32 * 4.0, noise]
        };
        let of = |group| Moments::of(&(0..500).map(|i| sample(group, i)).collect::<Vec<_>>());
        let found = weights(&direction(&of(1.0), &of(-1.0)).unwrap());
        assert_eq!(found[1], 0);
        // The third takes the noise out of the first.
        assert!(found[0] > 100 && found[2] < -60, "{found:?}");
    }

    #[test]
    fn what_cannot_be_told_apart_gives_no_direction() {
        let same = Moments::of(&[vec![1.0, 2.0], vec![3.0, 5.0], vec![2.0, 1.0]]);
        assert_eq!(direction(&same, &same), None);
        assert_eq!(direction(&same, &Moments::of(&[])), None);
    }
}
