//! What a model looks at that sees only where light and dark lie: the baseline of the maps.
//!
//! In such data the class can be told from framing, outline and position alone, without a look at
//! the lungs. The baseline is a logistic regression on the mean greys of 8 x 8 cells of the
//! network's own input, which hold just that and no detail. It is fitted on one half of the
//! patients and asked about the other, in turn, so that it has seen none of those that it answers
//! for. A cell's share of its logit is weight times grey, as a place's is in the network's map.
//!
//! Plain gradient descent from zero, a fixed number of steps in a fixed order: the same numbers for
//! the same pictures, whatever engine computes the network.

use super::heat::Heat;

/// Cells in a row.
const ACROSS: usize = 8;
const CELLS: usize = ACROSS * ACROSS;
const STEPS: usize = 400;
/// Of the mean cross-entropy: its curvature over standardised cells is a quarter of their number at
/// most, and this is below two over that.
const RATE: f64 = 4.0 / CELLS as f64;
/// Of the squared weights.
const DECAY: f64 = 0.01;

/// A picture as the baseline sees it.
pub(super) struct Seen<'a> {
    /// The network's input: rows of a square.
    pub input: &'a [u8],
    pub label: bool,
    pub patient: &'a str,
}

/// What the baseline says of a picture: its logit, and its heat.
pub(super) struct Judged {
    pub logit: f64,
    pub heat: Option<Heat>,
}

/// Judges all pictures, each by the fit on the other half of the patients; none where a half lacks
/// a class.
pub(super) fn judge(pictures: &[Seen]) -> Option<Vec<Judged>> {
    let mut patients: Vec<&str> = pictures.iter().map(|p| p.patient).collect();
    patients.sort_unstable();
    patients.dedup();
    let half = |p: &Seen| patients.binary_search(&p.patient).unwrap_or(0) % 2;
    let cells: Vec<[f64; CELLS]> = pictures.iter().map(|p| cells(p.input)).collect();
    let fitted_on = |which: usize| {
        let mine = pictures.iter().zip(&cells).filter(|(p, _)| half(p) == which);
        Fit::on(&mine.map(|(p, cells)| (cells, p.label)).collect::<Vec<_>>())
    };
    let fits = [fitted_on(1)?, fitted_on(0)?];
    let one = |(p, cells): (&Seen, &[f64; CELLS])| {
        let fit = &fits[half(p)];
        let shares = fit.shares(cells);
        Judged { logit: fit.bias + shares.iter().sum::<f64>(), heat: Heat::of(ACROSS, shares.into_iter()) }
    };
    Some(pictures.iter().zip(&cells).map(one).collect())
}

/// Mean greys, row by row.
fn cells(input: &[u8]) -> [f64; CELLS] {
    let side = input.len().isqrt().max(1);
    let (mut sums, mut counts) = ([0.0; CELLS], [0.0f64; CELLS]);
    for (at, &grey) in input.iter().enumerate() {
        let cell = (at / side * ACROSS / side).min(ACROSS - 1) * ACROSS + at % side * ACROSS / side;
        sums[cell] += f64::from(grey);
        counts[cell] += 1.0;
    }
    std::array::from_fn(|cell| sums[cell] / counts[cell].max(1.0))
}

struct Fit {
    mean: [f64; CELLS],
    deviation: [f64; CELLS],
    weights: [f64; CELLS],
    bias: f64,
}

impl Fit {
    /// None where a class is missing.
    fn on(pictures: &[(&[f64; CELLS], bool)]) -> Option<Self> {
        let (count, ill) =
            (pictures.len() as f64, pictures.iter().filter(|(_, label)| *label).count() as f64);
        if ill == 0.0 || ill == count {
            return None;
        }
        let average = |of: &dyn Fn(&[f64; CELLS]) -> f64| {
            pictures.iter().map(|(cells, _)| of(cells)).sum::<f64>() / count
        };
        let mean: [f64; CELLS] = std::array::from_fn(|i| average(&|cells| cells[i]));
        // A cell that never changes weighs nothing, and must not divide by 0.
        let deviation =
            std::array::from_fn(|i| average(&|cells| (cells[i] - mean[i]).powi(2)).sqrt().max(1e-6));
        let mut fit = Self { mean, deviation, weights: [0.0; CELLS], bias: (ill / (count - ill)).ln() };
        let standard: Vec<([f64; CELLS], f64)> = pictures
            .iter()
            .map(|(cells, label)| (fit.standard(cells), f64::from(u8::from(*label))))
            .collect();
        for _ in 0..STEPS {
            let (mut gradient, mut of_bias) = ([0.0; CELLS], 0.0);
            for (cells, label) in &standard {
                let logit = fit.bias + fit.weights.iter().zip(cells).map(|(w, z)| w * z).sum::<f64>();
                let error = 1.0 / (1.0 + (-logit).exp()) - label;
                gradient.iter_mut().zip(cells).for_each(|(g, z)| *g += error * z);
                of_bias += error;
            }
            for (weight, gradient) in fit.weights.iter_mut().zip(gradient) {
                *weight -= RATE * (gradient / count + DECAY * *weight);
            }
            fit.bias -= RATE * of_bias / count;
        }
        Some(fit)
    }

    fn standard(&self, cells: &[f64; CELLS]) -> [f64; CELLS] {
        std::array::from_fn(|i| (cells[i] - self.mean[i]) / self.deviation[i])
    }

    /// Each cell's share of the logit.
    fn shares(&self, cells: &[f64; CELLS]) -> [f64; CELLS] {
        let standard = self.standard(cells);
        std::array::from_fn(|i| self.weights[i] * standard[i])
    }
}

#[cfg(test)]
mod tests {
    use super::super::heat::Part;
    use super::*;
    use crate::evaluate::metrics::auc;
    use crate::random::{Purpose, SeededRng};

    const SIDE: usize = 32;

    /// Noise in which `signal` greys more in one cell mean the disease; two pictures a patient.
    fn inputs(cell: usize, signal: f32) -> Vec<(Vec<u8>, bool)> {
        let one = |i: u64| {
            let mut rng = SeededRng::new(3, Purpose::Sample, 0, i);
            // Neighbours in order go to different halves, so the class changes every second patient.
            let (ill, offset) = (i / 4 % 2 == 1, SIDE / ACROSS);
            let pixel = |at: usize| {
                let here = at / SIDE / offset * ACROSS + at % SIDE / offset == cell;
                (128.0 + 20.0 * rng.normal() + if here && ill { signal } else { 0.0 }) as u8
            };
            ((0..SIDE * SIDE).map(pixel).collect(), ill)
        };
        (0..800).map(one).collect()
    }

    /// The area under the curve, and the mean share of the heat in the chest's part.
    fn judged(inputs: &[(Vec<u8>, bool)]) -> (f64, f64) {
        let names: Vec<String> = (0..inputs.len()).map(|i| format!("{:03}", i / 2)).collect();
        let seen = inputs.iter().zip(&names);
        let seen = seen.map(|((input, label), patient)| Seen { input, label: *label, patient });
        let judged = judge(&seen.collect::<Vec<_>>()).unwrap();
        let logits: Vec<f64> = judged.iter().map(|j| j.logit).collect();
        let labels: Vec<bool> = inputs.iter().map(|(_, label)| *label).collect();
        let shares: Vec<f64> =
            judged.iter().map(|j| j.heat.as_ref().unwrap().share_in(Part::CHEST)).collect();
        (auc(&logits, &labels).unwrap(), shares.iter().sum::<f64>() / shares.len() as f64)
    }

    #[test]
    fn it_finds_where_the_class_lies_and_nothing_where_there_is_none() {
        let (area, in_the_corner) = judged(&inputs(0, 40.0));
        assert!(area > 0.95 && in_the_corner < 0.4, "{area}, {in_the_corner}");
        let (area, in_the_middle) = judged(&inputs(3 * ACROSS + 4, 40.0));
        assert!(area > 0.95 && in_the_middle > 0.68, "{area}, {in_the_middle}");
        // Nobody is asked about pictures that the fit has seen: noise stays noise.
        let (area, _) = judged(&inputs(0, 0.0));
        assert!((0.35..0.65).contains(&area), "{area}");
    }

    #[test]
    fn without_both_classes_in_both_halves_there_is_no_baseline() {
        let all = inputs(0, 40.0);
        let seen = |patient: fn(bool) -> &'static str| {
            all.iter()
                .map(|(input, label)| Seen { input, label: *label, patient: patient(*label) })
                .collect::<Vec<_>>()
        };
        assert!(judge(&seen(|ill| if ill { "a" } else { "b" })).is_none());
        assert!(judge(&seen(|_| "a")).is_none());
    }
}
