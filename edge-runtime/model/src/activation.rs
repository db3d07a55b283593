//! Where in a picture the network saw what speaks for or against its positive label: the class
//! activation map.
//!
//! It is computed by edge-core from the features that the head read, which are the same bytes in
//! every engine, so it is the same on every machine. It shows what the network looked at; it does
//! not show an illness.

use crate::aligned::AlignedBytes;
use crate::model_file::ModelFile;
use crate::pack::{PackError, pack};
use edge_core::infer::InferError;
use edge_core::packed::Packed;

/// Greatest part that a map's colour has in a pixel: what is below stays to be seen.
const DEEPEST: f32 = 0.6;

/// Computes maps for one model, from the features of any engine that computes it.
///
/// ```
/// use edge_model::activation::ActivationMapper;
/// use edge_model::classify::Classifier;
/// use edge_model::drawings::GOLDEN;
/// use edge_model::engine::{Engine, EngineKind};
/// use edge_model::model_file::ModelFile;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = ModelFile::from_bytes(include_bytes!("../../../models/pneumonia/model.onnx"))?;
/// let mut classifier = Classifier::new(&model, EngineKind::Core.load(&model)?);
/// classifier.classify(&GOLDEN.picture()?.frame())?;
/// let map = ActivationMapper::new(&model)?.map(classifier.engine().features()?)?;
/// assert_eq!((map.width(), map.shares().len()), (8, 64));
/// println!("the middle of the picture gives {}, at most {}", map.at(0.5, 0.5), map.peak());
/// # Ok(())
/// # }
/// ```
pub struct ActivationMapper(Packed<AlignedBytes>);

impl ActivationMapper {
    /// Takes the head's weights from the packed form of `model`.
    ///
    /// # Errors
    /// [`PackError`], where the model cannot be packed.
    pub fn new(model: &ModelFile) -> Result<Self, PackError> {
        Ok(Self(pack(model)?))
    }

    /// The map of a picture, by what [`Engine::features`](crate::engine::Engine::features) gave
    /// after it.
    ///
    /// # Errors
    /// [`InferError`] where `features` are not those of this model; none at all are not.
    pub fn map(&self, features: &[u8]) -> Result<ActivationMap, InferError> {
        let plan = self.0.plan()?;
        let shape = plan.features()?.shape;
        let mut shares = vec![0.0; shape.height * shape.width];
        plan.head()?.map(features, &mut shares)?;
        Ok(ActivationMap { width: shape.width, shares })
    }
}

/// Each position's share of the logit, without the model's bias: above 0 it speaks for the positive
/// label, below against it.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationMap {
    width: usize,
    /// Rows from the top.
    shares: Vec<f32>,
}

impl ActivationMap {
    /// Positions in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The shares, rows from the top.
    pub fn shares(&self) -> &[f32] {
        &self.shares
    }

    /// The greatest share in either direction; 0 where all are.
    pub fn peak(&self) -> f32 {
        self.shares.iter().fold(0.0, |peak, share| f32::max(peak, share.abs()))
    }

    /// The share at a place of the judged picture, 0..1 from its left and from its top,
    /// interpolated between the centres of the four positions around it.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let height = self.shares.len() / self.width.max(1);
        let along = |place: f32, count: usize| {
            let centre = (place * count as f32 - 0.5).clamp(0.0, count.saturating_sub(1) as f32);
            let before = centre as usize;
            (before, (before + 1).min(count.saturating_sub(1)), centre - before as f32)
        };
        let ((left, right, fx), (top, bottom, fy)) = (along(x, self.width), along(y, height));
        let share = |x: usize, y: usize| self.shares.get(y * self.width + x).copied().unwrap_or(0.0);
        let row = |y| share(left, y) * (1.0 - fx) + share(right, y) * fx;
        row(top) * (1.0 - fy) + row(bottom) * fy
    }

    /// The colour (red, green, blue) of a grey pixel at a place as in [`Self::at`], with the map
    /// laid over it: red where the share is above 0, blue where it is below, the deeper the nearer
    /// to the map's own peak. The picture shows through everywhere.
    pub fn tint(&self, grey: u8, x: f32, y: f32) -> [u8; 3] {
        let (colour, part) = self.colour(x, y);
        colour.map(|colour| (f32::from(grey) * (1.0 - part) + f32::from(colour) * part).round() as u8)
    }

    /// The same colour by itself, with how opaque it is in the last byte: a map of `side * side` such
    /// places, rows from the top, laid over the judged picture looks as [`Self::tint`] does.
    pub fn overlay(&self, side: usize) -> Vec<[u8; 4]> {
        let centre = |at: usize| (at as f32 + 0.5) / side as f32;
        let place = |at: usize| {
            let ([red, green, blue], part) = self.colour(centre(at % side), centre(at / side));
            [red, green, blue, (part * 255.0).round() as u8]
        };
        (0..side * side).map(place).collect()
    }

    /// Colour and its part in a pixel, 0..[`DEEPEST`].
    fn colour(&self, x: f32, y: f32) -> ([u8; 3], f32) {
        let heat = if self.peak() > 0.0 { self.at(x, y) / self.peak() } else { 0.0 };
        let full = |is: bool| if is { 255 } else { 0 };
        ([full(heat > 0.0), 0, full(heat < 0.0)], heat.abs().min(1.0) * DEEPEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_between_centres_are_interpolated_and_those_at_the_edge_are_not() {
        let map = ActivationMap { width: 2, shares: vec![0.0, 4.0, -8.0, 4.0] };
        assert_eq!((map.peak(), map.width(), map.shares().len()), (8.0, 2, 4));
        assert_eq!([map.at(0.0, 0.0), map.at(0.25, 0.25), map.at(1.0, 0.0)], [0.0, 0.0, 4.0]);
        assert_eq!([map.at(0.5, 0.25), map.at(0.25, 0.5), map.at(0.5, 0.5)], [2.0, -4.0, 0.0]);
        assert_eq!(ActivationMap { width: 0, shares: vec![] }.at(0.5, 0.5), 0.0);
    }

    #[test]
    fn red_is_for_and_blue_against_and_the_picture_shows_through() {
        let map = ActivationMap { width: 3, shares: vec![2.0, -1.0, 0.0] };
        assert_eq!(map.tint(100, 0.0, 0.5), [193, 40, 40]);
        assert_eq!(map.tint(100, 0.5, 0.5), [70, 70, 147]);
        assert_eq!(map.tint(100, 1.0, 0.5), [100; 3]);
        assert_eq!(ActivationMap { width: 1, shares: vec![0.0] }.tint(100, 0.5, 0.5), [100; 3]);
        // By itself it is the same colour, to be mixed by whoever shows it.
        let map = ActivationMap { width: 2, shares: vec![2.0, -1.0, 0.0, 0.0] };
        assert_eq!(map.overlay(2), [[255, 0, 0, 153], [0, 0, 255, 77], [0; 4], [0; 4]]);
        assert_eq!(map.overlay(0), [[0; 4]; 0]);
    }
}
