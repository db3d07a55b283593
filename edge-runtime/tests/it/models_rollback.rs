//! Going back from a model, where the site file is for the one that runs.

use crate::models_program::Device;
use crate::models_refused::site_file;
use crate::support::log::decisions;
use crate::support::signed::made;
use crate::support::{program, run, shipped};
use std::path::Path;

/// The device would refuse the site file at its next start, and stand still with a FAULT until somebody came.
#[test]
fn nobody_goes_back_to_a_model_that_the_site_file_is_not_for() {
    let device = Device::new("site = \"site.toml\"");
    let (new, built_in) = (made("9.1.0"), shipped().sha256().to_owned());
    device.bench.file("site.toml", site_file(&new.sha256));
    device.install(&new).clean();
    let ran = || {
        run(program().args(["run", "--config", &device.config, "--frames", "1"])).ended(0);
        decisions(Path::new(&device.bench.path("log.jsonl"))).pop().unwrap()
    };
    assert_eq!(ran().model_sha256, new.sha256);
    let before = device.listed();
    device.model(&["rollback"]).refused(4, "site.toml");
    assert_eq!(device.listed(), before);
    let decision = ran();
    assert_eq!((&decision.model_sha256, decision.site_sha256.is_some()), (&new.sha256, true));
    // With a file for it, it runs again.
    device.bench.file("site.toml", site_file(&built_in));
    device.model(&["rollback"]).clean();
    let decision = ran();
    assert_eq!((&decision.model_sha256, decision.site_sha256.is_some()), (&built_in, true));
}

#[test]
fn a_model_that_is_named_beside_the_store_is_refused() {
    let device = Device::new("");
    for words in [&["list"][..], &["install", "new.bundle"], &["rollback"], &["verify"]] {
        let words = [words, &["--model", "other.onnx"]].concat();
        device.model(&words).refused(2, "leave out --model");
    }
}
