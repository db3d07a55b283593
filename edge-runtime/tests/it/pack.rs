//! `pack` and `inspect` as their users meet them, and what packing refuses.

use crate::support::{Bench, assert_contains, engine, model, small};
use edge_core::kernels::Kernels;
use edge_runtime::aligned::AlignedBytes;
use edge_runtime::engine::Engine;
use edge_runtime::infer_core::CoreEngine;
use edge_runtime::model_file::{ModelFile, sha256_hex};
use edge_runtime::pack::{PackError, pack};
use tract_onnx::pb;

#[test]
fn a_packed_model_gives_the_logits_of_stock_tract() {
    for seed in 1..=8 {
        let model = small(seed);
        let mut core = CoreEngine::load(&model, Kernels::SCALAR).unwrap();
        let mut stock = engine("tract-stock", &model);
        for step in 1..6 {
            let input: Vec<u8> = (0..32 * 32).map(|i| (i * step * 37 / 5) as u8).collect();
            assert_eq!(core.infer(&input), stock.infer(&input), "seed {seed}");
        }
        assert!(core.infer(&[0; 7]).is_err());
    }
}

#[test]
fn pack_writes_what_inspect_reads() {
    let bench = Bench::new();
    let out = bench.path("model.packed");
    let packed = bench.run(["pack", "--json", &out]).clean();
    let file = std::fs::read(&out).unwrap();
    let line = &packed.json()[0];
    assert_eq!((&line["bytes"], &line["sha256"]), (&file.len().into(), &sha256_hex(&file).into()));
    let of = |path: &str| bench.run(["inspect", "--json", path]).json()[0].clone();
    let (from_packed, from_onnx) = (of(&out), of(&bench.model));
    assert_eq!((&from_packed["form"], &from_onnx["form"]), (&"packed".into(), &"onnx".into()));
    for same in ["layers", "model", "macs", "weights", "arena_bytes", "model_sha256", "packed_bytes"] {
        assert_eq!(from_packed[same], from_onnx[same], "{same}");
    }
    let onnx = sha256_hex(&std::fs::read(&bench.model).unwrap());
    assert_eq!((&from_packed["model_sha256"], &line["model_sha256"]), (&onnx.clone().into(), &onnx.into()));
    // stem 16*16*8*9, depthwise 8*8*8*9, expand 8*8*8*8, last 8*8*16*8, head 16
    assert_eq!(from_packed["macs"], 18_432 + 4_608 + 4_096 + 8_192 + 16);
    let text = bench.run(["inspect", &out]).stdout;
    assert_contains(&text, &["depthwise", "residual", "32 x 32 x 1", "Arena of"]);
    assert_contains(&text, &["Tests only.", "it is not a diagnosis"]);
}

#[test]
fn damaged_models_are_refused_with_exit_code_4() {
    let bench = Bench::new();
    let out = bench.path("model.packed");
    bench.run(["pack", &out]);
    let mut bytes = std::fs::read(&out).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = bench.file("damaged.packed", bytes);
    bench.run(["inspect", &damaged]).refused(4, "damaged; copy the file again");
    bench.run_with(&out, ["about"]).refused(4, "it is a packed one");
    bench.run(["inspect", "no-such-model"]).ended(4);
    bench.run(["pack", "no-such-folder/model.packed"]).refused(1, "check that the folder exists");
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
