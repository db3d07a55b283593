//! Several teachers as one: the mean of their logits.

use super::finetune;
use crate::run::Run;
use crate::train::net::{FoldedNet, Net, to_units};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use tch::{Device, Tensor, no_grad};

#[derive(Debug)]
pub struct Ensemble {
    /// Each side that a teacher takes, once.
    sides: Vec<u16>,
    /// Teachers, and the place of their side in `sides`.
    teachers: Vec<(Net, FoldedNet, usize)>,
}

impl Ensemble {
    /// The teachers in `folders` for the pupil of a run. They must have learned from the pupil's
    /// own training patients: a teacher that has seen those who validate the pupil would flatter
    /// it. Where the pupil's recipe names its teachers, they must be these, in its order: what it says
    /// of where its network comes from would be wrong.
    pub fn load(folders: &[PathBuf], pupil: &Run, device: Device) -> Result<Self> {
        ensure!(!folders.is_empty(), "expected a teacher's folder at least, got none");
        if let Some(taught) = &pupil.recipe.taught {
            let found: Vec<String> =
                folders.iter().map(|folder| finetune::sha256(folder)).collect::<Result<_>>()?;
            ensure!(
                found == taught.teachers,
                "{} is taught by other teachers: expected those of the SHA-256 {}, got {}; give their folders with --teacher, \
                 in this order",
                pupil.folder.display(),
                taught.teachers.join(", "),
                found.join(", ")
            );
        }
        let (mut sides, mut teachers) = (vec![], vec![]);
        for folder in folders {
            let run = Run::open(folder).with_context(|| format!("{}: no teacher", folder.display()))?;
            ensure!(
                run.data_sha256 == pupil.data_sha256 && run.split == pupil.split,
                "{} was taught on other patients than {} is to learn from; teach it on the same --data with \
                 --split-seed {}, and with its --fold or --hold-out-cluster if it has one",
                folder.display(),
                pupil.folder.display(),
                pupil.split.seed
            );
            let network = finetune::load(&run, device)?;
            let place = sides.iter().position(|&side| side == run.recipe.side).unwrap_or_else(|| {
                sides.push(run.recipe.side);
                sides.len() - 1
            });
            let folded = network.net.fold(&network.parameters, &network.statistics);
            teachers.push((network.net, folded, place));
        }
        Ok(Self { sides, teachers })
    }

    /// Sides of the pictures that [`Ensemble::logits`] takes.
    pub fn sides(&self) -> &[u16] {
        &self.sides
    }

    /// Mean logits, shape N, of N pictures given as steps in each of the sides.
    pub fn logits(&self, steps: &[Tensor]) -> Tensor {
        no_grad(|| {
            let each: Vec<Tensor> = self
                .teachers
                .iter()
                .map(|(net, folded, place)| net.forward_folded(folded, &to_units(&steps[*place])))
                .collect();
            Tensor::stack(&each, 0).mean_dim([0i64].as_slice(), false, tch::Kind::Float)
        })
    }
}
