//! `folds`: trains a network a fold and gathers what each says of the patients that it has not seen.
//! Where a recipe has teachers, each fold has its own, which have not seen them either.

use super::teachers::teachers;
use super::{begin, device, load, recipe, train_run};
use crate::cli::{FoldKind, FoldsArgs, TeacherArgs, TrainArgs};
use crate::dataset::Dataset;
use crate::dataset::cluster::ClusterFacts;
use crate::dataset::split::{Fold, Split, SplitKind};
use crate::evaluate::metrics::Bootstrap;
use crate::export::footprint::Footprint;
use crate::folds::{FIGURES, OutOfFold, PREDICTIONS, figures, read, write};
use crate::recipe_file::{RecipeFile, TeacherEntry};
use crate::run::{Recipe, Run};
use crate::train::FloatNet;
use crate::train::validation::Validation;
use anyhow::{Result, ensure};
use edge_model::files;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tch::Device;

/// A fold's folder of its teachers.
const TEACHERS: &str = "teachers";

pub fn folds(args: &FoldsArgs) -> Result<()> {
    let single = args.training.validation;
    ensure!(
        args.training.step.run.is_none() && single.fold.is_none() && single.hold_out_cluster.is_none(),
        "--run, --fold and --hold-out-cluster are for a single run; `folds` takes --out, --kind and --n"
    );
    ensure!(
        args.training.teachers.teacher.is_empty(),
        "--teacher: a teacher has learned from patients that the folds are to keep apart; name it in a file for \
         --recipe, and one is trained for each fold"
    );
    let network = Network::asked(args)?;
    let (training, first) = (&network.training, network.recipe(&[])?);
    Footprint::of(&first.net())?.check()?;
    let device = device(training.step.cuda)?;
    let data = load(&training.step.data, training.phantoms, first.side)?;
    let clusters = clusters(args, &first, &data)?;
    let count = if clusters.is_empty() { args.n } else { clusters.len() };
    for cluster in &clusters {
        println!(
            "cluster {}: {} pictures of {} patients, {} normal and {} pneumonia; {}",
            cluster.number,
            cluster.pictures,
            cluster.patients,
            cluster.negatives,
            cluster.positives,
            cluster.traits
        );
    }
    let (mut rows, mut trained, mut seconds) = (vec![], 0u32, 0.0);
    for number in 1..=count {
        let started = Instant::now();
        let folder = args.out.join(format!("fold-{number}"));
        let predictions = folder.join(PREDICTIONS);
        let split = fold_kind(args.kind, number, args.n);
        let teacher = network.teachers(&folder.join(TEACHERS), (split, first.split_seed()))?;
        let recipe = Recipe { split, ..network.recipe(&teacher)? };
        let mut run = begin(&folder, recipe, &training.step.data, &data, true)?;
        if !predictions.exists() {
            train_run(&mut run, &data, &TeacherArgs { teacher, lessons: None }, device)?;
            write(&predictions, &predict(&run, &data, number, device)?)?;
            trained += 1;
            seconds += started.elapsed().as_secs_f64();
        }
        rows.extend(read(&predictions)?);
        // What was finished before says nothing of how long the rest takes.
        let left = match trained {
            0 => String::new(),
            _ => format!(
                "; about {:.0} minutes left",
                (count - number) as f64 * seconds / f64::from(trained) / 60.0
            ),
        };
        println!("fold {number} of {count} is done{left}");
    }
    finish(&args.out, &fold_kind(args.kind, 1, args.n), &rows, &clusters)
}

/// The network that each fold trains, and its teachers.
struct Network {
    training: TrainArgs,
    teachers: Vec<TeacherEntry>,
    /// Files with the teachers' first weights.
    weights: Vec<PathBuf>,
}

impl Network {
    /// As the command line says, and the rest as its recipe does.
    fn asked(args: &FoldsArgs) -> Result<Self> {
        let mut training = args.training.clone();
        let mut teachers = vec![];
        if let Some(path) = &args.recipe {
            let file = RecipeFile::read(path)?;
            file.complete(&mut training);
            teachers = file.teacher;
        }
        training.options.check_teachers(training.options.names_teachers())?;
        Ok(Self { training, teachers, weights: args.weights.clone() })
    }

    /// What is asked of it where these are its teachers.
    fn recipe(&self, teachers: &[PathBuf]) -> Result<Recipe> {
        let drawn = self.training.step.data.path.is_none();
        recipe(self.training.seed.unwrap_or(1), &self.training.options, teachers, drawn)
    }

    /// Its teachers for a split, each in a folder below this one.
    fn teachers(&self, below: &Path, split: (SplitKind, u64)) -> Result<Vec<PathBuf>> {
        let names = self.training.options.teachers.clone().unwrap_or_default();
        teachers(&self.teachers, &names, below, split, &self.training.source(&self.weights), true)
    }
}

/// The split of fold `number` of `of`.
pub(super) fn fold_kind(kind: FoldKind, number: usize, of: usize) -> SplitKind {
    let fold = Fold { number, of };
    match kind {
        FoldKind::Patient => SplitKind::PatientFold(fold),
        FoldKind::Cluster => SplitKind::HeldOutCluster(fold),
    }
}

/// The clusters that are left after small ones were joined; none where folds are of patients.
fn clusters(args: &FoldsArgs, recipe: &Recipe, data: &Dataset) -> Result<Vec<ClusterFacts>> {
    Ok(match args.kind {
        FoldKind::Patient => vec![],
        FoldKind::Cluster => {
            let share = recipe.validation_share;
            Split::of_kind(fold_kind(args.kind, 1, args.n), &data.samples, share, recipe.split_seed())?
                .clusters
        }
    })
}

/// What a fold's float network says of its own validation patients. That an int8 network's logits are
/// near enough is an assumption; fine-tuning every fold would cost a sixth more.
fn predict(run: &Run, data: &Dataset, fold: usize, device: Device) -> Result<Vec<OutOfFold>> {
    let network = FloatNet::load(run, device)?;
    let (_, validate) = run.indices(&data.samples)?;
    let sets = Validation::new(&data.samples, &validate, run.recipe.side, &run.folder, device)?;
    let [plain, shifted, film] = sets.logits(&|steps| network.logits(steps));
    let row = |(at, &i): (usize, &usize)| {
        let sample = &data.samples[i];
        OutOfFold {
            id: sample.id.clone(),
            patient: sample.patient.clone(),
            label: u8::from(sample.positive),
            fold,
            plain: plain[at],
            shifted: shifted[at],
            film: film[at],
        }
    };
    Ok(validate.iter().enumerate().map(row).collect())
}

/// Writes all predictions and their figures, and says what they are.
fn finish(out: &Path, kind: &SplitKind, rows: &[OutOfFold], clusters: &[ClusterFacts]) -> Result<()> {
    write(&out.join(PREDICTIONS), rows)?;
    let kind = match kind {
        SplitKind::HeldOutCluster(_) => "acquisition clusters, each held out whole".to_owned(),
        _ => "patients".to_owned(),
    };
    let figures = figures::figures(&kind, rows, clusters, &Bootstrap::default());
    let mut json = serde_json::to_vec_pretty(&figures)?;
    json.push(b'\n');
    files::write(&out.join(FIGURES), &json)?;
    println!("{figures}predictions and figures: {}", out.display());
    Ok(())
}
