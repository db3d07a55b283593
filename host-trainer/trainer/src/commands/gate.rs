//! `gate`: fits the limits of a model's gate on the patients that trained it, and measures it on the others.

use super::load;
use crate::cli;
use crate::dataset::Dataset;
use crate::dataset::split::Split;
use crate::gate::{self, Others};
use crate::run::{Recipe, Run};
use anyhow::{Context, Result, ensure};
use edge_core::gate::GateThresholds;
use edge_model::files;
use edge_model::model_file::ModelFile;
use std::path::Path;

pub fn gate(args: &cli::GateArgs) -> Result<()> {
    let model = ModelFile::load(&args.model).with_context(|| args.model.display().to_string())?;
    if args.compare.is_none() {
        ensure_unfamiliar_is_kept(&model, args).with_context(|| args.model.display().to_string())?;
    }
    let data = load(&args.data, args.phantoms, model.metadata().input_side)?;
    let split = Split::draw(&data.samples, Recipe::default().validation_share, args.seed);
    let indices = split.indices(&data.samples).context("the split was drawn from this data")?;
    let others = others(&args.others, model.metadata().input_side)?;
    if let Some(json) = &args.compare {
        let (train, validate) = (&indices.0[..], &indices.1[..]);
        let comparison = gate::compare(&model, &data.samples, (train, validate), &others, args.seed)?;
        files::write(json, &serde_json::to_vec_pretty(&comparison)?)?;
        println!("{comparison}");
        return Ok(());
    }
    let out = args.out.as_deref().context("expected --out or --compare")?;
    gate_model(&model, &data, &indices, &others, args.seed, args.model_version.as_deref(), out)
}

/// The gate of a run's exported model, fitted on the run's training patients.
pub(super) fn gate_run(run: &Run, data: &Dataset, others: &Others) -> Result<()> {
    let path = run.path("model.onnx");
    let model = ModelFile::load(&path).with_context(|| path.display().to_string())?;
    gate_model(&model, data, &run.indices(&data.samples)?, others, run.recipe.seed, None, &path)
}

/// Real pictures that the model is not for; says what is missing where nothing shows other chests.
pub(super) fn others(args: &cli::OtherArgs, side: u16) -> Result<Others> {
    if args.unfamiliar.is_empty() {
        println!("note: without --unfamiliar no chests of another kind, adults' for example, are known by the gate");
    }
    Ok(Others::load(&args.not_chests, &args.unfamiliar, &args.measure_only, side)?)
}

/// An error where the model refers chests of another kind and the fit would forget them: its weights are
/// made anew, of the pictures that are given.
fn ensure_unfamiliar_is_kept(model: &ModelFile, args: &cli::GateArgs) -> Result<()> {
    let refers = !model.metadata().gate.familiar.weights.is_empty();
    ensure!(
        !refers || !args.others.unfamiliar.is_empty() || args.forget_unfamiliar,
        "this model refers chests of another kind (reason 19), and a fit without such pictures forgets them: the device \
         would answer for adults as for children. Expected --unfamiliar DIR, the folder that its gate was fitted on or \
         another, or --forget-unfamiliar for a model that is to be without"
    );
    Ok(())
}

fn gate_model(
    model: &ModelFile,
    data: &Dataset,
    (train, validate): &(Vec<usize>, Vec<usize>),
    others: &Others,
    seed: u64,
    version: Option<&str>,
    out: &Path,
) -> Result<()> {
    // Before there is a gate: what it is to let through is scored whole.
    let open = ModelFile::from_bytes(&gate::bind(model, GateThresholds::open(), [0; 9], None)?)?;
    let deciles = gate::score_deciles(&open, &data.samples, validate)?;
    let limits = gate::fit_limits(model, &data.samples, train, others, seed)?;
    let bytes = gate::bind(model, limits, deciles, version)?;
    files::write(out, &bytes)?;
    let gated = ModelFile::from_bytes(&bytes)?;
    println!("{}: {} bytes, sha256 {}", out.display(), bytes.len(), gated.sha256());
    println!("{}", gate::check_training(&gated, &data.samples, train)?);
    println!("validation patients:\n{}", gate::measure_gate(&gated, &data.samples, validate)?);
    let measured = gate::measure_others(&gated, others)?;
    if !measured.0.is_empty() {
        println!("what the model is not for:\n{measured}");
    }
    Ok(())
}
