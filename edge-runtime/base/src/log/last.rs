//! The last decision of a log, without reading all of it.

use super::files::Files;
use super::line::{self, Checked};
use super::read::{DecisionLine, Entry};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// So much of the end of a file is looked through: many lines of any length.
const LOOKED_THROUGH: u64 = 64 * line::MAX as u64;

/// The last decision in the newest two files of the log at `path` that holds by itself; none where
/// there is no log, or no decision near its end.
pub fn last_decision(path: impl AsRef<Path>) -> io::Result<Option<DecisionLine>> {
    let files = Files::new(path.as_ref());
    let numbers = match files.list() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        numbers => numbers?,
    };
    for number in numbers.into_iter().take(2) {
        let bytes = end_of(&files.number(number), LOOKED_THROUGH)?;
        let lines = bytes.rsplit(|byte| *byte == b'\n').filter(|line| line::check(line).is_ok());
        let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
        if let Some(decision) = entries.into_iter().find_map(|entry| entry.decision) {
            return Ok(Some(decision));
        }
    }
    Ok(None)
}

/// The last line of a file that holds by itself; none where there is none near its end.
pub(super) fn last_line(path: &Path) -> io::Result<Option<Checked>> {
    let bytes = end_of(path, 4 * line::MAX as u64)?;
    Ok(bytes.rsplit(|byte| *byte == b'\n').find_map(|line| line::check(line).ok()))
}

fn end_of(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
