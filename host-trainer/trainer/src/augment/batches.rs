//! Training batches, changed on all cores while one thread trains.
//!
//! Order and changes each depend on (seed, number, sample) alone: which thread makes a batch, and
//! when, changes nothing.

use crate::augment::{AugmentParams, augment, augment_and_preprocess, film};
use crate::dataset::{ModelInput, Sample, prepare};
use crate::random::{Purpose, SeededRng};
use edge_core::{FrameError, Geometry, PixelFormat};
use edge_model::decode::Picture;
use rayon::prelude::*;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::ScopedJoinHandle;

#[derive(Debug)]
pub struct Batch {
    /// Which samples these are.
    pub indices: Vec<usize>,
    /// For each side that was asked for, the preprocessed pictures, `side * side` bytes each.
    pub pictures: Vec<Vec<Vec<u8>>>,
    /// 1 for pneumonia.
    pub labels: Vec<f32>,
}

/// Seed of the draws that runs share; no run's own, so that none is better off with them.
pub const SHARED_SEED: u64 = 20_261_129;
/// Batches that wait to be used; more would only cost memory.
const AHEAD: usize = 4;

/// Which changes are made to the pictures: the key of their random draws, besides the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Changes {
    seed: u64,
    number: u64,
    /// Share of the pictures that are photographed from a film before the other changes.
    film: f64,
}

impl Changes {
    /// Those of a run's own epoch.
    pub fn of_epoch(seed: u64, epoch: u64) -> Self {
        Self { seed, number: epoch, film: 0.0 }
    }

    /// The draw of this number, which is the same in every run on the same data.
    pub fn shared(draw: u64) -> Self {
        Self { seed: SHARED_SEED, number: draw, film: 0.0 }
    }

    /// The same, with this share photographed from a film.
    pub fn with_film(self, film: f64) -> Self {
        Self { film, ..self }
    }
}

/// The order of an epoch's pictures.
pub fn shuffled(indices: &[usize], seed: u64, epoch: u64) -> Vec<usize> {
    let mut order = indices.to_vec();
    SeededRng::new(seed, Purpose::Order, epoch, 0).shuffle(&mut order);
    order
}

/// Starts making the batches of the samples in this order; the last batch may be short.
pub fn start<'scope, 'data: 'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    samples: &'data [Sample],
    order: Vec<usize>,
    changes: Changes,
    (batch, sides): (usize, Vec<u16>),
) -> (Receiver<Batch>, ScopedJoinHandle<'scope, ()>) {
    let (sender, receiver) = sync_channel(AHEAD);
    let worker = scope.spawn(move || {
        for chunk in order.chunks(batch.max(1)) {
            if sender.send(Batch::make(samples, chunk, changes, &sides)).is_err() {
                return; // the training side has stopped
            }
        }
    });
    (receiver, worker)
}

impl Batch {
    /// The samples at `indices`, changed on all threads of the current pool of rayon.
    pub fn make(samples: &[Sample], indices: &[usize], changes: Changes, sides: &[u16]) -> Self {
        let one = |&i: &usize| -> Vec<Vec<u8>> {
            let [mut rng, mut taking] = [Purpose::Augment, Purpose::Film]
                .map(|purpose| SeededRng::new(changes.seed, purpose, changes.number, i as u64));
            // Changed once, then as large as each network takes it.
            let working = film::sometimes(&samples[i].working, changes.film, &mut taking);
            let changed = augment(&working, &AugmentParams::TRAINING, &mut rng);
            sides.iter().map(|&side| prepare(&changed.pixels, changed.side, side).bytes.into()).collect()
        };
        let made: Vec<Vec<Vec<u8>>> = indices.par_iter().map(one).collect();
        let mut pictures = vec![Vec::with_capacity(indices.len()); sides.len()];
        for picture in made {
            pictures.iter_mut().zip(picture).for_each(|(of_side, picture)| of_side.push(picture));
        }
        let labels = indices.iter().map(|&i| f32::from(u8::from(samples[i].positive))).collect();
        Self { indices: indices.to_vec(), pictures, labels }
    }
}

/// One sample of the shifted validation set, changed by a seed that no training uses.
pub fn shifted_input(sample: &Sample, side: u16) -> ModelInput {
    augment_and_preprocess(&sample.working, &AugmentParams::SHIFTED, side, &mut shift_rng(sample))
}

/// [`shifted_input`] before the preprocessing.
pub fn shifted_picture(sample: &Sample) -> Result<Picture, FrameError> {
    let square = augment(&sample.working, &AugmentParams::SHIFTED, &mut shift_rng(sample));
    Picture::new(Geometry::new(square.side, square.side, PixelFormat::Gray8)?, square.pixels)
}

/// The draws for one sample of the shifted validation set; they depend on its content alone, so
/// that the same picture is changed in the same way whatever split it is in.
fn shift_rng(sample: &Sample) -> SeededRng {
    let mut key = [0; 8];
    key.copy_from_slice(&sample.content[..8]);
    SeededRng::new(20_261_123, Purpose::Shift, 0, u64::from_le_bytes(key))
}
