//! Files that say what is to be trained: a recipe, from data to one model, and a sweep, a list of
//! experiments. What is not known in them is refused with its line.

use crate::cli::{OtherArgs, TrainArgs};
use crate::options::TrainOptions;
use crate::run::Recipe;
use crate::teach::efficientnet::Size;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use std::path::Path;

/// `all --recipe FILE`: how a model is made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeFile {
    /// Version to write into the model.
    pub model_version: Option<String>,
    pub seed: u64,
    /// Most pictures for the robustness table.
    pub robustness: Option<usize>,
    #[serde(default)]
    pub train: TrainOptions,
    /// The teachers that `train` may name.
    #[serde(default)]
    pub teacher: Vec<TeacherEntry>,
    #[serde(default)]
    pub gate: GateEntry,
}

/// What the gate of a recipe's model is fitted on beside the training pictures.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateEntry {
    /// Folders of real pictures without which it would be another gate; the command line names them.
    pub needs: Vec<GateFolder>,
}

/// A folder of pictures that the model is not for, by its option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateFolder {
    NotChests,
    Unfamiliar,
}

impl GateEntry {
    /// # Errors
    /// A folder that is needed and was not given.
    pub fn check(&self, given: &OtherArgs) -> Result<()> {
        for need in &self.needs {
            let (option, what, folders) = match need {
                GateFolder::NotChests => {
                    ("--not-chests", "pictures of anything but chests", &given.not_chests)
                }
                GateFolder::Unfamiliar => {
                    ("--unfamiliar", "chests that the model is not for", &given.unfamiliar)
                }
            };
            ensure!(
                !folders.is_empty(),
                "the recipe's gate is fitted on {what} too, or the device would answer for them: expected {option} DIR, got none; \
                 for a gate without, take it out of `needs` in the recipe's [gate]"
            );
        }
        Ok(())
    }
}

/// `sweep FILE`: experiments that are compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// Each experiment runs once for each.
    pub seeds: Vec<u64>,
    /// Whether networks are quantized too.
    #[serde(default)]
    pub quantize: bool,
    /// What is common to all experiments.
    #[serde(default)]
    pub train: TrainOptions,
    #[serde(default)]
    pub teacher: Vec<TeacherEntry>,
    pub experiment: Vec<Experiment>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Names its row and its folder.
    pub name: String,
    /// Instead of the file's seeds.
    pub seeds: Option<Vec<u64>>,
    /// Instead of what the file says.
    pub quantize: Option<bool>,
    /// What is other than in the file's `train`.
    #[serde(default)]
    pub train: TrainOptions,
}

/// A teacher that is trained, unless it is there, for each seed of a split that asks for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherEntry {
    /// What `teachers` calls it; its folder is `NAME-sSEED`, by the seed of the split.
    pub name: String,
    #[serde(deserialize_with = "size")]
    pub size: Size,
    /// Of its input, in pixels.
    pub side: u16,
    pub epochs: usize,
    #[serde(default = "first")]
    pub seed: u64,
    /// Drawn first weights in place of ImageNet's.
    #[serde(default)]
    pub from_scratch: bool,
}

impl TeacherEntry {
    /// The folder's name, of the teacher for pupils of this split.
    pub fn folder(&self, split_seed: u64) -> String {
        format!("{}-s{split_seed}", self.name)
    }
}

fn first() -> u64 {
    1
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known = || Size::value_variants().iter().map(|size| size.name()).collect::<Vec<_>>().join(", ");
    Size::from_str(&text, false)
        .map_err(|_| D::Error::custom(format!("expected one of {}, got {text:?}", known())))
}

impl RecipeFile {
    /// # Errors
    /// A file that cannot be read or used, with the place.
    pub fn read(path: &Path) -> Result<Self> {
        let file: Self = read(path)?;
        check_teachers(&file.teacher, &[&file.train])
            .and_then(|()| file.train.check_teachers(file.train.names_teachers()))
            .and_then(|()| file.train.apply(Recipe::default()).map(drop))
            .with_context(|| path.display().to_string())?;
        Ok(file)
    }

    /// What is not asked for is as the file says.
    pub fn complete(&self, training: &mut TrainArgs) {
        training.options = training.options.or(&self.train);
        training.seed = training.seed.or(Some(self.seed));
    }
}

impl SweepFile {
    /// # Errors
    /// A file that cannot be read or used, with the place.
    pub fn read(path: &Path) -> Result<Self> {
        let file: Self = read(path)?;
        file.check().with_context(|| path.display().to_string())?;
        Ok(file)
    }

    /// An experiment's options, with what is common to all.
    pub fn options(&self, experiment: &Experiment) -> TrainOptions {
        experiment.train.or(&self.train)
    }

    /// An experiment's seeds.
    pub fn seeds<'a>(&'a self, experiment: &'a Experiment) -> &'a [u64] {
        experiment.seeds.as_ref().unwrap_or(&self.seeds)
    }

    fn check(&self) -> Result<()> {
        ensure!(!self.experiment.is_empty(), "expected an [[experiment]] at least, got none");
        check_names("experiment", self.experiment.iter().map(|e| e.name.as_str()))?;
        let trains: Vec<&TrainOptions> =
            std::iter::once(&self.train).chain(self.experiment.iter().map(|e| &e.train)).collect();
        check_teachers(&self.teacher, &trains)?;
        // What is common to all is for those that have a teacher.
        let taught = self.experiment.iter().any(|experiment| self.options(experiment).names_teachers());
        self.train.check_teachers(taught).context("[train]")?;
        for experiment in &self.experiment {
            let at = || format!("experiment {}", experiment.name);
            let seeds = self.seeds(experiment);
            ensure!(!seeds.is_empty(), "{}: expected a seed at least, got none", at());
            // The same run again has no spread of its own.
            let twice = seeds.iter().enumerate().find(|(at, seed)| seeds[..*at].contains(seed));
            ensure!(
                twice.is_none(),
                "{}: expected different seeds, got {seeds:?}; a seed's run counts once",
                at()
            );
            let options = self.options(experiment);
            experiment.train.check_teachers(options.names_teachers()).with_context(at)?;
            options.apply(Recipe::default()).with_context(at)?;
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

fn check_teachers(teachers: &[TeacherEntry], trains: &[&TrainOptions]) -> Result<()> {
    check_names("teacher", teachers.iter().map(|teacher| teacher.name.as_str()))?;
    for teacher in teachers {
        ensure!(
            (32..=224).contains(&teacher.side) && teacher.epochs > 0,
            "teacher {}: expected a side of 32 to 224 and an epoch at least, got {} and {}",
            teacher.name,
            teacher.side,
            teacher.epochs
        );
    }
    for name in trains.iter().flat_map(|train| train.teachers.iter().flatten()) {
        ensure!(
            teachers.iter().any(|teacher| teacher.name == *name),
            "teachers: expected the name of a [[teacher]], got {name:?}"
        );
    }
    Ok(())
}

/// Names are folders' names too, so they are plain, and each there once.
fn check_names<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        ensure!(
            !name.is_empty()
                && !name.starts_with('.')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
            "{what}: expected a name of letters, digits, `-`, `_` and `.`, got {name:?}"
        );
        ensure!(seen.insert(name), "{what}: the name {name:?} occurs twice");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        format!("{:#}", SweepFile::read(file.path()).unwrap_err())
    }

    #[test]
    fn the_committed_files_are_read() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pneumonia"));
        let sweep = SweepFile::read(&folder.join("sweep.toml")).unwrap();
        let ladder = sweep.experiment.iter().find(|e| e.name == "smoothing").unwrap();
        assert!(sweep.options(ladder).smoothing > Some(0.0));
        let recipe = RecipeFile::read(&folder.join("recipe.toml")).unwrap();
        assert!(recipe.train.teachers.as_ref().is_some_and(|teachers| !teachers.is_empty()));
        // Its model refers adults and refuses wrists: so does what is made of it again.
        let given = |not_chests: &[&str], unfamiliar: &[&str]| {
            let of = |names: &[&str]| names.iter().map(std::path::PathBuf::from).collect();
            let others =
                OtherArgs { not_chests: of(not_chests), unfamiliar: of(unfamiliar), ..OtherArgs::default() };
            recipe.gate.check(&others).map_err(|error| error.to_string())
        };
        assert_eq!(given(&["wrists"], &["adults"]), Ok(()));
        assert!(given(&["wrists"], &[]).unwrap_err().contains("expected --unfamiliar DIR"));
        assert!(given(&[], &["adults"]).unwrap_err().contains("expected --not-chests DIR"));
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_line() {
        let error = refused("seeds = [1]\n[[experiment]]\nname = 'a'\ntrain = { smoothng = 0.1 }\n");
        assert!(error.contains("line 4") && error.contains("smoothng"), "{error}");
        let error = refused("seeds = [1]\nquantise = true\nexperiment = []\n");
        assert!(error.contains("line 2") && error.contains("quantise"), "{error}");
        let teacher = "[[teacher]]\nname = 't'\nsize = 'lite9'\nside = 64\nepochs = 1\n";
        let error = refused(&format!("seeds = [1]\n{teacher}[[experiment]]\nname = 'a'\n"));
        assert!(error.contains("line 4") && error.contains("expected one of lite0, lite1, lite2"), "{error}");
    }

    #[test]
    fn what_cannot_be_run_is_refused_before_anything_runs() {
        let sweep = |experiment: &str| refused(&format!("seeds = [1]\n{experiment}"));
        let one = "[[experiment]]\nname = 'a'\n";
        assert!(refused("seeds = [1]\nexperiment = []\n").contains("expected an [[experiment]]"));
        assert!(refused(&format!("seeds = []\n{one}")).contains("experiment a: expected a seed"));
        let error = refused(&format!("seeds = [1, 2, 1]\n{one}"));
        assert!(error.contains("experiment a: expected different seeds, got [1, 2, 1]"), "{error}");
        assert!(sweep(&format!("{one}seeds = [3, 3]\n")).contains("expected different seeds"));
        // What is said of a teacher has one.
        for said in ["temperature = 3.0", "teacher_share = 0.5"] {
            assert!(sweep(&format!("{one}train = {{ {said} }}\n")).contains("experiment a: temperature and"));
            assert!(
                refused(&format!("seeds = [1]\n[train]\n{said}\n{one}")).contains("[train]: temperature and")
            );
        }
        assert!(sweep(&format!("{one}{one}")).contains("the name \"a\" occurs twice"));
        assert!(sweep("[[experiment]]\nname = '../a'\n").contains("expected a name of letters"));
        let error = sweep(&format!("{one}train = {{ mixup = 2.0 }}\n"));
        assert!(error.contains("experiment a: mixup: expected a number from 0 to 1, got 2"), "{error}");
        let error = sweep(&format!("{one}train = {{ teachers = ['lite0'] }}\n"));
        assert!(error.contains("expected the name of a [[teacher]], got \"lite0\""), "{error}");
    }
}
