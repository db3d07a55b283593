//! Installed models with the real program: tried, confirmed, killed with, gone back from.

use crate::support::log::{assert_sound, decisions, events};
use crate::support::signed::{Made, SECRET, made, public};
use crate::support::{Bench, Run, assert_contains, comes, film, process, program, run, shipped};
use edge_runtime::models::STARTS;
use phantoms::Label;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// A device: a configuration, films that come again and again, and a folder of keys.
pub struct Device {
    pub bench: Bench,
    pub config: String,
    log: PathBuf,
}

impl Device {
    /// `trial_s` and whatever else `[model]` says.
    pub fn new(model: &str) -> Self {
        let bench = Bench::new();
        fs::create_dir(bench.path("films")).unwrap();
        (0..3).for_each(|seed| film(bench.path("films"), Label::Pneumonia, seed));
        bench.file("keys/clinic.pub", public(&SECRET));
        let text = format!(
            "[model]\nengine = \"core\"\nstore = \"models\"\nkeys = \"keys\"\n{model}\n\
             [capture]\nsource = \"replay:films\"\nloop = true\n[log]\nfile = \"log.jsonl\"\n"
        );
        let config = bench.file("device.toml", text);
        let log = bench.path("log.jsonl").into();
        Self { bench, config, log }
    }

    pub fn model(&self, words: &[&str]) -> Run {
        run(program().arg("model").args(words).args(["--config", &self.config]))
    }

    pub fn install(&self, made: &Made) -> Run {
        self.model(&["install", &self.bench.file("new.bundle", &made.bundle)])
    }

    /// State and SHA-256 of what `list` shows, the built-in one first.
    pub fn listed(&self) -> Vec<(String, String)> {
        let list = self.model(&["list", "--json"]).clean().answer();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        let rows = list["models"].as_array().unwrap().iter();
        rows.map(|row| (text(row, "state"), text(row, "sha256"))).collect()
    }

    fn start(&self) -> Child {
        process().args(["run", "--config", &self.config]).stdout(Stdio::null()).spawn().unwrap()
    }

    /// Events of this kind in the log.
    fn events(&self, what: &str) -> Vec<Value> {
        if !self.log.exists() {
            return Vec::new();
        }
        events(&self.log).into_iter().filter(|event| event["what"] == what).collect()
    }

    /// Starts the device and waits for its `number`th start, of this model.
    fn started(&self, number: usize, sha256: &str) -> Child {
        let device = self.start();
        assert!(comes(|| self.events("started").len() >= number), "start {number}");
        assert_eq!(self.events("started")[number - 1]["model_sha256"], sha256, "start {number}");
        device
    }
}

fn terminate(mut device: Child) {
    kill_process(Pid::from_child(&device), Signal::TERM).unwrap();
    assert!(device.wait().unwrap().success());
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(state, sha256)| ((*state).to_owned(), (*sha256).to_owned())).collect()
}

#[test]
fn a_model_is_installed_tried_confirmed_and_gone_back_from() {
    let device = Device::new("trial_s = 1");
    let (built_in, first, second) = (shipped().sha256().to_owned(), made("9.1.0"), made("9.2.0"));
    assert_eq!(device.listed(), pairs(&[("confirmed", &built_in)]));
    let text = device.install(&first).clean().stdout;
    assert_contains(&text, &["9.1.0", &first.sha256, "tried at the next start"]);
    assert_eq!(device.listed(), pairs(&[("confirmed", &built_in), ("pending", &first.sha256)]));
    let checked = run(program().args(["check-config", &device.config])).ended(0).stdout;
    assert_contains(&checked, &[&first.sha256, "pending"]);

    let running = device.started(1, &first.sha256);
    assert!(comes(|| !device.events("model_confirmed").is_empty()));
    // What it says from here on is the new model's.
    terminate(running);
    assert_eq!(device.listed(), pairs(&[("previous", &built_in), ("confirmed", &first.sha256)]));
    assert!(decisions(&device.log).iter().all(|decision| decision.model_sha256 == first.sha256));
    let [installed] = device.events("model_installed").try_into().unwrap();
    assert_eq!((&installed["model_sha256"], &installed["change"]), (&Value::from(&*first.sha256), &0.into()));
    assert_eq!((&installed["model_version"], &installed["other_sha256"]), (&"9.1.0".into(), &Value::Null));
    let about = run(program().args(["about", "--json", "--config", &device.config])).clean().answer();
    assert_eq!(about["model_sha256"], *first.sha256);
    assert_contains(about["chosen"].as_str().unwrap(), &["installed", "confirmed"]);

    device.install(&first).clean();
    device.install(&second).clean();
    let running = device.started(2, &second.sha256);
    assert!(comes(|| device.events("model_confirmed").len() == 2));
    terminate(running);
    let rows = [("built in", &*built_in), ("previous", &*first.sha256), ("confirmed", &*second.sha256)];
    assert_eq!(device.listed(), pairs(&rows));

    let text = device.model(&["rollback"]).clean().stdout;
    assert_contains(&text, &["9.1.0", &first.sha256]);
    terminate(device.started(3, &first.sha256));
    let [back] = device.events("model_rolled_back").try_into().unwrap();
    assert_eq!((&back["model_sha256"], &back["other_sha256"]), (&second.sha256.into(), &first.sha256.into()));
    device.model(&["rollback"]).refused(1, "nothing is there to go back to");
    // Each change stands in the log once, and an installation of what runs is none.
    assert_eq!(device.events("model_installed").len(), 2);
    assert_sound(&device.log);
}

#[test]
fn a_device_that_is_killed_with_a_new_model_twice_goes_back_to_the_old_one() {
    let device = Device::new("trial_s = 3600");
    let (built_in, new) = (shipped().sha256().to_owned(), made("9.1.0"));
    device.install(&new).clean();
    // Stopped by somebody, however often, is no failure.
    for number in 1..=3 {
        terminate(device.started(number, &new.sha256));
    }
    for number in 4..4 + usize::from(STARTS) {
        let mut running = device.started(number, &new.sha256);
        running.kill().unwrap();
        running.wait().unwrap();
    }
    assert_eq!(device.listed()[1], ("pending".to_owned(), new.sha256.clone()));
    terminate(device.started(4 + usize::from(STARTS), &built_in));
    let [rejected] = device.events("model_rejected").try_into().unwrap();
    assert_eq!(
        (&rejected["model_sha256"], &rejected["other_sha256"]),
        (&new.sha256.clone().into(), &Value::Null)
    );
    assert_contains(rejected["why"].as_str().unwrap(), &["ended 2 times"]);
    assert_eq!(device.listed(), pairs(&[("confirmed", &built_in), ("rejected", &new.sha256)]));
    // It stays that way, and the same may be tried again.
    terminate(device.started(5 + usize::from(STARTS), &built_in));
    device.install(&new).clean();
    assert_eq!(device.listed()[1].0, "pending");
}

#[test]
fn a_new_model_that_was_damaged_after_its_installation_is_rejected_at_once() {
    let device = Device::new("trial_s = 1");
    let (built_in, new) = (shipped().sha256().to_owned(), made("9.1.0"));
    device.install(&new).clean();
    let file = device.bench.path(&format!("models/{}.bundle", new.sha256));
    let mut bytes = fs::read(&file).unwrap();
    bytes[70_000] ^= 1;
    fs::write(&file, bytes).unwrap();
    device.model(&["verify"]).ended(5);
    terminate(device.started(1, &built_in));
    let [rejected] = device.events("model_rejected").try_into().unwrap();
    assert_contains(rejected["why"].as_str().unwrap(), &["damaged"]);
    // It cannot run, and is not asked to: a warning.
    let verified = device.model(&["verify", "--json"]).ended(0).answer();
    assert_eq!(verified["checks"][1]["verdict"], "warning");
}

#[test]
fn a_confirmed_model_that_is_damaged_is_a_fault_and_never_another_model() {
    let device = Device::new("trial_s = 1");
    let new = made("9.1.0");
    device.install(&new).clean();
    assert_eq!(device.model(&["verify", "--json"]).clean().answer()["passed"], true);
    let running = device.started(1, &new.sha256);
    assert!(comes(|| !device.events("model_confirmed").is_empty()));
    terminate(running);
    let file = device.bench.path(&format!("models/{}.bundle", new.sha256));
    let good = fs::read(&file).unwrap();
    let damaged: Vec<_> = good.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == 99_999)).collect();
    fs::write(&file, damaged).unwrap();
    let mut running = device.start();
    let began = || device.events("fault_began");
    assert!(comes(|| !began().is_empty()));
    assert_contains(&began()[0]["reason"]["text"].to_string(), &["the device cannot begin"]);
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(device.events("started").len(), 1, "nothing else runs in its place");
    // Nor is a state that cannot be read taken for none.
    // Installing it again mends it, though it runs already.
    device.install(&new).clean();
    assert!(fs::read(&file).unwrap() == good);
    let state = device.bench.path("models/models.json");
    let text = fs::read_to_string(&state).unwrap();
    fs::write(&state, text.replace("9.1.0", "9.1.1")).unwrap();
    run(program().args(["check-config", &device.config])).ended(5);
    device.model(&["list"]).refused(1, "its checksum does not fit; remove this file");
}

#[test]
fn what_is_not_the_models_fault_does_not_count_against_it() {
    let device = Device::new("trial_s = 3600");
    let new = made("9.1.0");
    device.install(&new).clean();
    let text = fs::read_to_string(&device.config).unwrap();
    fs::write(&device.config, text.replace("replay:films", "replay:nowhere")).unwrap();
    for _ in 0..2 * STARTS {
        run(program().args(["run", "--config", &device.config])).refused(1, "nowhere");
    }
    fs::write(&device.config, text).unwrap();
    terminate(device.started(1, &new.sha256));
    assert!(device.events("model_rejected").is_empty());
}

/// Without a record a model that ends the device would be tried for ever.
#[test]
fn where_no_start_can_be_counted_the_old_model_runs() {
    let device = Device::new("trial_s = 1");
    let (built_in, new) = (shipped().sha256().to_owned(), made("9.1.0"));
    device.install(&new).clean();
    let lock = device.bench.path("models/models.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let said = run(program().args(["run", "--config", &device.config, "--frames", "1"])).ended(0).stderr;
    assert_contains(&said, &["no new model is tried: cannot write", "models.lock"]);
    assert_eq!(device.events("started")[0]["model_sha256"], *built_in);
    fs::remove_dir(&lock).unwrap();
    terminate(device.started(2, &new.sha256));
}

#[test]
fn a_named_file_goes_before_the_store() {
    let device = Device::new("trial_s = 1\nfile = \"model.onnx\"");
    let text = device.install(&made("9.1.0")).clean().stdout;
    assert_contains(&text, &["goes before it: remove [model] file"]);
    let small = edge_model::model_file::ModelFile::load(&device.bench.model).unwrap();
    terminate(device.started(1, small.sha256()));
    assert!(device.events("model_installed").is_empty());
    assert_eq!(device.listed()[1].0, "pending", "it was not tried");
    let checked = run(program().args(["check-config", &device.config])).ended(0).stdout;
    assert_contains(&checked, &["its file is named"]);
}

#[test]
fn without_a_configuration_no_installed_model_is_looked_for() {
    let about = run(program().args(["about", "--json"])).clean().answer();
    assert_eq!((&about["chosen"], &about["model_sha256"]), (&"built in".into(), &shipped().sha256().into()));
}

/// Where tests run as root the store is another user's, as a service's is.
#[test]
fn the_files_of_the_store_belong_to_its_owner() {
    const NOBODY: u32 = 65_534;
    let device = Device::new("trial_s = 1");
    let store = device.bench.path("models");
    fs::create_dir(&store).unwrap();
    let mut owner = device.bench.folder.path().metadata().unwrap().uid();
    fs::set_permissions(device.bench.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if owner == 0 {
        std::os::unix::fs::chown(&store, Some(NOBODY), Some(NOBODY)).unwrap();
        owner = NOBODY;
    }
    let secret = device.bench.file("new.bundle", made("9.1.0").bundle);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let answer = device.model(&["install", &secret, "--json"]).clean().answer();
    assert_eq!(answer["state"], "pending");
    let files: Vec<_> =
        fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().metadata().unwrap().uid()).collect();
    assert_eq!(files, [owner; 3]);
    device.model(&["rollback"]).clean();
    // An error of whoever does it is told once, with its exit code.
    fs::write(&secret, made("1.0.0").bundle).unwrap();
    let refused = device.model(&["install", &secret]).ended(4);
    assert_eq!(refused.stderr.matches("was refused").count(), 1, "{}", refused.stderr);
}

#[test]
fn the_service_is_restarted_where_somebody_asks_for_it() {
    let device = Device::new("trial_s = 1");
    let systemctl = device
        .bench
        .file("bin/systemctl", "#!/bin/sh\necho \"$@\" >> \"$0.asked\"\nexit $(cat \"$0.exit\")\n");
    fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755)).unwrap();
    let exit = device.bench.file("bin/systemctl.exit", "0");
    let bundle = device.bench.file("new.bundle", made("9.1.0").bundle);
    let folders = format!("{}:{}", device.bench.path("bin"), std::env::var("PATH").unwrap());
    let install = |more: &[&str]| {
        let words = ["model", "install", &bundle, "--config", &device.config];
        run(program().args(words).args(more).env("PATH", &folders))
    };
    install(&[]).clean();
    let asked = device.bench.path("bin/systemctl.asked");
    assert!(!PathBuf::from(&asked).exists(), "not unless asked for");
    install(&["--restart"]).clean();
    assert_eq!(fs::read_to_string(&asked).unwrap(), "try-restart pneumoscope.service\n");
    fs::write(exit, "1").unwrap();
    install(&["--restart"]).refused(1, "the model is changed, but the service was not restarted");
}
