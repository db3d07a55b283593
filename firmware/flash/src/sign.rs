//! Makes the signed bundle of a model: the packed model for a board or the model file for Linux, and
//! the picture and logit of the device's self-test.

use ed25519_dalek::SigningKey;
use edge_core::Packed;
use edge_core::kernels::Kernels;
use edge_core::packed::MAGIC;
use edge_model::aligned::AlignedBytes;
use edge_model::engine::Engine as _;
use edge_model::infer_core::CoreEngine;
use edge_model::model_file::ModelFile;
use edge_model::{pack, self_test};
use firmware::bundle::{self, Golden};

/// The packed form of `model`, which is an ONNX model or packed already.
pub fn pack(model: &[u8]) -> anyhow::Result<Packed<AlignedBytes>> {
    if model.starts_with(&MAGIC) {
        return Ok(Packed::new(AlignedBytes::copy_of(model))?);
    }
    Ok(pack::pack(&ModelFile::from_bytes(model)?)?)
}

/// The bundle of a packed model, signed with `key`; an error where its version is not like 1.2.3.
pub fn sign(model: &Packed<AlignedBytes>, key: &SigningKey) -> anyhow::Result<Vec<u8>> {
    let input = self_test::input(model.plan()?.input_side()?);
    let logit = golden_logit(model.clone(), &input)?;
    let golden = Golden { input: &input, logit_bits: logit.to_bits() };
    Ok(bundle::sign(model, &golden, &key.to_bytes())?)
}

/// The bundle for Linux of an ONNX model's file, signed with `key`; an error where a device would
/// refuse it.
pub fn sign_file(file: &[u8], key: &SigningKey) -> anyhow::Result<Vec<u8>> {
    let model = ModelFile::from_bytes(file)?;
    let input = self_test::input(model.metadata().input_side);
    let logit = golden_logit(pack::pack(&model)?, &input)?;
    let golden = Golden { input: &input, logit_bits: logit.to_bits() };
    Ok(bundle::sign_file(file, &model.metadata().version, &golden, &key.to_bytes())?)
}

/// What every device must compute of `input`: by the scalar kernels, which are the truth.
fn golden_logit(model: Packed<AlignedBytes>, input: &[u8]) -> anyhow::Result<f32> {
    Ok(CoreEngine::new(model, Kernels::SCALAR).infer(input)?)
}
