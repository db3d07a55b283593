//! Restarting the service, so that it takes what was changed.

use crate::outcome::Outcome;
use anyhow::{Context, Result, ensure};
use std::process::{Command, Stdio};

const UNIT: &str = "pneumoscope.service";

/// Restarts the service if it runs and somebody asked for it; nothing after a command that did not do its work.
pub fn if_wished(wished: bool, done: Outcome) -> Result<Outcome> {
    if !wished || done != Outcome::Complete {
        return Ok(done);
    }
    // What it says is not the answer.
    let status = Command::new("systemctl").args(["try-restart", UNIT]).stdout(Stdio::null()).status();
    let status = status.context("the model is changed, but `systemctl` cannot be started")?;
    ensure!(status.success(), "the model is changed, but the service was not restarted ({status})");
    Ok(done)
}
