//! Writes a packed model from a network in ONNX's terms.

use super::arrange::arrange;
use super::emit::compose;
use super::out::Out;
use super::{Network, WriteError, seal};

/// Bytes that [`write()`] needs.
pub fn packed_len(network: &Network) -> Result<usize, WriteError> {
    let mut out = Out { bytes: &mut [], at: 0 };
    let (forms, plan) = arrange(network)?;
    compose(network, &forms, &plan, &mut out);
    Ok(out.at)
}

/// Writes the model into `out`; returns its length.
pub fn write(network: &Network, out: &mut [u8]) -> Result<usize, WriteError> {
    let expected = packed_len(network)?;
    let got = out.len();
    let bytes = out.get_mut(..expected).ok_or(WriteError::Space { expected, got })?;
    bytes.fill(0);
    let (forms, plan) = arrange(network)?;
    compose(network, &forms, &plan, &mut Out { bytes: &mut *bytes, at: 0 });
    seal(bytes);
    Ok(expected)
}
