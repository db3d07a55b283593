//! Training batches, changed by a second thread while the first one trains.
//!
//! Order and changes depend on (seed, epoch, case) alone: which thread makes a batch, and when, changes nothing.

use crate::augment::{Strength, augmented, change};
use crate::dataset::Case;
use crate::progress;
use crate::random::{Dice, Purpose};
use edge_core::{FrameError, Geometry, PixelFormat};
use edge_model::decode::Picture;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::ScopedJoinHandle;

#[derive(Debug)]
pub struct Batch {
    /// Preprocessed pictures, `side * side` bytes each.
    pub pictures: Vec<Vec<u8>>,
    /// 1 for pneumonia.
    pub labels: Vec<f32>,
}

/// Batches that wait to be used; more would only cost memory.
const AHEAD: usize = 4;

/// Starts making the batches of `epoch` over the cases at `indices`; the last batch may be short.
pub fn epoch<'scope, 'data: 'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    cases: &'data [Case],
    indices: &[usize],
    (seed, epoch): (u64, u64),
    (batch, side): (usize, u16),
) -> (Receiver<Batch>, ScopedJoinHandle<'scope, ()>) {
    let mut order = indices.to_vec();
    Dice::new(seed, Purpose::Order, epoch, 0).shuffle(&mut order);
    let (sender, receiver) = sync_channel(AHEAD);
    let worker = scope.spawn(move || {
        for chunk in order.chunks(batch.max(1)) {
            let pictures = chunk.iter().map(|&i| {
                let mut dice = Dice::new(seed, Purpose::Augment, epoch, i as u64);
                augmented(&cases[i].working, &Strength::TRAINING, side, &mut dice).bytes
            });
            let made = Batch {
                pictures: pictures.collect(),
                labels: chunk.iter().map(|&i| f32::from(u8::from(cases[i].positive))).collect(),
            };
            if sender.send(made).is_err() {
                return; // the training side has stopped
            }
        }
    });
    (receiver, worker)
}

/// The shifted validation set: each case changed once, by a seed that no training uses.
pub fn shifted(cases: &[Case], indices: &[usize], side: u16) -> Vec<Vec<u8>> {
    progress::map("shifting validation pictures", indices, |&i| {
        augmented(&cases[i].working, &Strength::SHIFTED, side, &mut shift_dice(&cases[i])).bytes
    })
}

/// One case of the shifted validation set, before the preprocessing.
pub fn shifted_picture(case: &Case) -> Result<Picture, FrameError> {
    let square = change(&case.working, &Strength::SHIFTED, &mut shift_dice(case));
    Picture::new(Geometry::new(square.side, square.side, PixelFormat::Gray8)?, square.pixels)
}

/// The draws for one case of the shifted validation set; they depend on its content alone, so that the same picture is
/// changed in the same way whatever split it is in.
fn shift_dice(case: &Case) -> Dice {
    let mut key = [0; 8];
    key.copy_from_slice(&case.content[..8]);
    Dice::new(20_261_123, Purpose::Shift, 0, u64::from_le_bytes(key))
}
