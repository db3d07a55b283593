//! Training batches, changed by a second thread while the first one trains.
//!
//! Order and changes depend on (seed, epoch, sample) alone: which thread makes a batch, and when,
//! changes nothing.

use crate::augment::film;
use crate::augment::{AugmentParams, GrayImage, augment, augment_and_preprocess};
use crate::dataset::{Sample, prepare};
use crate::progress;
use crate::random::{Purpose, SeededRng};
use edge_core::{FrameError, Geometry, PixelFormat};
use edge_model::decode::Picture;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::ScopedJoinHandle;

#[derive(Debug)]
pub struct Batch {
    /// For each side that was asked for, the preprocessed pictures, `side * side` bytes each.
    pub pictures: Vec<Vec<Vec<u8>>>,
    /// 1 for pneumonia.
    pub labels: Vec<f32>,
}

/// Batches that wait to be used; more would only cost memory.
const AHEAD: usize = 4;

/// Starts making the batches of `epoch` over the samples at `indices`; the last batch may be short.
/// A share of `film_share` of the pictures is photographed from a film before the other changes.
pub fn epoch<'scope, 'data: 'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    samples: &'data [Sample],
    indices: &[usize],
    (seed, epoch): (u64, u64),
    (batch, sides): (usize, Vec<u16>),
    film_share: f64,
) -> (Receiver<Batch>, ScopedJoinHandle<'scope, ()>) {
    let mut order = indices.to_vec();
    SeededRng::new(seed, Purpose::Order, epoch, 0).shuffle(&mut order);
    let (sender, receiver) = sync_channel(AHEAD);
    let worker = scope.spawn(move || {
        for chunk in order.chunks(batch.max(1)) {
            // Changed once, then as large as each network takes it.
            let changed = chunk.iter().map(|&i| {
                let [mut rng, mut taking] = [Purpose::Augment, Purpose::Film]
                    .map(|purpose| SeededRng::new(seed, purpose, epoch, i as u64));
                let working = film::sometimes(&samples[i].working, film_share, &mut taking);
                augment(&working, &AugmentParams::TRAINING, &mut rng)
            });
            let changed: Vec<GrayImage> = changed.collect();
            let prepared = |&side: &u16| {
                changed.iter().map(|picture| prepare(&picture.pixels, picture.side, side).bytes).collect()
            };
            let made = Batch {
                pictures: sides.iter().map(prepared).collect(),
                labels: chunk.iter().map(|&i| f32::from(u8::from(samples[i].positive))).collect(),
            };
            if sender.send(made).is_err() {
                return; // the training side has stopped
            }
        }
    });
    (receiver, worker)
}

/// The shifted validation set: each sample changed once, by a seed that no training uses.
pub fn shifted_inputs(samples: &[Sample], indices: &[usize], side: u16) -> Vec<Vec<u8>> {
    progress::map("shifting validation pictures", indices, |&i| {
        augment_and_preprocess(
            &samples[i].working,
            &AugmentParams::SHIFTED,
            side,
            &mut shift_rng(&samples[i]),
        )
        .bytes
    })
}

/// One sample of the shifted validation set, before the preprocessing.
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
