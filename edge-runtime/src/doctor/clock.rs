//! The clock, whose time every line of the log carries.

use super::{Finding, Machine};
use crate::self_test::{self, Verdict};
use std::time::SystemTime;

const SET: &str = "let it reach a time server, or set it by hand: `timedatectl set-time 'YYYY-MM-DD HH:MM:SS'`; \
                   without either, a clock with a battery (RTC) keeps it over a power cut";

/// Whether the clock was set, and whether somebody keeps it right.
pub fn clock(machine: &Machine, now: SystemTime) -> Finding {
    let set = self_test::clock(now);
    if set.verdict != Verdict::Ok {
        return Finding::of(set, SET);
    }
    // systemd-timesyncd touches this file once it has heard a server.
    if machine.path("/run/systemd/timesync/synchronized").exists() {
        return Finding::ok("clock", "set, and kept right by a time server");
    }
    let shown = machine.ask("timedatectl", &["show", "--property=NTPSynchronized", "--value"]);
    match shown.map(|answer| answer.said).as_deref() {
        Some("yes") => Finding::ok("clock", "set, and kept right by a time server"),
        Some("no") => Finding::warning("clock", "set, but no time server keeps it right", SET),
        _ => Finding::warning("clock", "set; whether anything keeps it right is not known here", SET),
    }
}
