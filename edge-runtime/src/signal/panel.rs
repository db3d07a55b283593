//! The thread that drives the lights: a pattern needs a steady hand, whatever the main loop is busy
//! with.

use crate::capture::now_ms;
use crate::run::FrontPanel;
use edge_core::agree::Indication;
use edge_core::ports::LampDriver;
use edge_core::signal::{self, Debounce, LIGHT_TEST_MS, LampSet, Pattern};
use edge_core::{Reason, State};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the lights are set. A pattern's edges are off by at most this.
const TICK: Duration = Duration::from_millis(25);

/// How long to wait between two attempts at a lost line, in milliseconds.
const RETRY_MS: u64 = 1000;

/// What a panel drives: lamps and a button that may be lost and come back.
pub trait PanelLines: LampDriver + Send {
    /// Whether the button's contact is closed; none without a button, or while it is lost.
    fn closed(&mut self) -> Option<bool>;

    /// Looks for what is lost, once.
    fn reopen(&mut self);

    /// What is lost and why, in words; none while all work.
    fn problem(&self) -> Option<String>;
}

#[derive(Clone, Debug)]
pub struct Options {
    /// FAULT is shown by itself when the panel was not fed for so many milliseconds.
    pub fed_within_ms: u32,
    /// How long the button must hold, in milliseconds.
    pub debounce_ms: u16,
    /// Whether every lamp is shown at start.
    pub test: bool,
    /// Shows the safe pattern as soon as it is set, and for good: see [`super::stop_on_signals`].
    pub stop: Arc<AtomicBool>,
}

/// The lights of the device. Dropped, it leaves the safe pattern behind. Nothing is allocated by a
/// call.
pub struct LightsThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    mailbox: Mutex<Mailbox>,
    changed: Condvar,
}

/// What main loop and thread have to tell each other.
struct Mailbox {
    shown: Option<Indication>,
    fed_ms: u64,
    pressed: bool,
    failed: LampSet,
    problem: Option<String>,
    end: bool,
}

impl Shared {
    /// A panic while the mailbox was locked leaves nothing half written that would matter.
    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LightsThread {
    /// Starts the thread; until something is shown, it shows the light test and then FAULT.
    pub fn start(lines: impl PanelLines + 'static, options: Options) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            mailbox: Mutex::new(Mailbox {
                shown: Some(Indication { state: State::Fault, reason: Reason::Starting }),
                fed_ms: now_ms(),
                pressed: false,
                failed: LampSet::NONE,
                problem: None,
                end: false,
            }),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let first = if options.test { Pattern::LightTest } else { Pattern::State(State::Fault) };
        let panel = signal::PatternPlayer::new(lines, first, now_ms());
        let body = move || Driver { panel, shared: theirs }.run(&options);
        let thread = std::thread::Builder::new().name("lights".into()).spawn(body)?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

/// To show something feeds the panel.
impl FrontPanel for LightsThread {
    fn show(&self, shown: Option<Indication>) {
        let mut mailbox = self.shared.mailbox();
        mailbox.fed_ms = now_ms();
        let new = Pattern::of(mailbox.shown) != Pattern::of(shown);
        mailbox.shown = shown;
        if new {
            self.shared.changed.notify_one();
        }
    }

    fn pressed(&self) -> bool {
        std::mem::take(&mut self.shared.mailbox().pressed)
    }

    /// All of them where the thread has died.
    fn failed(&self) -> LampSet {
        self.shared.mailbox().failed
    }

    fn problem(&self) -> Option<String> {
        self.shared.mailbox().problem.clone()
    }
}

impl Drop for LightsThread {
    fn drop(&mut self) {
        self.shared.mailbox().end = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // Its own panic was reported, and left the safe pattern too.
            let _ = thread.join();
        }
    }
}

/// The thread's own: the lines, which it leaves in the safe pattern however it ends.
struct Driver<R: PanelLines> {
    panel: signal::PatternPlayer<R>,
    shared: Arc<Shared>,
}

impl<R: PanelLines> Driver<R> {
    fn run(mut self, options: &Options) {
        let start = now_ms();
        let (mut problem, mut tried) = (false, start);
        let mut button = Debounce::new(options.debounce_ms.into());
        loop {
            let now = now_ms();
            let mailbox = self.shared.mailbox();
            let (shown, fed_ms, end) = (mailbox.shown, mailbox.fed_ms, mailbox.end);
            drop(mailbox);
            if end {
                return;
            }
            let stopped = options.stop.load(Ordering::Relaxed);
            let fed = now.saturating_sub(fed_ms) <= options.fed_within_ms.into();
            let before = self.panel.failed();
            let pattern = if stopped {
                Pattern::Safe
            } else if options.test && now - start < LIGHT_TEST_MS {
                Pattern::LightTest
            } else if !fed || before.any_state_lamp() {
                // With a lamp missing, what the others show could be taken for another answer.
                Pattern::State(State::Fault)
            } else {
                Pattern::of(shown)
            };
            self.panel.show(pattern, now);
            self.panel.tick(now, fed && !stopped);
            let failed = self.panel.failed();
            let lines = self.panel.lamps();
            let pressed = lines.closed().is_some_and(|closed| button.update(closed, now));

            let wrong = lines.problem();
            if wrong.is_some() && now - tried >= RETRY_MS {
                tried = now;
                lines.reopen();
            }
            let mut mailbox = self.shared.mailbox();
            mailbox.failed = failed;
            mailbox.pressed |= pressed;
            if wrong.is_some() || problem {
                problem = wrong.is_some();
                mailbox.problem = wrong;
            }
            // A lamp that was lost or found changes the pattern: at once, not a tick later. So does what came
            // meanwhile.
            if failed.any_state_lamp() == before.any_state_lamp()
                && Pattern::of(mailbox.shown) == Pattern::of(shown)
                && !mailbox.end
            {
                let _ = self.shared.changed.wait_timeout(mailbox, TICK);
            }
        }
    }
}

impl<R: PanelLines> Drop for Driver<R> {
    fn drop(&mut self) {
        let now = now_ms();
        self.panel.show(Pattern::Safe, now);
        self.panel.tick(now, false);
        self.shared.mailbox().failed = LampSet::ALL;
    }
}
