//! What `model install` refuses, with nothing changed, and site files of other models.

use crate::models_program::Device;
use crate::support::log::decisions;
use crate::support::signed::{Made, OTHER_SECRET, SECRET, made, made_with, public, versioned};
use crate::support::{assert_contains, program, run, shipped};
use edge_core::decide::Thresholds;
use edge_runtime::site::{Operating, Rule, SiteFile, Targets};
use std::fs;
use std::path::Path;

fn of(bundle: Vec<u8>) -> Made {
    Made { sha256: String::new(), bundle }
}

#[test]
fn what_is_not_signed_whole_and_newer_is_refused_and_nothing_changed() {
    let device = Device::new("");
    let good = made("9.1.0");
    let changed = |at: usize, by: u8| {
        let mut bytes = good.bundle.clone();
        bytes[at] ^= by;
        of(bytes)
    };
    let packed = edge_model::pack::pack(&shipped()).unwrap();
    let golden = bundle::Golden { input: &[0; 128 * 128], logit_bits: 0 };
    let board = of(bundle::sign(&packed, &golden, &SECRET).unwrap());
    let shipped = shipped().metadata().version.clone();
    let older = format!("expected version {shipped} or later, which ran here, got 1.9.9");
    for (made, why) in [
        (of(versioned("9.1.0")), "expected a signed model, got other bytes"),
        (of(vec![]), "got 0; take a whole one"),
        (board, "expected a model signed for Linux, got one for a board"),
        (made_with("9.1.0", &OTHER_SECRET, 0), "sign it with a key of this device"),
        (changed(200, 1), "the signature does not hold"),
        (changed(8, 3), "expected a signed model of version 1 of the form, got 2"),
        (changed(100_000, 1), "damaged; copy it again"),
        (of(good.bundle[..good.bundle.len() - 1].to_vec()), "copy the file again if it was cut short"),
        (made("1.9.9"), older.as_str()),
        (made_with("9.1.0", &SECRET, 1), "self-test: core"),
    ] {
        device.install(&made).refused(4, why);
    }
    device.model(&["install", "no such file"]).refused(1, "cannot read no such file");
    assert!(!Path::new(&device.bench.path("models/models.json")).exists());
    // The same bytes, and none of the above, are taken; by another of two keys as well.
    device.bench.file("keys/other.pub", public(&OTHER_SECRET));
    device.install(&good).clean();
    device.install(&made_with("9.1.0", &OTHER_SECRET, 0)).clean();
    assert_eq!(device.listed()[1], ("pending".to_owned(), good.sha256));
}

#[test]
fn a_device_without_keys_takes_nothing_and_says_where_they_go() {
    let device = Device::new("");
    let key = device.bench.path("keys/clinic.pub");
    fs::remove_file(&key).unwrap();
    device.install(&made("9.1.0")).refused(4, "a key of this device, which has none");
    // The private half in its place is found out, most of the time by not being on the curve; digits
    // that are none always.
    fs::write(&key, "not a key").unwrap();
    device.install(&made("9.1.0")).refused(1, "clinic.pub: expected 64 hexadecimal digits");
}

/// A site file for this model.
pub fn site_file(model_sha256: &str) -> String {
    let cases = [(0.1, false), (0.9, true)];
    let operating = Operating::new(0.5, &cases, 0.5, |score| score > 0.5).unwrap();
    let Thresholds { negative_below, positive_above } = shipped().metadata().thresholds;
    let file = SiteFile {
        format: edge_runtime::site::FORMAT,
        model_sha256: model_sha256.to_owned(),
        model: "a model".into(),
        site: "a clinic".into(),
        by: "somebody".into(),
        date: "2026-11-29".into(),
        positives: 100,
        negatives: 100,
        prevalence: 0.5,
        negative_below: negative_below + 0.01,
        positive_above,
        targets: Targets { max_missed: 0.1, max_false_alarms: 0.1, rule: Rule::Estimate },
        negative_light: operating,
        positive_light: operating,
        widening: None,
    };
    file.to_text().unwrap()
}

#[test]
fn a_site_file_for_another_model_is_said_at_the_installation() {
    let device = Device::new("site = \"site.toml\"");
    let (new, built_in) = (made("9.1.0"), shipped().sha256().to_owned());
    device.bench.file("site.toml", site_file(&built_in));
    device.install(&new).refused(4, "or install it with --without-site");
    assert_eq!(device.listed().len(), 1);
    let bundle = device.bench.path("new.bundle");
    device.model(&["install", &bundle, "--without-site"]).clean();
    let check = || run(program().args(["check-config", &device.config])).ended(0).stdout;
    assert_contains(&check(), &["this one runs without, as its installation said"]);
    let words = ["run", "--config", &device.config, "--frames", "3"];
    run(program().args(words)).ended(0);
    let log = device.bench.path("log.jsonl");
    let decision = decisions(Path::new(&log)).pop().unwrap();
    assert_eq!((&decision.model_sha256, &decision.site_sha256), (&new.sha256, &None));
    assert_eq!(decision.negative_below, shipped().metadata().thresholds.negative_below, "its own");
    // Once there is one for it, that is taken.
    device.bench.file("site.toml", site_file(&new.sha256));
    run(program().args(words)).ended(0);
    assert!(decisions(Path::new(&log)).pop().unwrap().site_sha256.is_some());
}

#[test]
fn a_folder_of_site_files_has_one_for_each_model() {
    let device = Device::new("site = \"sites\"");
    let (new, built_in) = (made("9.1.0"), shipped().sha256().to_owned());
    device.bench.file("sites/old.toml", site_file(&built_in));
    device.bench.file("sites/read me.txt", "no site file");
    device.install(&new).refused(4, "in this folder, got 1 for other models");
    device.bench.file("sites/new.toml", site_file(&new.sha256));
    device.install(&new).clean();
    let words = ["run", "--config", &device.config, "--frames", "1"];
    let site = || {
        run(program().args(words)).ended(0);
        let decision = decisions(Path::new(&device.bench.path("log.jsonl"))).pop().unwrap();
        (decision.model_sha256, decision.site_sha256)
    };
    let with_new = site();
    device.model(&["rollback"]).clean();
    let with_old = site();
    assert_eq!((&with_new.0, &with_old.0), (&new.sha256, &built_in));
    assert!(with_new.1.is_some() && with_old.1.is_some() && with_new.1 != with_old.1);
    device.bench.file("sites/twice.toml", site_file(&built_in));
    run(program().args(words)).refused(1, "got several; leave one");
}
