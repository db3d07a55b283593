//! The list of pictures that a person has read, as CSV with a header: `path` or `name`, `label`,
//! and where it is known `score`.

use std::collections::HashMap;
use std::io;

#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Line in the file, from 1; the header is line 1.
    pub line: u64,
    /// Path or name of the picture.
    pub name: String,
    pub label: bool,
    /// The model's calibrated score, 0..=1.
    pub score: Option<f32>,
}

#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// It cannot be read or is no UTF-8.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    #[error("expected a column `{0}` in the first line; see `edge-runtime calibrate --help`")]
    Column(&'static str),
    #[error("line {line}: expected {expected}, got `{}`", got.escape_debug())]
    Row {
        /// Line in the file, from 1.
        line: u64,
        expected: &'static str,
        got: String,
    },
    #[error("line {line}: `{}` is in line {first} already; each picture counts once", name.escape_debug())]
    Twice {
        /// Line in the file, from 1.
        line: u64,
        first: u64,
        name: String,
    },
}

pub fn read(mut from: impl io::Read) -> Result<Vec<Case>, CasesError> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).map_err(csv::Error::from)?;
    let mut table = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(&bytes[..]);
    let header = table.headers()?.clone();
    let column =
        |name: &str| header.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
    let name_column = column("path").or_else(|| column("name")).ok_or(CasesError::Column("path"))?;
    let label_column = column("label").ok_or(CasesError::Column("label"))?;
    let score_column = column("score");
    let mut seen = HashMap::new();
    let mut cases = Vec::new();
    for row in table.records() {
        let row = row?;
        let line = row.position().map_or(0, |position| line(&bytes, position));
        let field = |column| row.get(column).unwrap_or_default();
        let wrong = |expected, got: &str| CasesError::Row { line, expected, got: got.to_owned() };
        if row.len() != header.len() {
            let got = row.iter().collect::<Vec<_>>().join(",");
            return Err(wrong("as many fields as in the first line", &got));
        }
        let name = field(name_column);
        if name.is_empty() {
            return Err(wrong("the path or name of a picture", name));
        }
        let label = match field(label_column) {
            text if text == "1" || text.eq_ignore_ascii_case("PNEUMONIA") => true,
            text if text == "0" || text.eq_ignore_ascii_case("NORMAL") => false,
            text => return Err(wrong("a label NORMAL or PNEUMONIA, or 0 or 1", text)),
        };
        let score = match score_column.map(field) {
            None => None,
            Some(text) => {
                let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
                Some(score.ok_or_else(|| wrong("a score of 0 to 1", text))?)
            }
        };
        if let Some(first) = seen.insert(name.to_owned(), line) {
            return Err(CasesError::Twice { line, first, name: name.to_owned() });
        }
        cases.push(Case { line, name: name.to_owned(), label, score });
    }
    Ok(cases)
}

/// The line of a row whose position is where the parser began to look for it: before the line ends
/// and empty lines that it skips.
fn line(bytes: &[u8], position: &csv::Position) -> u64 {
    let from = usize::try_from(position.byte()).ok().and_then(|byte| bytes.get(byte..)).unwrap_or_default();
    let skipped = from.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    position.line() + skipped.filter(|byte| **byte == b'\n').count() as u64
}
