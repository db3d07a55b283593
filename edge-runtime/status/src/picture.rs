//! The picture as it was judged, and what was measured of it.

use edge_core::Decision;
use serde::{Deserialize, Serialize};

/// The picture whose answer is shown, in files beside the status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Counts within the run.
    pub number: u64,
    /// The case that it is of; none for a camera.
    pub case: Option<u32>,
    /// Name of the PNG file: grey, what was judged and nothing outside it, made smaller.
    pub file: String,
    /// What the network looked at; none where it did not look.
    pub heat: Option<Heat>,
    /// Decision on this picture alone.
    pub decision: Decision,
    /// SHA-256 of the network's input, the log's `frame_sha256`; none where a file was no picture.
    pub frame_sha256: Option<String>,
    /// What the gate measured, in its order.
    pub figures: Vec<Figure>,
}

/// The class activation map: what the network looked at, which is not where an illness is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heat {
    /// Name of the PNG file: colour with transparency, to be laid over the picture's whole area.
    pub file: String,
}

/// A figure of the gate beside its limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// `elongation`, `black`, `white` and `sharpness`, in thousandths; `brightness` and `contrast`, mean
    /// and deviation in 16-bit luminance; `layout`, `features` and `familiarity`, likenesses: see
    /// [`edge_core::gate::QualityMetrics`].
    pub name: String,
    pub value: f32,
    /// Least and greatest value that is judged; none where there is no such limit.
    pub least: Option<f32>,
    pub most: Option<f32>,
}

impl Figure {
    /// Whether the gate lets it through.
    pub fn passes(&self) -> bool {
        self.least.is_none_or(|least| self.value >= least) && self.most.is_none_or(|most| self.value <= most)
    }
}
