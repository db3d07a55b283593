//! A rule that is broken, and where.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule} of the exact form: {what}; the file was not written, this is a fault of the exporter")]
pub struct Violation {
    /// Number of the rule, 1..=9.
    pub rule: u8,
    /// Where, what was expected, what is there.
    pub what: String,
}

/// The error of a broken rule, as a result of whatever was being read.
pub(super) fn breaks_rule<T>(rule: u8, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { rule, what: what.into() })
}
