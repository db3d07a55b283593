//! A model file's bytes: an ONNX model with everything bound into it, to be packed, or an error of
//! one line.
//!
//! Nearly every changed byte breaks the seal, which is checked first; so what still parses is
//! sealed again, as a careless or ill-meaning exporter might do it, and must then pass or be
//! refused by what it holds.
#![no_main]

use edge_model::model_file::{ModelFile, digest, seal};
use edge_model::pack::{PackError, pack};
use fuzz::{assert_one_line, planted_fault};
use libfuzzer_sys::fuzz_target;
use prost::Message;
use tract_onnx::pb::ModelProto;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    if let Ok(mut proto) = ModelProto::decode(bytes) {
        seal(&mut proto);
        check(&proto.encode_to_vec());
    }
});

fn check(bytes: &[u8]) {
    let model = match ModelFile::from_bytes(bytes) {
        Ok(model) => model,
        Err(error) => return assert_one_line(&error),
    };
    let mut metadata = model.metadata().clone();
    if planted_fault() {
        metadata.name.clear();
    }
    assert_eq!(metadata.check(), Ok(()));
    assert_eq!(model.sha256().len(), 64);
    // Written again, it is the same model: nothing was accepted that cannot be said again.
    let again =
        ModelFile::from_bytes(&model.proto().encode_to_vec()).expect("what was accepted is accepted again");
    assert_eq!((again.metadata(), digest(again.proto())), (model.metadata(), digest(model.proto())));
    // Its graph can be packed, or it is told which node cannot: never a packed model that its own
    // reader refuses.
    match pack(&model) {
        Ok(_) => {}
        Err(PackError::Read(error)) => panic!("packed into what cannot be read: {error}"),
        Err(error) => assert_one_line(&error),
    }
}
