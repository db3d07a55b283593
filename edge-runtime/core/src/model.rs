//! What a model file says of itself: the metadata bound into it, parsed and checked.
//!
//! A model carries its metadata as text properties (`metadata_props` in ONNX). [`Metadata::from_props`] is the only way
//! in: it refuses missing, malformed, contradictory and unknown-version entries and names the key. Writers call
//! [`Metadata::write_props`], the exact inverse.

use crate::decide::{Calibration, Thresholds};
use crate::gate::{FEATURE_CELLS, LAYOUT_CELLS, Likeness, Limits, MAX_CHANNELS};
use crate::preprocess;
use core::fmt::{self, Write};
use core::str::FromStr;
use heapless::String;

/// Version of the metadata's form that this code reads and writes.
pub const FORMAT: u32 = 2;

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
    /// Divides the logit.
    pub const TEMPERATURE: &str = "pneumoscope.calibration.temperature";
    /// Added to the divided logit.
    pub const BIAS: &str = "pneumoscope.calibration.bias";
    /// What temperature and bias were fitted on.
    pub const FITTED_ON: &str = "pneumoscope.calibration.fitted_on";
    /// Nine scores, in millionths, that cut those of the training data's validation patients into ten equal parts.
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
    /// Gate: weights of the layout, two hexadecimal digits each, or `none`.
    pub const LAYOUT: &str = "pneumoscope.gate.layout_weights";
    /// Gate: weights of the features, two hexadecimal digits each, or `none`.
    pub const FEATURES: &str = "pneumoscope.gate.feature_weights";
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

/// A short text in the metadata.
pub type Text = String<64>;
/// A sentence or two in the metadata.
pub type LongText = String<256>;

/// The text of the gate's weights: two digits each.
type WeightsText = String<{ 2 * FEATURE_CELLS * MAX_CHANNELS }>;

/// Everything a model says of itself, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// Name of the model.
    pub name: Text,
    /// Version of the model.
    pub version: Text,
    /// Side of the square one-channel input, in pixels, 1..=[`preprocess::MAX_OUTPUT_SIDE`].
    pub input_side: u16,
    /// Label of a low score.
    pub label_negative: Text,
    /// Label of a high score.
    pub label_positive: Text,
    /// Logit to score.
    pub calibration: Calibration,
    /// What the calibration was fitted on.
    pub fitted_on: LongText,
    /// Scores in millionths, rising, that cut those of the training data's validation patients into ten equal parts: what a
    /// device's scores are compared with later. All 0 where they are not known.
    pub score_deciles_ppm: [u32; 9],
    /// Score to state.
    pub thresholds: Thresholds,
    /// What the thresholds were chosen for.
    pub chosen_for: LongText,
    /// What the gate lets through.
    pub gate: Limits,
    /// Who may use it for what.
    pub intended_use: LongText,
    /// SHA-256 of the training data, 64 hexadecimal digits.
    pub training_data_sha256: Text,
    /// Seeds of the run.
    pub seeds: Text,
    /// Versions of the programs that made the model.
    pub made_by: Text,
    /// Headline metrics, as text.
    pub metrics: LongText,
}

impl Metadata {
    /// Nothing said: what [`Metadata::read`] begins with. It does not pass [`Metadata::check`].
    pub const EMPTY: Self = Self {
        name: Text::new(),
        version: Text::new(),
        input_side: 0,
        label_negative: Text::new(),
        label_positive: Text::new(),
        calibration: Calibration { temperature: 0.0, bias: 0.0 },
        fitted_on: LongText::new(),
        score_deciles_ppm: [0; 9],
        thresholds: Thresholds { negative_below: 0.0, positive_above: 0.0 },
        chosen_for: LongText::new(),
        gate: Limits::OPEN,
        intended_use: LongText::new(),
        training_data_sha256: Text::new(),
        seeds: Text::new(),
        made_by: Text::new(),
        metrics: LongText::new(),
    };

    /// Reads and checks the properties, looked up by name.
    pub fn from_props<'p>(props: impl Fn(&str) -> Option<&'p str>) -> Result<Self, MetadataError> {
        let mut metadata = Self::EMPTY;
        metadata.read(props)?;
        Ok(metadata)
    }

    /// As [`Metadata::from_props`], into this place: it is some kilobytes, and a microcontroller's stack holds few of them.
    ///
    /// # Errors
    /// The first key that is missing or wrong; what is here is then of no use.
    pub fn read<'p>(&mut self, props: impl Fn(&str) -> Option<&'p str>) -> Result<(), MetadataError> {
        let props = Props(props);
        let format: u32 = props.number(key::FORMAT, "a whole number")?;
        if format != FORMAT {
            return Err(MetadataError::Format { got: format });
        }
        if props.raw(key::PREPROCESSING)? != preprocess::NAME {
            return Err(MetadataError::Preprocessing);
        }
        props.text(key::NAME, &mut self.name)?;
        props.text(key::VERSION, &mut self.version)?;
        self.input_side = props.number(key::INPUT_SIDE, "a whole number of pixels")?;
        props.text(key::LABEL_NEGATIVE, &mut self.label_negative)?;
        props.text(key::LABEL_POSITIVE, &mut self.label_positive)?;
        self.calibration.temperature = props.number(key::TEMPERATURE, "a number")?;
        self.calibration.bias = props.number(key::BIAS, "a number")?;
        props.text(key::FITTED_ON, &mut self.fitted_on)?;
        self.score_deciles_ppm = props.deciles(key::SCORE_DECILES)?;
        self.thresholds.negative_below = props.number(key::NEGATIVE_BELOW, "a number")?;
        self.thresholds.positive_above = props.number(key::POSITIVE_ABOVE, "a number")?;
        props.text(key::CHOSEN_FOR, &mut self.chosen_for)?;
        let (gate, luminance) = (&mut self.gate, "a whole number of 0 to 65535");
        gate.min_mean = props.number(key::MIN_MEAN, luminance)?;
        gate.max_mean = props.number(key::MAX_MEAN, luminance)?;
        gate.min_deviation = props.number(key::MIN_DEVIATION, luminance)?;
        gate.max_elongation_permille = props.number(key::MAX_ELONGATION, "a whole number")?;
        gate.max_black_permille = props.number(key::MAX_BLACK, "a whole number of thousandths")?;
        gate.max_white_permille = props.number(key::MAX_WHITE, "a whole number of thousandths")?;
        gate.min_sharpness = props.number(key::MIN_SHARPNESS, "a whole number of thousandths")?;
        props.likeness(key::LAYOUT, key::MIN_LAYOUT, &mut gate.layout)?;
        props.likeness(key::FEATURES, key::MIN_FEATURES, &mut gate.features)?;
        props.text(key::INTENDED_USE, &mut self.intended_use)?;
        props.text(key::TRAINING_DATA, &mut self.training_data_sha256)?;
        props.text(key::SEEDS, &mut self.seeds)?;
        props.text(key::MADE_BY, &mut self.made_by)?;
        props.text(key::METRICS, &mut self.metrics)?;
        self.check()
    }

    /// The rules between and within values; `from_props` holds them, a writer calls this before it writes.
    ///
    /// # Errors
    /// The first key whose value breaks a rule.
    pub fn check(&self) -> Result<(), MetadataError> {
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
        if !self.gate.features.weights.len().is_multiple_of(FEATURE_CELLS) {
            return wrong(key::FEATURES, "16 weights a channel of two hexadecimal digits each, or `none`");
        }
        // Without weights every likeness is 0: another limit would refuse all, or only seem to be one.
        if self.gate.layout.weights.is_empty() && self.gate.layout.least != 0 {
            return wrong(key::MIN_LAYOUT, "0 where there are no weights");
        }
        if self.gate.features.weights.is_empty() && self.gate.features.least != 0 {
            return wrong(key::MIN_FEATURES, "0 where there are no weights");
        }
        // Logs and tables are made of lines: a control character could fake one or steer a terminal.
        for (key, text) in self.texts() {
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

    /// Hands every property but [`key::DIGEST`] to `put`, as name and value, in the order of [`key`].
    pub fn write_props(&self, mut put: impl FnMut(&'static str, &str)) {
        let mut number = |key, value: &dyn fmt::Display| {
            let mut text = Text::new();
            // Numbers print in at most 64 bytes: an f32's shortest exact form has at most 48 digits.
            if write!(text, "{value}").is_ok() {
                put(key, &text);
            }
        };
        number(key::FORMAT, &FORMAT);
        number(key::INPUT_SIDE, &self.input_side);
        number(key::TEMPERATURE, &self.calibration.temperature);
        number(key::BIAS, &self.calibration.bias);
        number(key::NEGATIVE_BELOW, &self.thresholds.negative_below);
        number(key::POSITIVE_ABOVE, &self.thresholds.positive_above);
        number(key::MIN_MEAN, &self.gate.min_mean);
        number(key::MAX_MEAN, &self.gate.max_mean);
        number(key::MIN_DEVIATION, &self.gate.min_deviation);
        number(key::MAX_ELONGATION, &self.gate.max_elongation_permille);
        number(key::MAX_BLACK, &self.gate.max_black_permille);
        number(key::MAX_WHITE, &self.gate.max_white_permille);
        number(key::MIN_SHARPNESS, &self.gate.min_sharpness);
        number(key::MIN_LAYOUT, &self.gate.layout.least);
        number(key::MIN_FEATURES, &self.gate.features.least);
        let mut deciles = LongText::new();
        for decile in self.score_deciles_ppm {
            // Nine numbers of at most ten digits.
            let _ = write!(deciles, "{}{decile}", if deciles.is_empty() { "" } else { " " });
        }
        put(key::SCORE_DECILES, &deciles);
        let mut weights = |key, value: &dyn fmt::Display| {
            let mut text = WeightsText::new();
            if write!(text, "{value}").is_ok() {
                put(key, &text);
            }
        };
        weights(key::LAYOUT, &self.gate.layout);
        weights(key::FEATURES, &self.gate.features);
        put(key::PREPROCESSING, preprocess::NAME);
        for (key, text) in self.texts() {
            put(key, text);
        }
    }

    /// The properties that are text, in the order in which they are written.
    fn texts(&self) -> [(&'static str, &str); 11] {
        [
            (key::NAME, &self.name),
            (key::VERSION, &self.version),
            (key::LABEL_NEGATIVE, &self.label_negative),
            (key::LABEL_POSITIVE, &self.label_positive),
            (key::FITTED_ON, &self.fitted_on),
            (key::CHOSEN_FOR, &self.chosen_for),
            (key::INTENDED_USE, &self.intended_use),
            (key::TRAINING_DATA, &self.training_data_sha256),
            (key::SEEDS, &self.seeds),
            (key::MADE_BY, &self.made_by),
            (key::METRICS, &self.metrics),
        ]
    }
}

const DECILES: &str = "nine whole numbers of 0 to 1000000 that rise";

/// Typed look-ups that name the key when they fail.
struct Props<F>(F);

impl<'p, F: Fn(&str) -> Option<&'p str>> Props<F> {
    fn raw(&self, key: &'static str) -> Result<&'p str, MetadataError> {
        (self.0)(key).ok_or(MetadataError::Missing { key })
    }

    fn number<T: FromStr>(&self, key: &'static str, expected: &'static str) -> Result<T, MetadataError> {
        self.raw(key)?.parse().map_err(|_| MetadataError::Malformed { key, expected })
    }

    fn likeness<const N: usize>(
        &self,
        weights: &'static str,
        least: &'static str,
        to: &mut Likeness<N>,
    ) -> Result<(), MetadataError> {
        let expected = "weights of two hexadecimal digits, or `none`";
        let read = to.read_weights(self.raw(weights)?);
        read.ok_or(MetadataError::Malformed { key: weights, expected })?;
        to.least = self.number(least, "a whole number")?;
        Ok(())
    }

    fn deciles(&self, key: &'static str) -> Result<[u32; 9], MetadataError> {
        let malformed = MetadataError::Malformed { key, expected: DECILES };
        let mut numbers = self.raw(key)?.split(' ').map(str::parse);
        let mut deciles = [0; 9];
        for decile in &mut deciles {
            *decile = numbers.next().and_then(Result::ok).ok_or(malformed)?;
        }
        if numbers.next().is_some() { Err(malformed) } else { Ok(deciles) }
    }

    fn text<const N: usize>(&self, key: &'static str, to: &mut String<N>) -> Result<(), MetadataError> {
        let expected = if N == 64 { "at most 64 bytes of text" } else { "at most 256 bytes of text" };
        to.clear();
        to.push_str(self.raw(key)?).map_err(|_| MetadataError::Malformed { key, expected })
    }
}

/// Why a model's metadata was refused. Recoverable by another model file only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataError {
    /// No such property.
    Missing {
        /// Its name.
        key: &'static str,
    },
    /// The value is not of the form or range that it must have.
    Malformed {
        /// Its name.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Written in another version of the metadata's form.
    Format {
        /// The version found.
        got: u32,
    },
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
                "metadata `{}`: expected version {FORMAT}, got {got}; use the program version that made the model",
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
