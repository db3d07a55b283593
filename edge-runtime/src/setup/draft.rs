//! A configuration's text, of which single keys are changed; its comments, and all else, stay.

use serde::Serialize;
use toml::{Table, Value};

/// Most lines that one value takes.
const MOST_LINES: usize = 100;

/// A text on its way to become a configuration.
#[derive(Clone, Debug)]
pub struct Draft {
    text: String,
    changes: Vec<Change>,
}

/// One key, before and after, as written in TOML; none where it is not set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub section: &'static str,
    pub key: &'static str,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    #[error("expected TOML: {0}; mend it by hand, or move it away and have a new one written")]
    NoToml(String),
    #[error("[{section}] {key} cannot be changed by itself in the form that this file has; edit it by hand")]
    Form { section: &'static str, key: &'static str },
}

impl Draft {
    /// # Errors
    /// [`DraftError::NoToml`].
    pub fn new(text: &str) -> Result<Self, DraftError> {
        table(text)?;
        Ok(Self { text: text.to_owned(), changes: Vec::new() })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is not as it was, in the order in which it was changed.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Sets a key, or comments it out where there is no value. That nothing else has changed is
    /// checked on the text's meaning.
    ///
    /// # Errors
    /// [`DraftError::Form`]: the text stays as it was.
    pub fn set(
        &mut self,
        section: &'static str,
        key: &'static str,
        value: Option<Value>,
    ) -> Result<(), DraftError> {
        let mut wanted = table(&self.text)?;
        let in_section = wanted.get(section).and_then(Value::as_table).cloned().unwrap_or_default();
        let before = in_section.get(key).cloned();
        if before == value {
            return Ok(());
        }
        let mut entries = in_section;
        match &value {
            Some(value) => entries.insert(key.to_owned(), value.clone()),
            None => entries.remove(key),
        };
        wanted.insert(section.to_owned(), Value::Table(entries));
        let text = edited(&self.text, section, key, value.as_ref());
        if table(&text).ok().as_ref() != Some(&wanted) {
            return Err(DraftError::Form { section, key });
        }
        self.text = text;
        let [before, after] = [before, value].map(|value| value.map(|value| value.to_string()));
        self.changes.push(Change { section, key, before, after });
        Ok(())
    }
}

fn table(text: &str) -> Result<Table, DraftError> {
    text.parse().map_err(|error: toml::de::Error| DraftError::NoToml(error.message().to_owned()))
}

/// The text with the key's lines replaced: those that set it, else an example of it that is
/// commented out (`#key = ...`), else a new line at the end of its section.
fn edited(text: &str, section: &str, key: &str, value: Option<&Value>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_header = |line: &String| line.trim_start().starts_with('[');
    let header = format!("[{section}]");
    let begin =
        lines.iter().position(|line| line.split('#').next().is_some_and(|line| line.trim() == header));
    let begin = begin.unwrap_or_else(|| {
        lines.extend([String::new(), header.clone()]);
        lines.len() - 1
    });
    // A value of several lines may have one that begins with a bracket.
    let mut end = begin + 1;
    while end < lines.len() && !is_header(&lines[end]) {
        end += extent(&lines[end..]);
    }
    let end = end.min(lines.len());
    let names = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    let set = (begin + 1..end).find(|&at| names(lines[at].trim_start()));
    let example = || (begin + 1..end).find(|&at| lines[at].strip_prefix('#').is_some_and(names));
    let new = value.map(|value| format!("{key} = {value}"));
    match (set, new) {
        (Some(at), Some(new)) => {
            let many = extent(&lines[at..]);
            lines.splice(at..at + many, [new]);
        }
        (Some(at), None) => {
            let many = extent(&lines[at..]);
            lines[at..at + many].iter_mut().for_each(|line| line.insert(0, '#'));
        }
        (None, Some(new)) => match example() {
            Some(at) => lines[at] = new,
            None => {
                let filled = (begin..end).rev().find(|&at| !lines[at].trim().is_empty()).unwrap_or(begin);
                lines.insert(filled + 1, new);
            }
        },
        (None, None) => {}
    }
    lines.join("\n") + "\n"
}

/// How many lines the value takes that begins with the first one; 1 where it is none.
fn extent(lines: &[String]) -> usize {
    let mut value = String::new();
    for (at, line) in lines.iter().take(MOST_LINES).enumerate() {
        value.push_str(line);
        value.push('\n');
        if value.parse::<Table>().is_ok() {
            return at + 1;
        }
    }
    1
}
