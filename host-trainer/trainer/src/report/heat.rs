//! What the network looked at in a picture, as the device's own `classify --heatmap` draws it.

use anyhow::{Context, Result};
use edge_model::activation::ActivationMapper;
use edge_model::classify::Classifier;
use edge_model::decode::Picture;
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::ModelFile;
use image::{GrayImage, Rgb, RgbImage};
use std::cell::RefCell;

/// The run's model, ready to say where it looked.
pub(super) struct HeatMaps {
    classifier: RefCell<Classifier<Box<dyn Engine>>>,
    mapper: ActivationMapper,
    sha256: String,
}

impl HeatMaps {
    pub(super) fn new(model: &ModelFile) -> Result<Self> {
        let engine = EngineKind::default().load(model).context("no engine for the run's model")?;
        Ok(Self {
            classifier: RefCell::new(Classifier::new(model, engine)),
            mapper: ActivationMapper::new(model).context("the run's model cannot be packed")?,
            sha256: model.sha256().to_owned(),
        })
    }

    /// Whether it was this model that gave what was evaluated.
    pub(super) fn is_of(&self, model_sha256: &str) -> bool {
        self.sha256 == model_sha256
    }

    /// `thumbnail` of `picture` with the map over it; none where the network did not come to
    /// look at it.
    pub(super) fn over(&self, picture: &Picture, thumbnail: &GrayImage) -> Option<RgbImage> {
        let mut classifier = self.classifier.try_borrow_mut().ok()?;
        classifier.classify(&picture.frame()).ok()?.figures.features?;
        let map = self.mapper.map(classifier.engine().features().ok()?).ok()?;
        let (width, height) = (thumbnail.width() as f32, thumbnail.height() as f32);
        Some(RgbImage::from_fn(thumbnail.width(), thumbnail.height(), |x, y| {
            let [grey] = thumbnail.get_pixel(x, y).0;
            Rgb(map.tint(grey, (x as f32 + 0.5) / width, (y as f32 + 0.5) / height))
        }))
    }
}
