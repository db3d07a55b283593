//! The self-test's own teeth, and the pictures that programs bring along.

use edge_model::drawings::{DRAWINGS, GOLDEN};
use edge_model::engine::{Engine, EngineError, EngineKind};
use edge_model::model_file::{ModelFile, sha256_hex};
use edge_model::self_test::{SelfTestError, golden, shipped};
use serde_json::Value;
use test_support::loaded::{SHIPPED, classifier, engine, shipped as shipped_model};
use test_support::model;

fn golden_vectors() -> Value {
    serde_json::from_slice(include_bytes!("../../../../models/pneumonia/golden.json")).unwrap()
}

fn frames(golden: &Value) -> impl Iterator<Item = &Value> {
    golden["frames"].as_array().unwrap().iter()
}

/// What a demonstration shows is what onnxruntime computes of the same bytes: input and logit of
/// every drawing.
#[test]
fn every_drawing_is_a_golden_frame_and_passes_the_gate() {
    let (vectors, model) = (golden_vectors(), shipped_model());
    let mut classifier = classifier(EngineKind::Core, &model);
    for drawing in DRAWINGS {
        let frame = frames(&vectors).find(|frame| frame["name"] == drawing.name).unwrap();
        let picture = drawing.picture().unwrap();
        let logit =
            classifier.classify(&picture.frame()).unwrap().decision.logit.expect("it passes the gate");
        let bits = format!("{:08x}", logit.to_bits());
        assert_eq!(
            (frame["input"].as_str(), frame["logit_bits"].as_str()),
            (Some(&*sha256_hex(classifier.input())), Some(&*bits)),
            "{}",
            drawing.name
        );
    }
    assert_eq!(DRAWINGS.iter().filter(|drawing| drawing.ill).count(), 3);
}

#[test]
fn its_constants_are_those_of_the_golden_vectors() {
    let golden = golden_vectors();
    let frame = frames(&golden).find(|frame| frame["name"] == GOLDEN.name).unwrap();
    let bits = format!("{:08x}", shipped::LOGIT);
    assert_eq!(
        (golden["model"].as_str(), frame["input"].as_str(), frame["logit_bits"].as_str()),
        (Some(shipped::MODEL), Some(shipped::INPUT), Some(bits.as_str())),
        "copy the left side into src/self_test.rs"
    );
    let model = shipped_model();
    assert_eq!((model.sha256(), model.metadata().input_side), (shipped::MODEL, shipped::SIDE));
}

/// Every engine passes, with the shipped model and with another; and one that is off by a bit does
/// not.
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
        fn features(&self) -> Result<&[u8], EngineError> {
            self.0.features()
        }
    }
    for (bytes, reference) in [(SHIPPED, "onnxruntime"), (&model::small(1), "the scalar kernels")] {
        let model = ModelFile::from_bytes(bytes).unwrap();
        for kind in EngineKind::ALL {
            let mut good = engine(kind, &model);
            assert_eq!(golden(&model, &mut *good), Ok(()), "{kind}");
            let error = golden(&model, &mut Off(good)).unwrap_err();
            assert!(matches!(error, SelfTestError::Logit { reference: r, .. } if r == reference), "{error}");
        }
    }
}
