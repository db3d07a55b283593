//! What a network takes on a device, known before it is trained: it depends on shapes alone. A network
//! of made-up numbers goes the exporter's and the packer's own way.

use super::{Bound, model};
use crate::quantize::integer::IntegerNet;
use crate::quantize::params::QuantParams;
use crate::train::net::Net;
use crate::train::optimizer::values;
use anyhow::{Context, Result, ensure};
use edge_core::Metadata;
use edge_core::decide::{Calibration, Thresholds};
use edge_core::gate::{FEATURE_CELLS, GateThresholds, LAYOUT_CELLS, LinearDetector};
use edge_model::model_file::{ModelFile, OwnedMetadata};
use edge_model::pack::pack;
use prost::Message;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

/// Largest packed model, in bytes: a slot for models in a microcontroller's flash holds it.
pub const MOST_PACKED: usize = 300_000;
/// Largest arena, in bytes: what microcontrollers have for the network beside frames and stack.
pub const MOST_ARENA: usize = 192 * 1024;

/// Bytes that a device needs, gate included; texts may differ by some hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// The packed model, in flash.
    pub packed: usize,
    /// Working memory of preprocessing and network.
    pub arena: usize,
}

impl Footprint {
    pub fn of(net: &Net) -> Result<Self> {
        let folded = net.fold(&net.first_parameters(1), &net.first_statistics());
        let largest = |weights: &Tensor| values(&weights.abs().amax([1i64, 2, 3].as_slice(), false));
        let largest: Vec<Vec<f32>> = folded.convs.iter().map(|(weights, _)| largest(weights)).collect();
        let quant = QuantParams::choose(net, &vec![(-6.0, 6.0); net.nodes.len() + 1], &largest, 1.0);
        let network = IntegerNet::new(net.clone(), quant, Device::Cpu);
        // Small weights in the head, whatever its size: its sum must be exact.
        let head = Tensor::full([net.features], 0.1, (Kind::Float, Device::Cpu));
        let parameters = network.parameters(&crate::train::net::FoldedNet { head, ..folded });
        let side = u16::try_from(net.side).context("a side")?;
        let bound = Bound { metadata: metadata(side, net.features), prevalence: 0.5, held_apart: vec![] };
        let exported = model(&network, &network.integers(&parameters)?, &bound)?;
        let packed = pack(&ModelFile::from_bytes(&exported.encode_to_vec())?)?;
        Ok(Self { packed: packed.bytes().len(), arena: packed.arena_bytes() })
    }

    /// # Errors
    /// More than devices have, with what to lower.
    pub fn check(&self) -> Result<()> {
        ensure!(
            self.packed <= MOST_PACKED,
            "expected a network of at most {MOST_PACKED} bytes packed, got {}; lower the width",
            self.packed
        );
        ensure!(
            self.arena <= MOST_ARENA,
            "expected a network that works in at most {MOST_ARENA} bytes, got {}; lower the side",
            self.arena
        );
        Ok(())
    }
}

/// Metadata with a gate of all weights.
fn metadata(input_side: u16, features: i64) -> OwnedMetadata {
    let text = || "of no picture".to_owned();
    let detector = |count| LinearDetector { weights: vec![1; count], least: 0 };
    let of_features = FEATURE_CELLS * features as usize;
    Metadata {
        name: text(),
        version: "0.0.0".into(),
        input_side,
        label_negative: "NORMAL".into(),
        label_positive: "PNEUMONIA".into(),
        calibration: Calibration { temperature: 1.0, bias: 0.0 },
        fitted_on: text(),
        score_deciles_ppm: [0; 9],
        thresholds: Thresholds { negative_below: 0.3, positive_above: 0.7 },
        chosen_for: text(),
        gate: GateThresholds {
            layout: detector(LAYOUT_CELLS),
            features: detector(of_features),
            familiar: detector(of_features),
            ..GateThresholds::open()
        },
        intended_use: text(),
        training_data_sha256: "0".repeat(64),
        seeds: text(),
        made_by: text(),
        metrics: text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_networks_footprint_is_that_of_the_shipped_file() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pneumonia/model.onnx");
        let shipped = pack(&ModelFile::load(shipped).unwrap()).unwrap();
        let found = Footprint::of(&Net::pneumonia(128, 1.0)).unwrap();
        assert_eq!(found.arena, shipped.arena_bytes());
        let far = found.packed.abs_diff(shipped.bytes().len());
        assert!(far <= 2048, "{found:?}, but {} bytes", shipped.bytes().len());
        found.check().unwrap();
    }

    #[test]
    fn wider_networks_fit_as_far_as_their_bytes_do() {
        let of = |width| Footprint::of(&Net::pneumonia(128, width)).unwrap();
        let [plain, wide, wider] = [1.0, 1.5, 2.0].map(of);
        wide.check().unwrap();
        assert_eq!(plain.arena, wide.arena, "the first layers, which need the most, are not widened");
        assert!(plain.packed < wide.packed && wide.packed < wider.packed);
        let error = wider.check().unwrap_err().to_string();
        assert!(
            error.contains("at most 300000 bytes packed") && error.contains("lower the width"),
            "{error}"
        );
        // 160 pixels would need 80 x 80 positions of 40 channels at once.
        let error = Footprint { packed: 1, arena: 80 * 80 * 40 }.check().unwrap_err().to_string();
        assert!(error.contains("got 256000; lower the side"), "{error}");
    }
}
