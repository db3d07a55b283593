//! The built-in training set: drawn phantoms, so that the trainer works from nothing and its tests
//! need no data.
//!
//! A model trained on them knows drawings. It is for trying the trainer, never for a person's
//! picture; its metadata says so.

use super::findings::Findings;
use super::sample::{Dataset, Sample, WORKING_SIDE, content_hash, sample_of};
use crate::progress;
use phantoms::{Label, draw};
use std::collections::BTreeMap;

/// What the data is called in runs and reports.
pub const NAME: &str = "built-in phantoms";

/// `count` phantoms, half of each class, each of a patient of its own.
pub fn load(count: usize, side: u16) -> Dataset {
    let make = |&index: &usize| {
        let positive = index % 2 == 1;
        let label = if positive { Label::Pneumonia } else { Label::Normal };
        // Seeds far from those of the demonstration frames and golden vectors, which start at 0.
        let picture = draw(label, 1_000_000 + index as u64, WORKING_SIDE);
        sample_of(format!("phantom-{index:05}"), picture, side).map(|sample| Sample { positive, ..sample })
    };
    let indices: Vec<usize> = (0..count).collect();
    let samples: Vec<Sample> =
        progress::map("drawing phantoms", &indices, make).into_iter().flatten().collect();
    let pneumonia = samples.iter().filter(|sample| sample.positive).count();
    let findings = Findings {
        sha256: content_hash(&samples),
        normal: samples.len() - pneumonia,
        pneumonia,
        patients: samples.len(),
        patients_by: BTreeMap::from([("drawing: each is another's".to_owned(), samples.len())]),
        ..Findings::default()
    };
    Dataset {
        samples,
        findings,
        notes: vec!["drawings, not X-rays: a model trained on them is for trying the trainer".into()],
    }
}
