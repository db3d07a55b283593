//! A prevalence beside a whole classification.

use edge_core::decide::{Calibration, Thresholds};
use edge_model::classify::Classifier;
use edge_model::drawings::{DRAWINGS, Drawing};
use edge_model::engine::EngineKind;
use edge_model::model_file::ModelFile;
use edge_model::prevalence::PriorShift;

/// The limits of a site are scores of its own pictures: the last bit of a score decides there.
#[test]
fn a_score_that_is_a_limit_is_one_whatever_is_told_of_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pneumonia/model.onnx");
    let model = ModelFile::load(path).unwrap();
    let calibration = model.metadata().calibration;
    let classify = |thresholds: Thresholds, told: Option<Calibration>, drawing: &Drawing| {
        let engine = EngineKind::Core.load(&model).unwrap();
        let classifier = Classifier::new(&model, engine).with_thresholds(thresholds);
        let mut classifier = match told {
            Some(told) => classifier.with_told_score(told),
            None => classifier,
        };
        classifier.classify(&drawing.picture().unwrap().frame()).unwrap().decision
    };
    let mut judged = 0;
    for drawing in &DRAWINGS {
        let own = classify(model.metadata().thresholds, None, drawing);
        let Some(score) = own.score else { continue };
        let limits = Thresholds { negative_below: score, positive_above: score };
        let at = classify(limits, None, drawing);
        for prevalence in [0.0001, 0.01, 0.1, 0.9999] {
            let told = PriorShift { prevalence, fitted_prevalence: 0.74 }.calibration(calibration);
            let here = classify(limits, Some(told), drawing);
            assert_eq!((here.state, here.logit), (at.state, at.logit), "{prevalence}");
            assert_eq!(here.score, here.logit.map(|logit| told.score(logit)));
            judged += 1;
        }
    }
    assert!(judged > 4, "{judged} were judged");
}
