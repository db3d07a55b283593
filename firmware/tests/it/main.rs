//! The integration tests of this package in one program. One module a subject.

mod boot;
mod bring_up;
mod bundle;
mod device;
mod hosts;
mod model_faults;
mod signed;
mod simulated;
mod slots;
mod slots_records;

use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

/// The faults in a folder of `tests/faults`, by the names of their files.
fn faults<F: DeserializeOwned>(folder: &str) -> BTreeMap<String, F> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(folder);
    let read = |path: &Path| {
        let fault = toml::from_str(&std::fs::read_to_string(path).unwrap());
        fault.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let paths = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    paths.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), read(&path))).collect()
}
