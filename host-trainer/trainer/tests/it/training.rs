//! The model flow on drawings, one thread: loss falls, a killed run ends like an uninterrupted one,
//! and what is exported computes exactly what was trained.

use crate::support::drawn;
use edge_core::kernels;
use edge_model::infer_tract::Operators;
use edge_model::model_file::ModelFile;
use prost::Message;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tch::{Device, Kind};
use test_support::intermediates::{Intermediate, TractIntermediates, Values};
use trainer::dataset::{Sample, phantoms};
use trainer::export::metadata::metadata;
use trainer::export::{model, value_name};
use trainer::quantize::{Quantized, quantize};
use trainer::run::{Phase, Recipe, Run};
use trainer::train::net::to_steps;
use trainer::{dataset, train};

const SIDE: u16 = 64;

fn recipe() -> Recipe {
    Recipe { side: SIDE, epochs: 4, quantized_epochs: 1, batch: 16, average: 0.9, ..Recipe::default() }
}

/// A small run on drawings, trained and quantized.
fn trained(folder: &Path) -> (Run, &'static [Sample]) {
    tch::set_num_threads(1);
    let data = &drawn(SIDE)[..160];
    let hash = dataset::content_hash(data);
    let name = (phantoms::NAME.to_owned(), hash);
    let mut run = Run::start(folder, recipe(), name, vec![], data, false).unwrap();
    train::train(&mut run, data, None, Device::Cpu).unwrap();
    quantize(&mut run, data, None, None, Device::Cpu).unwrap();
    (run, data)
}

/// The first 8-bit tensor or logit in which tract's results for the exported file differ from the
/// network in training.
fn first_difference(quantized: &Quantized, file: &ModelFile, pictures: &[Vec<u8>]) -> Option<String> {
    let network = &quantized.network;
    let mut tract = TractIntermediates::load(Operators::Kernels(kernels::best()), file).unwrap();
    for picture in pictures {
        let results = tract.run(picture).unwrap();
        let find = |name: &str| -> &Intermediate { results.iter().find(|r| r.name == name).unwrap() };
        let steps = to_steps(std::iter::once(picture.as_slice()), i64::from(SIDE), Device::Cpu);
        let mut different = None;
        let logit = network.logits_observed(&quantized.parameters, &steps, &mut |value, tensor| {
            let zero = f64::from(network.quant.values[value].zero_point);
            let bytes = (tensor + zero).to_kind(Kind::Uint8).contiguous().view(-1);
            let ours: Vec<u8> = Vec::try_from(&bytes).unwrap();
            let name = value_name(network, value);
            if find(&name).values != Values::U8(ours) {
                different.get_or_insert(name);
            }
        });
        if different.is_some() {
            return different;
        }
        let ours = logit.double_value(&[0]) as f32;
        if find("logit").values != Values::F32(vec![ours]) {
            return Some("logit".into());
        }
    }
    None
}

#[test]
fn loss_falls_and_the_exported_file_computes_what_was_trained() {
    let folder = tempfile::tempdir().unwrap();
    let (run, data) = trained(&folder.path().join("run"));

    let losses: Vec<f64> =
        run.history.iter().filter(|e| e.phase == Phase::Float).map(|e| e.train_loss).collect();
    assert_eq!(losses.len(), recipe().epochs);
    assert!(losses[3] < 0.8 * losses[0], "the training loss falls: {losses:?}");

    let quantized = Quantized::load(&run, Device::Cpu).unwrap();
    let mut integers = quantized.network.integers(&quantized.parameters).unwrap();
    let about = metadata(&run, data, &quantized, "0.0.0", None, Device::Cpu).unwrap();
    let exported = |integers: &_| {
        let proto = model(&quantized.network, integers, &about).unwrap();
        ModelFile::from_bytes(&proto.encode_to_vec()).unwrap()
    };
    let pictures: Vec<Vec<u8>> = data.iter().take(20).map(|c| c.input.bytes.to_vec()).collect();
    assert_eq!(first_difference(&quantized, &exported(&integers), &pictures), None);

    // The comparison bites: one weight that differs by one step is found where it is.
    let planted = integers.convs[5].weights.iter_mut().find(|w| w.abs() > 10).unwrap();
    *planted -= planted.signum();
    let conv = quantized.network.net.convs().nth(5).unwrap().name.clone();
    assert_eq!(first_difference(&quantized, &exported(&integers), &pictures), Some(conv));
}

fn trainer(command: &str, run: &Path, more: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    program.args([command, "--run"]).arg(run).args(more).stdout(Stdio::null());
    program
}

/// Runs a step, kills it without warning as soon as its first epoch is on disk, and lets it go on.
fn killed_and_resumed(command: &str, run: &Path, checkpoint: &str, first: &[&str], again: &[&str]) {
    let mut child = trainer(command, run, first).spawn().unwrap();
    let started = Instant::now();
    while !run.join(checkpoint).exists() {
        assert!(started.elapsed() < Duration::from_secs(300), "no epoch was finished");
        assert!(child.try_wait().unwrap().is_none(), "the program ended before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(trainer(command, run, again).status().unwrap().success());
}

#[test]
fn a_killed_run_ends_with_the_same_bytes_as_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let asked = ["--phantoms", "80", "--side", "64", "--epochs", "4", "--quantized-epochs", "3"];
    let resumed = [&asked[..], &["--resume"]].concat();

    assert!(trainer("train", &whole, &asked).status().unwrap().success());
    assert!(trainer("quantize", &whole, &[]).status().unwrap().success());
    killed_and_resumed("train", &killed, "train.safetensors", &asked, &resumed);
    killed_and_resumed("quantize", &killed, "quantize.safetensors", &[], &[]);

    for file in ["float.safetensors", "int8.safetensors", "grid.json", "quantize.json"] {
        let (a, b) = (std::fs::read(whole.join(file)).unwrap(), std::fs::read(killed.join(file)).unwrap());
        assert!(a == b, "{file} differs after the kill");
    }
    // The comparison bites: another seed gives other weights.
    let other = folder.path().join("other");
    assert!(trainer("train", &other, &[&asked[..], &["--seed", "2"]].concat()).status().unwrap().success());
    let (a, b) =
        (std::fs::read(whole.join("float.safetensors")), std::fs::read(other.join("float.safetensors")));
    assert!(a.unwrap() != b.unwrap());
}

#[test]
fn the_bytes_are_those_of_its_threads_whatever_cores_there_are() {
    let folder = tempfile::tempdir().unwrap();
    // Of rayon's threads, which change the pictures, any number; of libtorch's the recipe's.
    let weights = |name: &str, changing: &str, more: &[&str]| {
        let run = folder.path().join(name);
        let asked = [&["--phantoms", "80", "--side", "64", "--epochs", "2"], more].concat();
        let mut program = trainer("train", &run, &asked);
        program.env("RAYON_NUM_THREADS", changing).env("OMP_NUM_THREADS", changing);
        assert!(program.status().unwrap().success());
        (std::fs::read(run.join("float.safetensors")).unwrap(), Run::open(&run).unwrap().recipe.threads)
    };
    let (two, threads) = weights("two", "1", &["--threads", "2"]);
    assert_eq!(threads, 2, "recorded");
    assert!(weights("three", "3", &["--threads", "2"]) == (two.clone(), 2));
    // The comparison bites. Whether one thread rounds otherwise than two is the processor's matter.
    let (other, _) = weights("other", "3", &["--threads", "2", "--seed", "2"]);
    assert!(other != two);
    assert_eq!(weights("one", "3", &[]).1, 1, "recorded");
}

#[test]
fn a_run_is_not_overwritten_and_not_continued_with_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let asked = ["--phantoms", "60", "--side", "32", "--epochs", "1"];
    assert!(trainer("train", &run, &asked).status().unwrap().success());
    let refused = |more: &[&str]| {
        let output = trainer("train", &run, &[&asked[..], more].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&[]).contains("add --resume"));
    assert!(refused(&["--resume", "--seed", "5"]).contains("another recipe"));
    let other = trainer("train", &run, &["--phantoms", "80", "--side", "32", "--epochs", "1", "--resume"]);
    let output = { other }.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("other data"));
}
