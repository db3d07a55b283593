//! `gate`: fits the limits of a model's gate on the patients that trained it, and measures it on the others.

use super::{load, others};
use crate::cli;
use crate::dataset::split::{Split, SplitKind};
use crate::dataset::{Dataset, content_hash};
use crate::export::metadata::split_of;
use crate::gate::{self, FITTED_ON, FittedOn, Others};
use crate::run::{Recipe, Run};
use anyhow::{Context, Result, ensure};
use edge_core::gate::GateThresholds;
use edge_model::files;
use edge_model::model_file::{ModelFile, OwnedMetadata};
use std::path::Path;

pub fn gate(args: &cli::GateArgs) -> Result<()> {
    let model = ModelFile::load(&args.model).with_context(|| args.model.display().to_string())?;
    if args.compare.is_none() {
        ensure_unfamiliar_is_kept(&model, args).with_context(|| args.model.display().to_string())?;
    }
    let data = load(&args.data, args.phantoms, model.metadata().input_side)?;
    let seed = args.seed.unwrap_or(1);
    let split = split_as_trained(model.metadata(), &data, seed)?;
    let indices = split.indices(&data.samples).context("the split was drawn from this data")?;
    let others = others::load(&args.others, model.metadata().input_side)?;
    if let Some(json) = &args.compare {
        let (train, validate) = (&indices.0[..], &indices.1[..]);
        let comparison = gate::compare(&model, &data.samples, (train, validate), &others, seed)?;
        files::write(json, &serde_json::to_vec_pretty(&comparison)?)?;
        println!("{comparison}");
        return Ok(());
    }
    let out = args.out.as_deref().context("expected --out or --compare")?;
    gate_model(&model, &data, &indices, &others, seed, args.model_version.as_deref(), out)
}

/// The patients that the model was trained on, and those that it was not; by `seed` where it does not say
/// how they were split.
///
/// # Errors
/// Other data than the model was trained on: whoever would validate there may have trained.
fn split_as_trained(model: &OwnedMetadata, data: &Dataset, seed: u64) -> Result<Split> {
    let found = content_hash(&data.samples);
    ensure!(
        found == model.training_data_sha256,
        "this is not the data that the model was trained on: expected the SHA-256 {}, got {found}. Give the same --data, \
         --labels and --classes: of others it is not known who trained, so the gate could be fitted on patients that it is \
         then measured on",
        model.training_data_sha256
    );
    let (kind, seed) = split_of(&model.seeds).unwrap_or((SplitKind::Share, seed));
    println!("patients: split seed {seed}, {kind}");
    Ok(Split::of_kind(kind, &data.samples, Recipe::default().validation_share, seed)?)
}

/// The gate of a run's exported model, fitted on the run's training patients.
pub(super) fn gate_run(run: &Run, data: &Dataset, others: &Others) -> Result<()> {
    let path = run.path("model.onnx");
    let model = ModelFile::load(&path).with_context(|| path.display().to_string())?;
    let (indices, seed) = (run.indices(&data.samples)?, run.recipe.seed);
    gate_model(&model, data, &indices, others, seed, None, &path)?;
    run.write_json(FITTED_ON, &FittedOn::new(indices.0.len(), seed))
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
    println!("gate: {}", FittedOn::new(train.len(), seed));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::phantoms;

    #[test]
    fn the_models_own_split_is_used_and_no_other_data() {
        let data = phantoms::load(60, 32);
        let model = ModelFile::from_bytes(&test_support::model::small(1)).unwrap();
        let with = |seeds: &str, hash: &str| OwnedMetadata {
            seeds: seeds.to_owned(),
            training_data_sha256: hash.to_owned(),
            ..model.metadata().clone()
        };
        let (hash, drawn) = (content_hash(&data.samples), |seed| Split::draw(&data.samples, 0.2, seed));
        let of = |metadata: &OwnedMetadata, seed| split_as_trained(metadata, &data, seed);
        assert_eq!(of(&with("split 3, all else 1", &hash), 1).unwrap(), drawn(3));
        assert_eq!(of(&with("unknown", &hash), 2).unwrap(), drawn(2));
        assert_ne!(drawn(3), drawn(1), "the seed matters");
        let error = of(&with("split 3, all else 1", &"ab".repeat(32)), 1).unwrap_err().to_string();
        assert!(error.contains("not the data that the model was trained on"), "{error}");
    }
}
