//! Frozen features of a published network: what ImageNet's weights see in a picture before they have
//! learned anything of chests.

use super::efficientnet::{Size, parameters};
use crate::progress;
use crate::train::net::{Net, channels_last, to_steps, to_units};
use crate::train::optimizer::values;
use anyhow::Result;
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor, no_grad};

const CHUNK: usize = 32;

/// A network that is never trained.
#[derive(Debug)]
pub struct Frozen {
    net: Net,
    side: u16,
    parameters: Tensor,
    statistics: Tensor,
    device: Device,
}

impl Frozen {
    /// The published weights of a size, for pictures of `side` pixels.
    pub fn new(size: Size, published: BTreeMap<String, Tensor>, side: u16, device: Device) -> Result<Self> {
        let net = size.net(i64::from(side));
        let (first, statistics) = parameters(&net, published)?;
        let (parameters, statistics) = (first.to_device(device), statistics.to_device(device));
        Ok(Self { net, side, parameters, statistics, device })
    }

    /// Side of the pictures that it takes.
    pub fn side(&self) -> u16 {
        self.side
    }

    /// The pooled features of preprocessed pictures, `side * side` bytes each.
    pub fn features(&self, pictures: &[Vec<u8>]) -> Vec<Vec<f32>> {
        let bar = progress::bar("frozen features", pictures.len().div_ceil(CHUNK));
        let last = self.net.nodes.len();
        let width = self.net.features as usize;
        let mut found = Vec::with_capacity(pictures.len());
        for chunk in pictures.chunks(CHUNK) {
            let steps = to_steps(chunk.iter().map(Vec::as_slice), i64::from(self.side), self.device);
            let x = channels_last(&to_units(&steps));
            let mut pooled = vec![];
            let _logits = no_grad(|| {
                self.net.forward_observed(
                    &self.parameters,
                    &self.statistics,
                    &x,
                    false,
                    &mut |value, tensor| {
                        if value == last {
                            let mean = tensor.mean_dim([2i64, 3].as_slice(), false, Kind::Float);
                            pooled = values(&mean.reshape([-1]));
                        }
                    },
                )
            });
            found.extend(pooled.chunks_exact(width).map(<[f32]>::to_vec));
            bar.inc(1);
        }
        bar.finish_and_clear();
        found
    }
}
