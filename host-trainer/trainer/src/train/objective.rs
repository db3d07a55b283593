//! What a training batch is to be answered with, and the loss of an answer.

use crate::random::{Purpose, SeededRng};
use crate::train::distillation::Distillation;
use crate::train::optimizer::balanced_loss;
use crate::train::others::OtherPictures;
use tch::{Reduction, Tensor};

/// How answers are judged; the same for all batches.
#[derive(Clone, Copy, Debug)]
pub struct Objective<'a> {
    /// Of the two classes, see [`crate::train::optimizer::class_weights`].
    pub weights: [f32; 2],
    /// Share of each label that goes to both classes alike, 0 to 1 (Szegedy 2016).
    pub smoothing: f64,
    /// A teacher beside the labels.
    pub lessons: Option<&'a Distillation<'a>>,
    /// Weight of the auxiliary head's loss, for networks that have one.
    pub auxiliary: f64,
    /// Pictures that the model is not for, of networks with a head that tells them apart.
    pub others: Option<&'a OtherPictures>,
}

/// A network's answers on a batch while it is trained.
#[derive(Debug)]
pub struct Outputs {
    /// Shape N.
    pub logits: Tensor,
    /// Logits for viral against bacterial pneumonia, shape N, of networks with an auxiliary head.
    pub auxiliary: Option<Tensor>,
    /// Logits for a picture that the model is for, of pictures of the batch and of the others behind
    /// them, of networks with a head for it.
    pub familiar: Option<Tensor>,
}

impl Outputs {
    /// Those of a network with one head.
    pub fn of(logits: Tensor) -> Self {
        Self { logits, auxiliary: None, familiar: None }
    }
}

/// What a batch is to be answered with; tensors of shape N.
#[derive(Debug)]
pub struct Targets {
    /// 1 for pneumonia.
    pub labels: Tensor,
    /// 1 for viral, 0 for bacterial, below 0 where nobody knows.
    pub subtypes: Tensor,
    /// The teacher's logits, where there is one.
    pub taught: Option<Tensor>,
}

impl Targets {
    /// The targets of the batch's [`partners`].
    fn of_partners(&self) -> Self {
        Self {
            labels: partners(&self.labels),
            subtypes: partners(&self.subtypes),
            taught: self.taught.as_ref().map(partners),
        }
    }
}

/// For each picture of a batch the one that may be mixed into it: its neighbour. The order of a batch
/// is drawn anew each epoch, so that this is a draw too.
fn partners(batch: &Tensor) -> Tensor {
    batch.roll([1i64], [0i64])
}

/// Pictures of which each is `own` itself and the rest its partner (mixup, Zhang 2018).
pub fn mix(pictures: &Tensor, own: f64) -> Tensor {
    pictures * own + partners(pictures) * (1.0 - own)
}

/// How much of its own a picture keeps in batch `index` of an epoch, `key` its seed and number: the
/// larger part of a draw from Beta(alpha, alpha), which says the same as the draw, since partners are
/// mutual. `alpha` from 0.05 to 1.
pub fn own_part((seed, epoch): (u64, u64), index: usize, alpha: f64) -> f64 {
    let mut rng = SeededRng::new(seed, Purpose::Mix, epoch, index as u64);
    // Jöhnk 1964: of pairs of powers those whose sum is at most 1. Never 0, so no quotient of zeros.
    let mut power = || f64::from(1.0 - rng.unit()).powf(1.0 / alpha);
    loop {
        let (x, y) = (power(), power());
        if x + y <= 1.0 {
            return x.max(y) / (x + y);
        }
    }
}

impl Objective<'_> {
    /// The loss of answers to pictures of which each keeps `own` of itself: `own` times the loss by
    /// their own targets and the rest of the loss by those of their partners.
    pub fn loss(&self, outputs: &Outputs, targets: &Targets, own: f64) -> Tensor {
        let loss = self.plain(outputs, targets);
        if own == 1.0 {
            return loss;
        }
        loss * own + self.plain(outputs, &targets.of_partners()) * (1.0 - own)
    }

    fn plain(&self, outputs: &Outputs, targets: &Targets) -> Tensor {
        let labels = match self.smoothing {
            0.0 => targets.labels.shallow_clone(),
            share => &targets.labels * (1.0 - share) + share / 2.0,
        };
        let logits = &outputs.logits;
        let loss = match (self.lessons, &targets.taught) {
            (Some(lessons), Some(taught)) => lessons.loss(logits, taught, &labels, self.weights),
            _ => balanced_loss(logits, &labels, self.weights),
        };
        let loss = match &outputs.auxiliary {
            Some(logits) => loss + subtype_loss(logits, &targets.subtypes) * self.auxiliary,
            None => loss,
        };
        match (self.others, &outputs.familiar) {
            (Some(others), Some(familiar)) => loss + others.loss(familiar),
            _ => loss,
        }
    }
}

/// Binary cross-entropy of the logits whose subtype is known, averaged over these; 0 where none is.
fn subtype_loss(logits: &Tensor, subtypes: &Tensor) -> Tensor {
    let known = subtypes.ge(0.0).to_kind(tch::Kind::Float);
    let wanted = subtypes.clamp_min(0.0);
    let sum = logits.binary_cross_entropy_with_logits(&wanted, Some(&known), None::<&Tensor>, Reduction::Sum);
    sum / known.sum(tch::Kind::Float).clamp_min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::distillation::Teacher;

    fn of(values: &[f32]) -> Tensor {
        Tensor::from_slice(values)
    }

    /// Cross-entropy of a logit, in plain numbers.
    fn entropy(logit: f64, wanted: f64) -> f64 {
        let right = 1.0 / (1.0 + (-logit).exp());
        -wanted * right.ln() - (1.0 - wanted) * (1.0 - right).ln()
    }

    fn objective() -> Objective<'static> {
        Objective { weights: [1.0, 1.0], smoothing: 0.0, lessons: None, auxiliary: 0.0, others: None }
    }

    fn targets(labels: &[f32]) -> Targets {
        Targets { labels: of(labels), subtypes: of(&vec![-1.0; labels.len()]), taught: None }
    }

    #[test]
    fn smoothed_labels_lie_between_the_classes() {
        let outputs = Outputs::of(of(&[0.7]));
        let loss = Objective { smoothing: 0.1, ..objective() }.loss(&outputs, &targets(&[1.0]), 1.0);
        assert!((loss.double_value(&[]) - entropy(0.7, 0.95)).abs() < 1e-6);
    }

    #[test]
    fn mixed_pictures_and_their_loss_are_the_formulas() {
        let own = 0.8;
        let mixed = mix(&of(&[10.0, 20.0, 40.0]).view([3, 1, 1, 1]), own);
        let expected = of(&[0.8 * 10.0 + 0.2 * 40.0, 0.8 * 20.0 + 0.2 * 10.0, 0.8 * 40.0 + 0.2 * 20.0]);
        assert!((mixed.view(-1) - expected).abs().max().double_value(&[]) < 1e-5);

        // Class weights belong to a label, so that they are mixed with the losses, not with the labels.
        let (a, b, c) = (0.3, -1.2, 2.0);
        let outputs = Outputs::of(of(&[a as f32, b as f32, c as f32]));
        let weighted = Objective { weights: [0.5, 1.5], ..objective() };
        let found = weighted.loss(&outputs, &targets(&[1.0, 0.0, 0.0]), own).double_value(&[]);
        let ill = |z| 1.5 * entropy(z, 1.0);
        let well = |z| 0.5 * entropy(z, 0.0);
        let own_labels = (ill(a) + well(b) + well(c)) / 3.0;
        let partners_labels = (well(a) + ill(b) + well(c)) / 3.0;
        assert!((found - (own * own_labels + (1.0 - own) * partners_labels)).abs() < 1e-6, "{found}");
    }

    #[test]
    fn a_teacher_is_mixed_too() {
        let teacher = Teacher::Asked { sides: vec![], teach: &|_| Tensor::new() };
        let lessons = Distillation { teacher, temperature: 1.0, share: 1.0 };
        let objective = Objective { lessons: Some(&lessons), ..objective() };
        let outputs = Outputs::of(of(&[0.0, 1.0]));
        let targets = Targets { taught: Some(of(&[2.0, -2.0])), ..targets(&[1.0, 0.0]) };
        let found = objective.loss(&outputs, &targets, 0.9).double_value(&[]);
        let p = 1.0 / (1.0 + (-2.0f64).exp());
        let own = (entropy(0.0, p) + entropy(1.0, 1.0 - p)) / 2.0;
        let other = (entropy(0.0, 1.0 - p) + entropy(1.0, p)) / 2.0;
        assert!((found - (0.9 * own + 0.1 * other)).abs() < 1e-6);
    }

    #[test]
    fn parts_are_drawn_from_the_beta_distribution() {
        let part = |index| own_part((3, 0), index, 0.2);
        let drawn: Vec<f64> = (0..20_000).map(part).collect();
        assert!(drawn.iter().all(|own| (0.5..=1.0).contains(own)));
        assert_eq!(own_part((3, 0), 7, 0.2), drawn[7], "a key gives one part");
        // The variance of Beta(a, a) is 1 / (4 (2a + 1)): 0.178571 for 0.2; 1/12 for 1, the uniform one.
        let variance = |alpha: f64| {
            let square = |index| (own_part((3, 1), index, alpha) - 0.5).powi(2);
            (0..20_000).map(square).sum::<f64>() / 20_000.0
        };
        assert!((variance(0.2) - 0.178_571).abs() < 0.002, "{}", variance(0.2));
        assert!((variance(1.0) - 0.083_333).abs() < 0.002, "{}", variance(1.0));
    }

    #[test]
    fn the_auxiliary_head_counts_known_subtypes_only() {
        let outputs = Outputs { auxiliary: Some(of(&[1.0, 5.0, -2.0])), ..Outputs::of(of(&[0.0; 3])) };
        let targets = Targets { subtypes: of(&[1.0, -1.0, 0.0]), ..targets(&[1.0, 0.0, 1.0]) };
        let with = |auxiliary| {
            Objective { auxiliary, ..objective() }.loss(&outputs, &targets, 1.0).double_value(&[])
        };
        let subtypes = (entropy(1.0, 1.0) + entropy(-2.0, 0.0)) / 2.0;
        assert!((with(0.3) - with(0.0) - 0.3 * subtypes).abs() < 1e-6);
        let unknown = Targets { subtypes: of(&[-1.0; 3]), ..targets };
        let objective = Objective { auxiliary: 1.0, ..objective() };
        assert!((objective.loss(&outputs, &unknown, 1.0).double_value(&[]) - entropy(0.0, 0.0)).abs() < 1e-6);
    }
}
