//! `teach`, and the teachers that a file names.

use crate::cli;
use crate::commands::{self, DRAWN_AVERAGE};
use crate::dataset::split::SplitKind;
use crate::recipe_file::TeacherEntry;
use crate::run::{Recipe, Run, TeacherRecipe};
use crate::teach::{finetune, weights};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

pub fn teach(args: &cli::TeachArgs) -> Result<()> {
    let device = commands::device(args.cuda)?;
    let recipe = teacher_recipe(args);
    let published = match args.from_scratch {
        true => None,
        false => Some(weights::load(args.size, args.weights.as_deref())?),
    };
    let data = commands::load(&args.data, args.phantoms, recipe.side)?;
    let mut run = commands::begin(&args.out, recipe, &args.data, &data, args.resume)?;
    finetune::finetune(&mut run, &data.samples, published, device)
}

/// The folders of the teachers of these names for pupils of this split, by its kind and seed; those that
/// are not finished are trained, or go on with `resume`.
pub fn teachers(
    entries: &[TeacherEntry],
    names: &[String],
    below: &Path,
    (kind, split_seed): (SplitKind, u64),
    source: &cli::SourceArgs,
    resume: bool,
) -> Result<Vec<PathBuf>> {
    let asked = |name: &String| -> Result<cli::TeachArgs> {
        let entry = entries.iter().find(|entry| entry.name == *name);
        let entry = entry.with_context(|| format!("no teacher of the name {name:?}"))?;
        let out = below.join(entry.folder(split_seed));
        let weights = match entry.from_scratch || finetune::sha256(&out).is_ok() {
            true => None,
            false => weights::given(entry.size, &source.weights)?.map(Path::to_path_buf),
        };
        Ok(cli::TeachArgs {
            data: source.data.clone(),
            out,
            size: entry.size,
            side: entry.side,
            epochs: Some(entry.epochs),
            seed: entry.seed,
            split_seed,
            validation: kind.into(),
            threads: source.threads,
            weights,
            from_scratch: entry.from_scratch,
            resume,
            phantoms: source.phantoms,
            cuda: source.cuda,
        })
    };
    let ready = |(name, args): (&String, cli::TeachArgs)| -> Result<PathBuf> {
        if finetune::sha256(&args.out).is_err() {
            println!("teacher {name}: {}", args.out.display());
            teach(&args)?;
        }
        let there = Run::open(&args.out)?.recipe;
        // How many threads made it says nothing of how good it is.
        ensure!(
            there == Recipe { threads: there.threads, ..teacher_recipe(&args) },
            "{}: expected the teacher {name} as the file says it, got one of another recipe: {there:?}; delete the \
             folder, or name the teacher otherwise",
            args.out.display()
        );
        Ok(args.out)
    };
    // All weights are found before the first teacher is trained.
    let asked: Vec<cli::TeachArgs> = names.iter().map(asked).collect::<Result<_>>()?;
    names.iter().zip(asked).map(ready).collect()
}

/// What is asked of a teacher.
fn teacher_recipe(args: &cli::TeachArgs) -> Recipe {
    let weights = (!args.from_scratch).then(|| weights::sha256(args.size).to_owned());
    let teacher = TeacherRecipe { size: args.size.name(), weights, split_seed: args.split_seed };
    let recipe = finetune::recipe(args.side, args.seed, teacher);
    let mut recipe = Recipe { split: args.validation.into(), ..recipe };
    if args.data.path.is_none() {
        recipe = Recipe { epochs: 4, average: DRAWN_AVERAGE, ..recipe };
    }
    recipe.epochs = args.epochs.unwrap_or(recipe.epochs);
    recipe.threads = args.threads.unwrap_or(recipe.threads);
    recipe
}
