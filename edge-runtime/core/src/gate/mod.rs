//! Refuses pictures that the network must not judge: wrong shape, badly exposed, blurred, or no
//! upright frontal chest radiograph.
//!
//! Before inference [`QualityMetrics::of`] measures the preprocessed picture and
//! [`QualityMetrics::judge`] holds it against the limits; after
//! inference [`QualityMetrics::judge_features`] looks at what the network itself made of it, and
//! [`QualityMetrics::unfamiliar`] refers a chest that is unlike those that the model was measured on. All
//! figures are integers. The limits, and the weights of the likenesses, travel with the model;
//! the trainer sets them from its training pictures. A refusal carries the measured number and the
//! limit, so that a log can be read without the source code.

mod cells;
mod detector;
mod sharpness;

pub use cells::cell_runs;
pub use detector::{FEATURE_CELLS, FEATURE_SIDE, LAYOUT_CELLS, LAYOUT_SIDE, LinearDetector, MAX_CHANNELS};
pub use sharpness::sharpness;

use crate::frame::Geometry;
use crate::preprocess::PixelStats;
use crate::reason::Reason;

/// What a picture must keep to. Luminance is in 16-bit steps (0..=65535); `W` holds weights, such
/// as `&[i8]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateThresholds<W> {
    /// Least mean luminance, in 16-bit steps.
    pub min_mean: u16,
    /// Greatest mean luminance, in 16-bit steps.
    pub max_mean: u16,
    /// Least standard deviation of luminance.
    pub min_deviation: u16,
    /// Greatest ratio of longer to shorter side, in thousandths.
    pub max_elongation_permille: u32,
    /// Greatest share of black cells, in thousandths; see [`PixelStats::black_permille`].
    pub max_black_permille: u16,
    /// Greatest share of white cells, in thousandths; see [`PixelStats::white_permille`].
    pub max_white_permille: u16,
    /// Least [`sharpness`], in thousandths.
    pub min_sharpness: u16,
    /// How light and dark must lie in the picture.
    pub layout: LinearDetector<W>,
    /// What the network must find where.
    pub features: LinearDetector<W>,
    /// What it finds where in chests like those that the model was measured on. Without weights no
    /// chest is unfamiliar.
    pub familiar: LinearDetector<W>,
}

impl<W: Default> GateThresholds<W> {
    /// Lets every picture through.
    pub fn open() -> Self {
        Self {
            min_mean: 0,
            max_mean: u16::MAX,
            min_deviation: 0,
            max_elongation_permille: u32::MAX,
            max_black_permille: 1000,
            max_white_permille: 1000,
            min_sharpness: 0,
            layout: LinearDetector::default(),
            features: LinearDetector::default(),
            familiar: LinearDetector::default(),
        }
    }
}

/// What the gate measures in a picture.
///
/// ```
/// use edge_core::gate::{GateThresholds, QualityMetrics};
/// use edge_core::{Geometry, PixelFormat, PixelStats, Reason};
///
/// let open = GateThresholds::<&[i8]>::open();
/// let thresholds = GateThresholds { max_elongation_permille: 1800, ..open };
/// let stats = PixelStats { mean: 30_000, deviation: 9_000, black_permille: 0, white_permille: 0 };
/// let input = [128; 32 * 32]; // as preprocessing wrote it
/// let measure = |width, height| {
///     let geometry = Geometry::new(width, height, PixelFormat::Gray8).expect("a picture's size");
///     QualityMetrics::of(geometry, &stats, &input, &thresholds)
/// };
/// assert_eq!(measure(640, 480).judge(&thresholds), Ok(()));
/// assert_eq!(measure(960, 480).judge(&thresholds), Err(Reason::Elongated(2000, 1800)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct QualityMetrics {
    /// Longer side over shorter side, in thousandths.
    pub elongation_permille: u32,
    /// Exposure, from preprocessing.
    pub stats: PixelStats,
    /// What [`sharpness`] gave, in thousandths.
    pub sharpness: u16,
    /// Likeness of the picture's layout to that of a chest radiograph.
    pub layout: i32,
    /// Likeness of the network's features to those of a chest radiograph; none before
    /// inference.
    pub features: Option<i32>,
    /// Likeness of the network's features to those of chests that the model was measured on; none
    /// before inference.
    pub familiarity: Option<i32>,
}

impl QualityMetrics {
    /// Measures what can be measured before inference; `input` is what preprocessing wrote.
    pub fn of(
        geometry: Geometry,
        stats: &PixelStats,
        input: &[u8],
        limits: &GateThresholds<impl AsRef<[i8]>>,
    ) -> Self {
        Self {
            elongation_permille: geometry.elongation_permille(),
            stats: *stats,
            sharpness: sharpness(input),
            layout: limits.layout.of_picture(input),
            features: None,
            familiarity: None,
        }
    }

    /// Judges a picture before inference.
    ///
    /// # Errors
    /// The first limit that it breaks, from what a user can put right most easily to what is no
    /// X-ray at all.
    pub fn judge<W>(&self, limits: &GateThresholds<W>) -> Result<(), Reason> {
        let Self { elongation_permille: elongation, stats, sharpness, layout, .. } = *self;
        if elongation > limits.max_elongation_permille {
            return Err(Reason::Elongated(elongation, limits.max_elongation_permille));
        }
        if stats.deviation < limits.min_deviation {
            return Err(Reason::LowContrast(stats.deviation, limits.min_deviation));
        }
        if stats.mean < limits.min_mean {
            return Err(Reason::Dark(stats.mean, limits.min_mean));
        }
        if stats.mean > limits.max_mean {
            return Err(Reason::Bright(stats.mean, limits.max_mean));
        }
        if stats.black_permille > limits.max_black_permille {
            return Err(Reason::Underexposed(stats.black_permille, limits.max_black_permille));
        }
        if stats.white_permille > limits.max_white_permille {
            return Err(Reason::Overexposed(stats.white_permille, limits.max_white_permille));
        }
        if sharpness < limits.min_sharpness {
            return Err(Reason::Blurred(sharpness, limits.min_sharpness));
        }
        if layout < limits.layout.least {
            return Err(Reason::UnlikeLayout(layout, limits.layout.least));
        }
        Ok(())
    }

    /// Measures and judges what the network found; `features` is the last value before its head,
    /// height x width x channels.
    ///
    /// # Errors
    /// [`Reason::UnlikeFeatures`].
    pub fn judge_features(
        &mut self,
        features: &[u8],
        limits: &GateThresholds<impl AsRef<[i8]>>,
    ) -> Result<(), Reason> {
        let likeness = limits.features.of_features(features);
        self.features = Some(likeness);
        self.familiarity = Some(limits.familiar.of_features(features));
        if likeness < limits.features.least {
            return Err(Reason::UnlikeFeatures(likeness, limits.features.least));
        }
        Ok(())
    }

    /// Why a chest that was let through must be referred all the same: the model was not measured
    /// on such ones, an adult's for example. None where it may be answered.
    pub fn unfamiliar<W>(&self, limits: &GateThresholds<W>) -> Option<Reason> {
        let least = limits.familiar.least;
        self.familiarity.filter(|got| *got < least).map(|got| Reason::Unfamiliar(got, least))
    }
}
