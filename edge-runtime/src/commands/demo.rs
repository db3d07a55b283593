//! `edge-runtime` without a subcommand: the demonstration frames through model and engine.

use crate::model;
use crate::outcome::Outcome;
use crate::report::Output;
use crate::report::{self, Record};
use anyhow::Result;
use edge_model::classify::Classifier;
use edge_model::drawings::DRAWINGS;
use edge_model::engine::EngineKind;
use edge_model::model_file::ModelFile;
use edge_runtime::log::frame_hash;
use std::io::{self, Write};

pub fn run(model: &ModelFile, engine: EngineKind, output: Output) -> Result<Outcome> {
    let mut classifier = Classifier::new(model, model::engine(engine, model)?);
    let mut table = report::answers(["Drawn frame", "Shows", "State", "Score", "Why", "Time"]);
    for drawing in DRAWINGS {
        let metadata = model.metadata();
        let shows = if drawing.ill { &metadata.label_positive } else { &metadata.label_negative };
        let classified = classifier.classify(&drawing.picture()?.frame())?;
        match output {
            Output::Text => {
                let row = report::row(&[drawing.name, shows], &classified.decision, classified.latency());
                table.add_row(row);
            }
            Output::Json => {
                let seen = frame_hash(classifier.input());
                report::json(&Record::new(drawing.name, &classified, model, seen))?;
            }
        }
    }
    if output == Output::Text {
        let note = "The frames are drawings, not X-rays: they show that the program works, not how well.";
        writeln!(io::stdout().lock(), "{table}\n{note}\n\n{}", report::footer(model))?;
    }
    Ok(Outcome::Complete)
}
