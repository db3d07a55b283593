//! `self-test`, `check-config` and `lights` as their users meet them; and the self-test's own teeth.

use crate::support::{Bench, Run, SHIPPED, assert_contains, engine, model, program, run};
use edge_runtime::engine::{Engine, EngineError, NAMES};
use edge_runtime::model_file::ModelFile;
use edge_runtime::self_test::{Check, SelfTestError, Verdict, clock, golden, log_folder, passed, shipped};
use serde_json::Value;
use std::time::{Duration, SystemTime};

#[test]
fn its_constants_are_those_of_the_golden_vectors() {
    let golden: Value =
        serde_json::from_slice(include_bytes!("../../../models/pneumonia/golden.json")).unwrap();
    let frame =
        golden["frames"].as_array().unwrap().iter().find(|frame| frame["name"] == "pneumonia-00").unwrap();
    let bits = format!("{:08x}", shipped::LOGIT);
    assert_eq!(
        (golden["model"].as_str(), frame["input"].as_str(), frame["logit_bits"].as_str()),
        (Some(shipped::MODEL), Some(shipped::INPUT), Some(bits.as_str())),
        "copy the left side into src/self_test.rs"
    );
    let model = crate::support::shipped();
    assert_eq!((model.sha256.as_str(), model.metadata.input_side), (shipped::MODEL, shipped::SIDE));
}

/// Every engine passes, with the shipped model and with another; and one that is off by a bit does not.
#[test]
fn a_single_wrong_bit_is_found() {
    struct Off(Box<dyn Engine>);
    impl Engine for Off {
        fn name(&self) -> &'static str {
            self.0.name()
        }
        fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
            Ok(f32::from_bits(self.0.infer(input)?.to_bits() ^ 1))
        }
        fn features(&self) -> &[u8] {
            self.0.features()
        }
    }
    for (bytes, reference) in [(SHIPPED, "onnxruntime"), (&model::small(1), "the scalar kernels")] {
        let model = ModelFile::from_bytes(bytes).unwrap();
        for name in NAMES {
            let mut good = engine(name, &model);
            assert_eq!(golden(&model, &mut *good), Ok(()), "{name}");
            let error = golden(&model, &mut Off(good)).unwrap_err();
            assert!(matches!(error, SelfTestError::Logit { reference: r, .. } if r == reference), "{error}");
        }
    }
}

#[test]
fn a_clock_of_1970_is_a_warning() {
    assert_eq!(clock(SystemTime::now()).verdict, Verdict::Ok);
    for wrong in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH - Duration::from_secs(9)] {
        let check = clock(wrong);
        assert_eq!(check.verdict, Verdict::Warning);
        assert!(passed(&[check]));
    }
}

#[test]
fn a_folder_that_cannot_be_written_fails() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(log_folder(&folder.path().join("log.jsonl")).verdict, Verdict::Ok);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    let failed = log_folder(&folder.path().join("absent/log.jsonl"));
    assert_eq!(failed.verdict, Verdict::Failed);
    assert!(!passed(&[failed]));
}

/// The checks of a run with `--json`, by name.
fn checks(run: &Run) -> Vec<Check> {
    let json = run.answer();
    let checks: Vec<_> = json["checks"].as_array().unwrap().iter().map(read).collect();
    assert_eq!(json["passed"], passed(&checks));
    checks
}

fn read(json: &Value) -> Check {
    let verdict = match json["verdict"].as_str().unwrap() {
        "ok" => Verdict::Ok,
        "warning" => Verdict::Warning,
        "failed" => Verdict::Failed,
        other => panic!("{other}"),
    };
    let name = json["name"].as_str().unwrap().to_owned().leak();
    Check { name, verdict, detail: json["detail"].as_str().unwrap().into() }
}

fn verdicts(checks: &[Check]) -> Vec<(&str, Verdict)> {
    checks.iter().map(|check| (check.name, check.verdict)).collect()
}

#[test]
fn self_test_passes_here() {
    let run = run(program().args(["self-test", "--json"])).ended(0);
    let names = [("model", Verdict::Ok), ("engine", Verdict::Ok), ("clock", Verdict::Ok)];
    assert_eq!(verdicts(&checks(&run)), names);
}

/// A machine without such a line, a folder that is absent: a warning and a failure, both told.
#[test]
fn self_test_with_a_configuration() {
    let bench = Bench::new();
    let config = bench.file(
        "device.toml",
        b"[log]\nfile = \"absent/log.jsonl\"\n[lights]\nheartbeat = { chip = \"no such chip\", line = 1 }",
    );
    let checks = checks(&bench.run(["self-test", "--json", "--config", &config]).ended(5));
    let expected = [("log", Verdict::Failed), ("heartbeat", Verdict::Warning), ("clock", Verdict::Ok)];
    assert_eq!(verdicts(&checks)[2..], expected);
}

#[test]
fn check_config_says_what_fits_and_what_does_not() {
    let bench = Bench::new();
    let check =
        |text: &str| run(program().args(["check-config", "--json", &bench.file("device.toml", text)]));
    let good =
        check("[model]\nfile = \"model.onnx\"\nengine = \"core\"\n[log]\nfile = \"log.jsonl\"").ended(0);
    let names = ["configuration", "model", "engine", "source", "log", "lights"];
    assert_eq!(verdicts(&checks(&good)), names.map(|name| (name, Verdict::Ok)));

    bench.file("broken.onnx", "nonsense");
    let bad = "[model]\nfile = \"broken.onnx\"\nsite = \"absent.toml\"\n[log]\nfile = \"absent/log.jsonl\"";
    let bad = checks(&check(bad).ended(5));
    let failed: Vec<_> = bad.iter().filter(|c| c.verdict == Verdict::Failed).map(|c| c.name).collect();
    assert_eq!(failed, ["model", "site", "log"]);

    let misspelt = bench.file("misspelt.toml", "[lights]\nred = {}\n");
    let misspelt = run(program().args(["check-config", &misspelt])).ended(5);
    assert!(misspelt.stdout.starts_with("failed   configuration  "), "{}", misspelt.stdout);
    assert_contains(&misspelt.stdout, &["misspelt.toml:2: expected a line as"]);
}

#[test]
fn lights_by_hand() {
    let bench = Bench::new();
    let lights = |what: &str, text: &str| {
        run(program().args(["lights", what, "--config", &bench.file("device.toml", text)]))
    };
    let none = lights("safe", "").ended(0);
    assert_eq!(none.stdout, "There are no lights in this configuration.\n");
    let lines = "[lights]\nred = { name = \"no red\" }\namber = { name = \"no amber\" }\ngreen = { name = \"no green\" }";
    for what in ["safe", "test", "positive"] {
        lights(what, lines).refused(1, "red, `no red`: ");
    }
    lights("safe", "[lihgts]").ended(5);
}
