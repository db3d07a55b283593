//! The log as a table: one row a line, for spreadsheets and statistics programs.

use super::read::{DecisionLine, LogReadError, Reader};
use std::io::{self, Write};
use std::path::Path;
use told::spreadsheet::cell;

const HEADER: [&str; 35] = [
    "seq",
    "time",
    "uptime_ms",
    "boot_id",
    "event",
    "detail",
    "source",
    "name",
    "name_sha256",
    "study_uid",
    "study_uid_sha256",
    "accession_number",
    "accession_number_sha256",
    "pictures",
    "frame_sha256",
    "preprocessing",
    "model_sha256",
    "model_version",
    "engine",
    "site_sha256",
    "prevalence",
    "negative_below",
    "positive_above",
    "familiar_widened_to",
    "logit",
    "score",
    "state",
    "reason_code",
    "reason",
    "shown_state",
    "shown_reason_code",
    "shown_reason",
    "agreeing",
    "needed",
    "latency_us",
];

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Read(#[from] LogReadError),
    #[error("cannot write the table: {0}")]
    Write(#[from] io::Error),
}

/// Writes the lines of the log at `path` that hold by themselves to `out`, as CSV (RFC 4180) with a
/// header. Returns how many were written and how many left out.
pub fn export(path: impl AsRef<Path>, out: impl Write) -> Result<(u64, u64), ExportError> {
    let mut reader = Reader::open(path)?;
    let mut table = csv::Writer::from_writer(out);
    let failed = |error: csv::Error| ExportError::Write(error.into());
    table.write_record(HEADER).map_err(failed)?;
    let mut rows = 0;
    for entry in &mut reader {
        let entry = entry?;
        let event = entry.event.as_ref().map_or("", |event| event["what"].as_str().unwrap_or("unknown"));
        let detail = entry.event.as_ref().map_or(String::new(), serde_json::Value::to_string);
        let mut row = vec![
            entry.seq.to_string(),
            entry.time,
            entry.uptime_ms.to_string(),
            entry.boot_id,
            event.to_owned(),
            detail,
        ];
        match entry.decision {
            Some(decision) => row.extend(fields(decision)),
            None => row.resize(HEADER.len(), String::new()),
        }
        table.write_record(&row).map_err(failed)?;
        rows += 1;
    }
    table.flush()?;
    Ok((rows, reader.damaged()))
}

/// The columns of a decision, those from `source` on.
fn fields(d: DecisionLine) -> [String; 29] {
    fn optional(value: Option<impl ToString>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    let no_formula = |text: String| cell(&text).into_owned();
    let exam = d.exam.unwrap_or_default();
    [
        no_formula(d.source),
        no_formula(d.name.unwrap_or_default()),
        optional(d.name_sha256),
        no_formula(exam.study_uid.unwrap_or_default()),
        optional(exam.study_uid_sha256),
        no_formula(exam.accession_number.unwrap_or_default()),
        optional(exam.accession_number_sha256),
        optional(d.pictures),
        optional(d.frame_sha256),
        d.preprocessing,
        d.model_sha256,
        no_formula(d.model_version),
        d.engine,
        d.site_sha256.unwrap_or_default(),
        optional(d.prior.map(|prior| prior.prevalence)),
        d.negative_below.to_string(),
        d.positive_above.to_string(),
        optional(d.familiar_widened_to),
        optional(d.logit),
        optional(d.score),
        d.state,
        d.reason.code.to_string(),
        d.reason.text,
        d.shown_state,
        d.shown_reason.code.to_string(),
        d.shown_reason.text,
        d.agreeing.to_string(),
        d.needed.to_string(),
        d.latency_us.to_string(),
    ]
}
