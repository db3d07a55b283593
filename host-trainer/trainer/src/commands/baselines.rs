//! `baselines`: what can be told under the same folds without a trained network.

use super::folds::fold_kind;
use super::{device, load};
use crate::augment::condition::Condition;
use crate::cli::{BaselinesArgs, FoldKind};
use crate::dataset::split::Split;
use crate::dataset::{Sample, prepare};
use crate::folds::baselines::{BaselineFigures, Features, rank, without_network};
use crate::progress;
use crate::run::Recipe;
use crate::teach::probe::Frozen;
use crate::teach::weights;
use anyhow::{Context, Result};
use edge_model::files;

pub fn baselines(args: &BaselinesArgs) -> Result<()> {
    let device = device(args.cuda)?;
    let recipe = Recipe::default();
    let data = load(&args.data, args.phantoms, recipe.side)?;
    let splits = splits(args, &data.samples)?;
    let mut features = without_network(&data.samples)?.into_iter().collect::<Vec<_>>();
    if let Some(size) = args.probe {
        let published = weights::load(size, args.weights.as_deref())?;
        features.push(probed(&Frozen::new(size, published, args.side, device)?, &data.samples)?);
    }
    let mut all = vec![];
    println!(
        "{:<36} {:>9} {:>9} {:>9}   (mean AUC of {} folds)",
        "baseline",
        "plain",
        "shifted",
        "film",
        splits.len()
    );
    for features in &features {
        let folds = progress::map(features.name, &splits, |split| rank(features, &data.samples, split));
        let folds = folds.into_iter().collect::<Result<Vec<_>>>()?;
        let figures = BaselineFigures { name: features.name.to_owned(), folds };
        let [plain, shifted, film] = figures.mean().map(|v| v.map_or("-".to_owned(), |v| format!("{v:.4}")));
        println!("{:<36} {plain:>9} {shifted:>9} {film:>9}", figures.name);
        all.push(figures);
    }
    if let Some(out) = &args.out {
        let mut json = serde_json::to_vec_pretty(&all)?;
        json.push(b'\n');
        files::write(out, &json)?;
    }
    Ok(())
}

/// Training and validation samples of every fold, as `folds` has them.
fn splits(args: &BaselinesArgs, samples: &[Sample]) -> Result<Vec<(Vec<usize>, Vec<usize>)>> {
    let share = Recipe::default().validation_share;
    let split = |number| Split::of_kind(fold_kind(args.kind, number, args.n), samples, share, args.seed);
    let first = split(1)?;
    let count = match args.kind {
        FoldKind::Patient => args.n,
        FoldKind::Cluster => first.clusters.len(),
    };
    let indices = |number| -> Result<_> {
        let split = if number == 1 { first.clone() } else { split(number)? };
        split.indices(samples).context("the split was drawn from this data")
    };
    (1..=count).map(indices).collect()
}

/// The frozen network's features of every sample under every condition.
fn probed(frozen: &Frozen, samples: &[Sample]) -> Result<Features> {
    let side = frozen.side();
    let of = |condition: Condition| -> Result<Vec<Vec<f32>>> {
        let input = |sample: &Sample| -> Result<Vec<u8>> {
            let (from, pixels) = condition.square(sample)?;
            Ok(prepare(&pixels, from, side).bytes.into())
        };
        let pictures =
            progress::map(condition.name(), samples, input).into_iter().collect::<Result<Vec<_>>>()?;
        Ok(frozen.features(&pictures))
    };
    let [plain, shifted, film] = Condition::ALL.map(of);
    Ok(Features { name: "frozen ImageNet features", of: [plain?, shifted?, film?] })
}
