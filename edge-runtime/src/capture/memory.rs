//! Which files of a watched folder have been answered, in memory and on disk.
//!
//! What was answered once stays so, whatever a listing lacks: a share that was not mounted, a file
//! that could not be looked at, a device that was started again. On disk it is a file of JSON
//! lines that only grows until it is written anew whole; names stand there as hashes.
//!
//! A file is noted *before* its answer goes into the log, with what the network saw of it. So of
//! all notes only the last can be of an answer that the log does not hold, because the device was
//! killed between the two; it is held against the log when the device starts, and forgotten where
//! the log knows nothing of it. That is how each file is answered once, and none is lost.

use crate::log::Hash;
use edge_model::files::{self, WriteError};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;

/// Most files that are remembered though they are no longer there.
const MOST_GONE: usize = 50_000;

/// The last decision in the log, as far as a note can be held against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Hash of the picture's name.
    pub name: Hash,
    pub frame: Option<Hash>,
}

/// A file's size and time: what changes while it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    seconds: i64,
    nanoseconds: i64,
    bytes: u64,
}

impl Look {
    pub fn of(data: &Metadata) -> Self {
        Self { seconds: data.mtime(), nanoseconds: data.mtime_nsec(), bytes: data.len() }
    }

    /// When the file was last written.
    pub fn time(self) -> (i64, i64) {
        (self.seconds, self.nanoseconds)
    }
}

/// The file system that a folder lies on, as far as it can be told apart over restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    kind: i64,
    id: u64,
}

impl Place {
    pub fn of(folder: &Path) -> io::Result<Self> {
        let kind = rustix::fs::statfs(folder)?.f_type;
        Ok(Self { kind: kind as i64, id: rustix::fs::statvfs(folder)?.f_fsid })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
enum Note {
    /// The first line.
    Folder { format: u32, path: Hash },
    /// The folder was seen on this file system.
    Place { place: Place },
    /// A file that is not to be answered any more.
    Done { name: Hash, look: Option<Look> },
    /// The same, and its answer went into the log next.
    Answered { name: Hash, look: Option<Look>, frame: Option<Hash> },
    /// The log did not take the answer.
    Again { name: Hash },
}

#[derive(Debug)]
struct Known {
    /// None: it was there, but could not be looked at.
    look: Option<Look>,
    order: u64,
}

#[derive(Debug)]
pub(super) struct Memory {
    /// None: it lasts as long as the program.
    path: Option<PathBuf>,
    folder: Hash,
    known: HashMap<Hash, Known>,
    places: Vec<Place>,
    /// The newest file that was answered, and what the network saw of it.
    newest: Option<(Hash, Option<Hash>)>,
    /// Whether this folder was never watched before with this memory.
    fresh: bool,
    order: u64,
    /// Open as long as what is on disk is what is here.
    file: Option<File>,
    lines: usize,
}

impl Memory {
    /// One that lasts as long as the program.
    pub fn of_this_run(folder: &Path) -> Self {
        Self {
            path: None,
            folder: Hash::of(spelled_out(folder).as_os_str().as_encoded_bytes()),
            known: HashMap::new(),
            places: Vec::new(),
            newest: None,
            fresh: true,
            order: 0,
            file: None,
            lines: 0,
        }
    }

    /// The one at `path`, for this folder; `last` is the last decision in the log. What is damaged
    /// in it, and what is of another folder, counts for nothing.
    pub fn load(path: &Path, folder: &Path, last: Option<Logged>) -> io::Result<Self> {
        let mut memory = Self { path: Some(path.to_owned()), ..Self::of_this_run(folder) };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(memory),
            Err(error) => return Err(error),
        };
        let mut notes =
            text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        match notes.next() {
            Some(Note::Folder { format: FORMAT, path }) if path == memory.folder => memory.fresh = false,
            Some(Note::Folder { format: FORMAT, .. }) => return Ok(memory),
            // Damaged, or of another version: what was answered is unknown. Better answered again than never.
            _ => {
                memory.fresh = false;
                return Ok(memory);
            }
        }
        let mut doubtful = None;
        for note in notes {
            doubtful = match &note {
                Note::Answered { name, frame, .. } => Some(Logged { name: *name, frame: *frame }),
                _ => None,
            };
            memory.apply(note);
        }
        if let Some(doubtful) = doubtful.filter(|doubtful| last != Some(*doubtful)) {
            memory.apply(Note::Again { name: doubtful.name });
        }
        Ok(memory)
    }

    /// Whether this file was answered, or is not to be; one that was written anew since was not.
    pub fn is_done(&mut self, name: Hash, look: Look) -> bool {
        let Some(known) = self.known.get_mut(&name) else { return false };
        *known.look.get_or_insert(look) == look
    }

    pub fn knows_name(&self, name: Hash) -> bool {
        self.known.contains_key(&name)
    }

    /// Whether what lies in the folder was there before anybody asked for answers: the folder is on
    /// a file system on which it was never seen, and this memory is new. Where it is not, what it
    /// does not know has come meanwhile.
    pub fn is_first_sight(&self, place: Place) -> bool {
        self.fresh && !self.places.contains(&place)
    }

    /// Notes where the folder lies, and files that are not to be answered.
    pub fn arrive(
        &mut self,
        place: Place,
        done: impl IntoIterator<Item = (Hash, Option<Look>)>,
    ) -> Result<(), WriteError> {
        for (name, look) in done {
            self.apply(Note::Done { name, look });
        }
        self.apply(Note::Place { place });
        self.write_whole()
    }

    /// Notes that a file is answered now, of which the network saw `frame`.
    pub fn answering(&mut self, name: Hash, look: Look, frame: Option<Hash>) -> Result<(), WriteError> {
        let note = || Note::Answered { name, look: Some(look), frame };
        self.apply(note());
        let noted = self.append(&note());
        if noted.is_err() {
            self.apply(Note::Again { name });
        }
        noted
    }

    /// The file is not to be handed out again by this run.
    pub fn done_in_this_run(&mut self, name: Hash, look: Look) {
        self.apply(Note::Done { name, look: Some(look) });
    }

    /// The answer did not get into the log.
    pub fn not_answered(&mut self, name: Hash) {
        self.apply(Note::Again { name });
        // Where that fails, the next note writes all anew.
        let _ = self.append(&Note::Again { name });
    }

    /// Drops the oldest of what is no longer `there`, where it is much.
    pub fn prune(&mut self, there: &HashSet<Hash>) {
        if self.known.len() <= there.len() + 2 * MOST_GONE {
            return;
        }
        let gone = self.known.iter().filter(|(name, _)| !there.contains(*name));
        let mut orders: Vec<u64> = gone.map(|(_, known)| known.order).collect();
        let oldest_kept = orders.len().saturating_sub(MOST_GONE);
        let (_, least, _) = orders.select_nth_unstable(oldest_kept);
        let least = *least;
        self.known.retain(|name, known| known.order >= least || there.contains(name));
        self.file = None;
    }

    fn apply(&mut self, note: Note) {
        match note {
            Note::Folder { .. } => {}
            Note::Place { place } if self.places.contains(&place) => {}
            Note::Place { place } => self.places.push(place),
            Note::Done { name, look } | Note::Answered { name, look, .. } => {
                self.order += 1;
                self.known.insert(name, Known { look, order: self.order });
                if let Note::Answered { frame, .. } = note {
                    self.newest = Some((name, frame));
                }
            }
            Note::Again { name } => {
                self.known.remove(&name);
                self.newest = None;
            }
        }
    }

    fn append(&mut self, note: &Note) -> Result<(), WriteError> {
        let Some(path) = &self.path else { return Ok(()) };
        let Some(mut file) = self.file.take().filter(|_| self.lines < 2 * self.known.len() + 1000) else {
            return self.write_whole();
        };
        let line = format!("{}\n", as_line(note));
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
        written.map_err(|source| WriteError { path: path.clone(), source })?;
        self.lines += 1;
        self.file = Some(file);
        Ok(())
    }

    fn write_whole(&mut self) -> Result<(), WriteError> {
        let Some(path) = &self.path else { return Ok(()) };
        self.file = None;
        let mut notes = vec![Note::Folder { format: FORMAT, path: self.folder }];
        notes.extend(self.places.iter().map(|&place| Note::Place { place }));
        let mut known: Vec<_> = self.known.iter().collect();
        known.sort_unstable_by_key(|(_, known)| known.order);
        notes.extend(known.into_iter().map(|(&name, known)| match self.newest {
            Some((newest, frame)) if newest == name => Note::Answered { name, look: known.look, frame },
            _ => Note::Done { name, look: known.look },
        }));
        let text: String = notes.iter().map(|note| as_line(note) + "\n").collect();
        files::write_private(path, text.as_bytes())?;
        let opened = File::options().append(true).open(path);
        self.file = Some(opened.map_err(|source| WriteError { path: path.clone(), source })?);
        self.lines = notes.len();
        Ok(())
    }
}

/// A note holds nothing that JSON cannot; a line that were empty would be passed over.
fn as_line(note: &Note) -> String {
    serde_json::to_string(note).unwrap_or_default()
}

/// The folder's whole path without what can be spelled otherwise; it need not be there.
fn spelled_out(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { seconds: 1, nanoseconds: 2, bytes: 3 };

    /// Killed between the note and the log's line, where the note was written with all others anew.
    #[test]
    fn the_newest_note_is_doubtful_however_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answered");
        let load = |last| Memory::load(&path, folder.path(), last).unwrap();
        let [one, two] = [&b"1"[..], b"2"].map(Hash::of);
        let (mut memory, frame) = (load(None), Some(Hash::of(b"seen")));
        let logged = |name| Some(Logged { name, frame });
        memory.answering(one, LOOK, frame).unwrap();
        memory.file = None;
        memory.answering(two, LOOK, frame).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3, "written whole");
        for (last, is_done) in [(logged(one), [true, false]), (logged(two), [true, true])] {
            let mut memory = load(last);
            assert_eq!([one, two].map(|name| memory.is_done(name, LOOK)), is_done);
        }
    }

    #[test]
    fn of_many_files_that_are_gone_the_newest_are_remembered() {
        let mut memory = Memory::of_this_run(Path::new("films"));
        let name = |number: usize| Hash::of(&number.to_le_bytes());
        let all = 2 * MOST_GONE + 2;
        (0..all).for_each(|number| memory.done_in_this_run(name(number), LOOK));
        let there = HashSet::from([name(0)]);
        memory.prune(&there);
        assert!(memory.is_done(name(0), LOOK), "it is still there");
        for number in [all - MOST_GONE, all - 1] {
            assert!(memory.is_done(name(number), LOOK), "{number}");
        }
        for number in [1, all - MOST_GONE - 1] {
            assert!(!memory.knows_name(name(number)), "{number}");
        }
    }
}
