//! How results look: a table for people, JSON lines for programs, errors on standard error.
//!
//! No answer stands alone: with each go the score, the thresholds and the model's name, version and
//! hash.

use crate::outcome::Outcome;
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, LineStyle, Row, Table, TableStyle};
use edge_core::decide::Thresholds;
use edge_core::model::key;
use edge_core::{Decision, State};
use edge_model::classify::Inference;
use edge_model::model_file::ModelFile;
use edge_runtime::doctor::Finding;
use edge_runtime::log::Hash;
use edge_runtime::self_test::{Check, Verdict, passed};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fmt;
use std::io::{self, StdoutLock, Write};
use std::time::Duration;

/// What no output may leave out.
pub const NOTICE: &str = "It supports a decision; it is not a diagnosis. NEGATIVE does not rule illness out; \
                          REFER and INVALID mean that a person must look.";

/// For whom the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A person: tables and sentences.
    Text,
    /// A program: one JSON object a line.
    Json,
}

#[derive(Serialize)]
pub struct Record<'a> {
    path: &'a str,
    state: State,
    score: Option<f32>,
    logit: Option<f32>,
    reason: String,
    reason_code: u8,
    thresholds: Thresholds,
    model_sha256: &'a str,
    model_name: &'a str,
    model_version: &'a str,
    /// Name of what the network saw, as in a device's log.
    frame_sha256: Hash,
    latency_us: f64,
}

impl<'a> Record<'a> {
    pub fn new(path: &'a str, classified: &Inference, model: &'a ModelFile, frame_sha256: Hash) -> Self {
        let (decision, metadata) = (&classified.decision, model.metadata());
        Self {
            path,
            state: decision.state,
            score: decision.score,
            logit: decision.logit,
            reason: decision.reason.to_string(),
            reason_code: decision.reason.code(),
            thresholds: metadata.thresholds,
            model_sha256: model.sha256(),
            model_name: &metadata.name,
            model_version: &metadata.version,
            frame_sha256,
            latency_us: classified.latency().as_nanos() as f64 / 1000.0,
        }
    }
}

#[derive(Serialize)]
pub struct Failure<'a> {
    pub path: &'a str,
    pub error: &'a str,
    /// Whether this program failed, and not the file: it may be answered another time.
    pub fault: bool,
}

/// Writes one JSON object on a line of its own.
pub fn json(value: &impl Serialize) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{}", serde_json::to_string(value).map_err(io::Error::from)?)
}

/// Writes a command's whole answer: one JSON object for a program, what `text` writes for a person.
pub fn answer(
    output: Output,
    value: &impl Serialize,
    text: impl FnOnce(&mut StdoutLock) -> io::Result<()>,
) -> anyhow::Result<Outcome> {
    match output {
        Output::Json => json(value)?,
        Output::Text => text(&mut io::stdout().lock())?,
    }
    Ok(Outcome::Complete)
}

pub fn error(what: &impl fmt::Display) {
    let style = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    // Nothing is left to be done where even standard error is closed.
    let _ = writeln!(anstream::stderr(), "{style}error{style:#}: {}", printable(&what.to_string()));
}

/// Checks, one a line, and what they come to.
pub fn checks(checks: &[Check], output: Output) -> io::Result<Outcome> {
    #[derive(Serialize)]
    struct Checks<'a> {
        passed: bool,
        checks: &'a [Check],
    }
    let passed = passed(checks);
    match output {
        Output::Json => json(&Checks { passed, checks })?,
        Output::Text => {
            let mut out = anstream::stdout().lock();
            checks
                .iter()
                .try_for_each(|check| verdict(&mut out, check.verdict, check.name, &check.detail))?;
        }
    }
    Ok(if passed { Outcome::Complete } else { Outcome::Unfit })
}

/// The same of findings, each with what to do below it.
pub fn findings(findings: &[Finding], output: Output) -> io::Result<Outcome> {
    #[derive(Serialize)]
    struct Findings<'a> {
        passed: bool,
        findings: &'a [Finding],
    }
    let passed = Finding::all_pass(findings);
    match output {
        Output::Json => json(&Findings { passed, findings })?,
        Output::Text => {
            let mut out = anstream::stdout().lock();
            for finding in findings {
                verdict(&mut out, finding.verdict, finding.name, &finding.found)?;
                if let Some(remedy) = &finding.remedy {
                    writeln!(out, "{:24}do: {}", "", printable(remedy))?;
                }
            }
        }
    }
    Ok(if passed { Outcome::Complete } else { Outcome::Unfit })
}

fn verdict(out: &mut impl Write, verdict: Verdict, name: &str, detail: &str) -> io::Result<()> {
    let (word, colour) = match verdict {
        Verdict::Ok => ("ok", AnsiColor::Green),
        Verdict::Warning => ("warning", AnsiColor::Yellow),
        Verdict::Failed => ("failed", AnsiColor::Red),
    };
    let style = Style::new().fg_color(Some(colour.into())).bold();
    writeln!(out, "{style}{word:<7}{style:#}  {name:<13}  {}", printable(detail))
}

/// A progress bar on standard error with the time that remains; hidden where that is no terminal or
/// steps are few.
pub fn progress(steps: u64, unit: &str) -> ProgressBar {
    if steps < 20 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(steps);
    match ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {unit}, {{eta}} left")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Whether standard output shows colours.
pub fn colours() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// A table without rows; the columns of the numbers in `right` are aligned to the right.
pub fn table(header: impl Into<Row>, right: impl IntoIterator<Item = usize>) -> Table {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(line).bottom_border(line));
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    for number in right {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A table for answers; the last four columns are state, score, reason and time, as in [`row`].
pub fn answers<const N: usize>(header: [&str; N]) -> Table {
    let mut table = table(header, []);
    if colours() {
        table.enforce_styling();
    }
    table
}

/// An answer as a row that begins with `names`.
pub fn row(names: &[&str], decision: &Decision, latency: Duration) -> Vec<Cell> {
    let mut row: Vec<Cell> = names.iter().map(|name| Cell::new(printable(name))).collect();
    let colour = match decision.state {
        State::Positive => Color::Red,
        State::Negative => Color::Green,
        State::Refer | State::Invalid => Color::Yellow,
        State::Fault => Color::Magenta,
    };
    let state = Cell::new(decision.state);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    row.extend([
        if colours() { state.fg(colour) } else { state },
        right(decision.score.map_or("-".to_owned(), |score| format!("{score:.3}"))),
        Cell::new(decision.reason),
        right(format!("{:.1} ms", latency.as_secs_f64() * 1000.0)),
    ]);
    row
}

/// Which model answered, on which thresholds, for what it is meant and what it is not.
pub fn footer(model: &ModelFile) -> String {
    let m = model.metadata();
    let (low, high) = (m.thresholds.negative_below, m.thresholds.positive_above);
    // The first digits of the hash are enough to tell models apart.
    let short = model.sha256().get(..12).unwrap_or(model.sha256());
    pairs([
        ("Model", format!("{} {}, SHA-256 {short}", m.name, m.version)),
        (
            "Thresholds",
            format!(
                "score below {low:.3}: NEGATIVE ({}); above {high:.3}: POSITIVE ({}); between: REFER",
                m.label_negative, m.label_positive
            ),
        ),
        ("Intended use", m.intended_use.to_string()),
        ("Note", NOTICE.to_owned()),
    ])
}

/// A model's properties that are for people too: the gate's weights would fill a page and tell
/// nothing; `--json` has them.
pub fn readable(
    properties: impl IntoIterator<Item = (&'static str, String)>,
) -> impl Iterator<Item = (&'static str, String)> {
    let readable = properties.into_iter().filter(|(key, _)| ![key::LAYOUT, key::FEATURES].contains(key));
    readable.map(|(key, value)| (key.trim_start_matches("pneumoscope."), value))
}

/// Names and values in two columns, wrapped to the terminal, or to 100 columns where there is none.
pub fn pairs<N: Into<String>>(rows: impl IntoIterator<Item = (N, String)>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(100);
    }
    table.add_rows(rows.into_iter().map(|(name, value)| [name.into(), printable(&value)]));
    table.trim_fmt()
}

/// Control characters in names could steer the terminal or fake a line; they are shown as the
/// replacement character.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn programs_are_told_what_nurses_are_told() {
        assert_eq!(super::NOTICE, texts::Language::English.notice());
    }
}
