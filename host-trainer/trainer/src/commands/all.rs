//! `all`: the model flow from its data to its files, as the command line says or a recipe file.

use crate::cli;
use crate::commands::gate::gate_run;
use crate::commands::teachers::teachers;
use crate::commands::{evaluate_run, export_run, others, pack_model, quantize_run, recipe, start, train_run};
use crate::export::footprint::Footprint;
use crate::recipe_file::RecipeFile;
use crate::report;
use crate::run::folder;
use anyhow::{Result, ensure};

pub fn all(args: &cli::AllArgs) -> Result<()> {
    let file = args.recipe.as_deref().map(RecipeFile::read).transpose()?;
    let mut args = match &file {
        Some(file) => with_recipe(args, file)?,
        None => args.clone(),
    };
    // What would be found wrong after hours of training is looked at first: the pupil's size, and what the
    // gate is fitted on. Its split is that of its teachers, of whom the first is refused where it is too small.
    let drawn = args.training.step.data.path.is_none();
    let pupil = recipe(args.training.seed.unwrap_or(1), &args.training.options, &[], drawn)?;
    Footprint::of(&pupil.net())?.check()?;
    let given = others::load(&args.others, pupil.side)?;
    others::shown(&pupil, &given)?;
    if let Some(file) = &file {
        train_teachers(&mut args, file)?;
    }
    let (mut run, data, device) = start(&args.training)?;
    train_run(&mut run, &data, &args.training.teachers, device)?;
    let beside = others::beside(&run, || Ok(given.clone()))?;
    quantize_run(&mut run, &data, &args.training.teachers, beside.as_ref(), device)?;
    let version = args.model_version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
    export_run(&run, &data, version, args.out_of_fold.as_deref(), device)?;
    gate_run(&run, &data, &given)?;
    let robustness = args.robustness.unwrap_or(if drawn { 60 } else { 400 });
    for metrics in evaluate_run(&run, &data, &run.path("model.onnx"), robustness)? {
        println!("{metrics}");
    }
    let out = run.path("report.html");
    let open = |id: &str| {
        data.samples.iter().find(|c| c.id == id).and_then(|c| c.original.open().ok()).map(|p| (*p).clone())
    };
    report::run(&run.folder, &out, &report::PageOptions { no_pictures: false, open: Some(&open) })?;
    pack_model(&run.path("model.onnx"), &run.path("model.packed"))?;
    println!("model:  {}\nreport: {}", run.path("model.onnx").display(), out.display());
    Ok(())
}

/// What was asked for, with what the file says of the rest.
fn with_recipe(args: &cli::AllArgs, file: &RecipeFile) -> Result<cli::AllArgs> {
    let mut all = args.clone();
    file.gate.check(&all.others)?;
    let training = &mut all.training;
    let at = folder(training.step.run.as_deref(), !training.resume)?;
    ensure!(
        training.resume || !at.join("run.json").exists(),
        "{} holds a run already; add --resume to go on with it, or choose another --run folder",
        at.display()
    );
    file.complete(training);
    training.step.run = Some(at);
    all.model_version = all.model_version.or_else(|| file.model_version.clone());
    all.robustness = all.robustness.or(file.robustness);
    Ok(all)
}

/// The file's teachers, for a pupil that was not given others.
fn train_teachers(args: &mut cli::AllArgs, file: &RecipeFile) -> Result<()> {
    let training = &mut args.training;
    if !training.teachers.teacher.is_empty() {
        return Ok(());
    }
    let names = training.options.teachers.clone().unwrap_or_default();
    let at = folder(training.step.run.as_deref(), !training.resume)?;
    let kept = args.teachers.clone().unwrap_or_else(|| at.join("teachers"));
    let source = training.source(&args.weights);
    let seed = training.options.split_seed.or(training.seed).unwrap_or(1);
    let split = (training.validation.into(), seed);
    training.teachers.teacher = teachers(&file.teacher, &names, &kept, split, &source, training.resume)?;
    Ok(())
}
