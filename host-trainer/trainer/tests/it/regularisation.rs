//! Training with everything on that keeps a network from learning its pictures by heart, from pictures
//! to the packed model.

use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use prost::Message;
use std::path::Path;
use tch::{Device, Kind};
use trainer::dataset::{self, Dataset, phantoms};
use trainer::export::footprint::Footprint;
use trainer::export::metadata::metadata;
use trainer::export::model;
use trainer::quantize::{Quantized, quantize};
use trainer::run::{Recipe, Run};
use trainer::train;

/// Drawings whose names tell a subtype, where it is ill.
fn data() -> Dataset {
    let mut data = phantoms::load(80, 32);
    for (index, sample) in data.samples.iter_mut().enumerate().filter(|(_, sample)| sample.positive) {
        sample.subgroup = if index % 4 == 1 { "virus" } else { "bacteria" };
    }
    data
}

fn run(folder: &Path, recipe: Recipe, data: &Dataset) -> Run {
    tch::set_num_threads(1);
    let about = (phantoms::NAME.to_owned(), dataset::content_hash(&data.samples));
    Run::start(folder, recipe, about, vec![], &data.samples, false).unwrap()
}

fn recipe() -> Recipe {
    Recipe {
        side: 32,
        width: 1.25,
        epochs: 2,
        quantized_epochs: 1,
        batch: 16,
        average: 0.9,
        ..Recipe::default()
    }
}

#[test]
fn everything_on_ends_in_a_model_of_the_size_that_was_foretold() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let recipe = Recipe { smoothing: 0.05, mixup: 0.2, sam: 0.05, auxiliary: 0.3, ..recipe() };
    let mut run = run(&folder.path().join("run"), recipe.clone(), &data);
    let float = train::train(&mut run, &data.samples, None, Device::Cpu).unwrap();
    let first = recipe.net().first_parameters(1);
    assert_eq!(float.parameters.size(), first.size(), "nothing of the auxiliary head is kept");
    assert!((float.parameters - first).abs().sum(Kind::Double).double_value(&[]) > 1.0, "it was trained");

    quantize(&mut run, &data.samples, None, None, Device::Cpu).unwrap();
    let quantized = Quantized::load(&run, Device::Cpu).unwrap();
    let about = metadata(&run, &data.samples, &quantized, "0.0.0", None, Device::Cpu).unwrap();
    let integers = quantized.network.integers(&quantized.parameters).unwrap();
    let exported = model(&quantized.network, &integers, &about).unwrap();
    let packed = pack(&ModelFile::from_bytes(&exported.encode_to_vec()).unwrap()).unwrap();
    let foretold = Footprint::of(&recipe.net()).unwrap();
    assert_eq!(packed.arena_bytes(), foretold.arena);
    // The gate's weights come later: 256, and two of 16 a feature.
    let without_gate = foretold.packed - 256 - 2 * 16 * 128;
    assert!(packed.bytes().len().abs_diff(without_gate) < 1024, "{} {foretold:?}", packed.bytes().len());

    // The recipe is in the run's folder, and what an older version wrote is still read.
    let again = Run::open(&run.folder).unwrap();
    assert_eq!(again.recipe, recipe);
    let text = std::fs::read_to_string(run.path("run.json")).unwrap();
    let new = ["width", "smoothing", "mixup", "sam", "auxiliary"];
    let older: Vec<&str> =
        text.lines().filter(|line| !new.iter().any(|key| line.contains(&format!("\"{key}\"")))).collect();
    assert_eq!(older.len() + new.len(), text.lines().count());
    std::fs::write(run.path("run.json"), older.join("\n")).unwrap();
    let plain = Recipe { width: 1.0, smoothing: 0.0, mixup: 0.0, sam: 0.0, auxiliary: 0.0, ..recipe };
    assert_eq!(Run::open(&run.folder).unwrap().recipe, plain);
}

#[test]
fn each_of_it_changes_what_is_learned() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let learned = |name: &str, recipe: Recipe| {
        let mut run = run(&folder.path().join(name), Recipe { epochs: 1, ..recipe }, &data);
        train::train(&mut run, &data.samples, None, Device::Cpu).unwrap().parameters
    };
    let plain = learned("plain", recipe());
    assert_eq!(plain, learned("again", recipe()), "a run repeats");
    for (name, changed) in [
        ("smoothing", Recipe { smoothing: 0.05, ..recipe() }),
        ("mixup", Recipe { mixup: 0.2, ..recipe() }),
        ("sam", Recipe { sam: 0.05, ..recipe() }),
        ("auxiliary", Recipe { auxiliary: 0.3, ..recipe() }),
    ] {
        assert_ne!(plain, learned(name, changed), "{name} changes nothing");
    }
    // Nobody knows the subtype: nothing to learn it from.
    let drawings = phantoms::load(40, 32);
    let mut run = run(&folder.path().join("unknown"), Recipe { auxiliary: 0.3, ..recipe() }, &drawings);
    let error = train::train(&mut run, &drawings.samples, None, Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("person1_bacteria_2.jpeg"), "{error}");
}
