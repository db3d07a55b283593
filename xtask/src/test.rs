//! `cargo xtask test`: runs suites, each to its end, and says in a table how each ended.

use std::collections::BTreeMap;
use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use anyhow::{Context, ensure};
use comfy_table::{Table, presets};
use toolbox::{host, process, root};

use crate::suites::{ALL, Inputs, Suite, Tier};
use toolbox::outcome::{Outcome, held, say};

/// Suites that may be missing from `--all`, with the reason; anything else that cannot run fails
/// it.
const MAY_BE_MISSING: &str = "xtask/may-be-missing.toml";

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask test                before a commit: what this machine can run by itself\n  \
                        cargo xtask test --all          everything: emulated machines, faults, fuzzing, sizes, packages\n  \
                        cargo xtask test arm64 fuzz     these suites\n  \
                        cargo xtask test --list         the suites, and what each needs\n\n\
                        One test: cargo test -p edge-runtime -p edge-model gate. A failed suite keeps no other from running. Exit status: 0 \
                        when all passed; otherwise 1."
)]
pub struct Arguments {
    /// Run the suites that need other machines or time, too.
    #[arg(long)]
    all: bool,
    /// Show the suites and what each needs.
    #[arg(long)]
    list: bool,
    /// Folder of chest X-rays (`train`, `val`, `test`, each with `NORMAL` and `PNEUMONIA`) for the
    /// suite `xrays`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Run only these suites.
    #[arg(value_name = "SUITE", value_parser = clap::builder::PossibleValuesParser::new(ALL.iter().map(|suite| suite.name)))]
    suites: Vec<String>,
}

/// One line of the table.
struct Row {
    suite: &'static str,
    seconds: u64,
    outcome: anyhow::Result<Outcome>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.list {
        return list();
    }
    let missing: BTreeMap<String, String> = toml::from_str(&fs::read_to_string(root().join(MAY_BE_MISSING))?)
        .with_context(|| format!("in {MAY_BE_MISSING}"))?;
    let data = arguments.data.as_ref().map(|dir| {
        dir.canonicalize().with_context(|| format!("--data: there is no folder {}", dir.display()))
    });
    let inputs = Inputs { data: data.transpose()? };
    let chosen = |suite: &&Suite| match &arguments.suites[..] {
        [] => arguments.all || suite.tier == Tier::Commit || (suite.name == "xrays" && inputs.data.is_some()),
        names => names.iter().any(|name| name == suite.name),
    };
    let began = Instant::now();
    let rows = rows(ALL.iter().filter(chosen), &inputs);
    println!("\n{}", table(&rows, began.elapsed().as_secs()));
    // Who names a suite wants it run.
    let failed = failures(&rows, &if arguments.suites.is_empty() { missing } else { BTreeMap::new() });
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// Runs suites: the first of [`Tier::Commit`] beside the others of it, then those of [`Tier::All`]
/// beside those with builds of their own. Where a last test, a linker or rustdoc leaves a processor
/// idle, the others have it.
fn rows<'s>(suites: impl Iterator<Item = &'s Suite>, inputs: &Inputs) -> Vec<Row> {
    let (mut commit, all): (Vec<&Suite>, Vec<&Suite>) = suites.partition(|suite| suite.tier == Tier::Commit);
    let others = commit.split_off(commit.len().min(1));
    if !others.is_empty() {
        // In sight, and before either needs it. Where it fails, the suites say so.
        let _ = host::libtorch().and_then(|()| process::run(host::cargo("test").arg("--no-run")));
    }
    let mut rows = both(&commit, &others, inputs);
    let (own_builds, all): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|suite| suite.tier == Tier::OwnBuilds);
    rows.extend(both(&all, &own_builds, inputs));
    rows
}

/// Runs suites one after the other, and others beside them, whose lines are shown at the end.
fn both(suites: &[&Suite], beside: &[&Suite], inputs: &Inputs) -> Vec<Row> {
    let run = |suites: &[&Suite]| -> Vec<Row> { suites.iter().map(|suite| row(suite, inputs)).collect() };
    let (mut rows, (more, said)) = thread::scope(|scope| {
        let beside = scope.spawn(|| held(|| run(beside)));
        (run(suites), beside.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    print!("{said}");
    rows.extend(more);
    rows
}

fn row(suite: &Suite, inputs: &Inputs) -> Row {
    say(&format!("==> suite {}: {}", suite.name, suite.about));
    let began = Instant::now();
    let outcome = (suite.run)(inputs);
    if let Err(error) = &outcome {
        say(&format!("error: suite {}: {error:#}", suite.name));
    }
    Row { suite: suite.name, seconds: began.elapsed().as_secs(), outcome }
}

fn list() -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["Suite", "In", "Needs", "What"]);
    for suite in &ALL {
        let tier = if suite.tier == Tier::Commit { "test" } else { "test --all" };
        table.add_row([suite.name, tier, suite.needs, suite.about]);
    }
    println!("{table}");
    Ok(())
}

/// The suites that failed, and those that did not run and may not be missing.
fn failures(rows: &[Row], may_be_missing: &BTreeMap<String, String>) -> Vec<String> {
    let why = |row: &Row| match &row.outcome {
        Ok(Outcome::Ran { failed: 0, .. }) => None,
        Ok(Outcome::NotRun(_)) if may_be_missing.contains_key(row.suite) => None,
        Ok(Outcome::NotRun(_)) => {
            Some(format!("{} (not run, and not listed in {MAY_BE_MISSING})", row.suite))
        }
        Ok(Outcome::Ran { .. }) | Err(_) => Some(row.suite.to_owned()),
    };
    rows.iter().filter_map(why).collect()
}

/// `all_seconds` went by: fewer than the suites' together, of which some ran beside others.
fn table(rows: &[Row], all_seconds: u64) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["Suite", "Tests", "Seconds", "Result"]);
    let mut all = 0;
    for row in rows {
        let (tests, result) = match &row.outcome {
            Ok(Outcome::Ran { passed, failed: 0 }) => (*passed, "passed".to_owned()),
            Ok(Outcome::Ran { passed, failed }) => (passed + failed, format!("{failed} FAILED")),
            Ok(Outcome::NotRun(why)) => (0, format!("not run: {why}")),
            Err(error) => (0, format!("FAILED: {error:#}")),
        };
        all += tests;
        table.add_row([row.suite.to_owned(), tests.to_string(), row.seconds.to_string(), result]);
    }
    table.add_row(["all".to_owned(), all.to_string(), all_seconds.to_string(), String::new()]);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(suite: &'static str, outcome: anyhow::Result<Outcome>) -> Row {
        Row { suite, seconds: 7, outcome }
    }

    #[test]
    fn what_failed_or_is_missing_unlisted_fails_the_run() {
        let ran = |failed| Ok(Outcome::Ran { passed: 3, failed });
        let not_run = || Ok(Outcome::NotRun("no such machine".into()));
        let rows = [
            row("good", ran(0)),
            row("bad", ran(1)),
            row("broken", Err(anyhow::anyhow!("no disk"))),
            row("listed", not_run()),
            row("unlisted", not_run()),
        ];
        let listed = BTreeMap::from([("listed".to_owned(), "why".to_owned())]);
        let failed = failures(&rows, &listed);
        assert_eq!(failed[..2], ["bad", "broken"]);
        assert!(failed.len() == 3 && failed[2].starts_with("unlisted (not run"), "{failed:?}");
        let table = table(&rows, 35).to_string();
        for text in ["1 FAILED", "FAILED: no disk", "not run: no such machine", "passed", "35"] {
            assert!(table.contains(text), "{text}: {table}");
        }
    }

    #[test]
    fn only_suites_that_exist_may_be_missing() {
        let text = fs::read_to_string(root().join(MAY_BE_MISSING)).unwrap();
        let listed: BTreeMap<String, String> = toml::from_str(&text).unwrap();
        assert!(listed.keys().all(|name| ALL.iter().any(|suite| suite.name == name)), "{listed:?}");
    }
}
