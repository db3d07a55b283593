//! `edge-runtime pack`: the model as one flat file that devices read in place.

use crate::model::Refused;
use crate::outcome::Outcome;
use crate::report;
use crate::report::Output;
use anyhow::Result;
use edge_model::files;
use edge_model::model_file::{ModelFile, sha256_hex};
use edge_model::pack::pack;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

#[derive(Serialize)]
struct Packing<'a> {
    path: String,
    bytes: usize,
    sha256: String,
    arena_bytes: usize,
    layers: usize,
    model_name: &'a str,
    model_version: &'a str,
    model_sha256: &'a str,
}

pub fn run(model: &ModelFile, out: &Path, output: Output) -> Result<Outcome> {
    let packed = pack(model).map_err(|why| Refused::new(&model.metadata().name, why))?;
    files::write(out, packed.bytes())?;
    let packing = Packing {
        path: out.display().to_string(),
        bytes: packed.bytes().len(),
        sha256: sha256_hex(packed.bytes()),
        arena_bytes: packed.arena_bytes(),
        layers: packed.plan()?.layers(),
        model_name: &model.metadata().name,
        model_version: &model.metadata().version,
        model_sha256: model.sha256(),
    };
    report::answer(output, &packing, |out| {
        let Packing { path, bytes, sha256, arena_bytes, layers, model_name, model_version, .. } = &packing;
        writeln!(out, "{path}: {bytes} bytes, SHA-256 {sha256}")?;
        writeln!(
            out,
            "model {model_name} {model_version}, {layers} layers; a device needs {arena_bytes} bytes of arena beside it"
        )
    })
}
