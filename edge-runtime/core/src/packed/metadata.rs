//! The metadata in a packed model: numbers and places in a record of the execution plan, texts and
//! the gate's weights where it says, all read in place.

use super::format::{bytes_at, f32_at, metadata as field, u16_at, u32_at, usize_at};
use super::out::{Out, u32_of};
use super::{ExecutionPlan, PackedError};
use crate::decide::{Calibration, Thresholds};
use crate::gate::{GateThresholds, LinearDetector};
use crate::model::{MetadataError, MetadataView};
use crate::preprocess;

impl<'a> ExecutionPlan<'a> {
    /// What the model says of itself.
    ///
    /// # Errors
    /// [`PackedError::Metadata`] for another preprocessing than this build's, [`PackedError::Form`]
    /// where a text or weights are not where the record says. The rules between and within
    /// values were checked when the model was opened.
    pub fn metadata(&self) -> Result<MetadataView<'a>, PackedError> {
        let form = PackedError::Form { what: "the metadata" };
        let record = self.metadata_record();
        let mut texts = [""; field::TEXT_COUNT];
        let places = bytes_at::<{ field::TEXTS }, { field::TEXT_COUNT * 8 }, _>(record);
        for (text, place) in texts.iter_mut().zip(places.as_chunks::<8>().0) {
            let (at, length) = (usize_at::<0, 8>(place), usize_at::<4, 8>(place));
            *text = core::str::from_utf8(self.section(at, length).ok_or(form)?).map_err(|_| form)?;
        }
        let [name, version, label_negative, label_positive, fitted_on, chosen_for, rest @ ..] = texts;
        let [intended_use, training_data_sha256, seeds, made_by, metrics, preprocessing] = rest;
        if preprocessing != preprocess::NAME {
            return Err(MetadataError::Preprocessing.into());
        }
        let mut score_deciles_ppm = [0; 9];
        let deciles = bytes_at::<{ field::DECILES }, 36, _>(record);
        for (decile, bytes) in score_deciles_ppm.iter_mut().zip(deciles.as_chunks::<4>().0) {
            *decile = u32::from_le_bytes(*bytes);
        }
        let likeness = |at, count, least: u32| {
            Some(LinearDetector { weights: self.numbers(at, count)?, least: least.cast_signed() })
        };
        let layout = likeness(
            usize_at::<{ field::LAYOUT }, _>(record),
            usize_at::<{ field::LAYOUT_COUNT }, _>(record),
            u32_at::<{ field::MIN_LAYOUT }, _>(record),
        );
        let features = likeness(
            usize_at::<{ field::FEATURES }, _>(record),
            usize_at::<{ field::FEATURE_COUNT }, _>(record),
            u32_at::<{ field::MIN_FEATURES }, _>(record),
        );
        let familiar = likeness(
            usize_at::<{ field::FAMILIAR }, _>(record),
            usize_at::<{ field::FAMILIAR_COUNT }, _>(record),
            u32_at::<{ field::MIN_FAMILIAR }, _>(record),
        );
        Ok(MetadataView {
            name,
            version,
            input_side: u16_at::<{ field::INPUT_SIDE }, _>(record),
            label_negative,
            label_positive,
            calibration: Calibration {
                temperature: f32_at::<{ field::TEMPERATURE }, _>(record),
                bias: f32_at::<{ field::BIAS }, _>(record),
            },
            fitted_on,
            score_deciles_ppm,
            thresholds: Thresholds {
                negative_below: f32_at::<{ field::NEGATIVE_BELOW }, _>(record),
                positive_above: f32_at::<{ field::POSITIVE_ABOVE }, _>(record),
            },
            chosen_for,
            gate: GateThresholds {
                min_mean: u16_at::<{ field::MIN_MEAN }, _>(record),
                max_mean: u16_at::<{ field::MAX_MEAN }, _>(record),
                min_deviation: u16_at::<{ field::MIN_DEVIATION }, _>(record),
                max_elongation_permille: u32_at::<{ field::MAX_ELONGATION }, _>(record),
                max_black_permille: u16_at::<{ field::MAX_BLACK }, _>(record),
                max_white_permille: u16_at::<{ field::MAX_WHITE }, _>(record),
                min_sharpness: u16_at::<{ field::MIN_SHARPNESS }, _>(record),
                layout: layout.ok_or(form)?,
                features: features.ok_or(form)?,
                familiar: familiar.ok_or(form)?,
            },
            intended_use,
            training_data_sha256,
            seeds,
            made_by,
            metrics,
        })
    }
}

/// Writes the record at `record`, and texts and weights as sections of their own.
pub(super) fn write(metadata: &MetadataView, record: usize, out: &mut Out) {
    let texts = metadata.texts().map(|(_, text, _)| text);
    let all = texts.into_iter().chain([preprocess::NAME]);
    let mut at = out.section(all.clone().map(str::len).sum());
    for (index, text) in all.enumerate() {
        out.put(record + field::TEXTS + index * 8, &u32_of(at));
        out.put(record + field::TEXTS + index * 8 + 4, &u32_of(text.len()));
        out.put(at, text.as_bytes());
        at += text.len();
    }
    let gate = &metadata.gate;
    for (place, count, weights) in [
        (field::LAYOUT, field::LAYOUT_COUNT, gate.layout.weights),
        (field::FEATURES, field::FEATURE_COUNT, gate.features.weights),
        (field::FAMILIAR, field::FAMILIAR_COUNT, gate.familiar.weights),
    ] {
        let at = out.section(weights.len());
        out.put(at, bytemuck::cast_slice(weights));
        out.put(record + place, &u32_of(at));
        out.put(record + count, &u32_of(weights.len()));
    }
    for (index, decile) in metadata.score_deciles_ppm.iter().enumerate() {
        out.put(record + field::DECILES + index * 4, &decile.to_le_bytes());
    }
    for (field, number) in [
        (field::TEMPERATURE, metadata.calibration.temperature),
        (field::BIAS, metadata.calibration.bias),
        (field::NEGATIVE_BELOW, metadata.thresholds.negative_below),
        (field::POSITIVE_ABOVE, metadata.thresholds.positive_above),
    ] {
        out.put(record + field, &number.to_le_bytes());
    }
    out.put(record + field::MAX_ELONGATION, &gate.max_elongation_permille.to_le_bytes());
    out.put(record + field::MIN_LAYOUT, &gate.layout.least.to_le_bytes());
    out.put(record + field::MIN_FEATURES, &gate.features.least.to_le_bytes());
    out.put(record + field::MIN_FAMILIAR, &gate.familiar.least.to_le_bytes());
    for (field, number) in [
        (field::INPUT_SIDE, metadata.input_side),
        (field::MIN_MEAN, gate.min_mean),
        (field::MAX_MEAN, gate.max_mean),
        (field::MIN_DEVIATION, gate.min_deviation),
        (field::MAX_BLACK, gate.max_black_permille),
        (field::MAX_WHITE, gate.max_white_permille),
        (field::MIN_SHARPNESS, gate.min_sharpness),
    ] {
        out.put(record + field, &number.to_le_bytes());
    }
}
