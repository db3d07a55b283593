//! How results look: a table for people, JSON lines for programs, errors on standard error.
//!
//! No answer stands alone: with each go the score, the thresholds and the model's name, version and hash.

use crate::cli::Output;
use crate::exit::Outcome;
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, LineStyle, TableStyle};
use edge_core::model::key;
use edge_core::{Decision, State};
use edge_runtime::classify::Classified;
use edge_runtime::model_file::ModelFile;
use edge_runtime::self_test::{Check, Verdict, passed};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

/// What no output may leave out.
pub const NOTICE: &str = "It supports a decision; it is not a diagnosis. NEGATIVE does not rule illness out; \
                          REFER and INVALID mean that a person must look.";

#[derive(Serialize)]
pub struct Record<'a> {
    path: &'a str,
    state: &'static str,
    score: Option<f32>,
    logit: Option<f32>,
    reason: String,
    reason_code: u8,
    thresholds: ThresholdsRecord,
    model_sha256: &'a str,
    model_name: &'a str,
    model_version: &'a str,
    latency_us: f64,
}

#[derive(Serialize)]
struct ThresholdsRecord {
    negative_below: f32,
    positive_above: f32,
}

impl<'a> Record<'a> {
    pub fn new(path: &'a str, classified: &Classified, model: &'a ModelFile) -> Self {
        let (decision, metadata) = (&classified.decision, &model.metadata);
        Self {
            path,
            state: decision.state.name(),
            score: decision.score,
            logit: decision.logit,
            reason: decision.reason.to_string(),
            reason_code: decision.reason.code(),
            thresholds: ThresholdsRecord {
                negative_below: metadata.thresholds.negative_below,
                positive_above: metadata.thresholds.positive_above,
            },
            model_sha256: &model.sha256,
            model_name: &metadata.name,
            model_version: &metadata.version,
            latency_us: classified.latency().as_nanos() as f64 / 1000.0,
        }
    }
}

#[derive(Serialize)]
pub struct Failure<'a> {
    pub path: &'a str,
    pub error: &'a str,
}

/// Writes one JSON object on a line of its own.
pub fn json(value: &impl Serialize) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{}", serde_json::to_string(value).map_err(io::Error::from)?)
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
            for Check { name, verdict, detail } in checks {
                let (word, colour) = match verdict {
                    Verdict::Ok => ("ok", AnsiColor::Green),
                    Verdict::Warning => ("warning", AnsiColor::Yellow),
                    Verdict::Failed => ("failed", AnsiColor::Red),
                };
                let style = Style::new().fg_color(Some(colour.into())).bold();
                writeln!(out, "{style}{word:<7}{style:#}  {name:<13}  {}", printable(detail))?;
            }
        }
    }
    Ok(if passed { Outcome::Complete } else { Outcome::Unfit })
}

/// A progress bar on standard error with the time that remains; hidden where that is no terminal or steps are few.
pub fn progress(steps: u64, unit: &str) -> ProgressBar {
    if steps < 20 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {unit}, {{eta}} left"));
    let bar = ProgressBar::new(steps);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Answers in rows; the last four columns are state, score, reason and time.
pub struct Table {
    table: comfy_table::Table,
    colours: bool,
}

impl Table {
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        let mut table = comfy_table::Table::new();
        let line = LineStyle::none().fill('─').junction('─');
        table.load_style(TableStyle::new().header_separator(line).bottom_border(line));
        table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
        let colours = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        if colours {
            table.enforce_styling();
        }
        Self { table, colours }
    }

    /// Adds a row that begins with `names`.
    pub fn add(&mut self, names: &[&str], decision: &Decision, latency: Duration) {
        let score = decision.score.map_or("-".to_owned(), |score| format!("{score:.3}"));
        let mut row: Vec<Cell> = names.iter().map(|name| Cell::new(printable(name))).collect();
        let mut state = Cell::new(decision.state);
        if self.colours {
            state = state.fg(colour(decision.state));
        }
        row.push(state);
        row.push(Cell::new(score).set_alignment(CellAlignment::Right));
        row.push(Cell::new(decision.reason));
        let time = format!("{:.1} ms", latency.as_secs_f64() * 1000.0);
        row.push(Cell::new(time).set_alignment(CellAlignment::Right));
        self.table.add_row(row);
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}

fn colour(state: State) -> Color {
    match state {
        State::Positive => Color::Red,
        State::Negative => Color::Green,
        State::Refer | State::Invalid => Color::Yellow,
        State::Fault => Color::Magenta,
    }
}

/// Which model answered, on which thresholds, for what it is meant and what it is not.
pub fn footer(model: &ModelFile) -> String {
    let m = &model.metadata;
    let (low, high) = (m.thresholds.negative_below, m.thresholds.positive_above);
    pairs([
        ("Model", format!("{} {}, SHA-256 {}", m.name, m.version, short(&model.sha256))),
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

/// Whether a property of a model is for people too: the gate's weights would fill a page and tell nothing; `--json` has them.
pub fn is_readable(key: &str) -> bool {
    ![key::LAYOUT, key::FEATURES].contains(&key)
}

/// The first digits of a hash: enough to tell models apart.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// Names and values in two columns, wrapped to the terminal, or to 100 columns where there is none.
pub fn pairs<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(100);
    }
    table.add_rows(rows.into_iter().map(|(name, value)| [name.to_owned(), printable(&value)]));
    table.trim_fmt()
}

/// Control characters in names could steer the terminal or fake a line; they are shown as the replacement character.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
