//! A configuration on its way into its file.

use crate::report;
use anyhow::{Context, Result};
use edge_runtime::setup::{Draft, replace};
use serde::Serialize;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

pub struct File {
    path: PathBuf,
    pub name: String,
    pub draft: Draft,
    pub is_new: bool,
}

/// What became of it.
#[derive(Serialize)]
pub struct Written<'a> {
    pub file: &'a str,
    /// The configuration of before; null where there was none, or nothing was written.
    pub backup: Option<String>,
    pub changes: &'a [edge_runtime::setup::Change],
}

impl File {
    /// One that is not there yet, of this text.
    pub fn new(path: &Path, text: &str) -> Result<Self> {
        let name = path.display().to_string();
        let draft = Draft::new(text).with_context(|| name.clone())?;
        Ok(Self { path: path.to_owned(), name, draft, is_new: true })
    }

    /// The file's text, or `shipped` where there is none.
    pub fn open(path: &Path, shipped: &str) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Self::new(path, shipped),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        Ok(Self { is_new: false, ..Self::new(path, &text)? })
    }

    /// Whether there is anything to write.
    pub fn is_due(&self) -> bool {
        self.is_new || !self.draft.changes().is_empty()
    }

    /// What is changed, as lines that go and lines that come.
    pub fn show(&self, out: &mut impl Write) -> io::Result<()> {
        if self.is_new {
            writeln!(out, "A new file: the default's text, changed by")?;
        }
        if self.draft.changes().is_empty() {
            writeln!(out, "nothing")?;
        }
        for change in self.draft.changes() {
            for (sign, value) in [('-', &change.before), ('+', &change.after)] {
                if let Some(value) = value {
                    writeln!(
                        out,
                        "{sign} [{}] {} = {}",
                        change.section,
                        change.key,
                        report::printable(value)
                    )?;
                }
            }
        }
        writeln!(out)
    }

    /// Writes it where it is due.
    pub fn write(&self) -> Result<Written<'_>> {
        let backup = if self.is_due() { replace(&self.path, self.draft.text())? } else { None };
        let backup = backup.map(|path| path.display().to_string());
        Ok(Written { file: &self.name, backup, changes: self.draft.changes() })
    }

    /// The same in words.
    pub fn say(&self, written: &Written, out: &mut impl Write) -> io::Result<()> {
        match &written.backup {
            Some(backup) => writeln!(out, "Written: {}; the one of before is {backup}\n", self.name),
            None if self.is_new => writeln!(out, "Written: {}\n", self.name),
            None => writeln!(out, "{} is as it was\n", self.name),
        }
    }
}
