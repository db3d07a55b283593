//! The integration tests of this package in one program. One module a subject.

mod boot;
mod bundle;
mod device;
mod model_faults;
mod signed;
mod simulated;
mod slots;

use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// The fault in a file of `tests/faults`. Each file is a test, which rstest makes when this is compiled.
fn fault<F: DeserializeOwned>(path: &Path) -> F {
    let fault = toml::from_str(&std::fs::read_to_string(path).unwrap());
    fault.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(name)
}
