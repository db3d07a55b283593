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
        self.parameters.zero_grad();
        loss.backward();
        no_grad(|| {
            let gradient = self.parameters.grad();
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
