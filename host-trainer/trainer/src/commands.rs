//! What each command does: read the data, open the run, call the step, say what came out.

pub mod all;
pub mod baselines;
pub mod check;
pub mod folds;
pub mod gate;
mod others;
pub mod sweep;
pub mod teachers;

use crate::augment::condition::Condition;
use crate::cli;
use crate::dataset::findings::FINDINGS;
use crate::dataset::split::{LEAST_PICTURES, Split, SplitError, SplitKind};
use crate::dataset::{self, DataArgs, Dataset, Labelled, Part, Sample, content_hash, phantoms};
use crate::evaluate::{self, Evaluation, EvaluationOptions, LabelledPicture};
use crate::export::footprint::Footprint;
use crate::export::metadata::metadata;
use crate::folds::{self as out_of_fold, Gathered};
use crate::options::TrainOptions;
use crate::quantize::{self, Comparison, Quantized};
use crate::run::{self, Recipe, Run, TaughtRecipe, folder};
use crate::teach::ensemble::Ensemble;
use crate::teach::finetune;
use crate::train::distillation::{Distillation, Teacher};
use crate::train::lessons::Lessons;
use crate::train::others::OtherPictures;
use crate::{report, train};
use anyhow::{Context, Result, ensure};
use edge_model::files;
use edge_model::model_file::ModelFile;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tch::{Device, Tensor};

/// Decay of the weights' average on drawings, of which there are a few hundred.
const DRAWN_AVERAGE: f64 = 0.97;

pub fn train(args: &cli::TrainArgs) -> Result<()> {
    let (mut run, data, device) = start(args)?;
    train_run(&mut run, &data, &args.teachers, device)
}

pub fn quantize(args: &cli::QuantizeArgs) -> Result<()> {
    let (mut run, data, device) = open(&args.step)?;
    let others = others::beside(&run, || others::load(&args.others, run.recipe.side))?;
    quantize_run(&mut run, &data, &args.teachers, others.as_ref(), device)
}

pub fn export(args: &cli::ExportArgs) -> Result<()> {
    let (run, data, device) = open(&args.step)?;
    export_run(&run, &data, &args.model_version, args.out_of_fold.as_deref(), device)
}

/// Measurement of a model on labelled pictures, or on a run's validation patients.
pub fn evaluate(args: &cli::EvaluateArgs) -> Result<()> {
    let say = |metrics: &Evaluation| -> Result<()> {
        match args.json {
            true => println!("{}", serde_json::to_string(metrics)?),
            false => println!("{metrics}"),
        }
        Ok(())
    };
    if let (Some(out), Some(data)) = (&args.out, &args.step.data.path) {
        let model = model_path(&args.model, args.step.run.as_deref())?;
        let set = dataset::load(data, Part::Test, Recipe::default().side, &args.step.data.options)?;
        eprintln!("{}", set.findings);
        let items: Vec<LabelledPicture> = set.samples.iter().map(plain_item).collect();
        let file = ModelFile::load(&model).with_context(|| model.display().to_string())?;
        // A folder without test/ is measured whole, be it what the model has learned from.
        let learned = &file.metadata().training_data_sha256;
        let trained_on =
            dataset::was_learned_from(data, &set.findings.sha256, learned, &args.step.data.options);
        let about = match trained_on {
            true => "all labelled pictures of the folder, on which the model was trained",
            false => "all labelled pictures of the folder",
        };
        let options = EvaluationOptions { trained_on, ..options(about, args.robustness) };
        return say(&evaluate::run(&model, &items, out, &options)?);
    }
    let (run, data, _) = open(&args.step)?;
    let model = args.model.clone().unwrap_or_else(|| run.path("model.onnx"));
    evaluate_run(&run, &data, &model, args.robustness)?.iter().try_for_each(say)
}

pub fn report(args: &cli::ReportArgs) -> Result<()> {
    let run = folder(args.run.as_deref(), false)?;
    let out = args.out.clone().unwrap_or_else(|| run.join("report.html"));
    report::run(&run, &out, &report::PageOptions { no_pictures: args.no_pictures, ..Default::default() })?;
    println!("report: {}", out.display());
    Ok(())
}

pub fn pack(args: &cli::PackArgs) -> Result<()> {
    let model = model_path(&args.model, args.run.as_deref())?;
    pack_model(&model, &args.out.clone().unwrap_or_else(|| model.with_file_name("model.packed")))
}

/// The model asked for, else that of the run.
fn model_path(asked: &Option<PathBuf>, run: Option<&Path>) -> Result<PathBuf> {
    asked.clone().map_or_else(|| Ok(folder(run, false)?.join("model.onnx")), Ok)
}

/// What is asked of a run of these options, with the teachers in these folders.
fn recipe(seed: u64, options: &TrainOptions, teachers: &[PathBuf], drawn: bool) -> Result<Recipe> {
    let mut recipe = Recipe { seed, ..Recipe::default() };
    if drawn {
        // A few hundred drawings: many short epochs, each at least a dozen steps.
        recipe = Recipe { epochs: 8, quantized_epochs: 2, average: DRAWN_AVERAGE, ..recipe };
    }
    recipe = options.apply(recipe)?;
    if !teachers.is_empty() {
        let sides = teachers.iter().map(|folder| Ok(Run::open(folder)?.recipe.side));
        recipe.taught = Some(TaughtRecipe {
            sides: sides.collect::<Result<_>>()?,
            teachers: teachers.iter().map(|folder| finetune::sha256(folder)).collect::<Result<_>>()?,
            temperature: options.temperature.unwrap_or(2.0),
            share: options.teacher_share.unwrap_or(0.7),
        });
    }
    Ok(recipe)
}

/// What the command line asks of a run.
fn asked(args: &cli::TrainArgs) -> Result<Recipe> {
    let drawn = args.step.data.path.is_none();
    args.options.check_teachers(!args.teachers.teacher.is_empty())?;
    let recipe = recipe(args.seed.unwrap_or(1), &args.options, &args.teachers.teacher, drawn)?;
    Ok(Recipe { split: args.validation.into(), ..recipe })
}

/// Data, device, and a run that is new or goes on.
fn start(args: &cli::TrainArgs) -> Result<(Run, Dataset, Device)> {
    let recipe = asked(args)?;
    Footprint::of(&recipe.net())?.check()?;
    let device = device(args.step.cuda)?;
    let data = load(&args.step.data, args.phantoms, recipe.side)?;
    let at = folder(args.step.run.as_deref(), !args.resume)?;
    let run = begin(&at, recipe, &args.step.data, &data, args.resume)?;
    let net = run.recipe.net();
    println!(
        "network: {} multiply-accumulates a picture, {} bytes of numbers in int8",
        net.macs(),
        net.int8_bytes()
    );
    Ok((run, data, device))
}

/// A run in the folder `at` that is new or goes on, and what it is about.
fn begin(at: &Path, recipe: Recipe, from: &DataArgs, data: &Dataset, resume: bool) -> Result<Run> {
    let name = name_of(from.path.as_deref());
    let hash = content_hash(&data.samples);
    enough(&recipe, from, data)?;
    tch::set_num_threads(recipe.threads.into());
    let run = Run::start(at, recipe, (name, hash), data.notes.clone(), &data.samples, resume)?;
    run.write_json(FINDINGS, &data.findings)?;
    println!("run:    {}", at.display());
    println!(
        "{}: {} pictures, {} to train and {} to validate{}; {} contents occur more than once",
        run.data,
        data.samples.len(),
        run.split.train.len(),
        run.split.validation.len(),
        if data.findings.patients_unknown == 0 { ", no patient in both" } else { "" },
        run.split.duplicate_groups
    );
    println!("{}", data.findings);
    let divided = run.split.divided(&data.findings.alike.listed);
    if divided > 0 {
        println!(
            "note: of {divided} groups that look alike one picture trains and another validates, which flatters the \
             validation; where they are one film, name one patient for them with --patients FILE"
        );
    }
    data.notes.iter().for_each(|note| println!("note: {note}"));
    Ok(run)
}

/// An error where a split of the recipe's kind would leave too few pictures on a side. Drawings are
/// for trying the program; clusters have pictures of both classes by how they are made.
fn enough(recipe: &Recipe, from: &DataArgs, data: &Dataset) -> Result<()> {
    if matches!(recipe.split, SplitKind::HeldOutCluster(_)) {
        return Ok(());
    }
    let split = Split::of_kind(recipe.split, &data.samples, recipe.validation_share, recipe.split_seed())?;
    Ok(enough_on_each_side(&split, &data.samples, from)?)
}

/// The same of a split that is drawn already.
fn enough_on_each_side<T: Labelled>(split: &Split, samples: &[T], from: &DataArgs) -> Result<(), SplitError> {
    let few = from.path.is_none() || from.options.few_pictures;
    let (least, help) =
        if few { (1, "") } else { (LEAST_PICTURES, ", or try the program with --few-pictures") };
    split.check(samples, least, help)
}

/// What the data is called: the folder's last name is enough to recognise it, and puts no path of this
/// machine into the run or the model.
fn name_of(path: Option<&Path>) -> String {
    let last = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    path.map_or(phantoms::NAME.into(), last)
}

/// Float training, by the run's teachers where it has any.
fn train_run(run: &mut Run, data: &Dataset, teachers: &cli::TeacherArgs, device: Device) -> Result<()> {
    with_lessons(run, data, teachers, device, |run, lessons| {
        train::train(run, &data.samples, lessons, device).map(drop)
    })
}

/// Calls `learn` with what the run's teachers say, where it has any: with what they said about each
/// draw of the recipe, else with themselves.
fn with_lessons<T>(
    run: &mut Run,
    data: &Dataset,
    from: &cli::TeacherArgs,
    device: Device,
    learn: impl FnOnce(&mut Run, Option<&Distillation>) -> Result<T>,
) -> Result<T> {
    let Some(taught) = run.recipe.taught.clone() else { return learn(run, None) };
    let by = |teacher| Distillation { teacher, temperature: taught.temperature, share: taught.share };
    let ensemble = |run: &Run| {
        ensure!(
            !from.teacher.is_empty(),
            "{} was taught by {} networks; give their folders with --teacher, or what they said with --lessons",
            run.folder.display(),
            taught.teachers.len()
        );
        Ensemble::load(&from.teacher, run, device)
    };
    if run.recipe.draws == 0 {
        let ensemble = ensemble(run)?;
        let teach = |steps: &[Tensor]| ensemble.logits(steps);
        return learn(run, Some(&by(Teacher::Asked { sides: ensemble.sides().to_vec(), teach: &teach })));
    }
    let folder = from.lessons.as_deref().unwrap_or(&run.folder);
    let mut lessons = Lessons::open(folder, run, &taught, data.samples.len())?;
    if lessons.draws() < run.recipe.draws {
        let ensemble = ensemble(run)?;
        let (train, _) = run.indices(&data.samples)?;
        let teacher =
            (ensemble.sides(), (&|steps: &[Tensor]| ensemble.logits(steps)) as &dyn Fn(&[Tensor]) -> Tensor);
        lessons.complete(folder, run.recipe.draws, (&data.samples, &train), teacher, device)?;
    }
    learn(run, Some(&by(Teacher::Kept(&lessons))))
}

/// Data, device and a run that is there.
fn open(args: &cli::StepArgs) -> Result<(Run, Dataset, Device)> {
    let run = Run::open(&folder(args.run.as_deref(), false)?)?;
    let count = run.split.train.len() + run.split.validation.len();
    let data = load(&args.data, count, run.recipe.side)?;
    run.check(&data.samples)?;
    let device = device(args.cuda)?;
    tch::set_num_threads(run.recipe.threads.into());
    Ok((run, data, device))
}

fn load(from: &DataArgs, phantoms: usize, side: u16) -> Result<Dataset> {
    match &from.path {
        Some(path) => Ok(dataset::load(path, Part::Learning, side, &from.options)?),
        None => Ok(phantoms::load(phantoms.max(40), side)),
    }
}

fn device(cuda: bool) -> Result<Device> {
    // Results repeat bit by bit for a number of threads; a run has the one of its recipe.
    tch::set_num_threads(1);
    if !cuda {
        return Ok(Device::Cpu);
    }
    ensure!(tch::Cuda::is_available(), "no CUDA in this libtorch or on this machine; leave --cuda out");
    Ok(Device::Cuda(0))
}

fn quantize_run(
    run: &mut Run,
    data: &Dataset,
    teachers: &cli::TeacherArgs,
    others: Option<&OtherPictures>,
    device: Device,
) -> Result<()> {
    let Comparison { float, int8 } = with_lessons(run, data, teachers, device, |run, lessons| {
        quantize::quantize(run, &data.samples, lessons, others, device)
    })?;
    println!("           AUC validation  shifted     film   accuracy validation  shifted     film");
    for (name, f) in [("float", &float), ("int8", &int8)] {
        let (film_auc, film_accuracy) = (f.film_auc.unwrap_or(f64::NAN), f.film_accuracy.unwrap_or(f64::NAN));
        println!(
            "{name:<10} {:>14.4} {:>8.4} {film_auc:>8.4} {:>21.4} {:>8.4} {film_accuracy:>8.4}",
            f.val_auc, f.shifted_auc, f.val_accuracy, f.shifted_accuracy
        );
    }
    println!(
        "lost       {:>14.4} {:>8.4}",
        float.val_auc - int8.val_auc,
        float.shifted_auc - int8.shifted_auc
    );
    Ok(())
}

/// Exports a run's model; figures of predictions out of fold are copied into the run, for its report.
fn export_run(run: &Run, data: &Dataset, version: &str, folds: Option<&Path>, device: Device) -> Result<()> {
    let quantized = Quantized::load(run, device)?;
    let gathered = folds.map(|folder| Gathered::open(folder, run)).transpose()?;
    if gathered.as_ref().is_some_and(|gathered| !gathered.same_recipe) {
        println!("note: the folds are of another recipe than this run; their logits may be on another scale");
    }
    let bound = metadata(run, &data.samples, &quantized, version, gathered.as_ref(), device)?;
    let metadata = &bound.metadata;
    let integers = quantized.network.integers(&quantized.parameters)?;
    let path = run.path("model.onnx");
    let sha256 = crate::export::export(&quantized.network, &integers, &bound, &path)?;
    let bytes =
        std::fs::metadata(&path).map(|m| m.len()).context("the model was written but cannot be read")?;
    run.write_json(run::HELD_APART, &bound.held_apart)?;
    // A model that is exported has the gate that it is born with, not the one of an earlier export.
    forget(&run.path(crate::gate::FITTED_ON))?;
    let kept = run.path(out_of_fold::IN_RUN);
    match folds {
        Some(folder) => {
            let figures = folder.join(out_of_fold::FIGURES);
            std::fs::copy(&figures, &kept).with_context(|| figures.display().to_string())?;
        }
        // What an earlier export was fitted on is not what this one was.
        None => forget(&kept)?,
    }
    let t = metadata.thresholds;
    println!("{}: {bytes} bytes, sha256 {sha256}", path.display());
    println!(
        "NEGATIVE below {}, POSITIVE above {}: {}",
        t.negative_below, t.positive_above, metadata.chosen_for
    );
    Ok(())
}

/// Deletes a file that may be there.
fn forget(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

fn pack_model(path: &Path, out: &Path) -> Result<()> {
    let model = ModelFile::load(path).with_context(|| path.display().to_string())?;
    let packed = edge_model::pack::pack(&model).with_context(|| path.display().to_string())?;
    files::write(out, packed.bytes())?;
    println!(
        "{}: {} bytes, read in place by devices, which need {} bytes of arena beside it",
        out.display(),
        packed.bytes().len(),
        packed.arena_bytes()
    );
    Ok(())
}

/// The run's validation patients under every condition, each in the folder that the report looks in; but
/// for those that score and thresholds of its exported model were fitted on.
fn evaluate_run(run: &Run, data: &Dataset, model: &Path, robustness: usize) -> Result<Vec<Evaluation>> {
    let (_, mut validate) = run.indices(&data.samples)?;
    // A run of an earlier version has no such file: its models were fitted on all of them, and say so.
    if run.path(run::HELD_APART).exists() {
        let apart: HashSet<String> = run.read_json(run::HELD_APART)?;
        validate.retain(|&i| !apart.contains(&data.samples[i].id));
    }
    let file = ModelFile::load(model).with_context(|| model.display().to_string())?;
    let fitted_on = &file.metadata().fitted_on;
    let measure = |condition| {
        let (folder, what, robustness) = match condition {
            Condition::Plain => ("validation", "as they are", robustness),
            Condition::Shifted => ("shifted", "shifted", 0),
            Condition::Film => ("film", "photographed from a film", 0),
        };
        let item = |&i: &usize| {
            let sample = &data.samples[i];
            LabelledPicture { source: condition.picture(sample), ..plain_item(sample) }
        };
        let items: Vec<LabelledPicture> = validate.iter().map(item).collect();
        println!("measuring on the validation patients, {what}");
        let about = format!(
            "{}, validation patients of split seed {} ({}), {what}; the score was fitted on: {fitted_on}",
            run.data, run.split.seed, run.recipe.split
        );
        evaluate::run(model, &items, &run.path(folder), &options(&about, robustness))
    };
    Condition::ALL.into_iter().map(measure).collect()
}

fn options(description: &str, sample_limit: usize) -> EvaluationOptions {
    EvaluationOptions { description: description.into(), sample_limit, ..EvaluationOptions::default() }
}

fn plain_item(sample: &Sample) -> LabelledPicture {
    LabelledPicture {
        id: sample.id.clone(),
        source: sample.original.clone(),
        label: sample.positive,
        patient: sample.patient.clone(),
        subgroup: sample.subgroup.into(),
    }
}
