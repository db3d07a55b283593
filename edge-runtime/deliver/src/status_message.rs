//! The retained message that says how a device is. The broker keeps the last one, and sends the one
//! with `online: false` by itself when the connection is gone.

use crate::config::Loaded;
use crate::message::Sender;
use crate::moment::Moment;
use anyhow::Result;
use base::clock::monotonic_ms;
use base::log::{Entry, Point, newest};
use edge_core::State;
use serde::Serialize;
use status::Status;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const SCHEMA: &str = "pneumoscope/v1/status";

/// How often it is looked at whether anything has changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Form<'a> {
    schema: &'static str,
    #[serde(flatten)]
    sender: &'a Sender,
    online: bool,
    #[serde(flatten)]
    online_form: Option<OnlineForm<'a>>,
}

#[derive(Serialize)]
struct OnlineForm<'a> {
    version: &'static str,
    time: Moment,
    #[serde(flatten)]
    shown: Shown<'a>,
    delivered: Option<u64>,
    behind: Option<u64>,
}

/// What is sent at once when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Shown<'a> {
    device_alive: Option<bool>,
    fault: Option<&'a str>,
}

/// The last will.
pub fn offline(sender: &Sender) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Form { schema: SCHEMA, sender, online: false, online_form: None })?)
}

/// What is known of the device.
pub struct Seen {
    log: PathBuf,
    status: PathBuf,
    has_status: bool,
    /// What the lines that were read say; the device itself knows better where it tells.
    fault: Option<String>,
    looked: Option<Instant>,
    /// When the last message was made, and what it showed.
    sent: Option<(Instant, Option<bool>, Option<String>)>,
}

impl Seen {
    pub fn new(loaded: &Loaded) -> Self {
        let (log, status) = (loaded.log.clone(), loaded.config.device.status.clone());
        Self { log, status, has_status: loaded.has_status, fault: None, looked: None, sent: None }
    }

    /// A line was read: faults begin and end there. A start ends what a power cut left open.
    pub fn line(&mut self, entry: &Entry) {
        let Some(event) = &entry.event else { return };
        match event["what"].as_str() {
            Some("fault_began") => self.fault = event["reason"]["text"].as_str().map(str::to_owned),
            Some("fault_ended" | "started") => self.fault = None,
            _ => {}
        }
    }

    /// The message where it is due: something has changed, or `every` seconds have passed.
    pub fn status(
        &mut self,
        sender: &Sender,
        delivered: Option<Point>,
        every: u32,
    ) -> Result<Option<Vec<u8>>> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return Ok(None);
        }
        self.looked = Some(Instant::now());
        let (device_alive, told) = self.device();
        let fault = told.unwrap_or_else(|| self.fault.clone());
        let every = Duration::from_secs(every.into());
        let same = self.sent.as_ref().is_some_and(|(when, alive, was)| {
            (*alive, was) == (device_alive, &fault) && when.elapsed() < every
        });
        if same {
            return Ok(None);
        }
        let delivered = delivered.map(|point| point.seq);
        let newest = newest(&self.log).ok().flatten().map(|point| point.seq);
        let behind = newest.map(|newest| match delivered {
            Some(delivered) => newest.saturating_sub(delivered),
            None => newest.saturating_add(1),
        });
        let shown = Shown { device_alive, fault: fault.as_deref() };
        let (version, time) = (env!("CARGO_PKG_VERSION"), Moment::now());
        let online_form = Some(OnlineForm { version, time, shown, delivered, behind });
        let message = serde_json::to_vec(&Form { schema: SCHEMA, sender, online: true, online_form })?;
        self.sent = Some((Instant::now(), device_alive, fault));
        Ok(Some(message))
    }

    /// A new connection: the broker has told that this device is gone.
    pub fn anew(&mut self) {
        (self.looked, self.sent) = (None, None);
    }

    /// Whether the device lives, and the fault that it shows: none where it writes no status. A service
    /// that has stopped takes its status along.
    fn device(&self) -> (Option<bool>, Option<Option<String>>) {
        match status::read::<Status>(&self.status) {
            Ok(status) if status.holds(monotonic_ms()) => {
                let fault = status.shown.filter(|shown| shown.state == State::Fault);
                (Some(true), Some(fault.map(|shown| shown.reason.to_string())))
            }
            _ if self.has_status || self.status.exists() => (Some(false), None),
            _ => (None, None),
        }
    }
}
