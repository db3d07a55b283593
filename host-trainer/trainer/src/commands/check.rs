//! `check`: what a data folder holds and whether it can be learned from, without learning.

use super::enough_on_each_side;
use crate::cli::CheckArgs;
use crate::dataset::split::Split;
use crate::dataset::{Survey, survey};
use crate::run::Recipe;
use anyhow::{Context, Result};

/// # Errors
/// What `train` would refuse too: data that cannot be read as asked, and, behind what was found, a
/// split of the recipe's own share that leaves too few pictures on a side.
pub fn check(args: &CheckArgs) -> Result<()> {
    let path = args.data.path.as_deref().context("expected --data DIR: the folder that is to be checked")?;
    let Survey { prints, notes, findings } = survey(path, &args.data.options)?;
    if args.json {
        println!("{}", serde_json::to_string(&findings)?);
    } else {
        println!("{findings}");
        notes.iter().for_each(|note| println!("note:   {note}"));
    }
    let recipe = Recipe::default();
    let split = Split::draw(&prints, recipe.validation_share, recipe.split_seed());
    enough_on_each_side(&split, &prints, &args.data).context("`train` refuses these data")
}
