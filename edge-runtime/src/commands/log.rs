//! `edge-runtime log`: is a device's log what it wrote, the log as a table, and what it says over
//! days.

use crate::outcome::Outcome;
use crate::report::Output;
use crate::{model, report};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use edge_model::files;
use edge_model::model_file::ModelFile;
use edge_runtime::log::{self, Drift, Hash, Reference, Summary, Verified};
use serde::Serialize;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const VERIFY: &str = "\
Every line carries a hash over itself and the hash of the line before, so that any line that was changed, removed, repeated or
moved is found and named, over all rotated files (FILE.1, FILE.2, ...).

It cannot see by itself that lines were removed from the very end: note the last hash, which this command prints, somewhere
else, and give it with --expect (a line of the log must have it) or --expect-last (the last line must). Nor that somebody wrote the
whole log anew: the chain holds no secret, a noted hash is the proof.

Examples:
  edge-runtime log verify /var/lib/pneumoscope/device.log
  edge-runtime log verify device.log --expect 5f2c...

Exit codes: 0 sound, 5 broken (a last line that is cut off counts, until the device repairs it), 1 it cannot be read.";

const SUMMARY: &str = "\
Drift is the population stability index (PSI) between two sets of scores: up to 0.1 none, up to 0.25 some, above much, and none
where chance alone explains it. The newest scores are compared with those that the model gave on the validation patients of its training
data, which the model file says. A difference is no fault by itself: other patients come here. With --first they are compared with the first ones of the
same log: that shows change since then; it cannot show that the device was right at first.

Examples:
  edge-runtime log summary device.log
  edge-runtime log summary device.log --first 500 --newest 500 --json";

#[derive(Debug, Subcommand)]
pub enum Log {
    /// Find any line that was changed, removed or moved.
    #[command(after_help = VERIFY)]
    Verify(Verify),
    /// Write the log as CSV, one row a line.
    #[command(after_help = "Example:\n  edge-runtime log export device.log --out device.csv")]
    Export(Export),
    /// States by day, and whether the scores have moved.
    #[command(after_help = SUMMARY)]
    Summary(SummaryOptions),
}

#[derive(Args, Debug)]
pub struct Verify {
    /// The log, under the path at which the device writes it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A hash noted earlier that a line must have; can be given more than once.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    expect: Vec<Hash>,
    /// The hash that the last line must have.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    expect_last: Option<Hash>,
}

#[derive(Args, Debug)]
pub struct Export {
    /// The log, under the path at which the device writes it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The table to write; standard output without it.
    #[arg(long, value_name = "CSV")]
    out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct SummaryOptions {
    /// The log, under the path at which the device writes it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Compare with the first N scores of this log instead of the training data's.
    #[arg(long, value_name = "N")]
    first: Option<usize>,
    /// How many of the newest scores are compared.
    #[arg(long, value_name = "N", default_value_t = 200)]
    newest: usize,
}

fn hash(text: &str) -> Result<Hash, String> {
    Hash::parse(text).ok_or_else(|| "expected the 64 hexadecimal digits that `log verify` prints".to_owned())
}

pub fn run(command: &Log, model: Option<&Path>, output: Output) -> Result<Outcome> {
    match command {
        Log::Verify(options) => verify(options, output),
        Log::Export(options) => export(options, output),
        Log::Summary(options) => summary(options, &model::load(model)?, output),
    }
}

fn verify(options: &Verify, output: Output) -> Result<Outcome> {
    let verified = log::verify(&options.file, &options.expect, options.expect_last)?;
    #[derive(Serialize)]
    struct VerifyOutput<'a> {
        sound: bool,
        #[serde(flatten)]
        verified: &'a Verified,
    }
    let answer = VerifyOutput { sound: verified.is_sound(), verified: &verified };
    report::answer(output, &answer, |out| print_verified(out, &verified))?;
    Ok(if answer.sound { Outcome::Complete } else { Outcome::Unfit })
}

fn print_verified(out: &mut impl Write, verified: &Verified) -> io::Result<()> {
    for found in &verified.breaks {
        let place = match found.line {
            0 => found.file.clone(),
            line => format!("{}, line {line}", found.file),
        };
        writeln!(out, "{}", report::printable(&format!("{place}: {}", found.what)))?;
    }
    let named = verified.breaks.len() as u64;
    if verified.broken > named {
        writeln!(out, "and {} more", verified.broken - named)?;
    }
    let verdict = match verified.broken {
        0 => "sound".to_owned(),
        1 => "BROKEN in one place".to_owned(),
        broken => format!("BROKEN in {broken} places"),
    };
    let dash = || "-".to_owned();
    let mut rows = vec![
        ("Log", verdict),
        ("Lines", format!("{} in {} files", verified.lines, verified.files.len())),
        (
            "Numbered",
            verified.first.zip(verified.last_seq).map_or_else(dash, |(a, b)| format!("{} to {b}", a.seq)),
        ),
        ("Last hash", verified.last_hash.map_or_else(dash, |hash| hash.to_string())),
        (
            "Note",
            "lines removed from the end leave no trace here: note the last hash elsewhere, see --help"
                .to_owned(),
        ),
    ];
    if !verified.torn_files.is_empty() {
        rows.push((
            "Torn lines",
            format!("moved out after power cuts, no break: {}", verified.torn_files.join(", ")),
        ));
    }
    writeln!(out, "{}", report::pairs(rows))
}

fn export(options: &Export, output: Output) -> Result<Outcome> {
    let Some(path) = &options.out else {
        let (_, damaged) = log::export(&options.file, io::stdout().lock())?;
        return Ok(left_out(damaged));
    };
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let writing = || format!("cannot write {}; check that its folder is there and writable", path.display());
    let mut table = files::temporary(".tmp").tempfile_in(folder).with_context(writing)?;
    let (rows, damaged) = log::export(&options.file, io::BufWriter::new(table.as_file_mut()))?;
    table.as_file().sync_all().with_context(writing)?;
    table.persist(path).map_err(|error| error.error).with_context(writing)?;
    let path = path.display().to_string();
    let answer = serde_json::json!({ "path": path, "rows": rows, "damaged": damaged });
    report::answer(output, &answer, |out| writeln!(out, "{path}: {rows} rows"))?;
    Ok(left_out(damaged))
}

fn left_out(damaged: u64) -> Outcome {
    if damaged == 0 {
        return Outcome::Complete;
    }
    report::error(&format!("{damaged} damaged lines were left out; `log verify` names them"));
    Outcome::Unfit
}

fn summary(options: &SummaryOptions, model: &ModelFile, output: Output) -> Result<Outcome> {
    let reference = match options.first {
        Some(first) => Reference::First(first),
        None => {
            let millionths = model.metadata().score_deciles_ppm;
            let known = millionths != [0; 9];
            let deciles = known.then(|| millionths.map(|decile| (f64::from(decile) / 1e6) as f32));
            Reference::Training { model_sha256: model.sha256().to_owned(), deciles }
        }
    };
    let summary = log::summarise(&options.file, reference, options.newest)?;
    report::answer(output, &summary, |out| print_summary(out, &summary))?;
    Ok(left_out(summary.damaged))
}

fn print_summary(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let mut header = vec!["Day (UTC)", "Frames"];
    header.extend(summary.state_names);
    header.extend(["Faults", "Not logged", "Passed over", "Mean time"]);
    let numbers = 1..header.len() - 1;
    let mut days = report::table(header, numbers);
    for day in &summary.days {
        let share = |count: u64| match day.decisions {
            0 => "-".to_owned(),
            all => format!("{count} ({:.1} %)", 100.0 * count as f64 / all as f64),
        };
        let mut row = vec![day.day.clone(), day.decisions.to_string()];
        row.extend(day.states.map(share));
        row.extend([day.faults, day.not_logged, day.passed_over].map(|count| count.to_string()));
        row.push(format!("{:.1} ms", day.latency_us_mean as f64 / 1000.0));
        days.add_row(row.iter().map(|text| report::printable(text)));
    }
    writeln!(out, "{days}\n")?;
    let mut reasons = report::table(["Code", "Frames", "Reason (the last one seen)"], [1]);
    for (code, (text, count)) in &summary.reasons {
        reasons.add_row([code.to_string(), count.to_string(), report::printable(text)]);
    }
    writeln!(out, "{reasons}\n")?;
    let mut rows = vec![("Compared", summary.compared.clone())];
    if let Some(drift) = &summary.drift {
        writeln!(out, "{}\n", bars(drift))?;
        let (psi, chance) = (drift.psi, drift.by_chance);
        rows.push(("Drift", format!("{}: PSI {psi:.3}, by chance alone below {chance:.3}", drift.level)));
    }
    rows.push((
        "Note",
        "frames of one picture count one by one, and make chance larger than that figure".to_owned(),
    ));
    writeln!(out, "{}", report::pairs(rows))
}

/// Each bin's share before, as a mark, and now, as a bar; half of all is the whole width.
fn bars(drift: &Drift) -> String {
    const COLUMNS: usize = 40;
    let mut table = report::table(["Score up to", "Reference │", "Newest █", ""], [1, 2]);
    for bin in &drift.bins {
        let column = |share: f64| ((share * 2.0 * COLUMNS as f64).round() as usize).min(COLUMNS);
        let mut bar = [' '; COLUMNS + 1];
        bar[..column(bin.newest)].fill('█');
        bar[column(bin.reference)] = '│';
        table.add_row([
            format!("{:.4}", bin.up_to),
            format!("{:.1} %", 100.0 * bin.reference),
            format!("{:.1} %", 100.0 * bin.newest),
            bar.iter().collect::<String>().trim_end().to_owned(),
        ]);
    }
    table.to_string()
}
