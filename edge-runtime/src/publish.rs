//! What the device lets a screen see: its status and the picture whose answer is shown, as files in
//! a folder in memory ([`status`]); and what a person acknowledged on that screen.
//!
//! ```text
//! loop --what is shown now--> slot --> thread --> folder
//! loop <--cases that were tapped--     thread <-- acknowledged.json
//! ```
//!
//! Principles:
//!
//! 1. Nothing here touches lights or log. The loop hands over what is newest and goes on; a folder
//!    that is full, gone or hangs is told to the engineer once, and tried again.
//! 2. A thread writes, and only what the loop has said since: a device that hangs becomes stale.
//! 3. The loop decides which picture is seen, by what it shows: a picture is never that of another
//!    case.
//! 4. Only the state machine decides whether a case may be acknowledged.

mod album;
mod figures;
mod slot;
mod snapshot;
mod taps;
mod thread;
mod writer;

use crate::capture::now_ms;
use crate::config::Screen;
use crate::log::Context;
use crate::run::{Run, StepReport};
use album::{Album, Taken};
use edge_core::State;
use edge_core::ports::Clock;
use edge_core::worklist::{CaseId, Progress};
use edge_model::activation::ActivationMapper;
use edge_model::engine::Engine;
use edge_model::model_file::ModelFile;
use slot::Slot;
use snapshot::{About, Others};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use taps::Taps;
use writer::Writer;

/// How long a device that ends waits for the folder to be emptied.
const PATIENCE: Duration = Duration::from_secs(2);

/// The loop's end. Dropped, it leaves nothing in the folder.
pub struct Publisher {
    slot: Arc<Slot>,
    thread: JoinHandle<()>,
    album: Album,
    pictures: bool,
    /// What was handed over last; none where the slot was not free.
    told: Option<Told>,
    /// Since when what is lit has been.
    since: Option<(Lit, u64)>,
    trouble: Option<String>,
    troubles: u64,
    taps: Vec<(CaseId, u16)>,
}

/// What is lit, and which case is named: the one that has its turn, else the worst, of which a screen
/// must know when it became that. The numbers of a reason may change with every frame; its kind does
/// not.
type Lit = (Option<(State, u8)>, Option<CaseId>);

/// What is written for at once when it changes.
#[derive(Clone, Copy, PartialEq)]
struct Told {
    lit: Lit,
    others: Option<Others>,
    picture: Option<u64>,
    troubles: u64,
}

impl Publisher {
    /// Starts the thread; none where no folder is configured.
    ///
    /// # Errors
    /// The thread cannot be started, or the model not be packed: then a device goes on without.
    pub fn start(
        screen: &Screen,
        device: &str,
        context: &Context,
        model: &ModelFile,
    ) -> io::Result<Option<Self>> {
        let Some(folder) = &screen.folder else { return Ok(None) };
        let about = About::new(device, context, model);
        let taps = screen.acknowledge.as_ref().map(|file| Taps::new(file.clone(), about.run.clone()));
        let mapper = screen.picture.then(|| ActivationMapper::new(model)).transpose();
        let writer = Writer::new(folder.clone(), about, mapper.map_err(io::Error::other)?);
        let slot = Arc::<Slot>::default();
        let theirs = Arc::clone(&slot);
        let body = move || thread::attend(&theirs, writer, taps);
        let thread = std::thread::Builder::new().name("publish".into()).spawn(body)?;
        Ok(Some(Self {
            slot,
            thread,
            album: Album::default(),
            pictures: screen.picture,
            told: None,
            since: None,
            trouble: None,
            troubles: 0,
            taps: Vec::new(),
        }))
    }

    /// What a turn of the loop brought, and what is wrong beside it. Never waits; allocates nothing
    /// for a camera's frame once the first ones have been seen.
    pub fn tell<E: Engine, C: Clock>(
        &mut self,
        run: &mut Run<E, C>,
        report: &StepReport,
        trouble: Option<&str>,
    ) {
        if let Some(frame) = report.answered.as_ref().filter(|frame| self.pictures && frame.logged)
            && let Some(reduced) = run.reduced()
        {
            self.album.put(frame, reduced);
        }
        let now = now_ms();
        let view = report.cases.as_ref().map(|cases| cases.view);
        let named = view.and_then(|view| view.turn.or(view.worst));
        let lit: Lit = (report.shown.map(|shown| (shown.state, shown.reason.code())), named);
        if self.since.is_none_or(|(was, _)| was != lit) {
            self.since = Some((lit, now));
        }
        let since_ms = self.since.map_or(now, |(_, since_ms)| since_ms);
        if self.trouble.as_deref() != trouble {
            self.trouble = trouble.map(str::to_owned);
            self.troubles += 1;
        }
        let picture = self.picture(report).cloned();
        let others = report.cases.as_ref().map(Others::of);
        // A camera's next picture can wait until the status is due again, however many come.
        let number = picture.as_ref().filter(|_| others.is_some()).map(|picture| picture.number);
        let told = Told { lit, others, picture: number, troubles: self.troubles };
        // The thread holds the slot for a moment; else the next turn tells it.
        let Some(mut slot) = self.slot.free() else { return };
        let snapshot = &mut slot.snapshot;
        snapshot.monotonic_ms = now;
        snapshot.device_ms = run.now_ms();
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        snapshot.unix_ms = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
        (snapshot.shown, snapshot.shown_since_ms) = (report.shown, since_ms);
        snapshot.score = report.score.filter(|_| report.shown.is_some_and(|s| s.state != State::Fault));
        snapshot.others = others;
        snapshot.cases.clear();
        snapshot.cases.extend(run.listed());
        snapshot.picture = picture;
        snapshot.trouble.clone_from(&self.trouble);
        if others.is_some() {
            // Of a case that nobody needs to look at any more no picture is kept.
            let open = |progress| !matches!(progress, Progress::Acknowledged | Progress::Done);
            let cases = &snapshot.cases;
            self.album.keep(|id| cases.iter().any(|case| case.id == id && open(case.progress)));
        }
        slot.fresh = true;
        if self.told != Some(told) {
            slot.urgent = true;
            self.slot.notify();
        }
        self.told = Some(told);
    }

    /// The picture whose answer is shown. Where the lamps are dark, and under a FAULT, there is none.
    fn picture(&self, report: &StepReport) -> Option<&Arc<Taken>> {
        report.shown.filter(|shown| shown.state != State::Fault)?;
        match &report.cases {
            None => self.album.newest(),
            Some(cases) => self.album.of(cases.view.turn.or(cases.view.worst)?),
        }
    }

    /// The cases that were tapped since this was asked last, with how many pictures each had then.
    pub fn taps(&mut self) -> impl Iterator<Item = (CaseId, u16)> {
        if let Some(mut slot) = self.slot.free() {
            std::mem::swap(&mut slot.taps, &mut self.taps);
        }
        self.taps.drain(..)
    }

    /// What went wrong since this was asked last, for an engineer.
    pub fn problems(&mut self) -> Vec<String> {
        self.slot.free().map(|mut slot| std::mem::take(&mut slot.problems)).unwrap_or_default()
    }

    /// Ends it, and says what went wrong to the end.
    pub fn end(self) -> Vec<String> {
        self.stop();
        std::mem::take(&mut self.slot.content().problems)
    }

    /// One that hangs in a call of the system's is left behind.
    fn stop(&self) {
        let start = Instant::now();
        if self.slot.end() {
            while !self.thread.is_finished() && start.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
