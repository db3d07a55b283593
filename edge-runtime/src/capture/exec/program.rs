//! The thread that watches over a program: it takes all that comes, keeps the newest frame, and
//! ends the program when it is silent, writes no frames, or is not wanted any more.

use super::last_words::LastWords;
use super::process::Process;
use crate::capture::now_ms;
use edge_model::frame_stream::{FrameSplitter, StreamFormat};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStderr, ChildStdout, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often the thread looks whether it is to end, at least.
const TURN: Duration = Duration::from_millis(50);
/// How long a program whose stream has ended may take to end by itself.
const MOMENT: Duration = Duration::from_millis(500);
/// How long one may take that was asked to end, before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long the device waits for all that when it ends itself.
const FAREWELL: Duration = Duration::from_secs(5);
/// Bytes that are taken from a pipe at once: as many as it holds.
const PIPE: usize = 1 << 16;

/// A frame that has come.
#[derive(Debug)]
pub struct Arrived {
    pub bytes: Vec<u8>,
    pub format: StreamFormat,
    /// When its first byte was there, in milliseconds of [`now_ms`]'s clock.
    pub taken_ms: u64,
}

/// What came of waiting.
#[derive(Debug)]
pub enum Took {
    Frame(Arrived),
    Nothing,
    /// The program is no more: why, in words.
    Ended(String),
}

/// A program with the thread that watches over it. Dropping it ends the program.
#[derive(Debug)]
pub struct Program(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    newest: Option<Arrived>,
    /// Buffers of frames that are not needed any more.
    spare: Vec<Vec<u8>>,
    unwanted: bool,
    ended: Option<String>,
}

impl Program {
    /// Starts a program whose frames are of this form, or else Y4M. One that gives none for
    /// `patience` is ended.
    pub fn start(words: &[String], expected: Option<StreamFormat>, patience: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (theirs, words) = (Arc::clone(&shared), words.to_vec());
        // The program dies with the thread that starts it: that one stays until its end.
        let run = move || {
            let why = Watch::run(&theirs, &words, expected, patience);
            theirs.state().ended = Some(why);
            theirs.changed.notify_all();
        };
        thread::Builder::new().name("exec".into()).spawn(run)?;
        Ok(Self(shared))
    }

    /// The newest frame that was not taken yet, waiting for one until `deadline`.
    pub fn take(&self, deadline: Instant) -> Took {
        let mut state = self.0.state();
        loop {
            if let Some(arrived) = state.newest.take() {
                return Took::Frame(arrived);
            }
            if let Some(why) = &state.ended {
                return Took::Ended(why.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Took::Nothing;
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns a frame's memory.
    pub fn give_back(&self, bytes: Vec<u8>) {
        self.0.state().spare.push(bytes);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let until = Instant::now() + FAREWELL;
        let mut state = self.0.state();
        state.unwanted = true;
        // One that the kernel cannot end is left to it: the device does not wait for ever.
        while state.ended.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    /// A panic while it was locked leaves nothing half written that would matter.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a frame as the newest one and returns memory for the next.
    fn publish(&self, arrived: Arrived) -> Vec<u8> {
        let mut state = self.state();
        let older = state.newest.replace(arrived);
        let buffer = older.map(|older| older.bytes).or_else(|| state.spare.pop()).unwrap_or_default();
        self.changed.notify_all();
        buffer
    }
}

/// What the thread holds.
struct Watch<'s> {
    shared: &'s Shared,
    splitter: FrameSplitter,
    /// The frame that is being filled, and when its first byte came.
    frame: Vec<u8>,
    began_ms: Option<u64>,
    said: LastWords,
    chunk: Vec<u8>,
    last_frame: Instant,
}

/// Why a program is ended, or has ended.
enum Why {
    Unwanted,
    /// Its standard output was closed.
    Closed,
    Silent(Duration),
    Stream(String),
}

impl<'s> Watch<'s> {
    /// Runs the program to its end, and says why that came.
    fn run(
        shared: &'s Shared,
        words: &[String],
        expected: Option<StreamFormat>,
        patience: Duration,
    ) -> String {
        let mut process = match Process::start(words) {
            Ok(process) => process,
            Err(error) => return not_started(words, &error),
        };
        let (out, err) = process.pipes();
        let mut watch = Self {
            shared,
            splitter: FrameSplitter::new(expected),
            frame: Vec::new(),
            began_ms: None,
            said: LastWords::default(),
            chunk: vec![0; PIPE],
            last_frame: Instant::now(),
        };
        let (why, err) = watch.attend(&process, out, err, patience);
        let status = watch.end(process, err, matches!(why, Why::Closed));
        watch.say(&why, status)
    }

    /// Takes what comes until there is a reason to end. The pipe is closed after it: a program that
    /// waits to write is not in the way of its own end.
    fn attend(
        &mut self,
        process: &Process,
        out: Option<ChildStdout>,
        mut err: Option<ChildStderr>,
        patience: Duration,
    ) -> (Why, Option<ChildStderr>) {
        let Some(mut out) = out else { return (Why::Closed, err) };
        loop {
            if self.shared.state().unwanted {
                return (Why::Unwanted, err);
            }
            if self.last_frame.elapsed() >= patience {
                return (Why::Silent(patience), err);
            }
            let (readable, speaks) = ready(Some(&out), err.as_ref(), TURN);
            if speaks && !self.listen(&mut err) {
                err = None;
            }
            if readable {
                match out.read(&mut self.chunk) {
                    Ok(0) => return (Why::Closed, err),
                    Ok(count) => {
                        if let Err(error) = self.take(count) {
                            return (Why::Stream(error), err);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return (Why::Closed, err),
                }
            } else if process.has_ended() {
                // What it has left behind may hold the pipe open.
                return (Why::Closed, err);
            }
        }
    }

    /// Bytes of the stream have come.
    fn take(&mut self, count: usize) -> Result<(), String> {
        let now = now_ms();
        let mut used = 0;
        while used < count {
            let step = self.splitter.push(&self.chunk[used..count], &mut self.frame);
            let step = step.map_err(|error| error.to_string())?;
            used += step.used;
            let taken_ms = *self.began_ms.get_or_insert(now);
            if let Some(format) = step.frame {
                let bytes = std::mem::take(&mut self.frame);
                self.frame = self.shared.publish(Arrived { bytes, format, taken_ms });
                (self.began_ms, self.last_frame) = (None, Instant::now());
            }
        }
        Ok(())
    }

    /// Takes what was said; false where nothing will be said any more.
    fn listen(&mut self, err: &mut Option<ChildStderr>) -> bool {
        let Some(err) = err else { return false };
        match err.read(&mut self.chunk) {
            Ok(0) => false,
            Ok(count) => {
                self.said.push(&self.chunk[..count]);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        }
    }

    /// Ends the program and its group, first with courtesy, and takes its last words.
    fn end(&mut self, process: Process, mut err: Option<ChildStderr>, by_itself: bool) -> Option<ExitStatus> {
        let moment = if by_itself { MOMENT } else { Duration::ZERO };
        for (signal, limit) in [(None, moment), (Some(Signal::TERM), GRACE)] {
            if let Some(signal) = signal.filter(|_| !process.has_ended()) {
                process.signal(signal);
            }
            let until = Instant::now() + limit;
            while !process.has_ended() && Instant::now() < until {
                self.hear(&mut err);
            }
        }
        // The leader, where it goes on, and whatever it leaves behind.
        process.signal(Signal::KILL);
        let until = Instant::now() + MOMENT;
        while err.is_some() && Instant::now() < until {
            self.hear(&mut err);
        }
        process.wait().ok()
    }

    /// Listens for a short time.
    fn hear(&mut self, err: &mut Option<ChildStderr>) {
        let pause = Duration::from_millis(5);
        if err.is_none() {
            thread::sleep(pause);
        } else if ready(None, err.as_ref(), pause).1 && !self.listen(err) {
            *err = None;
        }
    }

    fn say(&mut self, why: &Why, status: Option<ExitStatus>) -> String {
        let mut text = match why {
            Why::Unwanted => "it was ended".to_owned(),
            Why::Closed => ended(status),
            Why::Silent(patience) => {
                format!("the program gave no frame for {} ms and was ended", patience.as_millis())
            }
            Why::Stream(error) => error.clone(),
        };
        match self.splitter.progress() {
            Some((came, whole)) if came > 0 && !matches!(why, Why::Unwanted) => {
                text += &format!("; its last frame had {came} of {whole} bytes");
            }
            _ => {}
        }
        match self.said.told() {
            Some(said) => text + "; it said: " + &said,
            None => {
                text + "; it said nothing; run the words of `command` by hand, as the device's user, to see more"
            }
        }
    }
}

/// Whether there is something to read, waiting at most `wait`, less than a second.
fn ready(out: Option<&ChildStdout>, err: Option<&ChildStderr>, wait: Duration) -> (bool, bool) {
    match (out, err) {
        (Some(out), Some(err)) => {
            let [out, err] = polled([PollFd::new(out, PollFlags::IN), PollFd::new(err, PollFlags::IN)], wait);
            (out, err)
        }
        (Some(out), None) => (polled([PollFd::new(out, PollFlags::IN)], wait)[0], false),
        (None, Some(err)) => (false, polled([PollFd::new(err, PollFlags::IN)], wait)[0]),
        (None, None) => (false, false),
    }
}

fn polled<const N: usize>(mut fds: [PollFd<'_>; N], wait: Duration) -> [bool; N] {
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
    match poll(&mut fds, Some(&wait)) {
        Ok(_) => fds.map(|fd| !fd.revents().is_empty()),
        Err(_) => [false; N],
    }
}

fn not_started(words: &[String], error: &io::Error) -> String {
    let program = words.first().map_or("", String::as_str).escape_debug();
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => {
            "install it (rpicam-vid is in the package rpicam-apps of Raspberry Pi OS), or name it by its whole path"
        }
        io::ErrorKind::PermissionDenied => {
            "let the device's user run it (`chmod a+rx`), or name another program"
        }
        _ => "run it by hand, as the device's user, to see more",
    };
    format!("`{program}` cannot be started: {error}; {remedy}")
}

fn ended(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        Some((_, Some(signal))) => format!("the program was ended by signal {signal}"),
        Some((Some(code), _)) => format!("the program ended by itself with exit status {code}"),
        _ => "the program ended".to_owned(),
    }
}
