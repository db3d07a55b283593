//! The evaluation from pictures to files, with an engine that is simple enough to predict.

use crate::folders::kermany;
use crate::support::{Broken, evaluate, fake, options, phantoms};
use edge_core::gate::GateThresholds;
use edge_core::{Geometry, PixelFormat, State};
use edge_model::decode::Picture;
use edge_model::engine::Engine;
use edge_model::model_file::{ModelFile, OwnedMetadata};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use trainer::dataset::{self, DataOptions, PictureSource};
use trainer::evaluate::perturbation::{PERTURBATIONS, Perturbation};
use trainer::evaluate::prediction::{self, PREDICTIONS, UNREADABLE};
use trainer::evaluate::record;
use trainer::evaluate::{Evaluation, LabelledPicture, run_with};

fn blank() -> PictureSource {
    let geometry = Geometry::new(64, 64, PixelFormat::Gray8).unwrap();
    PictureSource::Memory(Arc::new(Picture::new(geometry, vec![90; 64 * 64]).unwrap()))
}

#[test]
fn pictures_become_files_in_the_order_given() {
    let (folder, items) = (tempfile::tempdir().unwrap(), phantoms(80));
    let metrics = evaluate(&items, folder.path(), 0).unwrap();
    let lines = prediction::from_csv(&std::fs::read(folder.path().join(PREDICTIONS)).unwrap()).unwrap();
    assert!(lines.iter().map(|p| &p.id).eq(items.iter().map(|i| &i.id)));
    for p in &lines {
        let (score, logit) = (p.score.unwrap(), p.logit.unwrap());
        assert_eq!(score, fake().metadata().calibration.score(logit), "the file keeps the bits of the logit");
        let expected = if score > 0.7 {
            State::Positive
        } else if score < 0.3 {
            State::Negative
        } else {
            State::Refer
        };
        assert_eq!(p.device_state(), Some(expected));
    }
    let auc = metrics.measured.statistics.auc;
    assert!(auc.value.unwrap() > 0.7, "ill phantoms have brighter lungs: {auc:?}");
    assert!(auc.low.unwrap() < auc.high.unwrap());
    assert_eq!((metrics.data.pictures, metrics.data.patients, metrics.data.scored), (80, 40, 80));
    assert_eq!(metrics.states.with_disease.total() + metrics.states.without_disease.total(), 80);
    let names: Vec<(&str, usize)> = metrics.subgroups.iter().map(|g| (g.name.as_str(), g.pictures)).collect();
    assert_eq!(names, [("bacteria", 26), ("virus", 14)]);
    let read: Evaluation =
        serde_json::from_slice(&std::fs::read(folder.path().join(record::METRICS)).unwrap()).unwrap();
    // Reading a number back may differ in its last bit.
    let short = |m: &Evaluation| {
        let s = &m.measured.statistics;
        [s.auc, s.brier, s.ece, s.refer_share].map(|e| e.value.map(|v| (v * 1e9).round()))
    };
    assert_eq!(short(&read), short(&metrics));
    assert_eq!(read.measured.confusion, metrics.measured.confusion);
    assert_eq!((read.model, read.data, read.states), (metrics.model, metrics.data, metrics.states));
}

#[test]
fn wrong_labels_turn_the_area_around() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = phantoms(40);
    let right = evaluate(&items, folder.path(), 0).unwrap().measured.statistics.auc.value.unwrap();
    items.iter_mut().for_each(|i| i.label = !i.label);
    let wrong = evaluate(&items, folder.path(), 0).unwrap().measured.statistics.auc.value.unwrap();
    assert!((right + wrong - 1.0).abs() < 1e-12, "{right} and {wrong}");
}

#[test]
fn the_same_pictures_give_the_same_bytes() {
    let items = phantoms(30);
    let files = || {
        let folder = tempfile::tempdir().unwrap();
        evaluate(&items, folder.path(), 12).unwrap();
        [record::METRICS, PREDICTIONS].map(|name| std::fs::read(folder.path().join(name)).unwrap())
    };
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(files(), one_thread.install(files));
}

#[test]
fn pictures_without_a_score_are_counted_and_listed_and_in_no_other_number() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.jpeg");
    std::fs::write(&damaged, b"not a picture").unwrap();
    let clean = evaluate(&phantoms(40), folder.path(), 0).unwrap();
    let mut items = phantoms(40);
    let other = |id: &str, source, label| LabelledPicture {
        id: id.into(),
        source,
        label,
        patient: id.into(),
        subgroup: String::new(),
    };
    items.insert(3, other("blank", blank(), true));
    items.push(other("damaged", PictureSource::File(damaged), false));
    items.push(other("absent", PictureSource::File(folder.path().join("absent.png")), true));
    let metrics = evaluate(&items, folder.path(), 0).unwrap();
    assert_eq!(metrics.measured, clean.measured);
    assert_eq!((metrics.data.pictures, metrics.data.scored), (43, 40));
    assert_eq!((metrics.states.with_disease.invalid, metrics.states.with_disease.unreadable), (1, 1));
    assert_eq!(metrics.states.without_disease.unreadable, 1);
    let listed: Vec<(&str, &str, Option<u8>)> =
        metrics.not_scored.iter().map(|r| (r.id.as_str(), r.state.as_str(), r.reason_code)).collect();
    assert_eq!(
        listed,
        [("blank", "INVALID", Some(13)), ("damaged", UNREADABLE, None), ("absent", UNREADABLE, None)]
    );
    assert!(metrics.not_scored.iter().all(|r| !r.note.is_empty()));
}

#[test]
fn an_engine_that_fails_is_an_error_and_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let make = || Ok(Box::new(Broken) as Box<dyn Engine>);
    let e = run_with(&fake(), None, &make, &phantoms(4), folder.path(), &options(0)).unwrap_err().to_string();
    assert!(e.contains("none of 4 pictures") && e.contains("FAULT") && e.contains("planted"), "{e}");
    assert!(!folder.path().join(record::METRICS).exists());
    assert!(evaluate(&[], folder.path(), 0).is_err());
}

#[test]
fn the_printed_table_states_what_matters() {
    let folder = tempfile::tempdir().unwrap();
    let text = evaluate(&phantoms(40), folder.path(), 10).unwrap().to_string();
    let sha256 = format!("sha256 {}", fake().sha256());
    let expected = [
        "precision",
        "macro average",
        "weighted average",
        "NEGATIVE below 0.3",
        &sha256,
        "gamma 0.7",
        "95 % intervals",
        "bacteria",
        "Intended use: tests",
        "ROC AUC",
    ];
    for word in expected {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn robustness_compares_with_the_unchanged_sample() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = evaluate(&phantoms(60), folder.path(), 20).unwrap();
    let table = metrics.robustness.unwrap();
    assert_eq!((table.pictures, table.drawn_from, table.lines.len()), (20, 60, 1 + PERTURBATIONS.len()));
    let unchanged = &table.lines[0];
    assert_eq!((unchanged.logit_difference, unchanged.changed_states), (Some(0.0), Some(0.0)));
    for l in &table.lines[1..] {
        assert_eq!(l.scored, 20, "{}", l.change);
        assert!(l.logit_difference.unwrap() > 0.0, "{} changes nothing", l.change);
    }
}

/// A picture with a slope to the right and a slope down, in every format.
fn slopes(width: u16, height: u16, format: PixelFormat) -> Picture {
    let geometry = Geometry::new(width.into(), height.into(), format).unwrap();
    let samples = format.bytes_per_pixel();
    let bytes = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| {
            let v =
                (60 + 100 * u32::from(x) / u32::from(width) + 60 * u32::from(y) / u32::from(height)) as u8;
            std::iter::repeat_n(v, samples)
        })
    });
    Picture::new(geometry, bytes.collect()).unwrap()
}

/// Mean of the samples in 8 bits: of a 16-bit sample, the high byte.
fn mean(p: &Picture) -> f64 {
    let wide = matches!(p.geometry().format(), PixelFormat::Gray16 | PixelFormat::Rgb16);
    let samples: Vec<f64> = match wide {
        true => p.bytes().chunks_exact(2).map(|b| f64::from(b[1])).collect(),
        false => p.bytes().iter().map(|&b| f64::from(b)).collect(),
    };
    samples.iter().sum::<f64>() / samples.len() as f64
}

#[test]
fn changes_do_what_they_are_called() {
    let formats = [PixelFormat::Gray8, PixelFormat::Gray16, PixelFormat::Rgb8, PixelFormat::Rgb16];
    for picture in formats.map(|f| slopes(240, 120, f)) {
        let after = |change: Perturbation| change.apply(&picture).unwrap();
        let size = |p: &Picture| (p.geometry().width(), p.geometry().height());
        assert_eq!(size(&after(Perturbation::Wider)), (240, 100));
        assert_eq!(size(&after(Perturbation::Narrower)), (200, 120));
        assert_eq!(size(&after(Perturbation::Crop)), (216, 108));
        for change in
            [Perturbation::Jpeg, Perturbation::Gamma(0.7), Perturbation::Blur, Perturbation::Brightness(0.8)]
        {
            assert_eq!(size(&after(change)), (240, 120), "{change}");
        }
        let (m, rel) = (mean(&picture), |c| mean(&after(c)) / mean(&picture));
        assert!(rel(Perturbation::Gamma(0.7)) > 1.05 && rel(Perturbation::Gamma(1.4)) < 0.95, "{m}");
        assert!((rel(Perturbation::Brightness(0.8)) - 0.8).abs() < 0.02);
        assert!((mean(&after(Perturbation::Blur)) - m).abs() < 2.0);
        assert_eq!(after(Perturbation::Wider).geometry().format(), picture.geometry().format());
    }
    let tiny = slopes(32, 32, PixelFormat::Gray8);
    assert_eq!(Perturbation::Crop.apply(&tiny), None, "28 pixels are below the least side");
}

/// A folder without test/ is measured whole, and so is its train/ when that is named.
#[test]
fn figures_on_what_a_model_has_learned_say_so() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "data/train/", 6);
    kermany(root.path(), "new/", 7);
    let [data, path, out] = ["data", "model.onnx", "out"].map(|name| root.path().join(name));
    let findings = dataset::survey(&data, &DataOptions::default()).unwrap().findings;
    let small = ModelFile::from_bytes(&test_support::model::small(1)).unwrap();
    let metadata = OwnedMetadata {
        training_data_sha256: findings.sha256,
        gate: GateThresholds::open(),
        ..small.metadata().clone()
    };
    std::fs::write(&path, small.with_metadata(&metadata).unwrap()).unwrap();
    let evaluated = |data: &Path| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
        program.args(["evaluate", "--robustness", "0", "--model"]).arg(&path).arg("--data").arg(data);
        let output = program.arg("--out").arg(&out).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metrics = std::fs::read(out.join(record::METRICS)).unwrap();
        let data = serde_json::from_slice::<Evaluation>(&metrics).unwrap().data;
        (data.trained_on, data.description, String::from_utf8(output.stdout).unwrap())
    };
    let (trained_on, description, said) = evaluated(&data.join("train"));
    assert!(trained_on && description.ends_with("on which the model was trained"), "{description}");
    assert!(said.contains(record::TRAINED_ON), "{said}");
    let (trained_on, description, said) = evaluated(&root.path().join("new"));
    assert!(!trained_on && description == "all labelled pictures of the folder", "{description}");
    assert!(!said.contains(record::TRAINED_ON), "{said}");
}
