//! Real pictures that the model is not for: what its gate is fitted on, and what may be shown beside
//! the training pictures.

use crate::cli;
use crate::gate::Others;
use crate::run::{Recipe, Run};
use crate::train::others::OtherPictures;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// The file of a run that says which other pictures it learned beside its own.
const OTHERS: &str = "others.json";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Learned {
    pictures: usize,
    /// See [`OtherPictures::sha256`].
    sha256: String,
}

/// Reads the folders; says what is missing where nothing shows other chests.
pub(super) fn load(args: &cli::OtherArgs, side: u16) -> Result<Others> {
    if args.unfamiliar.is_empty() {
        println!(
            "note: without --unfamiliar no chests of another kind, adults' for example, are known by the gate"
        );
    }
    Ok(Others::load(&args.not_chests, &args.unfamiliar, &args.measure_only, side)?)
}

/// The halves that may be fitted on, where the recipe shows them beside its own pictures.
///
/// # Errors
/// None are given.
pub(super) fn shown(recipe: &Recipe, others: &Others) -> Result<Option<OtherPictures>> {
    if recipe.others == 0.0 {
        return Ok(None);
    }
    let groups = [&others.unfamiliar, &others.not_chests];
    let fitted = groups.map(|folders| folders.iter().flat_map(|folder| folder.fitted.clone()).collect());
    let found = OtherPictures::new(fitted.into(), recipe.others);
    Ok(Some(found.context(
        "the recipe learns beside pictures that the model is not for: expected --unfamiliar DIR or --not-chests DIR, \
         got none; or leave `others` out of it",
    )?))
}

/// The same for a run, which goes on with the pictures that it began with; `others` are read where they
/// are needed.
///
/// # Errors
/// None are given, or others than the run began with.
pub(super) fn beside(run: &Run, others: impl FnOnce() -> Result<Others>) -> Result<Option<OtherPictures>> {
    if run.recipe.others == 0.0 {
        return Ok(None);
    }
    let Some(shown) = shown(&run.recipe, &others()?)? else { return Ok(None) };
    let learned = Learned { pictures: shown.count(), sha256: shown.sha256() };
    if run.path(OTHERS).exists() {
        let before: Learned = run.read_json(OTHERS)?;
        ensure!(
            before == learned,
            "{} began with {} other pictures (SHA-256 {}), got {} ({}); give the same folders",
            run.folder.display(),
            before.pictures,
            before.sha256,
            learned.pictures,
            learned.sha256
        );
    }
    run.write_json(OTHERS, &learned)?;
    Ok(Some(shown))
}
