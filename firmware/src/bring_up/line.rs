//! What a check says.

/// One check's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// What was checked.
    pub check: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What a board that is wired well gives.
    pub expected: Value,
    /// What this one gave.
    pub came: Value,
    /// The wires to look at, by their names in `board.toml`; empty where it is none.
    pub wires: [&'static str; 2],
    /// What may be wrong; empty where nothing is.
    pub look: &'static str,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not so.
    Failed,
    /// It could not be made.
    Skipped,
}

impl Outcome {
    /// The word for it in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What was expected, or came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A state of a line or a thing.
    Word(&'static str),
    /// A count.
    Number(u32),
    /// A register's content.
    Hex(u32),
}

/// Takes what the checklist says.
pub trait Report {
    /// A result.
    fn line(&mut self, line: &Line);

    /// A picture of so many pixels follows.
    fn picture(&mut self, width: u16, height: u16);

    /// Grey pixels of `row` from `column` on. It may wait until they are taken.
    fn pixels(&mut self, row: u16, column: u16, pixels: &[u8]);
}

impl Line {
    /// As expected.
    pub(super) const fn passed(check: &'static str, came: Value) -> Self {
        Self { check, outcome: Outcome::Passed, expected: came, came, wires: ["", ""], look: "" }
    }

    /// Another thing came.
    pub(super) const fn failed(
        check: &'static str,
        expected: Value,
        came: Value,
        wires: [&'static str; 2],
        look: &'static str,
    ) -> Self {
        Self { check, outcome: Outcome::Failed, expected, came, wires, look }
    }

    /// It was not checked, for this reason.
    pub(super) const fn skipped(check: &'static str, look: &'static str) -> Self {
        let none = Value::Word("-");
        Self { check, outcome: Outcome::Skipped, expected: none, came: none, wires: ["", ""], look }
    }
}
