//! What the commands say.

use flash::key;
use serde::Serialize;
use std::io::{self, Write};

/// Says so where everybody has the private half of a key.
pub(super) fn warn_of_development(public: &[u8; 32]) {
    if key::is_development(public) {
        eprintln!(
            "warning: the development key, which everybody has: for boards on a desk only (firmware/boards/keys)"
        );
    }
}

/// What a command did, on standard output: as one JSON object, or in words.
pub(super) fn tell(json: bool, done: &impl Serialize, words: impl FnOnce() -> String) -> anyhow::Result<()> {
    let line = if json { serde_json::to_string(done)? } else { words() };
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}
