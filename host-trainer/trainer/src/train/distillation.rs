//! Learning from a teacher's logits beside the labels (Hinton, Vinyals and Dean 2015).

use crate::train::lessons::Lessons;
use crate::train::optimizer::balanced_loss;
use std::fmt;
use tch::Tensor;

/// Where a teacher's logits come from.
pub enum Teacher<'a> {
    /// It is asked about every batch.
    Asked {
        /// Sides of the pictures that `teach` takes, one after the other.
        sides: Vec<u16>,
        /// Logits, shape N, of the pictures that the pupil sees, as steps in each of `sides`.
        teach: &'a dyn Fn(&[Tensor]) -> Tensor,
    },
    /// It was asked before, about each draw of the changes.
    Kept(&'a Lessons),
}

impl Teacher<'_> {
    /// Sides of the pictures that it is to be shown.
    pub fn sides(&self) -> &[u16] {
        match self {
            Self::Asked { sides, .. } => sides,
            Self::Kept(_) => &[],
        }
    }
}

/// A teacher, and how much it counts.
pub struct Distillation<'a> {
    pub teacher: Teacher<'a>,
    /// Both networks' logits are divided by it: above 1, how sure the teacher is tells more.
    pub temperature: f64,
    /// Share of the teacher in the loss, 0 to 1; the rest is the labels'.
    pub share: f64,
}

impl fmt::Debug for Distillation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { teacher, temperature, share } = self;
        let teacher = match teacher {
            Teacher::Asked { .. } => "asked",
            Teacher::Kept(_) => "kept",
        };
        write!(f, "Distillation {{ teacher: {teacher}, temperature: {temperature}, share: {share} }}")
    }
}

impl Distillation<'_> {
    /// The pupil's loss: `share * T^2 * BCE(pupil / T, sigmoid(teacher / T))` and the rest of the
    /// share of the labels' loss. T^2 keeps the gradient of the first part where it is without T.
    pub fn loss(&self, pupil: &Tensor, teacher: &Tensor, labels: &Tensor, weights: [f32; 2]) -> Tensor {
        let t = self.temperature;
        let (pupil_softened, wanted) = (pupil / t, (teacher / t).sigmoid());
        let taught = pupil_softened.binary_cross_entropy_with_logits(
            &wanted,
            None::<&Tensor>,
            None::<&Tensor>,
            tch::Reduction::Mean,
        );
        taught * (self.share * t * t) + balanced_loss(pupil, labels, weights) * (1.0 - self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_is_the_formulas() {
        let teacher = Teacher::Asked { sides: vec![], teach: &|_| Tensor::new() };
        let lesson = Distillation { teacher, temperature: 2.0, share: 0.7 };
        let of = |z: f32| Tensor::from_slice(&[z]);
        let found = lesson.loss(&of(0.8), &of(3.0), &of(1.0), [0.5, 1.5]).double_value(&[]);
        // In plain numbers: -p ln s - (1 - p) ln(1 - s).
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        let (p, s) = (sigmoid(1.5), sigmoid(0.4));
        let taught = -p * s.ln() - (1.0 - p) * (1.0 - s).ln();
        let expected = 0.7 * 4.0 * taught + 0.3 * 1.5 * -sigmoid(0.8).ln();
        assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
        // Where only the teacher counts, its own logits are the best answer.
        let teacher = Distillation { share: 1.0, ..lesson };
        let at = |z: f32| teacher.loss(&of(z), &of(3.0), &of(0.0), [1.0, 1.0]).double_value(&[]);
        assert!(at(3.0) < at(2.9) && at(3.0) < at(3.1));
    }
}
