//! What can only be tested on real X-rays: the shipped model on the patients that it was not
//! trained on.
//!
//! Ignored unless a copy of the data is given: `cargo xtask test --data DIR`.

use edge_core::State;
use edge_model::classify::Classifier;
use edge_model::decode::Picture;
use edge_model::engine::EngineKind;
use edge_model::model_file::ModelFile;
use trainer::augment::batches::shifted_picture;
use trainer::dataset::split::Split;
use trainer::dataset::{self, DataOptions, Part, Sample};
use trainer::evaluate::metrics::auc;
use trainer::random::{Purpose, SeededRng};
use trainer::run::Recipe;

/// Validation pictures that are looked at; all of them would take minutes.
const PICTURES: usize = 240;

/// AUC over pictures made from samples, and how many the gate refused.
fn measure(samples: &[&Sample], picture: impl Fn(&Sample) -> Picture) -> (f64, usize) {
    let model =
        ModelFile::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pneumonia/model.onnx")).unwrap();
    let mut classifier = Classifier::new(&model, EngineKind::default().load(&model).unwrap());
    let (mut scores, mut labels, mut refused) = (vec![], vec![], 0);
    for sample in samples {
        let decision = classifier.classify(&picture(sample).frame()).unwrap().decision;
        match decision.logit {
            Some(logit) => {
                scores.push(f64::from(logit));
                labels.push(sample.positive);
            }
            None => refused += usize::from(decision.state == State::Invalid),
        }
    }
    (auc(&scores, &labels).unwrap(), refused)
}

#[test]
#[ignore = "needs the X-rays: cargo xtask test --data DIR"]
fn the_shipped_model_tells_unseen_patients_apart() {
    let data = std::env::var("PNEUMOSCOPE_DATA").expect("set by cargo xtask test --data DIR");
    let recipe = Recipe::default();
    let set = dataset::load(data.as_ref(), Part::Learning, recipe.side, &DataOptions::default()).unwrap();
    let split = Split::draw(&set.samples, recipe.validation_share, recipe.seed);
    let (_, mut validation) = split.indices(&set.samples).unwrap();
    SeededRng::new(1, Purpose::Order, 0, 0).shuffle(&mut validation);
    let samples: Vec<&Sample> = validation.iter().take(PICTURES).map(|&i| &set.samples[i]).collect();

    let (plain, refused) = measure(&samples, |sample| (*sample.original.open().unwrap()).clone());
    let (shifted, _) = measure(&samples, |sample| shifted_picture(sample).unwrap());
    assert!(plain >= 0.98, "AUC {plain} on a sample of the validation patients; the card says .9937 of all");
    assert!(shifted >= 0.96, "AUC {shifted} on the shifted sample; the card says .9888 of all");
    assert!(refused * 100 <= PICTURES, "the gate refused {refused} of {PICTURES} X-rays");
}
