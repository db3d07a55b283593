//! Models that must be refused: each fault has its own message.

use edge_core::model::key;
use edge_model::classify::Classifier;
use edge_model::decode::decode;
use edge_model::engine::EngineKind;
use edge_model::model_file::{ModelFile, seal, sha256_hex};
use test_support::{assert_contains, model, picture};
use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

/// Why the model of a file's bytes is refused: one line.
fn refusal(bytes: &[u8]) -> String {
    let error = ModelFile::from_bytes(bytes).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

/// The refusal of a model that was changed and sealed again, as a faulty exporter would.
fn refusal_of_sealed(change: impl FnOnce(&mut pb::ModelProto)) -> String {
    refusal(&model::changed(change))
}

fn property(key: &str, value: &str) -> pb::StringStringEntryProto {
    pb::StringStringEntryProto { key: key.to_owned(), value: value.to_owned() }
}

fn graph(proto: &mut pb::ModelProto) -> &mut pb::GraphProto {
    proto.graph.as_mut().unwrap()
}

#[test]
fn models_of_another_kind_are_named() {
    for (bytes, name) in [
        (&b"\x1c\0\0\0TFL3\x14\0"[..], "a TensorFlow Lite model"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes"),
        (b"PK\x03\x04\0\0", "a zip file, as PyTorch and Keras write"),
    ] {
        let expected = format!(
            "expected an ONNX model, but it is {name}; \
             copy the file again or export it with host-trainer"
        );
        assert_eq!(refusal(bytes), expected);
    }
}

#[test]
fn the_unchanged_model_is_accepted() {
    let bytes = model::small(1);
    let model = ModelFile::from_bytes(&bytes).unwrap();
    assert_eq!(*model.metadata(), model::metadata(32));
    assert_eq!(model.sha256(), sha256_hex(&bytes));
}

#[test]
fn each_missing_property_is_named() {
    let keys: Vec<String> = model::sealed(32, 1).metadata_props.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys.len(), 33);
    for key in keys {
        let mut proto = model::unsealed(32, 1);
        proto.metadata_props.retain(|entry| entry.key != key);
        if key != key::DIGEST {
            seal(&mut proto);
        }
        let expected = format!("metadata `{key}` is missing; export the model again with host-trainer");
        assert_eq!(refusal(&model::bytes(&proto)), expected);
    }
}

#[test]
fn each_changed_property_breaks_the_seal() {
    for index in 0..32 {
        let mut proto = model::sealed(32, 1);
        let entry = &mut proto.metadata_props[index];
        let key = entry.key.clone();
        entry.value = match entry.value.parse::<f32>() {
            _ if key == key::FORMAT => "+3".to_owned(),
            _ if [key::MAX_BLACK, key::MAX_WHITE].contains(&&*key) => "999".to_owned(),
            _ if key == key::MIN_SHARPNESS => "1".to_owned(),
            _ if [key::MIN_LAYOUT, key::MIN_FEATURES, key::MIN_FAMILIAR].contains(&&*key) => "+0".to_owned(),
            _ if key == key::SCORE_DECILES => "1 2 3 4 5 6 7 8 9".to_owned(),
            _ if key == key::LAYOUT => "00".repeat(256),
            _ if [key::FEATURES, key::FAMILIAR].contains(&&*key) => "00".repeat(16),
            Ok(_) if entry.value.contains('.') => format!("{}1", entry.value), // 0.3 becomes 0.31
            Ok(1.0) => "+1".to_owned(),
            Ok(0.0) => "1".repeat(64), // the hash of the training data
            Ok(number) => format!("{}", number + 1.0),
            Err(_) => format!("{} ", entry.value),
        };
        let error = ModelFile::from_bytes(&model::bytes(&proto)).unwrap_err().to_string();
        let caught_before = key == key::PREPROCESSING; // its value can only be wrong
        let broken = error.starts_with("graph or metadata were changed after export: ");
        assert_eq!(broken, !caught_before, "{key}: {error}");
    }
    let mut proto = model::sealed(32, 1);
    proto.metadata_props[0].value = "03".to_owned();
    let error = refusal(&model::bytes(&proto));
    assert!(error.starts_with("graph or metadata were changed after export: sealed with"), "{error}");
}

#[test]
fn one_changed_weight_breaks_the_seal() {
    let mut proto = model::sealed(32, 1);
    model::tensor_mut(graph(&mut proto), "last.weight").raw_data[17] ^= 1;
    assert_contains(&refusal(&model::bytes(&proto)), &["copy the file again or export it with host-trainer"]);
}

#[test]
fn wrong_values_are_named() {
    let with = |key: &'static str, value: &'static str| {
        refusal_of_sealed(move |proto| {
            proto.metadata_props.iter_mut().find(|entry| entry.key == key).unwrap().value = value.to_owned();
        })
    };
    assert_eq!(
        with(key::TEMPERATURE, "0"),
        "metadata `pneumoscope.calibration.temperature`: expected a finite number above 0; \
         export the model again with host-trainer"
    );
    assert_eq!(
        with(key::FORMAT, "1"),
        "metadata `pneumoscope.format`: expected version 2 to 3, got 1; use the program version that made the model"
    );
    assert_eq!(
        with(key::PREPROCESSING, "area-standardise/9"),
        "metadata `pneumoscope.preprocessing`: expected `area-standardise/1`, got another; \
         use the program version that made the model"
    );
}

#[test]
fn a_property_given_twice() {
    let error = refusal_of_sealed(|proto| proto.metadata_props.push(property(key::BIAS, "9")));
    let expected = "metadata `pneumoscope.calibration.bias` is there more than once; \
                    export the model again with host-trainer";
    assert_eq!(error, expected);
}

/// What a message quotes from the file cannot end its line.
#[test]
fn control_characters_are_escaped() {
    let twice = ["1", "2"].map(|value| property("a\nb", value));
    let error = refusal_of_sealed(|proto| proto.metadata_props.extend(twice));
    assert!(error.starts_with("metadata `a\\nb` is there more than once"), "{error}");
    let error = refusal_of_sealed(|p| graph(p).output = vec![model::value("\x1b[2J", DataType::Float, &[1])]);
    assert_contains(&error, &["got `\\u{1b}[2J` FLOAT [1];"]);
    let mut proto = model::unsealed(32, 1);
    proto.metadata_props.push(property(key::DIGEST, "\r"));
    assert_contains(&refusal(&model::bytes(&proto)), &["sealed with SHA-256 \\r, now"]);
}

#[test]
fn truncated_models() {
    let whole = model::small(1);
    let error = refusal(&whole[..whole.len() / 2]);
    assert!(error.starts_with("expected an ONNX model, but "), "{error}");
    assert!(error.ends_with("; copy the file again or export it with host-trainer"), "{error}");
    for length in 0..whole.len() {
        assert!(ModelFile::from_bytes(&whole[..length]).is_err(), "cut to {length} of {} bytes", whole.len());
    }
}

#[test]
fn what_is_no_model() {
    let refused = "; copy the file again or export it with host-trainer";
    assert_eq!(refusal(b""), format!("expected an ONNX model, but it holds no graph{refused}"));
    assert!(refusal(&picture::png(64, 64)).starts_with("expected an ONNX model, but "));
    assert!(refusal(&[0xFF; 4096]).starts_with("expected an ONNX model, but "));
    let nothing = ModelFile::load("nothing.onnx").unwrap_err().to_string();
    assert!(nothing.starts_with("cannot be read: "), "{nothing}");
}

#[test]
fn another_input_than_the_metadata_says() {
    let refused = |got: &str| {
        format!(
            "expected one input UINT8 [1, 1, 32, 32] as its metadata says, got {got}; \
             export the model again with host-trainer"
        )
    };
    let input = |kind, shape: &'static [i64]| {
        refusal_of_sealed(move |proto| graph(proto).input = vec![model::value("image", kind, shape)])
    };
    assert_eq!(input(DataType::Uint8, &[1, 1, 64, 64]), refused("`image` UINT8 [1, 1, 64, 64]"));
    assert_eq!(input(DataType::Uint8, &[1, 3, 32, 32]), refused("`image` UINT8 [1, 3, 32, 32]"));
    assert_eq!(input(DataType::Float, &[1, 1, 32, 32]), refused("`image` FLOAT [1, 1, 32, 32]"));
    assert_eq!(input(DataType::Uint8, &[32, 32]), refused("`image` UINT8 [32, 32]"));
    let none = refusal_of_sealed(|proto| graph(proto).input.clear());
    assert_eq!(none, refused("none"));
    let untyped = refusal_of_sealed(|proto| graph(proto).input[0].r#type = None);
    assert_eq!(untyped, refused("`image` without a type"));
    let two = refusal_of_sealed(|proto| graph(proto).input.push(model::value("b", DataType::Uint8, &[1])));
    assert_eq!(two, refused("`image` UINT8 [1, 1, 32, 32], `b` UINT8 [1]"));
}

#[test]
fn another_output_than_one_logit() {
    let again = "export the model again with host-trainer";
    let refused = |got: &str| format!("expected one computed output FLOAT [1, 1], got {got}; {again}");
    let output = |name: &str, shape: &[i64]| {
        refusal_of_sealed(|proto| graph(proto).output = vec![model::value(name, DataType::Float, shape)])
    };
    assert_eq!(output("logit", &[1, 2]), refused("`logit` FLOAT [1, 2]"));
    // A name that no node computes made the parser of tract panic.
    assert_eq!(output("nowhere", &[1, 1]), refused("`nowhere` FLOAT [1, 1]"));
}

#[test]
fn weights_outside_the_file() {
    let error = refusal_of_sealed(|proto| {
        let tensor = &mut graph(proto).initializer[5];
        tensor.data_location = Some(DataLocation::External as i32);
        tensor.external_data = vec![property("location", "passwd")];
    });
    assert_eq!(error, "weights of `stem.weight` lie outside the file; export the model again as one file");
}

#[test]
fn graphs_that_the_engine_cannot_compute() {
    for change in [
        |graph: &mut pb::GraphProto| graph.node[0].op_type = "Unheard".to_owned(),
        |graph: &mut pb::GraphProto| graph.node[0].input[0] = "nowhere".to_owned(),
        |graph: &mut pb::GraphProto| graph.node[0].input.truncate(2),
        |graph: &mut pb::GraphProto| graph.node[1].attribute.clear(),
        |graph: &mut pb::GraphProto| graph.initializer[5].dims = vec![-1, 1 << 40],
        |graph: &mut pb::GraphProto| graph.initializer[5].raw_data.truncate(3),
        |graph: &mut pb::GraphProto| graph.initializer.clear(),
        |graph: &mut pb::GraphProto| graph.node.reverse(),
    ] {
        let model = ModelFile::from_bytes(&model::changed(|proto| change(graph(proto)))).unwrap();
        // Either an error, or an engine that gives an answer: no panic, which would end this test.
        for kind in EngineKind::ALL {
            match kind.load(&model) {
                Err(error) => {
                    let expected = format!("{kind} cannot compute this model (");
                    assert!(error.to_string().starts_with(&expected), "{error}")
                }
                Ok(engine) => {
                    let picture = decode(&picture::png(64, 64)).unwrap();
                    let _ = Classifier::new(&model, engine).classify(&picture.frame());
                }
            }
        }
    }
}
