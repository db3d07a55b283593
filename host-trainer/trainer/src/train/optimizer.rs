//! AdamW and an exponential moving average over one flat tensor of parameters.
//!
//! Written here because libtorch's optimizers cannot be saved through `tch`, and a run that cannot
//! save its optimizer cannot be resumed to the same result. Formulas: Loshchilov and Hutter 2019,
//! algorithm 2 (decoupled decay).

use tch::{Kind, Tensor, no_grad};

/// Decays of the first and the second moment.
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Optimizer state over flat parameters. All tensors have the same length.
#[derive(Debug)]
pub struct AdamW {
    /// What is trained; a leaf that requires gradients.
    pub parameters: Tensor,
    pub first_moment: Tensor,
    pub second_moment: Tensor,
    /// Exponential moving average of the parameters.
    pub average: Tensor,
    pub steps: i64,
    /// 1 where weight decay applies.
    pub decay_mask: Tensor,
    /// Weight decay, a step of learning rate 1.
    pub decay: f64,
    pub average_decay: f64,
}

impl AdamW {
    pub fn new(parameters: &Tensor, decay_mask: Tensor, decay: f64, average_decay: f64) -> Self {
        Self {
            parameters: parameters.detach().copy().set_requires_grad(true),
            first_moment: parameters.zeros_like(),
            second_moment: parameters.zeros_like(),
            average: parameters.detach().copy(),
            steps: 0,
            decay_mask,
            decay,
            average_decay,
        }
    }

    /// One step against the gradient of `loss`, clipped to a norm of `clip`. Returns the decay that
    /// the moving average took, for whoever averages something beside it.
    pub fn step(&mut self, loss: &Tensor, rate: f64, clip: f64) -> f64 {
        let gradient = self.gradient(loss);
        self.step_against(gradient, rate, clip)
    }

    /// As [`AdamW::step`], against the gradient at the worst place within `rho`, to first order
    /// (sharpness-aware minimisation, Foret 2021, algorithm 1): up the gradient of `loss` by `rho`,
    /// where `again` gives the loss anew, and back.
    pub fn sharpness_aware_step(
        &mut self,
        loss: &Tensor,
        again: &mut dyn FnMut(&Tensor) -> Tensor,
        rho: f64,
        (rate, clip): (f64, f64),
    ) -> f64 {
        let up = self.gradient(loss);
        let here = self.parameters.detach().copy();
        let norm = up.norm().double_value(&[]).max(EPSILON);
        let _ = no_grad(|| self.parameters.g_add_(&(up * (rho / norm))));
        let above = again(&self.parameters);
        let gradient = self.gradient(&above);
        no_grad(|| self.parameters.copy_(&here));
        self.step_against(gradient, rate, clip)
    }

    fn gradient(&mut self, loss: &Tensor) -> Tensor {
        self.parameters.zero_grad();
        loss.backward();
        self.parameters.grad().copy()
    }

    fn step_against(&mut self, gradient: Tensor, rate: f64, clip: f64) -> f64 {
        no_grad(|| {
            let norm = gradient.norm().double_value(&[]);
            let gradient = if norm > clip { gradient * (clip / norm) } else { gradient };
            self.steps += 1;
            let steps = self.steps as f64;
            let _ = self.first_moment.g_mul_scalar_(BETA1).g_add_(&(&gradient * (1.0 - BETA1)));
            let _ = self.second_moment.g_mul_scalar_(BETA2).g_add_(&(&gradient * &gradient * (1.0 - BETA2)));
            let first = &self.first_moment / (1.0 - BETA1.powf(steps));
            let second = &self.second_moment / (1.0 - BETA2.powf(steps));
            let change = first / (second.sqrt() + EPSILON) + &self.decay_mask * &self.parameters * self.decay;
            let _ = self.parameters.g_sub_(&(change * rate));
            // The average is young at first: it must not remember the random start.
            let decay = self.average_decay.min((1.0 + steps) / (10.0 + steps));
            let _ = self.average.g_mul_scalar_(decay).g_add_(&(&self.parameters * (1.0 - decay)));
            decay
        })
    }
}

/// Learning rate: linear warm-up over `warm` steps, then half a cosine to a hundredth (Loshchilov
/// and Hutter 2017).
pub fn cosine(step: usize, warm: usize, total: usize, peak: f64) -> f64 {
    if step < warm {
        return peak * (step + 1) as f64 / warm as f64;
    }
    let done = (step - warm) as f64 / total.saturating_sub(warm).max(1) as f64;
    peak * (0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos()))
}

/// Binary cross-entropy of logits with class weights, averaged; both of shape N.
pub fn balanced_loss(logits: &Tensor, labels: &Tensor, weights: [f32; 2]) -> Tensor {
    let weight = labels * f64::from(weights[1]) + (1.0 - labels) * f64::from(weights[0]);
    logits.binary_cross_entropy_with_logits(labels, Some(&weight), None::<&Tensor>, tch::Reduction::Mean)
}

/// Weights that let both classes count the same: n / (2 n_class).
pub fn class_weights(positives: usize, total: usize) -> [f32; 2] {
    let of = |n: usize| total as f32 / (2.0 * n.max(1) as f32);
    [of(total - positives), of(positives)]
}

/// Values of a one-dimensional tensor, on the host.
pub fn values(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.detach().to_kind(Kind::Float).to_device(tch::Device::Cpu).contiguous().view(-1);
    let mut out = vec![0.0; flat.numel()];
    flat.copy_data(&mut out, flat.numel());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (w0^2 + 3 w1^2) / 2, whose gradient is (w0, 3 w1).
    fn quadratic(w: &Tensor) -> Tensor {
        (w * w * Tensor::from_slice(&[0.5f32, 1.5])).sum(Kind::Float)
    }

    #[test]
    fn a_sharpness_aware_step_takes_the_gradient_from_above() {
        let start = Tensor::from_slice(&[1.2f32, -0.3]);
        let new = || AdamW::new(&start, start.zeros_like(), 0.0, 0.9);
        let mut sharp = new();
        let loss = quadratic(&sharp.parameters);
        let mut places = vec![];
        let mut again = |w: &Tensor| {
            places.push(values(w));
            quadratic(w)
        };
        sharp.sharpness_aware_step(&loss, &mut again, 0.5, (0.01, 100.0));
        // The gradient is (1.2, -0.9), its norm 1.5: up by 0.5 of its direction is (0.4, -0.3), where
        // the gradient is (1.6, -1.8).
        let near =
            |found: &[f32], wanted: [f32; 2]| found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-5);
        assert!(near(&places[0], [1.6, -0.6]), "{places:?}");
        assert!(near(&values(&sharp.first_moment), [0.16, -0.18]), "{:?}", values(&sharp.first_moment));
        // A first step of Adam is the rate, whatever the gradient: from where it began, not from above.
        assert!(near(&values(&sharp.parameters), [1.19, -0.29]), "{:?}", values(&sharp.parameters));

        // Without a climb it is the plain step, bit by bit; with one it is not.
        let (mut plain, mut flat) = (new(), new());
        plain.step(&quadratic(&plain.parameters), 0.01, 100.0);
        flat.sharpness_aware_step(&quadratic(&flat.parameters), &mut quadratic, 0.0, (0.01, 100.0));
        assert_eq!(values(&plain.second_moment), values(&flat.second_moment));
        assert_ne!(values(&plain.second_moment), values(&sharp.second_moment));
    }
}
