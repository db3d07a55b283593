//! `edge-runtime setup`: writes a device's configuration, checks it, and shows what it did.

use crate::cli::{AimOptions, SetupOptions};
use crate::commands::{aim, check_config};
use crate::model;
use crate::outcome::Outcome;
use crate::report::{self, Output};
use anyhow::{Context, Result, ensure};
use edge_model::engine::EngineKind;
use edge_runtime::capture::{Crop, SourceSpec, cameras};
use edge_runtime::config::{Config, Configuration};
use edge_runtime::doctor::Machine;
use edge_runtime::self_test::{Check, passed};
use edge_runtime::setup::{Change, Draft, Questions, SHIPPED, Wishes, replace};
use serde::Serialize;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

#[derive(Serialize)]
struct Done<'a> {
    file: String,
    /// The configuration of before; null where there was none, or nothing was written.
    backup: Option<String>,
    changes: &'a [Change],
    passed: bool,
    checks: Vec<Check>,
}

pub fn run(options: &SetupOptions, output: Output) -> Result<Outcome> {
    let file = &options.config;
    let crop = options.crop.as_deref().map(Wishes::crop).transpose();
    let share = options.prevalence.as_deref().map(Wishes::prevalence).transpose();
    let mut wishes = Wishes {
        name: options.name.clone(),
        language: options.language,
        source: options.source.clone(),
        crop: crop.map_err(anyhow::Error::msg).context("--crop")?,
        lines: options.lines.clone(),
        prevalence: share.map_err(anyhow::Error::msg).context("--prevalence")?,
        screen: options.screen,
    };
    let (text, is_new) = match std::fs::read_to_string(file) {
        Ok(text) => (text, false),
        Err(error) if error.kind() == ErrorKind::NotFound => (SHIPPED.to_owned(), true),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let name = file.display().to_string();
    let mut draft = Draft::new(&text).with_context(|| name.clone())?;

    let stdin = io::stdin();
    let mut questions = if options.yes {
        None
    } else {
        let asks = stdin.is_terminal() && output == Output::Text;
        ensure!(
            asks,
            "expected a terminal to ask on; elsewhere add --yes, and say by options what is to change"
        );
        Some(Questions::new(stdin.lock(), io::stdout()))
    };
    if let Some(questions) = &mut questions {
        let now = Config::parse(&text, &name)?;
        wishes = questions.ask_all(wishes, &now, &cameras(), look)?;
    }
    if wishes.crop.is_none() && wishes.source.is_some() {
        // A rectangle is of one camera: another source's pictures would be judged on a corner.
        let before = Config::parse(&text, &name).ok().map(|config| config.capture.source);
        if before != wishes.source {
            wishes.crop = Some(None);
        }
    }
    wishes.apply(&mut draft).with_context(|| name.clone())?;
    // What a device would refuse is not written.
    Config::parse(draft.text(), &name)?;

    let mut out = io::stdout();
    if output == Output::Text {
        show(&mut out, draft.changes(), is_new)?;
    }
    let mut backup = None;
    if is_new || !draft.changes().is_empty() {
        if let Some(questions) = &mut questions
            && !questions.agrees(&format!("Write {name}?"))?
        {
            writeln!(out, "Nothing was written.")?;
            return Ok(Outcome::Complete);
        }
        backup = replace(file, draft.text())?;
    }
    let checks = check_config::checks(file);
    if output == Output::Json {
        let backup = backup.map(|path| path.display().to_string());
        let passed = passed(&checks);
        report::json(&Done { file: name, backup, changes: draft.changes(), passed, checks })?;
        return Ok(if passed { Outcome::Complete } else { Outcome::Unfit });
    }
    match &backup {
        Some(backup) => writeln!(out, "Written: {name}; the one of before is {}\n", backup.display())?,
        None if is_new => writeln!(out, "Written: {name}\n")?,
        None => writeln!(out, "{name} is as it was\n")?,
    }
    let outcome = report::checks(&checks, output)?;
    writeln!(out, "\n{}", next_steps(&name, &Machine::new("/")))?;
    Ok(outcome)
}

/// What is changed, as lines that go and lines that come.
fn show(out: &mut impl Write, changes: &[Change], is_new: bool) -> io::Result<()> {
    if is_new {
        writeln!(out, "A new file: the default's text, changed by")?;
    }
    if changes.is_empty() {
        writeln!(out, "nothing")?;
    }
    for Change { section, key, before, after } in changes {
        for (sign, value) in [('-', before), ('+', after)] {
            if let Some(value) = value {
                writeln!(out, "{sign} [{section}] {key} = {}", report::printable(value))?;
            }
        }
    }
    writeln!(out)
}

/// A picture through a source, with what the gate says of it.
fn look(source: &SourceSpec, crop: Option<Crop>, file: &Path) -> Result<String, String> {
    let options = AimOptions {
        source: source.clone(),
        crop,
        format: None,
        size: None,
        out: file.to_owned(),
        heatmap: false,
    };
    let looked =
        model::load(None).and_then(|model| aim::run(&model, EngineKind::default(), &options, Output::Text));
    looked
        .map(|_| format!("Look at {}, and delete it afterwards.", file.display()))
        .map_err(|error| format!("{error:#}"))
}

/// What is left to do, for the programs that are installed.
fn next_steps(name: &str, machine: &Machine) -> String {
    let mut steps = vec![
        format!("edge-runtime lights --config {name} test   # see every lamp"),
        "systemctl enable --now pneumoscope && systemctl restart pneumoscope".to_owned(),
        format!("edge-runtime doctor --config {name}"),
    ];
    for (program, file) in [("pneumoscope-screen", "screen.toml"), ("pneumoscope-deliver", "deliver.toml")] {
        if machine.program(program).is_some() {
            steps.push(format!(
                "edit /etc/pneumoscope/{file}, then `systemctl enable --now {program}`; `{program} --help` says more"
            ));
        }
    }
    format!("Next:\n  {}", steps.join("\n  "))
}
