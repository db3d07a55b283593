//! The page: complete, self-contained, honest about what is missing, and safe with whatever the
//! data hold.

use crate::support::{evaluate, options, phantoms};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;
use trainer::dataset::Findings;
use trainer::dataset::cluster::ClusterFacts;
use trainer::evaluate::LabelledPicture;
use trainer::evaluate::record::{METRICS, TRAINED_ON};
use trainer::folds::OutOfFold;
use trainer::folds::figures::figures;
use trainer::gate::{FITTED_ON, FittedOn};
use trainer::report::{self, Inputs};

const SECTIONS: [&str; 16] = [
    "limits",
    "glance",
    "model",
    "data",
    "curves",
    "quantization",
    "discrimination",
    "decisions",
    "states",
    "calibration",
    "out-of-fold",
    "subgroups",
    "robustness",
    "looked",
    "examples",
    "method",
];

/// A run's folder as the trainer leaves it, with two sets evaluated.
fn run_folder(folder: &Path, items: &[LabelledPicture]) {
    evaluate(items, &folder.join("validation"), 10).unwrap();
    evaluate(items, &folder.join("shifted"), 0).unwrap();
    let epoch = |n: usize, phase: &str| {
        let better = 1.0 / (n as f64 + 1.0);
        serde_json::json!({
            "epoch": n, "phase": phase, "train_loss": 0.7 * better, "train_accuracy": 1.0 - 0.4 * better,
            "val_loss": 0.8 * better, "val_accuracy": 1.0 - 0.5 * better, "val_auc": 1.0 - 0.3 * better,
            "shifted_loss": 0.9 * better, "shifted_accuracy": 1.0 - 0.6 * better,
            // Not a number is null in JSON; the curve has a gap there.
            "shifted_auc": if n == 2 { None } else { Some(1.0 - 0.35 * better) }, "seconds": 30.0,
            // A run that began before there was a film set goes on with one.
            "film_auc": (n > 1).then_some(1.0 - 0.4 * better),
        })
    };
    let history = [epoch(1, "float"), epoch(2, "float"), epoch(3, "float"), epoch(1, "qat")];
    std::fs::write(folder.join("history.json"), serde_json::to_vec(&history).unwrap()).unwrap();
    let quantize = serde_json::json!({
        "float": {"validation": {"auc": 0.98765}, "shifted": {"auc": 0.95}},
        "int8": {"validation": {"auc": 0.98665}, "shifted": {"auc": 0.951}},
    });
    std::fs::write(folder.join("quantize.json"), quantize.to_string()).unwrap();
    let cluster = ClusterFacts {
        number: 1,
        pictures: 40,
        patients: 20,
        positives: 20,
        negatives: 20,
        traits: "noise +1.2, border -0.8".into(),
    };
    let run = serde_json::json!({
        "recipe": {"seed": 17, "epochs": 3}, "data": "phantoms", "split": {"clusters": [&cluster]},
    });
    std::fs::write(folder.join("run.json"), run.to_string()).unwrap();
    std::fs::write(folder.join("data.json"), serde_json::to_vec(&findings()).unwrap()).unwrap();
    let gate = FittedOn { chests: 10_000, of: 80_000, seed: 5 };
    std::fs::write(folder.join(FITTED_ON), serde_json::to_vec(&gate).unwrap()).unwrap();
    let row = |i: usize| OutOfFold {
        id: i.to_string(),
        patient: format!("p{}", i / 2),
        label: (i % 2) as u8,
        fold: i / 20 + 1,
        plain: (i % 2) as f32,
        shifted: (i % 3) as f32,
        film: (i % 5) as f32,
    };
    let rows: Vec<OutOfFold> = (0..40).map(row).collect();
    let figures = figures("acquisition clusters", &rows, &[cluster], &options(0).bootstrap);
    std::fs::write(folder.join("out-of-fold.json"), serde_json::to_vec(&figures).unwrap()).unwrap();
}

/// What a folder may have held.
fn findings() -> Findings {
    serde_json::from_value(serde_json::json!({
        "sha256": "ab", "normal": 30, "pneumonia": 30, "patients": 50, "patients_by": {"names": 58}, "patients_unknown": 2,
        "left_out": {"masks, no pictures of chests": {"count": 3, "first": ["a_mask.png", "b_mask.png"]}},
        "identical": {"count": 1, "pictures": 2, "listed": [["phantom-x", "phantom-y"]]},
        "alike": {"count": 300, "pictures": 600, "listed": [["phantom-v", "phantom-w"]]},
        "contradictory": {"count": 0, "pictures": 0, "listed": []},
        "in_training_and_test": {"count": 0, "pictures": 0, "listed": []},
    }))
    .unwrap()
}

fn page(folder: &Path, options: &report::PageOptions) -> String {
    let out = folder.join("report.html");
    report::run(folder, &out, options).unwrap();
    std::fs::read_to_string(out).unwrap()
}

/// What a browser would fetch or run.
fn assert_self_contained(html: &str) {
    for outside in
        ["http://", "https://", "//cdn", "<script", "<link", "<iframe", "@import", "url(", "javascript:"]
    {
        assert!(!html.contains(outside), "{outside} is in the page");
    }
    for piece in html.split("src=\"").skip(1) {
        assert!(piece.starts_with("data:image/png;base64,"), "src={}", &piece[..40.min(piece.len())]);
    }
    for piece in html.split("href=\"").skip(1) {
        let id = piece.strip_prefix('#').and_then(|p| p.split('"').next()).expect("a link within the page");
        assert!(html.contains(&format!("id=\"{id}\"")), "#{id} leads nowhere");
    }
    assert!(html.contains("Content-Security-Policy"));
}

fn assert_all_sections(html: &str) {
    let mut at = 0;
    for id in SECTIONS {
        let found = html.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
        assert!(found > at, "{id} is out of order");
        at = found;
    }
}

#[test]
fn a_full_run_makes_a_full_page() {
    let folder = tempfile::tempdir().unwrap();
    let items = phantoms(60);
    run_folder(folder.path(), &items);
    let open = |id: &str| items.iter().find(|i| i.id == id)?.source.open().ok().map(|p| (*p).clone());
    let html = page(folder.path(), &report::PageOptions { no_pictures: false, open: Some(&open) });
    assert_self_contained(&html);
    assert_all_sections(&html);
    assert_eq!(html.matches("Not measured").count(), 0);
    for word in [
        "the axis is the score moved to the share among these pictures",
        "98.8 kB",
        "0.9877",
        "−0.001",
        "lung-brightness 0.1.0",
        "bacteria",
        "gamma 1.4",
        "REFER",
        "macro average",
        "phantom-0",
        "contains pictures of patients",
        "Shifted validation",
        "noise +1.2, border -0.8",
        "folds of acquisition clusters",
        "60 pictures were read",
        "gate was fitted on 10000 of 80000 training pictures, drawn by seed 5.",
        "3 (a_mask.png, b_mask.png, ...)",
        "Of 2 of 60 pictures nothing tells whose they are",
        "phantom-x = phantom-y",
        "and 299 groups more",
    ] {
        assert!(html.contains(word), "{word} is missing");
    }
    let diagrams = html.matches("<svg ").count();
    assert_eq!(
        diagrams,
        3 + 2 * 4,
        "three learning curves; ROC, precision-recall, confusion, reliability a set"
    );
    assert_eq!(html.matches("wrong at score 0.5").count(), 1, "wrong ones of the changed set");
    for kind in ["false negatives", "false positives", "true positives", "true negatives"] {
        assert_eq!(html.matches(kind).count(), 1, "{kind} of the unchanged set");
    }
    assert!(html.contains("before the change"));
    assert!(html.matches("data:image/png").count() > 12, "twelve right ones and the wrong ones");
}

#[test]
fn an_empty_folder_makes_a_page_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let html = page(folder.path(), &report::PageOptions::default());
    assert_self_contained(&html);
    assert_all_sections(&html);
    assert_eq!(html.matches("Not measured").count(), 14, "every section but limits and method");
}

#[test]
fn figures_on_training_pictures_are_not_called_a_test() {
    let folder = tempfile::tempdir().unwrap();
    evaluate(&phantoms(24), &folder.path().join("test"), 0).unwrap();
    let unseen = "pictures that were not looked at while the model was made";
    let html = page(folder.path(), &report::PageOptions::default());
    assert!(html.contains(unseen) && !html.contains(TRAINED_ON));
    let path = folder.path().join("test").join(METRICS);
    let mut metrics: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    metrics["data"]["trained_on"] = true.into();
    std::fs::write(&path, metrics.to_string()).unwrap();
    let html = page(folder.path(), &report::PageOptions::default());
    assert!(!html.contains(unseen) && html.contains(TRAINED_ON));
}

#[test]
fn pictures_are_left_out_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let items = phantoms(24);
    run_folder(folder.path(), &items);
    let open = |id: &str| items.iter().find(|i| i.id == id)?.source.open().ok().map(|p| (*p).clone());
    let html = page(folder.path(), &report::PageOptions { no_pictures: true, open: Some(&open) });
    assert!(!html.contains("data:image"));
    assert!(!html.contains("phantom-"), "names of pictures can name patients");
    assert!(!html.contains("a_mask.png") && html.contains("300 groups of 600 pictures look alike"));
    assert_all_sections(&html);
}

#[test]
fn names_from_the_data_are_text_and_never_markup() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = phantoms(24);
    for item in &mut items {
        item.id = format!("<script>alert(1)</script>\"><img src=x>{}", item.id);
    }
    run_folder(folder.path(), &items);
    let html = page(folder.path(), &report::PageOptions::default());
    assert_self_contained(&html);
    assert!(html.contains("&lt;script&gt;"));
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    run_folder(folder.path(), &phantoms(24));
    let failure = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        let before = std::fs::read(&path).ok();
        std::fs::write(&path, bytes).unwrap();
        let text = format!("{:#}", Inputs::read(folder.path()).unwrap_err());
        assert!(text.contains(name.rsplit('/').next().unwrap()), "{text}");
        match before {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
    };
    failure("history.json", b"[{");
    failure("validation/metrics.json", b"{}");
    failure("shifted/predictions.csv", b"id,path\na,b\n");
    failure("model.onnx", b"no model");
    assert!(Inputs::read(&folder.path().join("absent")).is_err());
    Inputs::read(folder.path()).unwrap();
}

/// The pixels of the images whose text for readers begins with `alt`.
fn images(html: &str, alt: &str) -> Vec<image::RgbImage> {
    let tags = html.split("<img").skip(1).filter_map(|tag| tag.split('>').next());
    let wanted = tags.filter(|tag| tag.contains(&format!("alt=\"{alt}")));
    let base64 = wanted.map(|tag| tag.split("base64,").nth(1).unwrap().split('"').next().unwrap());
    let png = base64.map(|text| STANDARD.decode(text).unwrap());
    png.map(|png| image::load_from_memory(&png).unwrap().to_rgb8()).collect()
}

#[test]
fn what_the_network_looked_at_stands_below_its_picture() {
    let folder = tempfile::tempdir().unwrap();
    let items = phantoms(8);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/pneumonia/model.onnx");
    std::fs::copy(&shipped, folder.path().join("model.onnx")).unwrap();
    for set in ["validation", "shifted"] {
        trainer::evaluate::run(&shipped, &items, &folder.path().join(set), &options(0)).unwrap();
    }
    let open = |id: &str| items.iter().find(|i| i.id == id)?.source.open().ok().map(|p| (*p).clone());
    let with_pictures = report::PageOptions { no_pictures: false, open: Some(&open) };
    let html = page(folder.path(), &with_pictures);
    assert_self_contained(&html);
    let (grey, heat) = (images(&html, "phantom-"), images(&html, "what the network looked at in "));
    let unchanged = html.split("Shifted validation: wrong").next().map(|part| images(part, "phantom-").len());
    assert_eq!(Some(heat.len()), unchanged, "one a picture of the set that was not changed");
    assert!(heat.len() >= 4, "{} of {} pictures", heat.len(), grey.len());
    for (heat, grey) in heat.iter().zip(&grey) {
        assert_eq!(heat.dimensions(), grey.dimensions());
        let coloured = heat.pixels().filter(|p| p.0[0] != p.0[2]).count();
        assert!(coloured * 2 > heat.pixels().len(), "a map lies over most of a picture");
        // Green is the picture alone, darkened by the map.
        assert!(heat.pixels().zip(grey.pixels()).all(|(h, g)| h.0[1] <= g.0[1]));
    }

    // Planted: scores of another model are not explained by this one's map.
    evaluate(&items, &folder.path().join("validation"), 0).unwrap();
    assert!(images(&page(folder.path(), &with_pictures), "what the network looked at in ").is_empty());
}
