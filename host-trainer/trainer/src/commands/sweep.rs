//! `sweep`: runs the experiments of a file, all of them on the first seed, then on the next, each in
//! a folder of its own, and keeps the table up to date. What is finished is not run again, what was
//! interrupted goes on.

use crate::cli::{self, SourceArgs};
use crate::commands::teachers::teachers;
use crate::commands::{self, others};
use crate::dataset::Dataset;
use crate::dataset::split::SplitKind;
use crate::export::footprint::Footprint;
use crate::options::TrainOptions;
use crate::recipe_file::{Experiment, SweepFile};
use crate::run::{Recipe, Run};
use crate::sweep::outcome::Outcome;
use crate::sweep::table::{Row, Table};
use anyhow::{Context, Result, anyhow, ensure};
use edge_model::files;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tch::Device;

pub fn sweep(args: &cli::SweepArgs) -> Result<()> {
    let file = SweepFile::read(&args.file)?;
    let name = args.file.file_stem().unwrap_or_default();
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(name));
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let device = commands::device(args.source.cuda)?;
    let mut sweep = Sweep { file: &file, args, out: &out, device, data: None, results: HashMap::new() };
    let jobs = sweep.jobs();
    for (done, job) in jobs.iter().enumerate() {
        let left = sweep.left(&jobs[done..]).map_or_else(String::new, |left| format!("; about {left} left"));
        println!("{} seed {}: run {} of {}{left}", job.0.name, job.1, done + 1, jobs.len());
        let result = sweep.run(*job);
        if let Err(error) = &result {
            eprintln!("{} seed {}: {error:#}", job.0.name, job.1);
        }
        sweep.results.insert((job.0.name.clone(), job.1), result.map_err(|error| format!("{error:#}")));
        sweep.write_table()?;
    }
    let table = sweep.table()?;
    match args.json {
        true => println!("{}", serde_json::to_string(&table)?),
        false => println!("\n{table}\n{}", out.join("sweep.md").display()),
    }
    let failed = table.failed();
    ensure!(
        failed == 0,
        "{failed} of {} experiments failed; the table says why. What is finished stays: mend them and run the same \
         command again",
        table.experiments.len()
    );
    Ok(())
}

/// An experiment on a seed.
type Job<'a> = (&'a Experiment, u64);

struct Sweep<'a> {
    file: &'a SweepFile,
    args: &'a cli::SweepArgs,
    out: &'a Path,
    device: Device,
    /// The data for networks of this side, the last one asked for.
    data: Option<(u16, Dataset)>,
    /// By experiment and seed.
    results: HashMap<(String, u64), Result<Outcome, String>>,
}

impl<'a> Sweep<'a> {
    /// The first seed of every experiment, then the second, so that the table soon shows all of them.
    fn jobs(&self) -> Vec<Job<'a>> {
        let file = self.file;
        let seeds = |experiment: &'a Experiment| file.seeds(experiment);
        let most = file.experiment.iter().map(|experiment| seeds(experiment).len()).max().unwrap_or(0);
        let nth = |n| file.experiment.iter().filter_map(move |one| Some((one, *seeds(one).get(n)?)));
        (0..most).flat_map(nth).collect()
    }

    fn folder(&self, (experiment, seed): Job) -> PathBuf {
        self.out.join(&experiment.name).join(format!("seed-{seed}"))
    }

    fn quantize(&self, experiment: &Experiment) -> bool {
        experiment.quantize.unwrap_or(self.file.quantize)
    }

    /// A run to its end. What libtorch cannot do it says by a panic: that run's failure too.
    fn run(&mut self, job: Job) -> Result<Outcome> {
        catch_unwind(AssertUnwindSafe(|| self.run_or_panic(job))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(anyhow!("{}", text.unwrap_or("a panic without a text").lines().next().unwrap_or_default()))
        })
    }

    fn run_or_panic(&mut self, job: Job) -> Result<Outcome> {
        let (experiment, seed) = job;
        let (folder, quantize) = (self.folder(job), self.quantize(experiment));
        let options = self.file.options(experiment);
        let names = options.teachers.clone().unwrap_or_default();
        footprint(&options)?.check()?;
        let at = self.args.teachers.clone().unwrap_or_else(|| self.out.join("teachers"));
        let source = SourceArgs { threads: options.threads, ..self.args.source.clone() };
        let split_seed = options.split_seed.unwrap_or(seed);
        let teachers =
            teachers(&self.file.teacher, &names, &at, (SplitKind::Share, split_seed), &source, true)?;
        let recipe = commands::recipe(seed, &options, &teachers, self.args.source.data.path.is_none())?;
        let lessons =
            self.out.join("lessons").join(format!("{}-s{split_seed}-film{}", names.join("+"), recipe.film));
        let (args, device) = (self.args, self.device);
        let from_where = &args.source.data;
        let data = self.data(recipe.side)?;
        if let Ok(run) = Run::open(&folder)
            && run.recipe == recipe
            && run.check(&data.samples).is_ok()
            && let Some(outcome) = Outcome::read(&run, quantize)?
        {
            return Ok(outcome);
        }
        let mut run = commands::begin(&folder, recipe, from_where, data, true)?;
        let from = cli::TeacherArgs { teacher: teachers, lessons: Some(lessons) };
        commands::train_run(&mut run, data, &from, device)?;
        if quantize {
            let others = others::beside(&run, || others::load(&args.others, run.recipe.side))?;
            commands::quantize_run(&mut run, data, &from, others.as_ref(), device)?;
        }
        Outcome::read(&run, quantize)?.context("the run ended without a result")
    }

    fn data(&mut self, side: u16) -> Result<&Dataset> {
        if self.data.as_ref().is_none_or(|(of, _)| *of != side) {
            // The old one goes first: two would not fit a small machine.
            self.data = None;
            self.data =
                Some((side, commands::load(&self.args.source.data, self.args.source.phantoms, side)?));
        }
        Ok(&self.data.as_ref().context("the data was loaded")?.1)
    }

    fn table(&self) -> Result<Table> {
        let row = |experiment: &Experiment| {
            let seeds = self.file.seeds(experiment);
            let of = |seed: &u64| self.results.get(&(experiment.name.clone(), *seed));
            let outcomes: Vec<(u64, Outcome)> =
                seeds.iter().filter_map(|seed| Some((*seed, of(seed)?.clone().ok()?))).collect();
            let error = seeds.iter().find_map(|seed| of(seed)?.clone().err());
            let footprint = footprint(&self.file.options(experiment)).ok();
            Row::new(&experiment.name, seeds.len(), footprint, &outcomes, error)
        };
        let name = commands::name_of(self.args.source.data.path.as_deref());
        Ok(Table::new(name, self.file.experiment.iter().map(row).collect()))
    }

    fn write_table(&self) -> Result<()> {
        let table = self.table()?;
        files::write(&self.out.join("sweep.md"), table.to_string().as_bytes())?;
        files::write(
            &self.out.join("sweep.json"),
            format!("{}\n", serde_json::to_string_pretty(&table)?).as_bytes(),
        )?;
        Ok(())
    }

    /// Time left for these runs, by the epochs that all runs have had so far; teachers apart.
    fn left(&self, jobs: &[Job]) -> Option<String> {
        let (mut done, mut seconds, mut left) = (0.0, 0.0, 0.0);
        for job in self.jobs() {
            let (epochs, cost) = self.cost(job.0)?;
            let (had, took) = Outcome::so_far(&self.folder(job));
            (done, seconds) = (done + had as f64 * cost, seconds + took);
            if jobs.contains(&job) {
                left += epochs.saturating_sub(had) as f64 * cost;
            }
        }
        let left = Duration::from_secs_f64((done > 0.0).then(|| left * seconds / done)?);
        let minutes = left.as_secs().div_ceil(60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        Some(if hours > 0 { format!("{hours} h {minutes} min") } else { format!("{minutes} min") })
    }

    /// Epochs of an experiment's run, and what one costs: a multiply-accumulate is the unit.
    fn cost(&self, experiment: &Experiment) -> Option<(usize, f64)> {
        let recipe =
            commands::recipe(1, &self.file.options(experiment), &[], self.args.source.data.path.is_none())
                .ok()?;
        let quantized = if self.quantize(experiment) { recipe.quantized_epochs } else { 0 };
        // A sharpness-aware step looks at its pictures twice.
        let looks = if recipe.sam > 0.0 { 2.0 } else { 1.0 };
        Some((recipe.epochs + quantized, looks * recipe.net().macs() as f64))
    }
}

/// What the network of these options takes on a device.
fn footprint(options: &TrainOptions) -> Result<Footprint> {
    Footprint::of(&options.apply(Recipe::default())?.net())
}
