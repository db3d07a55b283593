//! `edge-runtime setup`: writes a device's configuration, checks it, and shows what it did.

mod file;

use crate::cli::{AimOptions, SetupOptions};
use crate::commands::{aim, check_config};
use crate::model;
use crate::outcome::Outcome;
use crate::report::{self, Output};
use anyhow::{Context, Result, bail, ensure};
use edge_model::engine::EngineKind;
use edge_runtime::capture::{Crop, SourceSpec, cameras};
use edge_runtime::config::{Config, Configuration};
use edge_runtime::doctor::{Answer, Machine};
use edge_runtime::self_test::{Check, passed};
use edge_runtime::setup::{Delivery, Questions, SHIPPED, SHIPPED_DELIVERY, Wishes, or_none};
use file::{File, Written};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

const DELIVERY: &str = "pneumoscope-deliver";

#[derive(Serialize)]
struct Done<'a> {
    #[serde(flatten)]
    device: Written<'a>,
    /// The delivery's configuration, beside the device's; null where nobody said anything about it.
    delivery: Option<Written<'a>>,
    passed: bool,
    checks: Vec<Check>,
}

pub fn run(options: &SetupOptions, output: Output) -> Result<Outcome> {
    let path = &options.config;
    let machine = Machine::new("/");
    let mut wishes = wishes(options)?;
    let mut device = File::open(path, SHIPPED)?;
    let name = device.name.clone();
    // Beside the device's own, as its package has it.
    let beside = path.with_file_name("deliver.toml");
    let mut sent = delivery_wishes(options)?;
    let mut delivery = match File::open(&beside, SHIPPED_DELIVERY) {
        // Another package's file is in nobody's way who says nothing about it.
        Err(_) if options.yes && sent.is_empty() => File::new(&beside, SHIPPED_DELIVERY)?,
        opened => opened?,
    };

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
        let now = Config::parse(device.draft.text(), &name)?;
        wishes = questions.ask_all(wishes, &now, &cameras(), look)?;
        if machine.program(DELIVERY).is_some() || !delivery.is_new {
            let source = wishes.source.as_ref().unwrap_or(&now.capture.source);
            let folder = matches!(source, SourceSpec::Folder(_));
            sent = questions.ask_delivery(sent, &Delivery::of(delivery.draft.text()), folder)?;
        }
    }
    if wishes.crop.is_none() && wishes.source.is_some() {
        // A rectangle is of one camera: another source's pictures would be judged on a corner.
        let before = Config::parse(device.draft.text(), &name).ok().map(|config| config.capture.source);
        if before != wishes.source {
            wishes.crop = Some(None);
        }
    }
    wishes.apply(&mut device.draft).with_context(|| name.clone())?;
    // What a device would refuse is not written.
    Config::parse(device.draft.text(), &name)?;
    let sends = !sent.is_empty();
    if sends {
        sent.apply(&mut delivery.draft, &beside, path).with_context(|| delivery.name.clone())?;
        if let Some(refused) = Delivery::refused(delivery.draft.text()) {
            bail!("{}: {refused}", delivery.name);
        }
    }

    let mut out = io::stdout();
    if output == Output::Text {
        device.show(&mut out)?;
        if sends {
            writeln!(out, "{}:", delivery.name)?;
            delivery.show(&mut out)?;
        }
    }
    if (device.is_due() || sends && delivery.is_due())
        && let Some(questions) = &mut questions
        && !questions.agrees(&format!("Write {name}{}?", if sends { " and deliver.toml" } else { "" }))?
    {
        writeln!(out, "Nothing was written.")?;
        return Ok(Outcome::Complete);
    }
    let written = device.write()?;
    let also = if sends { Some(delivery.write()?) } else { None };
    let mut checks = check_config::checks(path);
    if sends {
        checks.push(checked(&machine, &delivery.name));
    }
    if output == Output::Json {
        let passed = passed(&checks);
        report::json(&Done { device: written, delivery: also, passed, checks })?;
        return Ok(if passed { Outcome::Complete } else { Outcome::Unfit });
    }
    device.say(&written, &mut out)?;
    if let Some(also) = &also {
        delivery.say(also, &mut out)?;
    }
    let outcome = report::checks(&checks, output)?;
    writeln!(out, "\n{}", next_steps(&name, &machine, sends))?;
    Ok(outcome)
}

fn wishes(options: &SetupOptions) -> Result<Wishes> {
    let crop = options.crop.as_deref().map(Wishes::crop).transpose();
    let share = options.prevalence.as_deref().map(Wishes::prevalence).transpose();
    Ok(Wishes {
        name: options.name.clone(),
        language: options.language,
        source: options.source.clone(),
        crop: crop.map_err(anyhow::Error::msg).context("--crop")?,
        lines: options.lines.clone(),
        prevalence: share.map_err(anyhow::Error::msg).context("--prevalence")?,
        screen: options.screen,
    })
}

fn delivery_wishes(options: &SetupOptions) -> Result<Delivery> {
    let broker = options.broker.as_deref().map(or_none).transpose();
    let archive = options.archive.as_deref().map(or_none).transpose();
    Ok(Delivery {
        broker: broker.map_err(anyhow::Error::msg).context("--broker")?,
        archive: archive.map_err(anyhow::Error::msg).context("--archive")?,
        site: options.site.clone(),
    })
}

/// What the program that delivers says of its configuration.
fn checked(machine: &Machine, file: &str) -> Check {
    let Some(Answer { code, said, complained }) = machine.ask(DELIVERY, &["check-config", "--config", file])
    else {
        let why = format!("{file} is not checked: `{DELIVERY}` is not installed here, or does not answer");
        return Check::new("delivery", Err::<&str, _>(why)).or_warn();
    };
    // What is well is many lines, and what is not is what counts.
    let wrong: Vec<_> =
        said.lines().filter(|line| !line.starts_with("ok")).chain(complained.lines()).collect();
    let wrong = wrong.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let wrong = wrong.collect::<Vec<_>>().join("; ");
    match code {
        Some(0) if wrong.is_empty() => Check::new("delivery", Ok::<_, &str>(format!("{file} is good"))),
        Some(0) => Check::new("delivery", Err::<&str, _>(wrong)).or_warn(),
        _ => Check::new("delivery", Err::<&str, _>(wrong)),
    }
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
fn next_steps(name: &str, machine: &Machine, sends: bool) -> String {
    let mut steps = vec![
        format!("edge-runtime lights --config {name} test   # see every lamp"),
        "systemctl enable --now pneumoscope && systemctl restart pneumoscope".to_owned(),
        format!("edge-runtime doctor --config {name}"),
    ];
    for (program, file) in [("pneumoscope-screen", "screen.toml"), (DELIVERY, "deliver.toml")] {
        if machine.program(program).is_none() {
            continue;
        }
        steps.push(if program == DELIVERY && sends {
            format!(
                "put the broker's user, password or certificate into {}, then `{program} check-config --connect`, then \
                 `systemctl enable --now {program} && systemctl restart {program}`",
                Path::new(name).with_file_name(file).display()
            )
        } else {
            format!("edit /etc/pneumoscope/{file}, then `systemctl enable --now {program}`; `{program} --help` says more")
        });
    }
    format!("Next:\n  {}", steps.join("\n  "))
}
