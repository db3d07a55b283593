//! Real pictures that the model is not for: what its gate is fitted on, and what may be shown beside
//! the training pictures.

use crate::cli;
use crate::dataset::Sample;
use crate::gate::Others;
use crate::gate::others::Halves;
use crate::run::Run;
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

/// The halves that may be fitted on, where the run's recipe shows them beside its own pictures; the
/// others are as [`load`] reads them.
///
/// # Errors
/// None are given, or others than the run began with.
pub(super) fn beside(run: &Run, others: impl FnOnce() -> Result<Others>) -> Result<Option<OtherPictures>> {
    if run.recipe.others == 0.0 {
        return Ok(None);
    }
    let others = others()?;
    let fitted = |folders: &[Halves]| -> Vec<Sample> {
        folders.iter().flat_map(|folder| folder.fitted.clone()).collect()
    };
    let groups = [&others.unfamiliar, &others.not_chests].map(|folders| fitted(folders));
    let pictures = groups.iter().map(Vec::len).sum();
    let found = OtherPictures::new(groups.into(), run.recipe.others).context(
        "the recipe learns from pictures that the model is not for: expected --unfamiliar DIR or --not-chests DIR, got \
         none; or leave `others` out of it",
    )?;
    let learned = Learned { pictures, sha256: found.sha256() };
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
    Ok(Some(found))
}
