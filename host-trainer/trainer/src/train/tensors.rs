//! Named tensors in a `.safetensors` file, written whole or not at all.

use anyhow::{Context, Result};
use edge_model::files;
use std::collections::HashMap;
use std::path::Path;
use tch::{Device, Tensor};

/// Writes to a temporary name, syncs, renames; on an error the old file, if any, is untouched.
pub fn save(path: &Path, tensors: &[(&str, &Tensor)]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = files::temporary(".safetensors")
        .tempfile_in(folder)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    let owned: Vec<_> =
        tensors.iter().map(|(n, t)| (*n, t.detach().to_device(Device::Cpu).contiguous())).collect();
    Tensor::write_safetensors(&owned, temporary.path())
        .with_context(|| format!("cannot write {}", path.display()))?;
    std::fs::File::open(temporary.path()).and_then(|f| f.sync_all()).context("cannot sync")?;
    temporary.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

pub fn load(path: &Path, device: Device) -> Result<HashMap<String, Tensor>> {
    let tensors = Tensor::read_safetensors(path).with_context(|| {
        format!("cannot read {}: absent, or cut short; run the step before this one again", path.display())
    })?;
    Ok(tensors.into_iter().map(|(name, tensor)| (name, tensor.to_device(device))).collect())
}
