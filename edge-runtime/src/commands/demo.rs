//! `edge-runtime` without a subcommand: the demonstration frames through model and engine.

use crate::cli::Output;
use crate::exit::Outcome;
use crate::model;
use crate::report::{self, Record};
use anyhow::Result;
use edge_runtime::classify::Classifier;
use edge_runtime::model_file::ModelFile;
use edge_runtime::phantom::{self, Label};
use std::io::{self, Write};

pub fn run(model: &ModelFile, engine: &str, output: Output) -> Result<Outcome> {
    let mut classifier = Classifier::new(model, model::engine(engine, model)?);
    let mut table = report::answers(["Drawn frame", "Shows", "State", "Score", "Why", "Time"]);
    for demo in phantom::demo() {
        let shows = match demo.expected {
            Label::Normal => &model.metadata.label_negative,
            Label::Pneumonia => &model.metadata.label_positive,
        };
        let classified = classifier.classify(&demo.picture.frame())?;
        match output {
            Output::Text => {
                let row = report::row(&[demo.name, shows], &classified.decision, classified.latency());
                table.add_row(row);
            }
            Output::Json => report::json(&Record::new(demo.name, &classified, model))?,
        }
    }
    if output == Output::Text {
        let note = "The frames are drawings, not X-rays: they show that the program works, not how well.";
        writeln!(io::stdout().lock(), "{table}\n{note}\n\n{}", report::footer(model))?;
    }
    Ok(Outcome::Complete)
}
