//! From the float network to the int8 one: fold, calibrate, fine-tune with the integers of the
//! exported file.
//!
//! Ranges of values are those of training pictures, half of them changed as in training: for each
//! batch the extremes, averaged over batches, so that a single odd picture does not stretch a scale
//! (moving-average min-max, Krishnamoorthi 2018).

pub mod integer;
pub mod params;

use crate::augment::film;
use crate::augment::{AugmentParams, augment_and_preprocess};
use crate::dataset::Sample;
use crate::progress;
use crate::quantize::integer::IntegerNet;
use crate::quantize::params::{HEAD_MAX, QuantParams, WEIGHT_MAX, head_limit};
use crate::random::{Purpose, SeededRng};
use crate::run::{Phase, Run};
use crate::train::distillation::Distillation;
use crate::train::fit::{Regularisation, Schedule, Trainable, fit};
use crate::train::net::{channels_last, to_steps, to_units};
use crate::train::objective::Outputs;
use crate::train::optimizer::{AdamW, values};
use crate::train::others::{self, OtherPictures};
use crate::train::{FloatNet, tensors};

use crate::train::validation::Validation;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor, no_grad};

/// Training pictures that set the ranges.
const CALIBRATION: usize = 768;
const BATCH: usize = 48;
const QUANT_PARAMS: &str = "grid.json";
const QUANTIZE_STATE: &str = "quantize.safetensors";
const INT8: &str = "int8.safetensors";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub float: QualityMetrics,
    pub int8: QualityMetrics,
}

/// One network on the validation sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualityMetrics {
    /// Area under the ROC curve, validation patients.
    pub val_auc: f64,
    /// Share on the right side of a logit of 0, validation patients.
    pub val_accuracy: f64,
    /// Area under the ROC curve, shifted validation set.
    pub shifted_auc: f64,
    /// Share on the right side of a logit of 0, shifted validation set.
    pub shifted_accuracy: f64,
    /// Area under the ROC curve, photographs of films; none in runs that are older than this set.
    #[serde(default)]
    pub film_auc: Option<f64>,
    /// Share on the right side of a logit of 0, photographs of films.
    #[serde(default)]
    pub film_accuracy: Option<f64>,
}

#[derive(Debug)]
pub struct Quantized {
    pub network: IntegerNet,
    pub parameters: Tensor,
}

impl Quantized {
    pub fn load(run: &Run, device: Device) -> Result<Self> {
        let quant = scales(run).context("run the `quantize` step first")?;
        let mut found = tensors::load(&run.path(INT8), device)?;
        let parameters =
            found.remove("parameters").with_context(|| format!("{INT8}: no tensor `parameters`"))?;
        Ok(Self { network: IntegerNet::new(run.recipe.net(), quant, device), parameters })
    }

    /// Logits of pictures given as steps.
    pub fn logits(&self, steps: &Tensor) -> Tensor {
        self.network.logits(&self.parameters, steps)
    }
}

/// The run's frozen scales, where this exporter can keep to them.
fn scales(run: &Run) -> Result<QuantParams> {
    let quant: QuantParams = run.read_json(QUANT_PARAMS)?;
    ensure!(
        quant.weight_max == WEIGHT_MAX,
        "{}: expected scales for weights of up to {WEIGHT_MAX} steps (rule 9 of the exact form), got {}; an older \
         version made it: delete {QUANT_PARAMS}, {QUANTIZE_STATE} and {INT8}, then run the `quantize` step again",
        run.path(QUANT_PARAMS).display(),
        quant.weight_max,
    );
    Ok(quant)
}

/// Quantizes the run's float network, or goes on with it, and writes scales, parameters and the
/// comparison; where there are `lessons` and `others`, fine-tuning takes them too.
pub fn quantize(
    run: &mut Run,
    samples: &[Sample],
    lessons: Option<&Distillation>,
    others: Option<&OtherPictures>,
    device: Device,
) -> Result<Comparison> {
    let float = FloatNet::load(run, device)?;
    let folded = float.net.fold(&float.parameters, &float.statistics);
    let quant = if run.path(QUANT_PARAMS).exists() {
        scales(run)?
    } else {
        let ranges = ranges(run, samples, &float, device)?;
        let largest: Vec<Vec<f32>> =
            folded.convs.iter().map(|(w, _)| values(&w.abs().amax([1i64, 2, 3].as_slice(), false))).collect();
        let quant = QuantParams::choose(
            &float.net,
            &ranges,
            &largest,
            largest_head(&float.net, &values(&folded.head)),
        );
        run.write_json(QUANT_PARAMS, &quant)?;
        quant
    };
    let network = IntegerNet::new(float.net.clone(), quant, device);
    let first = network.parameters(&folded);
    let head = others.map_or(0, |_| others::head_size(network.net.features));
    let mut network = FineTuning { of_net: first.size()[0], network };
    let first = Tensor::cat(&[&first, &first.new_zeros([head], (first.kind(), first.device()))], 0);
    let recipe = run.recipe.clone();
    let mut optimizer = AdamW::new(&first, first.zeros_like(), 0.0, recipe.average);
    let schedule = Schedule {
        phase: Phase::Qat,
        checkpoint: QUANTIZE_STATE,
        epochs: recipe.quantized_epochs,
        rate: recipe.quantized_rate,
        regularisation: Regularisation::default(),
        lessons,
        others,
    };
    fit(run, samples, &schedule, &mut optimizer, &mut network, device)?;
    let parameters = network.own(&optimizer.average).copy();
    tensors::save(&run.path(INT8), &[("parameters", &parameters)])?;
    let int8 = Quantized { network: network.network, parameters };
    let (_, validate) = run.indices(samples)?;
    let sets = Validation::new(samples, &validate, recipe.side, &run.folder, device)?;
    let figures = |forward: &dyn Fn(&Tensor) -> Tensor| {
        let [plain, shifted, film] = sets.score([1.0, 1.0], forward);
        QualityMetrics {
            val_auc: plain.auc,
            val_accuracy: plain.accuracy,
            shifted_auc: shifted.auc,
            shifted_accuracy: shifted.accuracy,
            film_auc: Some(film.auc),
            film_accuracy: Some(film.accuracy),
        }
    };
    let comparison = Comparison { float: figures(&|x| float.logits(x)), int8: figures(&|x| int8.logits(x)) };
    run.write_json("quantize.json", &comparison)?;
    Ok(comparison)
}

/// The network while it is fine-tuned, which changes parameters only.
struct FineTuning {
    network: IntegerNet,
    /// How many parameters are the network's; those of the head for other pictures follow them.
    of_net: i64,
}

impl FineTuning {
    fn own(&self, parameters: &Tensor) -> Tensor {
        parameters.narrow(0, 0, self.of_net)
    }
}

impl Trainable for FineTuning {
    fn logits(&self, parameters: &Tensor, steps: &Tensor) -> Tensor {
        self.network.logits(&self.own(parameters), steps)
    }

    fn train_outputs(&self, parameters: &Tensor, steps: &Tensor, others: Option<&Tensor>) -> Outputs {
        let own = self.own(parameters);
        let Some(others) = others else { return Outputs::of(self.network.logits(&own, steps)) };
        let both = channels_last(&Tensor::cat(&[steps, others], 0));
        let mut last = both.shallow_clone();
        let mut observe = |_, value: &Tensor| last = value.shallow_clone();
        let logits = self.network.logits_observed(&own, &both, &mut observe);
        let scale = self.network.quant.values.last().map_or(1.0, |value| f64::from(value.scale));
        let head = parameters.narrow(0, self.of_net, parameters.size()[0] - self.of_net);
        let familiar = Some(others::head(&(last * scale), &head));
        Outputs { familiar, ..Outputs::of(logits.narrow(0, 0, steps.size()[0])) }
    }
}

/// Lowest and highest of each value over the calibration pictures, input first.
fn ranges(run: &Run, samples: &[Sample], float: &FloatNet, device: Device) -> Result<Vec<(f32, f32)>> {
    let (mut train, _) = run.indices(samples)?;
    let seed = run.recipe.seed;
    SeededRng::new(seed, Purpose::Calibrate, 0, 0).shuffle(&mut train);
    train.truncate(CALIBRATION);
    let side = run.recipe.side;
    let mut sums = vec![(0f64, 0f64); float.net.nodes.len() + 1];
    let bar = progress::bar("calibrating", train.len().div_ceil(BATCH));
    let mut batches = 0f64;
    for chunk in train.chunks(BATCH) {
        let pictures: Vec<Vec<u8>> = chunk
            .iter()
            .map(|&i| {
                let mut rng = SeededRng::new(seed, Purpose::Calibrate, 1, i as u64);
                match rng.bernoulli(0.5) {
                    true => {
                        let mut taking = SeededRng::new(seed, Purpose::Film, 0, i as u64);
                        let working = film::sometimes(&samples[i].working, run.recipe.film, &mut taking);
                        augment_and_preprocess(&working, &AugmentParams::TRAINING, side, &mut rng)
                            .bytes
                            .into()
                    }
                    false => samples[i].input.bytes.to_vec(),
                }
            })
            .collect();
        let steps = to_steps(pictures.iter().map(Vec::as_slice), i64::from(side), device);
        let _logits = no_grad(|| {
            float.net.forward_observed(
                &float.parameters,
                &float.statistics,
                &channels_last(&to_units(&steps)),
                false,
                &mut |value, tensor| {
                    sums[value].0 += tensor.min().double_value(&[]);
                    sums[value].1 += tensor.max().double_value(&[]);
                },
            )
        });
        batches += 1.0;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(sums.iter().map(|(low, high)| ((low / batches) as f32, (high / batches) as f32)).collect())
}

/// The head weight that becomes 31 steps: the largest one, or more where the steps' sum would
/// otherwise pass three quarters of what keeps the head exact.
fn largest_head(net: &crate::train::net::Net, head: &[f32]) -> f32 {
    let side = net.shapes().last().map_or(1, |s| s.0);
    let sum: f32 = head.iter().map(|w| w.abs()).sum();
    let largest = head.iter().fold(0f32, |m, w| m.max(w.abs()));
    largest.max(sum * HEAD_MAX / (0.75 * head_limit(side * side)))
}
