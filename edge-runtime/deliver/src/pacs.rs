//! From the outbox to an archive, by DICOM: for each decision on a DICOM file of the watched folder a
//! report and, where the answer can be drawn, a picture. Nothing is said of a patient that did not come
//! with the file.

pub mod archive;
mod dataset;
mod fragments;
mod image;
mod report;
mod response;
mod source;

use crate::backoff::Backoff;
use crate::board::{Phase, Place};
use crate::config::{Loaded, Pacs};
use crate::cursor_file::CursorStore;
use crate::outbox::Outbox;
use anyhow::{Context, Result};
use archive::{Archive, Stored};
use base::log::{Entry, Hash, Step};
use source::{Failed, Judged, Source};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often the log is looked at for new lines.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// So often in a row the device's program may fail over a file while it draws the picture; then it is
/// asked for none, which takes less memory.
const DRAWN_MOST: u32 = 3;

/// So often in all: the waits between them are nine minutes together, unless they are set shorter.
const FAILED_MOST: u32 = 10;

/// Whether the archive answers C-ECHO.
pub fn echo(pacs: &Pacs) -> Result<()> {
    let mut archive = Archive::connect(pacs)?;
    archive.echo()?;
    archive.release()
}

/// Delivers until the flag is set.
pub fn deliver<S: CursorStore>(loaded: &Loaded, outbox: Outbox<S>, place: &Place, stop: &AtomicBool) {
    let backoff = Backoff::up_to(loaded.config.pacs.retry_max_s);
    Destination { loaded, outbox, place, stop, backoff, failures: 0 }.run();
}

struct Destination<'a, S> {
    loaded: &'a Loaded,
    outbox: Outbox<S>,
    place: &'a Place,
    stop: &'a AtomicBool,
    backoff: Backoff,
    /// How often the device's program has failed over the file that is to be sent.
    failures: u32,
}

/// What became of a line.
enum Outcome {
    Sent,
    /// No decision on a DICOM file that is there.
    NotForIt,
    /// Why it, or a part of it, was not sent and never will be.
    Refused(String),
}

impl<S: CursorStore> Destination<'_, S> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn wait(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        while !self.stopped() && Instant::now() < until {
            thread::sleep(LOOK_EVERY.min(until - Instant::now()));
            self.outbox.save(false);
        }
    }

    fn run(&mut self) {
        self.place.set(|place| place.last = self.outbox.last());
        self.knock();
        while !self.stopped() {
            match self.outbox.next_line() {
                Ok(Some(line)) => {
                    self.place.set(|place| place.gaps += u64::from(line.gap.is_some()));
                    self.send_until_sent(&line.entry, line.step);
                }
                Ok(None) => {
                    self.outbox.save(true);
                    let trouble = self.outbox.trouble().map(str::to_owned);
                    self.place.set(|place| place.trouble = trouble);
                    self.wait(LOOK_EVERY);
                }
                Err(error) => {
                    self.place.set(|place| place.trouble = Some(error.to_string()));
                    self.wait(LOOK_EVERY);
                }
            }
        }
        self.outbox.save(true);
    }

    /// Whether the archive answers, until it does: nothing may be due for days.
    fn knock(&mut self) {
        while !self.stopped() {
            match echo(&self.loaded.config.pacs) {
                Ok(()) => return self.reached(),
                Err(why) => self.failed(&why),
            }
        }
    }

    fn reached(&mut self) {
        self.backoff.succeeded();
        self.place.set(|place| (place.phase, place.why, place.next_attempt) = (Phase::Connected, None, None));
    }

    /// Waits for the next attempt, and says why.
    fn failed(&mut self, why: &anyhow::Error) {
        let wait = self.backoff.failed();
        self.place.waits(why, wait);
        self.wait(wait);
    }

    fn send_until_sent(&mut self, entry: &Entry, step: Step) {
        self.failures = 0;
        while !self.stopped() {
            let outcome = match self.send(entry) {
                Ok(outcome) => outcome,
                Err(why) => {
                    self.failures += u32::from(why.is::<Failed>());
                    self.failed(&why);
                    continue;
                }
            };
            self.backoff.succeeded();
            self.outbox.delivered(step);
            self.outbox.save(matches!(outcome, Outcome::Sent));
            self.place.delivered(self.outbox.last());
            self.place.set(|place| {
                (place.phase, place.next_attempt) = (Phase::Connected, None);
                match outcome {
                    Outcome::Sent => place.why = None,
                    Outcome::NotForIt => place.not_for_it += 1,
                    Outcome::Refused(why) => {
                        let why = format!("line {}: {why}", entry.seq);
                        // At once, for the next line may change what `status` shows.
                        let _ = writeln!(std::io::stderr(), "pacs: {}", why.escape_debug());
                        (place.refused, place.why) = (place.refused + 1, Some(why));
                    }
                }
            });
            return;
        }
    }

    fn send(&mut self, entry: &Entry) -> Result<Outcome> {
        let loaded = self.loaded;
        let pacs = &loaded.config.pacs;
        let (Some(folder), Some(decision)) = (&loaded.folder, &entry.decision) else {
            return Ok(Outcome::NotForIt);
        };
        let Some(frame) = decision.frame_sha256 else { return Ok(Outcome::NotForIt) };
        let Some(source) = Source::of(folder, decision)? else { return Ok(Outcome::NotForIt) };
        if self.failures >= FAILED_MOST {
            return Ok(Outcome::Refused(format!(
                "{} failed {} times over the file; nothing was sent",
                pacs.program.display(),
                self.failures
            )));
        }
        let draws = pacs.images && self.failures < DRAWN_MOST;
        let drawings = tempfile::tempdir().context("no room for the drawn picture")?;
        let drawn = drawings.path().join("drawn.png");
        let answer = match source.judge(loaded, decision, draws.then_some(&drawn))? {
            Judged::Answer(answer) => answer,
            Judged::Unusable { error, .. } => {
                source.is_there()?;
                return Ok(Outcome::Refused(format!(
                    "the file cannot be judged any more: {error}; nothing was sent"
                )));
            }
        };
        // Only what fails over and over again counts; where it draws no more that stays so.
        if draws {
            self.failures = 0;
        }
        let same: Hash = answer.frame_sha256;
        if same != frame {
            let why =
                "the file of that name is another picture now than the one that was judged; nothing was sent";
            return Ok(Outcome::Refused(why.to_owned()));
        }
        let Some((name, object)) = report::report(&source, entry) else { return Ok(Outcome::NotForIt) };
        let mut archive = Archive::connect(pacs).context("the archive")?;
        let mut refused = kind("report", archive.store(report::CLASS, (&name, &object), None)?);
        if pacs.images && !draws {
            let why = format!(
                "the report was sent without a picture: {} failed {} times while it drew it",
                pacs.program.display(),
                self.failures
            );
            refused = refused.or(Some(why));
        }
        if drawn.exists() {
            if answer.is(decision) {
                let pixels = image::Pixels::open(&drawn)?;
                let (name, object) = image::image(&source, entry, &pixels);
                let stored = archive.store(image::CLASS, (&name, &object), Some(pixels))?;
                refused = refused.or(kind("picture", stored));
            } else {
                let why = "the report was sent without a picture: model, site's thresholds, prevalence or rectangle \
                           are not those that it would be drawn with";
                refused = refused.or(Some(why.to_owned()));
            }
        }
        // What was confirmed is there, however the association ends.
        let _ = archive.release();
        Ok(refused.map_or(Outcome::Sent, Outcome::Refused))
    }
}

/// What is said where an instance was not taken.
fn kind(what: &str, stored: Stored) -> Option<String> {
    match stored {
        Stored::Yes => None,
        Stored::Refused(None) => Some(format!("the archive takes no {what} of this kind")),
        Stored::Refused(Some(status)) => Some(format!("the archive refused the {what}: status {status:04X}")),
    }
}
