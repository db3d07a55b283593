//! `pack` and `inspect` as their users meet them.

use crate::support::{Bench, assert_contains};
use edge_model::model_file::sha256_hex;

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
