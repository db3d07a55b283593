//! What packing gives, and what it refuses.

use edge_core::kernels::Kernels;
use edge_model::aligned::AlignedBytes;
use edge_model::engine::{Engine, EngineKind};
use edge_model::infer_core::CoreEngine;
use edge_model::model_file::ModelFile;
use edge_model::pack::{PackError, pack};
use test_support::loaded::{engine, small};
use test_support::model;
use tract_onnx::pb;

#[test]
fn a_packed_model_gives_the_logits_of_stock_tract() {
    for seed in 1..=8 {
        let model = small(seed);
        let mut core = CoreEngine::load(&model, Kernels::SCALAR).unwrap();
        let mut stock = engine(EngineKind::TractStock, &model);
        for step in 1..6 {
            let input: Vec<u8> = (0..32 * 32).map(|i| (i * step * 37 / 5) as u8).collect();
            assert_eq!(core.infer(&input), stock.infer(&input), "seed {seed}");
        }
        assert!(core.infer(&[0; 7]).is_err());
    }
}

/// Every form that is not the exact one is refused by the node's name: nothing is approximated.
#[test]
fn what_is_not_the_exact_form_is_not_packed() {
    let refused = |change: &dyn Fn(&mut pb::GraphProto)| {
        let changed = model::changed(|proto| change(proto.graph.as_mut().unwrap()));
        match pack(&ModelFile::from_bytes(&changed).unwrap()) {
            Ok(_) => None,
            Err(PackError::Node { node, .. }) => Some(node),
            Err(other) => Some(other.to_string()),
        }
    };
    let tensor = |graph: &mut pb::GraphProto, name: &str, bytes: Vec<u8>| {
        model::tensor_mut(graph, name).raw_data = bytes;
    };
    let node = |graph: &mut pb::GraphProto, name: &str, change: &dyn Fn(&mut pb::NodeProto)| {
        change(graph.node.iter_mut().find(|n| n.name == name).unwrap());
    };
    assert_eq!(refused(&|_| ()), None);
    let half = 0.5f32.to_le_bytes().repeat(16);
    type Change<'a> = &'a dyn Fn(&mut pb::GraphProto);
    let changes: [(&str, Change); 7] = [
        ("pooled", &|g| node(g, "pooled", &|n| n.op_type = "GlobalMaxPool".into())),
        ("sum", &|g| node(g, "sum", &|n| n.input[1] = "product".into())),
        ("zero", &|g| node(g, "stem", &|n| n.input[5] = "zero".into())),
        ("stem", &|g| tensor(g, "weight_zero", vec![1])),
        ("expand.bias", &|g| tensor(g, "expand.bias", vec![0; 12])),
        ("product", &|g| tensor(g, "head", half.clone())),
        ("last", &|g| node(g, "last", &|n| n.domain = "com.microsoft".into())),
    ];
    for (named, change) in changes {
        assert_eq!(refused(change).as_deref(), Some(named));
    }
}

#[test]
fn aligned_bytes_hold_a_packed_model_wherever_they_were_copied_from() {
    let model = small(1);
    let packed = pack(&model).unwrap();
    let shifted = [&[0; 3], packed.bytes()].concat();
    let again = edge_core::Packed::new(AlignedBytes::copy_of(&shifted[3..])).unwrap();
    assert_eq!(again.bytes(), packed.bytes());
}
