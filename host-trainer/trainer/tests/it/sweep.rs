//! `sweep` as a program, on drawings: killed and resumed, with an experiment that fails.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const FILE: &str = "
seeds = [1, 2]
quantize = true

[train]
side = 32
epochs = 2
quantized_epochs = 1
batch = 16

[[experiment]]
name = 'plain'

[[experiment]]
name = 'unknown-subtypes'
seeds = [1]
train = { auxiliary = 0.3 }

[[experiment]]
name = 'wide-mixed'
seeds = [1]
quantize = false
train = { width = 1.25, mixup = 0.2, sam = 0.05, smoothing = 0.05 }
";

fn sweep(file: &Path, out: &Path, more: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    program.arg("sweep").arg(file).arg("--out").arg(out).args(["--phantoms", "60"]).args(more);
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_a_killed_sweep_goes_on_to_the_same_table_and_a_failure_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let [file, whole, killed] = ["sweep.toml", "whole", "killed"].map(|name| folder.path().join(name));
    std::fs::write(&file, FILE).unwrap();
    let ended = |output: &Output| {
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("1 of 3 experiments failed"), "{error}");
    };
    ended(&sweep(&file, &whole, &[]).output().unwrap());

    let mut child = sweep(&file, &killed, &[]).stdout(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !killed.join("plain/seed-1/train.safetensors").exists() {
        assert!(started.elapsed() < Duration::from_secs(300), "no epoch was finished");
        assert!(child.try_wait().unwrap().is_none(), "the program ended before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!killed.join("plain/seed-1/quantize.json").exists(), "killed before it was done");
    ended(&sweep(&file, &killed, &[]).output().unwrap());
    for name in [
        "plain/seed-1/int8.safetensors",
        "plain/seed-2/int8.safetensors",
        "wide-mixed/seed-1/float.safetensors",
    ] {
        let [a, b] = [&whole, &killed].map(|of| std::fs::read(of.join(name)).unwrap());
        assert!(a == b, "{name} differs after the kill");
    }

    // A third time nothing is trained: the table alone.
    let when = |name: &str| std::fs::metadata(killed.join(name)).unwrap().modified().unwrap();
    let before = when("plain/seed-1/float.safetensors");
    let output = sweep(&file, &killed, &["--json"]).output().unwrap();
    ended(&output);
    assert_eq!(when("plain/seed-1/float.safetensors"), before);
    let last = text(&output.stdout);
    let table: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    let rows = table["experiments"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    let plain = row("plain");
    assert_eq!((&plain["seeds"], &plain["of"]), (&serde_json::json!([1, 2]), &2.into()));
    let auc = |seed: u64, which: &str, set: &str| {
        let compared = std::fs::read(killed.join(format!("plain/seed-{seed}/quantize.json"))).unwrap();
        serde_json::from_slice::<Value>(&compared).unwrap()[which][set].as_f64().unwrap()
    };
    let mean = |which: &str, set: &str| (auc(1, which, set) + auc(2, which, set)) / 2.0;
    let near = |found: &Value, wanted: f64| (found.as_f64().unwrap() - wanted).abs() < 1e-9;
    assert!(near(&plain["float"]["plain"]["mean"], mean("float", "val_auc")), "{plain}");
    assert!(near(&plain["int8"]["shifted"]["mean"], mean("int8", "shifted_auc")), "{plain}");
    assert!(plain["int8"]["plain"]["deviation"].is_f64() && plain["seconds"].as_f64() > Some(0.0));
    let sets = plain["int8"].as_object().unwrap().values();
    let worst = sets.map(|set| set["mean"].as_f64().unwrap()).fold(1.0, f64::min);
    assert!(near(&plain["worst"], worst));
    let wide = row("wide-mixed");
    assert!(wide["footprint"]["packed"].as_u64() > plain["footprint"]["packed"].as_u64());
    assert_eq!(wide["int8"].as_object().unwrap().len(), 0, "it was not to be quantized");
    let failed = row("unknown-subtypes");
    assert!(
        failed["error"].as_str().unwrap().contains("person1_bacteria_2.jpeg") && failed["worst"].is_null()
    );
    assert_eq!(rows.last().unwrap()["name"], "unknown-subtypes", "what has no figures is last");
    let page = std::fs::read_to_string(killed.join("sweep.md")).unwrap();
    assert_eq!(page.lines().count(), 5, "{page}");

    // Another recipe in a folder that is taken is that row's failure, not another model's row.
    std::fs::write(&file, FILE.replace("side = 32", "side = 64")).unwrap();
    let output = sweep(&file, &killed, &[]).output().unwrap();
    assert!(text(&output.stderr).contains("was started with another recipe"));
}
