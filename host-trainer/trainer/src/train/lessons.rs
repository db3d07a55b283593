//! A teacher's logits for every draw of the pictures' changes, asked once and kept: large networks
//! then cost nothing while the small one is trained, and runs that differ in their seed share them.
//!
//! `lessons.safetensors` holds `logits` (draws x samples; not a number where a sample is not for
//! training) and `about` (text, as bytes). It is written anew after each draw, so that whoever is
//! interrupted goes on with the next one.

use crate::augment;
use crate::augment::batches::{self, Changes, SHARED_SEED};
use crate::dataset::Sample;
use crate::progress;
use crate::run::{Run, TaughtRecipe};
use crate::train::net::{channels_last, to_steps};
use crate::train::optimizer::values;
use crate::train::tensors;
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::path::Path;
use tch::{Device, Kind, Tensor, no_grad};

/// The file, in the folder that runs share or in the run's own.
pub const FILE: &str = "lessons.safetensors";
/// Pictures that a teacher is shown at once.
const BATCH: usize = 64;

/// A teacher: logits, shape N, of N pictures as steps in each of its sides.
pub type Ask<'a> = dyn Fn(&[Tensor]) -> Tensor + 'a;

/// Logits by draw and sample.
#[derive(Debug)]
pub struct Lessons {
    /// One row a draw, one number a sample.
    logits: Vec<f32>,
    samples: usize,
    /// Share of the pictures that are photographed from a film.
    film: f64,
    /// What they depend on besides the draw.
    about: String,
}

impl Lessons {
    /// The lessons in `folder` for a taught run on so many samples, as many draws as are there: none
    /// where there is no file.
    ///
    /// # Errors
    /// A file that cannot be read, or that other teachers, data or changes made.
    pub fn open(folder: &Path, run: &Run, taught: &TaughtRecipe, samples: usize) -> Result<Self> {
        let (path, about, film) = (folder.join(FILE), about(run, taught), run.recipe.film);
        if !path.exists() {
            return Ok(Self { logits: vec![], samples, film, about });
        }
        let mut found = tensors::load(&path, Device::Cpu)?;
        let mut take = |name| {
            found.remove(name).with_context(|| format!("{}: no tensor `{name}`; delete it", path.display()))
        };
        let text = Vec::<u8>::try_from(&take("about")?.to_kind(Kind::Uint8).view(-1))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        ensure!(
            text == about,
            "{}: expected the lessons of\n  {about}\ngot those of\n  {text}\ngive another folder with --lessons, \
             or delete the file",
            path.display()
        );
        let logits = take("logits")?;
        ensure!(
            logits.dim() == 2 && logits.size()[1] == samples as i64,
            "{}: expected logits of {samples} samples, got the shape {:?}; delete it",
            path.display(),
            logits.size()
        );
        Ok(Self { logits: values(&logits), samples, film, about })
    }

    /// Draws that are there.
    pub fn draws(&self) -> u64 {
        (self.logits.len() / self.samples.max(1)) as u64
    }

    /// Asks the teacher about the draws that are missing of `draws`, and writes the file into
    /// `folder` after each.
    pub fn complete(
        &mut self,
        folder: &Path,
        draws: u64,
        (samples, train): (&[Sample], &[usize]),
        (sides, teach): (&[u16], &Ask),
        device: Device,
    ) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let about = Tensor::from_slice(self.about.as_bytes());
        for draw in self.draws()..draws {
            let bar = progress::bar(&format!("lesson {} of {draws}", draw + 1), train.len().div_ceil(BATCH));
            let mut row = vec![f32::NAN; self.samples];
            std::thread::scope(|scope| -> Result<()> {
                let asked = (BATCH, sides.to_vec());
                let changes = Changes::shared(draw).with_film(self.film);
                let (receiver, worker) = batches::start(scope, samples, train.to_vec(), changes, asked);
                for batch in receiver {
                    let steps = batch.pictures.iter().zip(sides).map(|(pictures, &side)| {
                        let pictures = pictures.iter().map(Vec::as_slice);
                        channels_last(&to_steps(pictures, i64::from(side), device))
                    });
                    let logits = no_grad(|| values(&teach(&steps.collect::<Vec<_>>())));
                    for (&sample, logit) in batch.indices.iter().zip(logits) {
                        let place = row.get_mut(sample).context("a sample that the split does not name")?;
                        *place = logit;
                    }
                    bar.inc(1);
                }
                ensure!(worker.join().is_ok(), "the thread that prepares pictures stopped");
                Ok(())
            })?;
            bar.finish_and_clear();
            self.logits.extend(row);
            let logits = Tensor::from_slice(&self.logits).view([-1, self.samples as i64]);
            tensors::save(&folder.join(FILE), &[("logits", &logits), ("about", &about)])?;
        }
        Ok(())
    }

    /// Logits of these samples in a draw.
    ///
    /// # Errors
    /// A draw or a sample that no teacher was asked about.
    pub fn logits(&self, draw: u64, samples: &[usize]) -> Result<Vec<f32>> {
        let row = self.logits.chunks(self.samples.max(1)).nth(usize::try_from(draw)?);
        let row = row.with_context(|| format!("expected lessons of draw {draw}, got {}", self.draws()))?;
        let logit = |&sample: &usize| {
            let logit = row.get(sample).copied().filter(|logit| logit.is_finite());
            logit.with_context(|| format!("no lesson about sample {sample} in draw {draw}"))
        };
        samples.iter().map(logit).collect()
    }
}

/// What a logit depends on, besides draw and sample.
fn about(run: &Run, taught: &TaughtRecipe) -> String {
    let mut split = Sha256::new();
    run.split.train.iter().for_each(|id| split.update(format!("{id}\n")));
    let split: String = split.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "teachers {} (sides {:?}), data {}, training samples {split}, changes {} seed {SHARED_SEED}, film {}",
        taught.teachers.join(" "),
        taught.sides,
        run.data_sha256,
        augment::VERSION,
        run.recipe.film,
    )
}
