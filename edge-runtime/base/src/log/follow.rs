//! Follows a log while it is written: each line once, in order, from a place that was noted.
//!
//! Who carries lines elsewhere notes in a [`Cursor`] how far he is, and goes on from there in
//! another run, over rotations, repairs, and files that were set aside. A line that was noted is
//! found by its hash, which stands for all lines before it. Where it is in none of the files, the
//! newest of the noted lines that is there counts; where none is, the log's oldest line. So a line
//! may be read twice, and none is passed over in silence: [`Gap`] tells what cannot be read.

use super::chain::Hash;
use super::files::{self, Files};
use super::line;
use super::read::{Entry, LogReadError};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Lines that a cursor names; a line that was read and is gone, because it was cut off at once or
/// by a power cut, is behind these.
const NAMED: usize = 16;

/// A line, by its number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub seq: u64,
    pub hash: Hash,
}

/// How far somebody is: the last line that he is done with, and some before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The newest last.
    points: VecDeque<Point>,
    /// The line that closed the last file: there when a whole file was set aside.
    closing: Option<Point>,
}

/// One line as a step of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub point: Point,
    closes: bool,
}

/// The line that was due is not the one that was found. Where `found` is the greater, the lines
/// between were deleted or are damaged; else the log was begun anew or cut back, and lines may come
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    pub expected: u64,
    pub found: u64,
}

#[derive(Clone, Debug)]
pub struct FollowedLine {
    pub entry: Entry,
    /// What lies before this line.
    pub gap: Option<Gap>,
    pub step: Step,
}

impl Cursor {
    /// The last line; none before the first.
    pub fn last(&self) -> Option<Point> {
        self.points.back().copied()
    }

    pub fn advance(&mut self, step: Step) {
        // Where a log was cut back, what was noted behind that place is no more.
        self.points.retain(|point| point.seq < step.point.seq);
        self.points.push_back(step.point);
        while self.points.len() > NAMED {
            self.points.pop_front();
        }
        if step.closes {
            self.closing = Some(step.point);
        }
    }

    /// How new a noted line is, by its hash; the greater the newer.
    fn age(&self, hash: Hash) -> Option<usize> {
        let named = self.points.iter().rposition(|point| point.hash == hash).map(|at| at + 1);
        named.or(self.closing.filter(|point| point.hash == hash).map(|_| 0))
    }

    /// The greatest number of a noted line.
    fn greatest(&self) -> Option<u64> {
        self.points.iter().chain(&self.closing).map(|point| point.seq).max()
    }
}

/// Reads the log at a path line by line, and may wait at its end.
#[derive(Debug)]
pub struct Follower {
    files: Files,
    cursor: Cursor,
    place: Option<Place>,
    /// The last line that was read.
    line: Vec<u8>,
    passed: u64,
}

/// Where the next line is read.
#[derive(Debug)]
struct Place {
    reader: BufReader<File>,
    identity: Identity,
    /// Where the next line begins.
    offset: u64,
    /// How the place was found, until a line was taken there.
    fresh: Option<Found>,
    /// Where reading begins while it is fresh, and what the line there must state: a file may be cut
    /// back and go on while we wait in it.
    start: u64,
    known: Option<Hash>,
    /// Lines that were passed over since then.
    passed: u64,
    /// The log goes on in another file, as was seen before this one was read to its end.
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Behind the cursor's last line.
    Exact,
    /// Behind an older one, or at the beginning.
    Near,
}

/// A file, whatever its name is by now: device and inode.
type Identity = (u64, u64);

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

enum Got {
    Line,
    /// More bytes than any line has.
    TooLong,
    /// Nothing, or the beginning of a line.
    End,
}

impl Follower {
    /// Follows the log at `path` from the line after the cursor's on. Nothing is read yet.
    pub fn new(path: impl AsRef<Path>, cursor: Cursor) -> Self {
        let (files, line) = (Files::new(path.as_ref()), Vec::with_capacity(4096));
        Self { files, cursor, place: None, line, passed: 0 }
    }

    /// Lines that were passed over because they do not hold by themselves or stand in a wrong place.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// The next line; none where there is none yet. The memory that it takes is that of one line.
    pub fn next_line(&mut self) -> Result<Option<FollowedLine>, LogReadError> {
        loop {
            if self.place.is_none() {
                self.place = self.locate().map_err(|source| self.failed(source))?;
            }
            let Some(place) = &mut self.place else { return Ok(None) };
            let (begun, fresh) = (place.offset, place.fresh);
            let must_state = place.known.filter(|_| fresh.is_some() && begun == place.start);
            let got = match place.read(&mut self.line) {
                Ok(got) => got,
                Err(source) => {
                    // It may have stopped within a line.
                    self.place = None;
                    return Err(self.failed(source));
                }
            };
            match got {
                Got::End => match self.at_end().map_err(|source| self.failed(source))? {
                    true => continue,
                    false => return Ok(None),
                },
                _ if must_state.is_some() => {
                    if line::stated(&self.line) != must_state {
                        self.place = None;
                    }
                }
                Got::Line => match self.take(fresh) {
                    Some(line) => return Ok(Some(line)),
                    None => self.pass(),
                },
                Got::TooLong => self.pass(),
            }
        }
    }

    /// A line that cannot be taken: where the file was changed behind our back the place is wrong, so
    /// it is looked for once; then it is the line.
    fn pass(&mut self) {
        match &mut self.place {
            Some(place) if place.fresh.is_some() => place.passed += 1,
            _ => self.place = None,
        }
    }

    /// The line that was read, where it may stand here.
    fn take(&mut self, fresh: Option<Found>) -> Option<FollowedLine> {
        let checked = line::check(&self.line).ok()?;
        let entry: Entry = serde_json::from_slice(&self.line).ok()?;
        let seq = checked.link.seq;
        let last = self.cursor.last();
        let expected = last.map_or(0, |last| last.seq.saturating_add(1));
        let follows = seq == expected && last.is_none_or(|last| last.hash == checked.link.prev);
        let gap = match (follows, fresh) {
            (true, _) => None,
            // A line from before, a second time.
            (false, Some(Found::Exact)) if seq < expected => return None,
            (false, Some(_)) => Some(Gap { expected, found: seq }),
            (false, None) => return None,
        };
        let point = Point { seq, hash: checked.hash };
        let step = Step { point, closes: checked.closes.is_some() };
        self.cursor.advance(step);
        if let Some(place) = &mut self.place {
            place.fresh = None;
            self.passed += std::mem::take(&mut place.passed);
        }
        Some(FollowedLine { entry, gap, step })
    }

    /// At the end of a file: whether there is another place to read at now.
    fn at_end(&mut self) -> io::Result<bool> {
        let Some(place) = &mut self.place else { return Ok(false) };
        if let Some(newest) = there(fs::metadata(self.files.number(0)))?
            && identity(&newest) == place.identity
        {
            let cut_back = newest.len() < place.offset;
            if cut_back {
                self.place = None;
            } else if place.fresh.is_some() {
                place.again()?;
            }
            return Ok(cut_back);
        }
        let (ours, fresh, passed) = (place.identity, place.fresh, place.passed);
        let listing = self.listing()?;
        let Some(at) = listing.iter().position(|(_, identity)| *identity == ours) else {
            // Set aside, or deleted as the oldest.
            self.place = None;
            return Ok(!listing.is_empty());
        };
        let Some(&(number, newer)) = at.checked_sub(1).and_then(|at| listing.get(at)) else {
            return Ok(false);
        };
        // A line may have come between the end that was read and the other file's beginning.
        if let Some(place) = &mut self.place
            && !std::mem::replace(&mut place.ended, true)
        {
            return Ok(true);
        }
        let Some(next) = Place::open(&self.files, number, newer, fresh)? else { return Ok(false) };
        self.place = Some(Place { passed, ..next });
        Ok(true)
    }

    /// The log's files, the newest first. Names may change meanwhile; who opens one compares.
    fn listing(&self) -> io::Result<Vec<(u32, Identity)>> {
        let numbers = there(self.files.list())?.unwrap_or_default();
        let mut listing = Vec::with_capacity(numbers.len());
        for number in numbers {
            if let Some(metadata) = there(fs::metadata(self.files.number(number)))? {
                listing.push((number, identity(&metadata)));
            }
        }
        Ok(listing)
    }

    /// The place behind the newest line that the cursor names; none while there is no log, and where
    /// files were renamed meanwhile.
    fn locate(&mut self) -> io::Result<Option<Place>> {
        let listing = self.listing()?;
        let mut located = None;
        if let Some(greatest) = self.cursor.greatest() {
            for &(number, identity) in &listing {
                // A file whose first line cannot be read may hold anything.
                let first = there(files::first_line(&self.files.number(number)))?.flatten();
                if first.is_some_and(|first| first.seq > greatest) {
                    continue;
                }
                let Some(mut place) = Place::open(&self.files, number, identity, Some(Found::Near))? else {
                    return Ok(None);
                };
                if place.find(&self.cursor, &mut self.line)? {
                    located = Some(place);
                    break;
                }
            }
        }
        if located.is_none()
            && let Some(&(number, identity)) = listing.last()
        {
            located = Place::open(&self.files, number, identity, Some(Found::Near))?;
        }
        // A file that got another name while we looked may have been missed.
        Ok(if self.listing()? == listing { located } else { None })
    }

    fn failed(&self, source: io::Error) -> LogReadError {
        LogReadError::at(&self.files.number(0), source)
    }
}

impl Place {
    /// The beginning of a file; none where the name is another file's by now.
    fn open(
        files: &Files,
        number: u32,
        expected: Identity,
        fresh: Option<Found>,
    ) -> io::Result<Option<Self>> {
        let Some(file) = there(File::open(files.number(number)))? else { return Ok(None) };
        let identity = identity(&file.metadata()?);
        let reader = BufReader::new(file);
        let place =
            Self { reader, identity, offset: 0, fresh, start: 0, known: None, passed: 0, ended: false };
        Ok((identity == expected).then_some(place))
    }

    /// Reads the next line, without its newline. Where it is not whole yet, it is read again later.
    fn read(&mut self, line: &mut Vec<u8>) -> io::Result<Got> {
        line.clear();
        let most = line::MAX as u64 + 1;
        let mut read = self.reader.by_ref().take(most).read_until(b'\n', line)? as u64;
        let mut got = Got::Line;
        while line.last() != Some(&b'\n') {
            if !(line.len() as u64).is_multiple_of(most) || line.is_empty() {
                self.reader.seek(SeekFrom::Start(self.offset))?;
                return Ok(Got::End);
            }
            got = Got::TooLong;
            line.clear();
            read += self.reader.by_ref().take(most).read_until(b'\n', line)? as u64;
        }
        self.offset += read;
        line.pop();
        Ok(got)
    }

    /// Back to where reading begins.
    fn again(&mut self) -> io::Result<()> {
        (self.offset, self.passed) = (self.start, 0);
        self.reader.seek(SeekFrom::Start(self.start)).map(drop)
    }

    /// Goes to the newest line that the cursor names; false where none is in this file.
    fn find(&mut self, cursor: &Cursor, line: &mut Vec<u8>) -> io::Result<bool> {
        let mut best: Option<(usize, u64, Option<Hash>)> = None;
        loop {
            let begun = self.offset;
            match self.read(line)? {
                Got::End => break,
                Got::TooLong => {}
                Got::Line => {
                    let known = line::stated(line);
                    let age = known.and_then(|hash| cursor.age(hash));
                    if age > best.as_ref().map(|(age, ..)| *age) {
                        best = age.map(|age| (age, begun, known));
                    }
                }
            }
        }
        let Some((age, start, known)) = best else { return Ok(false) };
        (self.start, self.known) = (start, known);
        self.again()?;
        if age == cursor.points.len() {
            self.fresh = Some(Found::Exact);
        }
        Ok(true)
    }
}

/// None where there is no such file.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The last line of the log at `path` that holds by itself; none where there is none.
pub fn newest(path: impl AsRef<Path>) -> io::Result<Option<Point>> {
    let files = Files::new(path.as_ref());
    for number in there(files.list())?.unwrap_or_default().into_iter().take(2) {
        let Some(last) = there(super::last::last_line(&files.number(number)))?.flatten() else { continue };
        return Ok(Some(Point { seq: last.link.seq, hash: last.hash }));
    }
    Ok(None)
}
