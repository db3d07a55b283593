//! The conditions under which a validation picture is looked at: as it is, as another installation
//! would have it, and photographed from a film. The same picture is changed in the same way whatever
//! split it is in.

use super::{batches, film};
use crate::dataset::{PictureSource, Sample, WORKING_SIDE};
use crate::progress;
use edge_core::FrameError;
use edge_model::decode::Picture;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Plain,
    Shifted,
    Film,
}

impl Condition {
    /// In the order of every table.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Shifted, Self::Film];

    /// In tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Shifted => "shifted",
            Self::Film => "film",
        }
    }

    /// The network's inputs for the samples at `indices`, `side * side` bytes each.
    pub fn inputs(self, samples: &[Sample], indices: &[usize], side: u16) -> Vec<Vec<u8>> {
        match self {
            Self::Plain => indices.iter().map(|&i| samples[i].input.bytes.to_vec()).collect(),
            Self::Shifted => batches::shifted_inputs(samples, indices, side),
            Self::Film => progress::map("photographing validation pictures", indices, |&i| {
                film::film_input(&samples[i], side).bytes.into()
            }),
        }
    }

    /// The grey square under this condition before the preprocessing: its side, and its pixels.
    pub fn square(self, sample: &Sample) -> Result<(u32, Vec<u8>), FrameError> {
        let of = |picture: Picture| (u32::from(picture.geometry().width()), picture.bytes().to_vec());
        Ok(match self {
            Self::Plain => (WORKING_SIDE.into(), sample.working.to_vec()),
            Self::Shifted => of(batches::shifted_picture(sample)?),
            Self::Film => of(film::film_picture(sample)?),
        })
    }

    /// What a device would be given of this sample.
    pub fn picture(self, sample: &Sample) -> Result<PictureSource, FrameError> {
        Ok(match self {
            Self::Plain => sample.original.clone(),
            Self::Shifted => PictureSource::Memory(Arc::new(batches::shifted_picture(sample)?)),
            Self::Film => PictureSource::Memory(Arc::new(film::film_picture(sample)?)),
        })
    }
}
