//! Float training: from random weights to a float network with running statistics of its
//! normalisation.

pub mod distillation;
pub mod fit;
pub mod lessons;
pub mod net;
pub mod objective;
pub mod optimizer;
pub mod others;
pub mod tensors;
pub mod validation;

use crate::dataset::Sample;
use crate::run::{Phase, Run};
use crate::train::distillation::Distillation;
use crate::train::fit::{Regularisation, Schedule, Trainable, fit};
use crate::train::net::{Net, to_units};
use crate::train::objective::Outputs;
use crate::train::optimizer::AdamW;

use anyhow::{Context, Result, ensure};
use std::path::Path;
use tch::{Device, Kind, Tensor, no_grad};

const FLOAT: &str = "float.safetensors";

/// Trains, or goes on training, and writes the float network into the run; where there are
/// `lessons`, by them too.
pub fn train(
    run: &mut Run,
    samples: &[Sample],
    lessons: Option<&Distillation>,
    device: Device,
) -> Result<FloatNet> {
    let recipe = run.recipe.clone();
    let net = recipe.net();
    if recipe.auxiliary > 0.0 {
        ensure!(
            samples.iter().any(|sample| !sample.subgroup.is_empty()),
            "the auxiliary head learns bacterial against viral, which no file name of this data tells (as \
             person1_bacteria_2.jpeg does); leave it out"
        );
    }
    let statistics = net.first_statistics().to_device(device);
    let mut network = FloatTraining::new(net, statistics);
    network.auxiliary = recipe.auxiliary > 0.0;
    let first = network.with_auxiliary(&network.net.first_parameters(recipe.seed), 0.0).to_device(device);
    let mask = network.with_auxiliary(&network.net.decay_mask(), 1.0).to_device(device);
    let mut optimizer = AdamW::new(&first, mask, recipe.decay, recipe.average);
    let schedule = Schedule {
        phase: Phase::Float,
        checkpoint: "train.safetensors",
        epochs: recipe.epochs,
        rate: recipe.rate,
        regularisation: Regularisation {
            smoothing: recipe.smoothing,
            mixup: recipe.mixup,
            sam: recipe.sam,
            auxiliary: recipe.auxiliary,
        },
        lessons,
        others: None,
    };
    fit(run, samples, &schedule, &mut optimizer, &mut network, device)?;
    let float = network.finish(optimizer);
    float.save(&run.path(FLOAT))?;
    Ok(float)
}

#[derive(Debug)]
pub struct FloatNet {
    pub net: Net,
    pub parameters: Tensor,
    pub statistics: Tensor,
}

impl FloatNet {
    pub fn load(run: &Run, device: Device) -> Result<Self> {
        Self::read(&run.path(FLOAT), run.recipe.net(), device)
    }

    /// The numbers of `net` in a file that [`FloatNet::save`] wrote.
    pub fn read(path: &Path, net: Net, device: Device) -> Result<Self> {
        let mut found = tensors::load(path, device)?;
        let mut take = |name: &str, expected: Tensor| {
            let found =
                found.remove(name).with_context(|| format!("{}: no tensor `{name}`", path.display()))?;
            ensure!(found.size() == expected.size(), "{}: `{name}` is of another network", path.display());
            Ok(found)
        };
        let parameters = take("parameters", net.decay_mask())?;
        let statistics = take("statistics", net.first_statistics())?;
        Ok(Self { net, parameters, statistics })
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        tensors::save(path, &[("parameters", &self.parameters), ("statistics", &self.statistics)])
    }

    /// Logits of pictures given as steps.
    pub fn logits(&self, steps: &Tensor) -> Tensor {
        let folded = self.net.fold(&self.parameters, &self.statistics);
        self.net.forward_folded(&folded, &to_units(steps))
    }
}

/// The network while it is trained: running statistics, and their average over steps, beside the
/// parameters.
#[derive(Debug)]
pub struct FloatTraining {
    net: Net,
    /// Whether a second head is trained along, whose weights and bias follow the network's parameters.
    /// It gives the features another reason to be there, and nothing of it is kept.
    auxiliary: bool,
    statistics: Tensor,
    average_statistics: Tensor,
}

impl FloatTraining {
    pub fn new(net: Net, statistics: Tensor) -> Self {
        Self { net, auxiliary: false, average_statistics: statistics.copy(), statistics }
    }

    /// The averages, which are what training leaves.
    pub fn finish(self, optimizer: AdamW) -> FloatNet {
        let parameters = self.of_net(&optimizer.average).copy();
        FloatNet { net: self.net, parameters, statistics: self.average_statistics }
    }

    /// A number for each parameter of the network, and `more` for each of the auxiliary head.
    fn with_auxiliary(&self, of_net: &Tensor, more: f64) -> Tensor {
        let count = if self.auxiliary { self.net.features + 1 } else { 0 };
        Tensor::cat(&[of_net, &of_net.new_full([count], more, (of_net.kind(), of_net.device()))], 0)
    }

    /// The network's part of what belongs to each parameter.
    fn of_net(&self, all: &Tensor) -> Tensor {
        let head = if self.auxiliary { self.net.features + 1 } else { 0 };
        all.narrow(0, 0, all.size()[0] - head)
    }
}

impl Trainable for FloatTraining {
    fn train_outputs(&self, parameters: &Tensor, steps: &Tensor, _: Option<&Tensor>) -> Outputs {
        let mut last = None;
        let mut observe = |_, value: &Tensor| last = self.auxiliary.then(|| value.shallow_clone());
        let (of_net, steps) = (self.of_net(parameters), to_units(steps));
        let logits = self.net.forward_observed(&of_net, &self.statistics, &steps, true, &mut observe);
        let head = |map: Tensor| {
            let features = map.mean_dim([2i64, 3].as_slice(), false, Kind::Float);
            let head = parameters.narrow(0, of_net.size()[0], self.net.features + 1);
            features.matmul(&head.narrow(0, 0, self.net.features)) + head.narrow(0, self.net.features, 1)
        };
        Outputs { auxiliary: last.map(head), ..Outputs::of(logits) }
    }

    fn logits(&self, average: &Tensor, steps: &Tensor) -> Tensor {
        let folded = self.net.fold(&self.of_net(average), &self.average_statistics);
        self.net.forward_folded(&folded, &to_units(steps))
    }

    fn after_step(&mut self, decay: f64) {
        no_grad(|| {
            let _ = self.average_statistics.g_mul_scalar_(decay).g_add_(&(&self.statistics * (1.0 - decay)));
        });
    }

    fn buffers(&self) -> Vec<(&'static str, &Tensor)> {
        vec![("statistics", &self.statistics), ("average_statistics", &self.average_statistics)]
    }
}
