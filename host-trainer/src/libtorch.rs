//! libtorch.
use std::path::Path;
pub fn ensure(_cache: &Path) -> anyhow::Result<()> {
    Ok(())
}
