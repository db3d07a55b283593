//! `edge-runtime classify`: pictures from files, folders or standard input.

use crate::model;
use crate::outcome::Outcome;
use crate::report::Output;
use crate::report::{self, Failure, NOTICE, Record};
use anyhow::{Result, ensure};
use edge_model::activation::ActivationMapper;
use edge_model::classify::{Classifier, Inference};
use edge_model::decode::Picture;
use edge_model::engine::{Engine, EngineKind};
use edge_model::files;
use edge_model::guard::guarded;
use edge_model::model_file::ModelFile;
use edge_model::pictures::{self, Source, Unusable};
use edge_runtime::capture::{self, Crop};
use edge_runtime::log::frame_hash;
use edge_runtime::preview;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How pictures are judged, and what is written of one.
#[derive(Clone, Copy)]
pub struct How<'a> {
    pub engine: EngineKind,
    pub heatmap: Option<&'a Path>,
    pub crop: Option<Crop>,
}

pub fn run(model: &ModelFile, how: How<'_>, paths: &[PathBuf], output: Output) -> Result<Outcome> {
    let How { engine, heatmap, crop } = how;
    let mut classifier = Classifier::new(model, model::engine(engine, model)?);
    let sources = pictures::expand(paths);
    ensure!(
        heatmap.is_none() || sources.len() == 1,
        "--heatmap: expected one picture, got {}; name one file",
        sources.len()
    );
    let progress = report::progress(sources.len() as u64, "pictures");
    let mut table = report::answers(["Picture", "State", "Score", "Why", "Time"]);
    let mut outcome = Outcome::Complete;

    for source in sources {
        let answer = source
            .map_err(Unanswered::from)
            .and_then(|source| answer(&mut classifier, &source, crop, heatmap.map(|out| (model, out))));
        progress.suspend(|| -> Result<()> {
            match &answer {
                Ok((name, classified)) if output == Output::Text => {
                    table.add_row(report::row(&[name], &classified.decision, classified.latency()));
                }
                Ok((name, classified)) => {
                    let seen = frame_hash(classifier.input());
                    report::json(&Record::new(name, classified, model, seen))?;
                }
                Err(Unanswered { picture: Unusable { path, why }, fault }) => {
                    outcome = Outcome::Incomplete;
                    report::error(&format!("{path}: {why}"));
                    if output == Output::Json {
                        report::json(&Failure { path, error: why, fault: *fault })?;
                    }
                }
            }
            if let (Some(out), Ok((name, classified))) = (heatmap, &answer)
                && classified.figures.features.is_none()
            {
                outcome = Outcome::Incomplete;
                let why = "the gate refused it before the network looked at it";
                report::error(&format!("{name}: {} is not written: {why}", out.display()));
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

/// A picture without an answer.
struct Unanswered {
    picture: Unusable,
    /// Whether this program failed, and not the file.
    fault: bool,
}

impl From<Unusable> for Unanswered {
    fn from(picture: Unusable) -> Self {
        Self { picture, fault: false }
    }
}

fn answer<E: Engine>(
    classifier: &mut Classifier<E>,
    source: &Source,
    crop: Option<Crop>,
    heatmap: Option<(&ModelFile, &Path)>,
) -> Result<(String, Inference), Unanswered> {
    let unusable = |why: String| Unusable { path: source.to_string(), why };
    let fault = |why: String| Unanswered { picture: unusable(why), fault: true };
    let picture = source.read().map_err(|error| unusable(error.to_string()))?;
    let frame = capture::cut(source, picture.frame(), crop).map_err(|error| unusable(error.to_string()))?;
    // Each picture is preprocessed and computed from its first byte on, whatever became of the one before.
    guarded(|| {
        let classified = classifier.classify_unless(&frame, picture.refused());
        let classified = classified.map_err(|error| fault(format!("FAULT: {error}")))?;
        if let Some((model, out)) = heatmap.filter(|_| classified.figures.features.is_some()) {
            let features =
                classifier.engine().features().map_err(|error| fault(format!("FAULT: {error}")))?;
            let drawn = draw(model, out, (&picture, crop), features, &classified);
            drawn.map_err(|error| fault(format!("{error:#}")))?;
        }
        Ok((source.to_string(), classified))
    })
    .unwrap_or_else(|panic| Err(fault(format!("FAULT: {panic}"))))
}

/// Writes the picture with what the network looked at, and below it all that must stand beside an
/// answer.
fn draw(
    model: &ModelFile,
    out: &Path,
    (picture, crop): (&Picture, Option<Crop>),
    features: &[u8],
    Inference { decision, .. }: &Inference,
) -> Result<()> {
    let map = ActivationMapper::new(model)?.map(features)?;
    let m = model.metadata();
    let score = decision.score.map_or(String::new(), |score| format!(", score {score:.3}"));
    let lines = [
        format!("{}{score} (reason {}): {}", decision.state, decision.reason.code(), decision.reason),
        format!(
            "Red: what speaks for {} to the network; blue: what speaks against it. No map of an illness.",
            m.label_positive
        ),
        format!(
            "Model {} {}, SHA-256 {}; NEGATIVE below {:.3}, POSITIVE above {:.3}",
            m.name,
            m.version,
            model.sha256(),
            m.thresholds.negative_below,
            m.thresholds.positive_above
        ),
        m.intended_use.to_string(),
        NOTICE.to_owned(),
    ];
    files::write_private(out, &preview::png(&preview::draw(&picture.frame(), crop, Some(&map), &lines))?)?;
    Ok(())
}
