//! The lines of lights and button: there, and free or the device's own.

use super::Finding;
use crate::config::{Lights, LineSpec};
use crate::signal::gpio::{self, CONSUMER, LineError, Place};

const WIRING: &str =
    "`edge-runtime devices` lists the lines; mend [lights] of the configuration, or the wiring";

/// Every line of the configuration; `running`: the device's service has them; `screen`: a screen is
/// let see what is shown.
pub fn lights(lights: &Lights, running: bool, screen: bool) -> Vec<Finding> {
    let mut findings: Vec<_> =
        lights.lines().map(|(key, spec)| line(key, spec, gpio::find(spec), running)).collect();
    if findings.is_empty() && screen {
        findings.push(Finding::ok("lights", "none; the screen only"));
    } else if findings.is_empty() {
        let found = "none, and no [screen] either: nobody sees an answer but on this terminal";
        findings.push(Finding::warning(
            "lights",
            found,
            "name the lines in [lights], or set [screen] folder",
        ));
    } else if lights.heartbeat.is_none() {
        let found = "no line: nobody can tell a dead device from a dark one";
        findings.push(Finding::warning(
            "heartbeat",
            found,
            "wire a small lamp, and name its line in [lights]",
        ));
    }
    findings
}

/// One line, where it was found or not.
pub fn line(key: &'static str, spec: &LineSpec, found: Result<Place, LineError>, running: bool) -> Finding {
    match found.map(|place| place.user) {
        Err(error) => Finding::failed(key, error.to_string(), WIRING),
        Ok(Some(user)) if user == CONSUMER && running => Finding::ok(key, format!("{spec}, the device's")),
        Ok(Some(user)) => Finding::failed(
            key,
            format!("{spec} is in use by `{}`", user.escape_debug()),
            "end that program, or choose another line",
        ),
        Ok(None) if running => Finding::warning(
            key,
            format!("{spec} is there, but the running device does not have it"),
            "`systemctl restart pneumoscope`: the configuration may have changed since its start",
        ),
        Ok(None) => Finding::ok(key, format!("{spec} is there and free")),
    }
}
