//! The golden vectors as onnxruntime made them.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// `models/pneumonia/golden.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Golden {
    pub made_by: String,
    /// SHA-256 of the model file.
    pub model: String,
    /// Names of the 8-bit tensors, in the graph's order.
    pub tensors: Vec<String>,
    pub frames: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    pub name: String,
    /// SHA-256 of the frame.
    pub input: String,
    /// Bits of the logit, eight hexadecimal digits.
    pub logit_bits: String,
    /// First 16 bytes of the SHA-256 of each tensor, in hexadecimal.
    pub tensors: Vec<String>,
    /// Some tensors whole, in hexadecimal, for a few frames.
    #[serde(default)]
    pub whole: BTreeMap<String, String>,
}

impl Golden {
    pub fn shipped() -> anyhow::Result<Self> {
        let path = crate::root().join("models/pneumonia/golden.json");
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The form in which tensors are compared: the first 16 bytes of their SHA-256.
pub fn tensor_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..16])
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A value of height x width x channels as ONNX orders it: channels x height x width.
pub fn planar(bytes: &[u8], channels: usize) -> Vec<u8> {
    (0..channels).flat_map(|c| bytes.iter().skip(c).step_by(channels).copied()).collect()
}
