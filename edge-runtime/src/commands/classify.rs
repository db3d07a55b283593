//! `edge-runtime classify`: pictures from files, folders or standard input.

use crate::cli::Output;
use crate::exit::Outcome;
use crate::model;
use crate::report::{self, Failure, Record};
use anyhow::Result;
use edge_model::classify::{Classified, Classifier};
use edge_model::engine::Engine;
use edge_model::engine::EngineKind;
use edge_model::model_file::ModelFile;
use edge_model::pictures::{self, Source, Unusable};
use std::io::{self, Write};
use std::path::PathBuf;

pub fn run(model: &ModelFile, engine: EngineKind, paths: &[PathBuf], output: Output) -> Result<Outcome> {
    let mut classifier = Classifier::new(model, model::engine(engine, model)?);
    let sources = pictures::expand(paths);
    let progress = report::progress(sources.len() as u64, "pictures");
    let mut table = report::answers(["Picture", "State", "Score", "Why", "Time"]);
    let mut outcome = Outcome::Complete;

    for source in sources {
        let answer = source.and_then(|source| answer(&mut classifier, &source));
        progress.suspend(|| -> Result<()> {
            match &answer {
                Ok((name, classified)) if output == Output::Text => {
                    table.add_row(report::row(&[name], &classified.decision, classified.latency()));
                }
                Ok((name, classified)) => report::json(&Record::new(name, classified, model))?,
                Err(unusable) => {
                    outcome = Outcome::Incomplete;
                    report::error(&format!("{}: {}", unusable.path, unusable.why));
                    if output == Output::Json {
                        report::json(&Failure { path: &unusable.path, error: &unusable.why })?;
                    }
                }
            }
            Ok(())
        })?;
        progress.inc(1);
    }
    progress.finish_and_clear();

    if output == Output::Text && !table.is_empty() {
        writeln!(io::stdout().lock(), "{table}\n\n{}", report::footer(model))?;
    }
    Ok(outcome)
}

fn answer<E: Engine>(
    classifier: &mut Classifier<E>,
    source: &Source,
) -> Result<(String, Classified), Unusable> {
    let unusable = |why: String| Unusable { path: source.to_string(), why };
    let picture = source.read().map_err(|error| unusable(error.to_string()))?;
    let classified =
        classifier.classify(&picture.frame()).map_err(|error| unusable(format!("FAULT: {error}")))?;
    Ok((source.to_string(), classified))
}
