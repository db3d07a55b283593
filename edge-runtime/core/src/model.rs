//! What a model file says of itself: the metadata bound into it, parsed and checked.
//!
//! An ONNX model carries its metadata as text properties (`metadata_props`).
//! [`Metadata::from_props`] is the only way in: it refuses missing, malformed, contradictory and
//! unknown-version entries and names the key. Writers call [`Metadata::write_props`], the exact
//! inverse. A packed model carries the same in binary, which is read in place.

mod props;

use crate::decide::{Calibration, Thresholds};
use crate::gate::{FEATURE_CELLS, GateThresholds, LAYOUT_CELLS, MAX_CHANNELS};
use crate::preprocess;
use core::fmt;

/// Version of the metadata's form that this code writes.
pub const FORMAT: u32 = 3;
/// The oldest version that it reads: there no chest is unfamiliar.
pub const OLDEST_FORMAT: u32 = 2;

/// The properties' names, in the order in which they are written.
pub mod key {
    /// Version of this form, [`super::FORMAT`].
    pub const FORMAT: &str = "pneumoscope.format";
    /// Name of the model.
    pub const NAME: &str = "pneumoscope.name";
    /// Version of the model.
    pub const VERSION: &str = "pneumoscope.version";
    /// Side of the square input, in pixels.
    pub const INPUT_SIDE: &str = "pneumoscope.input_side";
    /// Name and version of the preprocessing.
    pub const PREPROCESSING: &str = "pneumoscope.preprocessing";
    /// Label of a low score.
    pub const LABEL_NEGATIVE: &str = "pneumoscope.label.negative";
    /// Label of a high score.
    pub const LABEL_POSITIVE: &str = "pneumoscope.label.positive";
    /// What the logit is divided by, see [`Calibration`](crate::decide::Calibration).
    pub const TEMPERATURE: &str = "pneumoscope.calibration.temperature";
    /// Added to the divided logit.
    pub const BIAS: &str = "pneumoscope.calibration.bias";
    /// What temperature and bias were fitted on.
    pub const FITTED_ON: &str = "pneumoscope.calibration.fitted_on";
    /// Nine scores, in millionths, that cut those of the training data's validation patients into
    /// ten equal parts.
    pub const SCORE_DECILES: &str = "pneumoscope.calibration.score_deciles_ppm";
    /// Lower threshold on the score.
    pub const NEGATIVE_BELOW: &str = "pneumoscope.threshold.negative_below";
    /// Upper threshold on the score.
    pub const POSITIVE_ABOVE: &str = "pneumoscope.threshold.positive_above";
    /// What the thresholds were chosen for.
    pub const CHOSEN_FOR: &str = "pneumoscope.threshold.chosen_for";
    /// Gate: least mean luminance.
    pub const MIN_MEAN: &str = "pneumoscope.gate.min_mean";
    /// Gate: greatest mean luminance.
    pub const MAX_MEAN: &str = "pneumoscope.gate.max_mean";
    /// Gate: least deviation of luminance.
    pub const MIN_DEVIATION: &str = "pneumoscope.gate.min_deviation";
    /// Gate: greatest elongation, in thousandths.
    pub const MAX_ELONGATION: &str = "pneumoscope.gate.max_elongation_permille";
    /// Gate: greatest share of black cells, in thousandths.
    pub const MAX_BLACK: &str = "pneumoscope.gate.max_black_permille";
    /// Gate: greatest share of white cells, in thousandths.
    pub const MAX_WHITE: &str = "pneumoscope.gate.max_white_permille";
    /// Gate: least sharpness, in thousandths.
    pub const MIN_SHARPNESS: &str = "pneumoscope.gate.min_sharpness_permille";
    /// Gate: least likeness of the layout.
    pub const MIN_LAYOUT: &str = "pneumoscope.gate.min_layout_likeness";
    /// Gate: least likeness of the features.
    pub const MIN_FEATURES: &str = "pneumoscope.gate.min_feature_likeness";
    /// Gate: least likeness to the chests that the model was measured on. From version 3.
    pub const MIN_FAMILIAR: &str = "pneumoscope.gate.min_familiarity";
    /// Gate: weights of the layout, two hexadecimal digits each, or `none`.
    pub const LAYOUT: &str = "pneumoscope.gate.layout_weights";
    /// Gate: weights of the features, two hexadecimal digits each, or `none`.
    pub const FEATURES: &str = "pneumoscope.gate.feature_weights";
    /// Gate: weights of the familiar features, two hexadecimal digits each, or `none`. From version 3.
    pub const FAMILIAR: &str = "pneumoscope.gate.familiar_weights";
    /// Who may use it for what.
    pub const INTENDED_USE: &str = "pneumoscope.intended_use";
    /// SHA-256 over the training data's content.
    pub const TRAINING_DATA: &str = "pneumoscope.training_data_sha256";
    /// Seeds of the run.
    pub const SEEDS: &str = "pneumoscope.seeds";
    /// Versions of the programs that made the model.
    pub const MADE_BY: &str = "pneumoscope.made_by";
    /// Headline metrics, as text.
    pub const METRICS: &str = "pneumoscope.metrics";
    /// SHA-256 over graph and all other properties; checked by readers that have the whole file.
    pub const DIGEST: &str = "pneumoscope.sha256";
}

/// Most bytes of a short text.
const TEXT: usize = 64;
/// Most bytes of a sentence or two.
const LONG_TEXT: usize = 256;

/// Everything a model says of itself. `T` holds a text and `W` weights: `&str` and `&[i8]` in a
/// view ([`MetadataView`]), which is what a packed model gives; `String` and `Vec<i8>` where there
/// is an allocator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metadata<T, W> {
    /// Name of the model.
    pub name: T,
    /// Version of the model.
    pub version: T,
    /// Side of the square one-channel input, in pixels, 1..=[`preprocess::MAX_OUTPUT_SIDE`].
    pub input_side: u16,
    /// Label of a low score.
    pub label_negative: T,
    /// Label of a high score.
    pub label_positive: T,
    /// How a logit becomes a score.
    pub calibration: Calibration,
    /// What the calibration was fitted on.
    pub fitted_on: T,
    /// Scores in millionths, rising, that cut those of the training data's validation patients into
    /// ten equal parts: what a device's scores are compared with later. All 0 where they are
    /// not known.
    pub score_deciles_ppm: [u32; 9],
    /// How a score becomes a state.
    pub thresholds: Thresholds,
    /// What the thresholds were chosen for.
    pub chosen_for: T,
    /// What the gate lets through.
    pub gate: GateThresholds<W>,
    /// Who may use it for what.
    pub intended_use: T,
    /// SHA-256 of the training data, 64 hexadecimal digits.
    pub training_data_sha256: T,
    /// Seeds of the run.
    pub seeds: T,
    /// Versions of the programs that made the model.
    pub made_by: T,
    /// Headline metrics, as text.
    pub metrics: T,
}

/// Metadata that lies elsewhere.
pub type MetadataView<'a> = Metadata<&'a str, &'a [i8]>;

impl<T: AsRef<str>, W: AsRef<[i8]>> Metadata<T, W> {
    /// The same, texts and weights borrowed.
    pub fn view(&self) -> MetadataView<'_> {
        let gate = &self.gate;
        Metadata {
            name: self.name.as_ref(),
            version: self.version.as_ref(),
            input_side: self.input_side,
            label_negative: self.label_negative.as_ref(),
            label_positive: self.label_positive.as_ref(),
            calibration: self.calibration,
            fitted_on: self.fitted_on.as_ref(),
            score_deciles_ppm: self.score_deciles_ppm,
            thresholds: self.thresholds,
            chosen_for: self.chosen_for.as_ref(),
            gate: GateThresholds {
                min_mean: gate.min_mean,
                max_mean: gate.max_mean,
                min_deviation: gate.min_deviation,
                max_elongation_permille: gate.max_elongation_permille,
                max_black_permille: gate.max_black_permille,
                max_white_permille: gate.max_white_permille,
                min_sharpness: gate.min_sharpness,
                layout: gate.layout.view(),
                features: gate.features.view(),
                familiar: gate.familiar.view(),
            },
            intended_use: self.intended_use.as_ref(),
            training_data_sha256: self.training_data_sha256.as_ref(),
            seeds: self.seeds.as_ref(),
            made_by: self.made_by.as_ref(),
            metrics: self.metrics.as_ref(),
        }
    }

    /// The rules between and within values; what is read holds them, a writer calls this before it
    /// writes.
    ///
    /// # Errors
    /// The first key whose value breaks a rule.
    pub fn check(&self) -> Result<(), MetadataError> {
        self.view().check_view()
    }
}

impl<'a> MetadataView<'a> {
    fn check_view(&self) -> Result<(), MetadataError> {
        let wrong = |key, expected| Err(MetadataError::Malformed { key, expected });
        if self.input_side == 0 || self.input_side > preprocess::MAX_OUTPUT_SIDE {
            return wrong(key::INPUT_SIDE, "a side of 1 to 224 pixels");
        }
        if !(self.calibration.temperature.is_finite() && self.calibration.temperature > 0.0) {
            return wrong(key::TEMPERATURE, "a finite number above 0");
        }
        if !self.calibration.bias.is_finite() {
            return wrong(key::BIAS, "a finite number");
        }
        let Thresholds { negative_below: low, positive_above: high } = self.thresholds;
        if !(0.0..=1.0).contains(&low) {
            return wrong(key::NEGATIVE_BELOW, "a score of 0 to 1");
        }
        if !(low..=1.0).contains(&high) {
            return wrong(key::POSITIVE_ABOVE, "a score of negative_below to 1");
        }
        if !self.score_deciles_ppm.is_sorted() || self.score_deciles_ppm[8] > 1_000_000 {
            return wrong(key::SCORE_DECILES, DECILES);
        }
        if self.gate.min_mean > self.gate.max_mean {
            return wrong(key::MAX_MEAN, "a luminance not below min_mean");
        }
        if self.gate.max_elongation_permille < 1000 {
            return wrong(key::MAX_ELONGATION, "1000 or more");
        }
        for (key, share) in
            [(key::MAX_BLACK, self.gate.max_black_permille), (key::MAX_WHITE, self.gate.max_white_permille)]
        {
            if share > 1000 {
                return wrong(key, "at most 1000 thousandths");
            }
        }
        if ![0, LAYOUT_CELLS].contains(&self.gate.layout.weights.len()) {
            return wrong(key::LAYOUT, "256 weights of two hexadecimal digits, or `none`");
        }
        for (key, detector) in [(key::FEATURES, self.gate.features), (key::FAMILIAR, self.gate.familiar)] {
            let weights = detector.weights.len();
            if !weights.is_multiple_of(FEATURE_CELLS) || weights > FEATURE_CELLS * MAX_CHANNELS {
                return wrong(key, "16 weights a channel of two hexadecimal digits each, or `none`");
            }
        }
        // Without weights every likeness is 0: another limit would refuse all, or only seem to be one.
        for (key, detector) in [
            (key::MIN_LAYOUT, self.gate.layout),
            (key::MIN_FEATURES, self.gate.features),
            (key::MIN_FAMILIAR, self.gate.familiar),
        ] {
            if detector.weights.is_empty() && detector.least != 0 {
                return wrong(key, "0 where there are no weights");
            }
        }
        // Logs and tables are made of lines: a control character could fake one or steer a terminal.
        for (key, text, longest) in self.texts() {
            if text.len() > longest {
                let short = longest == TEXT;
                return wrong(
                    key,
                    if short { "at most 64 bytes of text" } else { "at most 256 bytes of text" },
                );
            }
            if text.is_empty() || text.chars().any(char::is_control) {
                return wrong(key, "text that is not empty and without control characters");
            }
        }
        let sha = self.training_data_sha256.as_bytes();
        if sha.len() != 64 || !sha.iter().all(u8::is_ascii_hexdigit) {
            return wrong(key::TRAINING_DATA, "64 hexadecimal digits");
        }
        Ok(())
    }

    /// The properties that are text, in the order in which they are written, with the most bytes
    /// that each may have.
    pub(crate) fn texts(&self) -> [(&'static str, &'a str, usize); 11] {
        [
            (key::NAME, self.name, TEXT),
            (key::VERSION, self.version, TEXT),
            (key::LABEL_NEGATIVE, self.label_negative, TEXT),
            (key::LABEL_POSITIVE, self.label_positive, TEXT),
            (key::FITTED_ON, self.fitted_on, LONG_TEXT),
            (key::CHOSEN_FOR, self.chosen_for, LONG_TEXT),
            (key::INTENDED_USE, self.intended_use, LONG_TEXT),
            (key::TRAINING_DATA, self.training_data_sha256, TEXT),
            (key::SEEDS, self.seeds, TEXT),
            (key::MADE_BY, self.made_by, TEXT),
            (key::METRICS, self.metrics, LONG_TEXT),
        ]
    }
}

const DECILES: &str = "nine whole numbers of 0 to 1000000 that rise";

/// Why a model's metadata was refused. Recoverable by another model file only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // fields: the variant says what they are
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MetadataError {
    /// There is no property of that name.
    Missing { key: &'static str },
    /// The value is not of the form or range that it must have.
    Malformed { key: &'static str, expected: &'static str },
    /// Written in that other version of the metadata's form than [`OLDEST_FORMAT`] to [`FORMAT`].
    Format { got: u32 },
    /// Trained on another preprocessing than this build has.
    Preprocessing,
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { key } => {
                write!(f, "metadata `{key}` is missing; export the model again with host-trainer")
            }
            Self::Malformed { key, expected } => {
                write!(f, "metadata `{key}`: expected {expected}; export the model again with host-trainer")
            }
            Self::Format { got } => write!(
                f,
                "metadata `{}`: expected version {OLDEST_FORMAT} to {FORMAT}, got {got}; use the program version that made the model",
                key::FORMAT
            ),
            Self::Preprocessing => write!(
                f,
                "metadata `{}`: expected `{}`, got another; use the program version that made the model",
                key::PREPROCESSING,
                preprocess::NAME
            ),
        }
    }
}

impl core::error::Error for MetadataError {}
