//! The conditions under which a validation picture is looked at: as it is, as another installation
//! would have it, and photographed from a film. The same picture is changed in the same way whatever
//! split it is in.

use super::{batches, film};
use crate::dataset::{PictureSource, Pixels, Sample, WORKING_SIDE, keep};
use edge_core::FrameError;
use edge_model::decode::Picture;
use std::io;
use std::path::Path;
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

    /// The network's inputs for the samples at `indices`, `side * side` bytes each. Those of samples on
    /// disk are on disk too: as they are, where they lie already; changed, in a file without a name in
    /// `folder`.
    ///
    /// # Errors
    /// That file cannot be made or written.
    pub fn inputs(
        self,
        samples: &[Sample],
        indices: &[usize],
        side: u16,
        folder: &Path,
    ) -> io::Result<Vec<Pixels>> {
        let on_disk = indices.iter().any(|&i| samples[i].working.is_mapped());
        let folder = on_disk.then_some(folder);
        match self {
            Self::Plain => Ok(indices.iter().map(|&i| samples[i].input.bytes.clone()).collect()),
            Self::Shifted => keep("shifting validation pictures", indices, folder, |&i| {
                batches::shifted_input(&samples[i], side).bytes
            }),
            Self::Film => keep("photographing validation pictures", indices, folder, |&i| {
                film::film_input(&samples[i], side).bytes
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

    /// What a device would be given of this sample; what is changed of it is made when it is opened.
    pub fn picture(self, sample: &Sample) -> PictureSource {
        let made = |change: fn(&Sample) -> Result<Picture, FrameError>| {
            let sample = sample.clone();
            PictureSource::Made(Arc::new(move || change(&sample)))
        };
        match self {
            Self::Plain => sample.original.clone(),
            Self::Shifted => made(batches::shifted_picture),
            Self::Film => made(film::film_picture),
        }
    }
}
