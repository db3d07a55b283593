//! `check`: what a data folder holds and whether it can be learned from, without learning.

use crate::cli::CheckArgs;
use crate::dataset::survey;
use anyhow::{Context, Result};

pub fn check(args: &CheckArgs) -> Result<()> {
    let path = args.data.path.as_deref().context("expected --data DIR: the folder that is to be checked")?;
    let (notes, findings) = survey(path, &args.data.options)?;
    if args.json {
        println!("{}", serde_json::to_string(&findings)?);
        return Ok(());
    }
    println!("{findings}");
    notes.iter().for_each(|note| println!("note:   {note}"));
    Ok(())
}
