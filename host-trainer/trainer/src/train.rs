//! Float training: from random weights to a float network with running statistics of its
//! normalisation.

pub mod distillation;
pub mod fit;
pub mod lessons;
pub mod net;
pub mod optimizer;
pub mod tensors;
pub mod validation;

use crate::dataset::Sample;
use crate::run::{Phase, Run};
use crate::train::distillation::Distillation;
use crate::train::fit::{Schedule, Trainable, fit};
use crate::train::net::{Net, to_units};
use crate::train::optimizer::AdamW;

use anyhow::{Context, Result, ensure};
use std::path::Path;
use tch::{Device, Tensor, no_grad};

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
    let net = Net::pneumonia(i64::from(recipe.side));
    let first = net.first_parameters(recipe.seed).to_device(device);
    let mut optimizer = AdamW::new(&first, net.decay_mask().to_device(device), recipe.decay, recipe.average);
    let statistics = net.first_statistics().to_device(device);
    let mut network = FloatTraining::new(net, statistics);
    let schedule = Schedule {
        phase: Phase::Float,
        checkpoint: "train.safetensors",
        epochs: recipe.epochs,
        rate: recipe.rate,
        smoothing: 0.0,
        lessons,
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
        Self::read(&run.path(FLOAT), Net::pneumonia(i64::from(run.recipe.side)), device)
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
        self.net.forward(&self.parameters, &self.statistics, &to_units(steps), false)
    }
}

/// The network while it is trained: running statistics, and their average over steps, beside the
/// parameters.
#[derive(Debug)]
pub struct FloatTraining {
    net: Net,
    statistics: Tensor,
    average_statistics: Tensor,
}

impl FloatTraining {
    pub fn new(net: Net, statistics: Tensor) -> Self {
        Self { net, average_statistics: statistics.copy(), statistics }
    }

    /// The averages, which are what training leaves.
    pub fn finish(self, optimizer: AdamW) -> FloatNet {
        FloatNet { net: self.net, parameters: optimizer.average, statistics: self.average_statistics }
    }
}

impl Trainable for FloatTraining {
    fn train_logits(&self, parameters: &Tensor, steps: &Tensor) -> Tensor {
        self.net.forward(parameters, &self.statistics, &to_units(steps), true)
    }

    fn logits(&self, average: &Tensor, steps: &Tensor) -> Tensor {
        self.net.forward(average, &self.average_statistics, &to_units(steps), false)
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
