//! Frames from a watched folder, into which an X-ray console or a scanner puts its files.
//!
//! The folder is listed several times a second, which also works on network shares, where the
//! kernel's notifications do not. A file is taken when it has kept its size and time for a while
//! and decodes: one that is still being written does neither. Each is taken once, the oldest first;
//! one that is written anew under its old name is a new one. What was taken is remembered beyond
//! listings and restarts, see `memory.rs`: an empty listing, such as of a share that is not mounted,
//! forgets nothing.

use super::memory::{Look, Memory, Place};
use super::passed::{self, Opened, Passed, PassedOver, in_words};
use super::{CaptureError, CaptureOptions, Logged, Origin, Shot, Source, Stamper, cut, deadline, now_ms};
use crate::log::Hash;
use edge_model::decode::{self, DecodeError, Picture, View};
use edge_model::files::WriteError;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub struct Folder {
    name: String,
    path: PathBuf,
    options: CaptureOptions,
    memory: Memory,
    /// Files that are not answered yet.
    waiting: HashMap<OsString, Waiting>,
    passed: Passed,
    opened: Opened,
    /// The device number of the file system that the folder lay on when it was listed last.
    device: Option<u64>,
    listed_at: Option<Instant>,
    /// Why it could not be listed last time.
    lost: Option<String>,
    stamper: Stamper,
    /// The file that was handed out, or refused, last.
    taken: Option<Taken>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    look: Look,
    since: Instant,
}

#[derive(Debug)]
struct Taken {
    file: OsString,
    name: String,
    look: Look,
    picture: Option<Picture>,
    /// It was not yet said whether its answer is in the log.
    open: bool,
}

/// One listing that came to its end.
struct Listing {
    /// Names of pictures; without a look where they cannot be looked at.
    pictures: Vec<(OsString, Option<Look>)>,
    passed: Vec<(OsString, &'static str)>,
    device: u64,
}

impl Listing {
    fn read(folder: &Path, opened: &mut Opened) -> io::Result<Self> {
        let device = fs::metadata(folder)?.dev();
        let (mut pictures, mut passed) = (Vec::new(), Vec::new());
        opened.listing_begins();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            if let Some(why) = passed::why_by_name(&path) {
                passed.push((name, why));
                continue;
            }
            // Links are followed.
            match fs::metadata(&path) {
                Ok(data) => {
                    let look = Look::of(&data);
                    match passed::why_no_file(&data).or_else(|| opened.why(&path, look)) {
                        None => pictures.push((name, Some(look))),
                        Some(why) => passed.push((name, why)),
                    }
                }
                Err(_) => {
                    passed.push((name.clone(), passed::NOT_SEEN));
                    pictures.push((name, None));
                }
            }
        }
        // A share that was mounted or unmounted meanwhile.
        if fs::metadata(folder)?.dev() != device {
            return Err(io::Error::other("it was mounted or unmounted just now"));
        }
        Ok(Self { pictures, passed, device })
    }
}

fn hash(name: &OsStr) -> Hash {
    Hash::of(in_words(name).as_bytes())
}

impl Folder {
    /// Watches `path`, which may come and go; what was answered is remembered as long as this
    /// lasts.
    pub fn new(path: &Path, options: &CaptureOptions) -> Self {
        Self {
            name: format!("folder:{}", path.display()),
            path: path.to_owned(),
            options: options.clone(),
            memory: Memory::of_this_run(path),
            waiting: HashMap::new(),
            passed: Passed::default(),
            opened: Opened::default(),
            device: None,
            listed_at: None,
            lost: None,
            stamper: Stamper::default(),
            taken: None,
        }
    }

    /// The same with what was answered kept in the file `memory`; `last` is the last decision in
    /// the log.
    pub fn with_memory(
        path: &Path,
        options: &CaptureOptions,
        memory: &Path,
        last: Option<Logged>,
    ) -> io::Result<Self> {
        let memory = Memory::load(memory, path, last)?;
        Ok(Self { memory, ..Self::new(path, options) })
    }

    fn list(&mut self) -> Result<(), String> {
        let listing = Listing::read(&self.path, &mut self.opened)
            .map_err(|error| format!("the folder cannot be listed: {error}"))?;
        if self.device != Some(listing.device) {
            self.arrive(&listing)?;
            self.device = Some(listing.device);
        }
        let now = Instant::now();
        let mut waiting = HashMap::with_capacity(self.waiting.len());
        let mut there = HashSet::with_capacity(listing.pictures.len());
        for (file, look) in listing.pictures {
            let name = hash(&file);
            there.insert(name);
            // One that cannot be looked at stays what it was.
            let known = self.waiting.get(&file);
            let Some(look) = look.or(known.map(|known| known.look)) else { continue };
            if !self.memory.is_done(name, look) {
                let known = known.filter(|known| known.look == look);
                waiting.insert(file, known.copied().unwrap_or(Waiting { look, since: now }));
            }
        }
        self.waiting = waiting;
        self.memory.prune(&there);
        self.passed.listed(listing.passed, Duration::from_millis(self.options.give_up_ms.into()));
        Ok(())
    }

    /// The folder lies on another file system than before: it is listed for the first time, or a
    /// share was mounted or unmounted. What lies there at first sight is old.
    fn arrive(&mut self, listing: &Listing) -> Result<(), String> {
        let place =
            Place::of(&self.path).map_err(|error| format!("the folder cannot be looked at: {error}"))?;
        let pictures = listing.pictures.iter().map(|(file, look)| (hash(file), *look));
        let met_before = pictures.clone().any(|(name, _)| self.memory.knows_name(name));
        let is_old = self.memory.is_first_sight(place) && !met_before && !self.options.existing;
        let old: Vec<_> = pictures.filter(|_| is_old).collect();
        let (files, first) = (old.len() as u64, listing.pictures.first());
        self.memory.arrive(place, old).map_err(|error| error.to_string())?;
        if let Some((first, _)) = first.filter(|_| is_old) {
            let name = in_words(first);
            self.passed.say(PassedOver { why: passed::THERE_BEFORE, files, name });
        }
        Ok(())
    }

    /// Files that have been quiet for long enough, the oldest first.
    fn quiet(&self) -> Vec<(OsString, Look, Duration)> {
        let quiet = Duration::from_millis(self.options.quiet_ms.into());
        let waiting = self.waiting.iter().map(|(file, w)| (file.clone(), w.look, w.since.elapsed()));
        let mut ready: Vec<_> = waiting.filter(|(.., still)| *still >= quiet).collect();
        ready.sort_unstable_by(|(file, look, _), (other, its, _)| {
            (look.time(), file).cmp(&(its.time(), other))
        });
        ready
    }

    /// Whether the folder was there when it was listed last.
    fn check(&self) -> Result<(), CaptureError> {
        self.lost.as_ref().map_or(Ok(()), |what| {
            Err(CaptureError::Lost { source_name: self.name.clone(), what: what.clone() })
        })
    }

    /// Takes the next file that decodes; false where there is none yet.
    fn pick(&mut self) -> Result<bool, CaptureError> {
        self.listed_at = Some(Instant::now());
        self.lost = self.list().err();
        self.check()?;
        for (file, look, still) in self.quiet() {
            let path = self.path.join(&file);
            let read = decode::open(&path);
            let gone =
                matches!(&read, Err(DecodeError::Read(error)) if error.kind() == io::ErrorKind::NotFound);
            let give_up = Duration::from_millis(self.options.give_up_ms.into());
            // What was read must be what was looked at before and is there still.
            let changed = fs::metadata(&path).is_ok_and(|data| Look::of(&data) != look);
            if gone || changed || (read.is_err() && still < give_up) {
                continue;
            }
            let name = in_words(&file);
            let (picture, refused) = match read {
                Ok(picture) => (Some(picture), None),
                Err(error) => {
                    // With the name as it is told everywhere else, so that it can be hidden.
                    let told = format!("{}: {error}", self.path.join(&name).display());
                    (None, Some(CaptureError::Unusable { reason: error.reason(), told }))
                }
            };
            self.waiting.remove(&file);
            self.taken = Some(Taken { file, name, look, picture, open: true });
            return refused.map_or(Ok(true), Err);
        }
        Ok(false)
    }

    /// Nobody said what became of the file that was handed out: then it was answered.
    fn close(&mut self) {
        if let Some(taken) = self.taken.as_mut().filter(|taken| taken.open) {
            self.memory.done_in_this_run(hash(&taken.file), taken.look);
            taken.open = false;
        }
    }
}

impl Source for Folder {
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError> {
        let deadline = deadline(wait);
        self.close();
        loop {
            // Not more often than every `PAUSE`, however often we are asked, but at once after a file that
            // was taken.
            if let Some(due) = self.listed_at.map(|listed| listed + PAUSE) {
                if due > deadline {
                    thread::sleep(deadline.saturating_duration_since(Instant::now()));
                    return self.check().and(Err(CaptureError::Nothing));
                }
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            if self.pick()? {
                break;
            }
        }
        self.listed_at = None;
        let taken_ms = now_ms();
        let stamp = self.stamper.stamp(taken_ms);
        let Some(Taken { name, picture: Some(picture), .. }) = &self.taken else {
            return Err(CaptureError::Nothing);
        };
        let frame = cut(name, picture.frame(), self.options.crop)?;
        Ok(Shot { frame, stamp, taken_ms, name, exam: picture.exam() })
    }

    fn origin(&self) -> Origin<'_> {
        let Some(Taken { name, picture, .. }) = &self.taken else { return Origin::default() };
        let Some(exam) = picture.as_ref().and_then(Picture::exam) else {
            return Origin { name, ..Origin::default() };
        };
        Origin {
            name,
            study: exam.study_uid.as_deref(),
            accession: exam.accession_number.as_deref(),
            frontal: exam.view.map(|view| view == View::Frontal),
        }
    }

    fn answering(&mut self, frame: Option<Hash>) -> Result<(), WriteError> {
        let Some(taken) = &self.taken else { return Ok(()) };
        self.memory.answering(hash(&taken.file), taken.look, frame)
    }

    fn answered(&mut self, logged: bool) {
        let Some(taken) = self.taken.as_mut().filter(|taken| taken.open) else { return };
        taken.open = false;
        if !logged {
            self.memory.not_answered(hash(&taken.file));
            // Not at once again: what could not be written now cannot be in a millisecond.
            self.listed_at = Some(Instant::now());
        }
    }

    fn passed_over(&mut self) -> Option<PassedOver> {
        self.passed.next()
    }

    fn name(&self) -> &str {
        &self.name
    }
}
