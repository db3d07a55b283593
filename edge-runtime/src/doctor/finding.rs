//! What one check came to.

use crate::self_test::{Check, Verdict};
use serde::Serialize;

/// What was found, and what to do where it is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub verdict: Verdict,
    pub found: String,
    /// None where all is well.
    pub remedy: Option<String>,
}

impl Finding {
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), remedy: None }
    }

    /// The device works, but somebody should see to it.
    pub fn warning(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warning, found: found.into(), remedy: Some(remedy.into()) }
    }

    /// The device does not work, or what it says cannot be relied on.
    pub fn failed(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Failed, found: found.into(), remedy: Some(remedy.into()) }
    }

    /// A check of the self-test, with what to do where it is not as it must be.
    pub fn of(check: Check, remedy: &str) -> Self {
        let Check { name, verdict, detail: found } = check;
        Self { name, verdict, found, remedy: (verdict != Verdict::Ok).then(|| remedy.to_owned()) }
    }

    /// Whether none of them failed.
    pub fn all_pass(findings: &[Self]) -> bool {
        findings.iter().all(|finding| finding.verdict != Verdict::Failed)
    }
}
