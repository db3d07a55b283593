//! The text form of metadata, as an ONNX file has it: properties in, checked metadata out, and
//! back.

use super::{DECILES, FORMAT, Metadata, MetadataError, OLDEST_FORMAT, key};
use crate::decide::{Calibration, Thresholds};
use crate::gate::{GateThresholds, LinearDetector};
use crate::preprocess;
use core::fmt::{self, Display};
use core::str::FromStr;

impl<T: AsRef<str> + for<'t> From<&'t str>, W: AsRef<[i8]> + FromIterator<i8>> Metadata<T, W> {
    /// Reads and checks the properties, looked up by name.
    ///
    /// # Errors
    /// The first key that is missing or wrong.
    pub fn from_props<'p>(props: impl Fn(&str) -> Option<&'p str>) -> Result<Self, MetadataError> {
        let props = Props(props);
        let format: u32 = props.number(key::FORMAT, "a whole number")?;
        if !(OLDEST_FORMAT..=FORMAT).contains(&format) {
            return Err(MetadataError::Format { got: format });
        }
        if props.raw(key::PREPROCESSING)? != preprocess::NAME {
            return Err(MetadataError::Preprocessing);
        }
        let text = |key| props.raw(key).map(T::from);
        let luminance = |key| props.number(key, "a whole number of 0 to 65535");
        let thousandths = |key| props.number(key, "a whole number of thousandths");
        let metadata = Self {
            name: text(key::NAME)?,
            version: text(key::VERSION)?,
            input_side: props.number(key::INPUT_SIDE, "a whole number of pixels")?,
            label_negative: text(key::LABEL_NEGATIVE)?,
            label_positive: text(key::LABEL_POSITIVE)?,
            calibration: Calibration {
                temperature: props.number(key::TEMPERATURE, "a number")?,
                bias: props.number(key::BIAS, "a number")?,
            },
            fitted_on: text(key::FITTED_ON)?,
            score_deciles_ppm: props.deciles(key::SCORE_DECILES)?,
            thresholds: Thresholds {
                negative_below: props.number(key::NEGATIVE_BELOW, "a number")?,
                positive_above: props.number(key::POSITIVE_ABOVE, "a number")?,
            },
            chosen_for: text(key::CHOSEN_FOR)?,
            gate: GateThresholds {
                min_mean: luminance(key::MIN_MEAN)?,
                max_mean: luminance(key::MAX_MEAN)?,
                min_deviation: luminance(key::MIN_DEVIATION)?,
                max_elongation_permille: props.number(key::MAX_ELONGATION, "a whole number")?,
                max_black_permille: thousandths(key::MAX_BLACK)?,
                max_white_permille: thousandths(key::MAX_WHITE)?,
                min_sharpness: thousandths(key::MIN_SHARPNESS)?,
                layout: props.likeness(key::LAYOUT, key::MIN_LAYOUT)?,
                features: props.likeness(key::FEATURES, key::MIN_FEATURES)?,
                familiar: if format < 3 {
                    LinearDetector { weights: W::from_iter([]), least: 0 }
                } else {
                    props.likeness(key::FAMILIAR, key::MIN_FAMILIAR)?
                },
            },
            intended_use: text(key::INTENDED_USE)?,
            training_data_sha256: text(key::TRAINING_DATA)?,
            seeds: text(key::SEEDS)?,
            made_by: text(key::MADE_BY)?,
            metrics: text(key::METRICS)?,
        };
        metadata.check()?;
        Ok(metadata)
    }
}

impl<T: AsRef<str>, W: AsRef<[i8]>> Metadata<T, W> {
    /// Hands every property but [`key::DIGEST`] to `put`, as name and value, in the order in which
    /// files have them.
    pub fn write_props(&self, mut put: impl FnMut(&'static str, &dyn Display)) {
        let gate = self.view().gate;
        put(key::FORMAT, &FORMAT);
        put(key::INPUT_SIDE, &self.input_side);
        put(key::TEMPERATURE, &self.calibration.temperature);
        put(key::BIAS, &self.calibration.bias);
        put(key::NEGATIVE_BELOW, &self.thresholds.negative_below);
        put(key::POSITIVE_ABOVE, &self.thresholds.positive_above);
        put(key::MIN_MEAN, &gate.min_mean);
        put(key::MAX_MEAN, &gate.max_mean);
        put(key::MIN_DEVIATION, &gate.min_deviation);
        put(key::MAX_ELONGATION, &gate.max_elongation_permille);
        put(key::MAX_BLACK, &gate.max_black_permille);
        put(key::MAX_WHITE, &gate.max_white_permille);
        put(key::MIN_SHARPNESS, &gate.min_sharpness);
        put(key::MIN_LAYOUT, &gate.layout.least);
        put(key::MIN_FEATURES, &gate.features.least);
        put(key::MIN_FAMILIAR, &gate.familiar.least);
        put(key::SCORE_DECILES, &Deciles(&self.score_deciles_ppm));
        put(key::LAYOUT, &Weights(gate.layout.weights));
        put(key::FEATURES, &Weights(gate.features.weights));
        put(key::FAMILIAR, &Weights(gate.familiar.weights));
        put(key::PREPROCESSING, &preprocess::NAME);
        for (key, text, _) in self.view().texts() {
            put(key, &text);
        }
    }
}

/// Nine numbers with spaces between them.
struct Deciles<'a>(&'a [u32; 9]);

impl Display for Deciles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first}")?;
        rest.iter().try_for_each(|decile| write!(f, " {decile}"))
    }
}

/// The text form of weights: two hexadecimal digits each, in two's complement, or `none`.
struct Weights<'a>(&'a [i8]);

impl Display for Weights<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        self.0.iter().try_for_each(|&weight| write!(f, "{:02x}", weight as u8))
    }
}

/// Reads what [`Weights`] writes.
fn weights<W: FromIterator<i8>>(text: &str) -> Option<W> {
    if text == "none" {
        return Some(W::from_iter([]));
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|&[high, low]| Some((digit(high)? * 16 + digit(low)?) as u8 as i8)).collect()
}

/// Typed look-ups that name the key when they fail.
struct Props<F>(F);

impl<'p, F: Fn(&str) -> Option<&'p str>> Props<F> {
    fn raw(&self, key: &'static str) -> Result<&'p str, MetadataError> {
        (self.0)(key).ok_or(MetadataError::Missing { key })
    }

    fn number<T: FromStr>(&self, key: &'static str, expected: &'static str) -> Result<T, MetadataError> {
        self.raw(key)?.parse().map_err(|_| MetadataError::Malformed { key, expected })
    }

    fn likeness<W: FromIterator<i8>>(
        &self,
        key: &'static str,
        least: &'static str,
    ) -> Result<LinearDetector<W>, MetadataError> {
        let expected = "weights of two hexadecimal digits, or `none`";
        let weights = weights(self.raw(key)?).ok_or(MetadataError::Malformed { key, expected })?;
        Ok(LinearDetector { weights, least: self.number(least, "a whole number")? })
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
}
