//! Prepared pictures in a file that is mapped into memory: however many there are, the kernel keeps
//! of them what it has room for, and the next run decodes none of them again.
//!
//! ```text
//! runs/prepared/NAME-vN-SIDE.pixels   records: WORKING_SIDE squared bytes, then SIDE squared
//! runs/prepared/NAME-vN-SIDE.index    a line a record: what file it was made of, by its SHA-256
//! ```
//!
//! A record counts once the index names it, which is replaced whole after the records are on disk.
//! No record is ever written over, since another run may have it mapped; whoever wants the space of
//! old ones back deletes the folder. They are pictures of patients as much as the originals are.

use super::pixels::{Pixels, map};
use super::sample::{ModelInput, WORKING_SIDE};
use edge_core::{PixelStats, preprocess};
use edge_model::files;
use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Raised when decoding or squashing gives another byte of any picture, or when another one must not be
/// judged by what its file says: those are never in it.
const VERSION: u32 = 3;

/// So many pictures of a file are made anew and compared, in case that [`VERSION`] was forgotten.
const CHECKED: usize = 8;

/// What a file was prepared to.
pub(super) struct Prepared {
    /// Width and height of the original.
    pub size: (u16, u16),
    pub working: Pixels,
    pub input: ModelInput,
}

/// A line of the index.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    /// SHA-256 of the file, in hexadecimal.
    sha256: String,
    record: usize,
    size: (u16, u16),
    /// Mean, deviation, and the shares of black and white.
    stats: [u16; 4],
    /// First half of the record's own SHA-256, in hexadecimal.
    check: String,
}

/// Writes all of the bytes at an offset.
type Writer = Box<dyn Fn(&File, &[u8], u64) -> io::Result<()> + Send + Sync>;

/// The file of one preprocessing and side, open for more. One process at a time adds to it.
pub(super) struct Store {
    file: File,
    map: Arc<Mmap>,
    side: u16,
    index: PathBuf,
    entries: Mutex<Entries>,
    /// How many records there were before.
    first: usize,
    writer: Writer,
    /// Why no record could be written any more.
    failed: OnceLock<io::Error>,
}

struct Entries {
    by_content: HashMap<String, Entry>,
    next: usize,
    /// Known ones that are to be made anew still, before the others are believed.
    to_check: usize,
}

impl Store {
    /// Opens the store in `folder` with room for so many further pictures, and waits while another
    /// run adds to it.
    ///
    /// # Errors
    /// The folder or a file in it cannot be made or read.
    pub fn open(folder: &Path, side: u16, room: usize) -> io::Result<Self> {
        make_private(folder)?;
        let name = format!("{}-v{VERSION}-{side}", preprocess::NAME.replace('/', "-"));
        let pixels = folder.join(format!("{name}.pixels"));
        let index = folder.join(format!("{name}.index"));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&pixels)?;
        file.lock()?;
        let record = record_bytes(side);
        let whole = usize::try_from(file.metadata()?.len()).unwrap_or(0) / record;
        let by_content: HashMap<String, Entry> = read_index(&index)?
            .into_iter()
            .filter(|entry| entry.record < whole)
            .map(|entry| (entry.sha256.clone(), entry))
            .collect();
        file.set_len(((whole + room).max(1) * record) as u64)?;
        let map = map(&file)?;
        let entries = Mutex::new(Entries { by_content, next: whole, to_check: CHECKED });
        let (writer, failed) = (Box::new(write_at), OnceLock::new());
        Ok(Self { file, map, side, index, entries, first: whole, writer, failed })
    }

    /// Whether a record could not be written: then none is kept any more, and `finish` says why.
    pub fn has_failed(&self) -> bool {
        self.failed.get().is_some()
    }

    #[cfg(test)]
    pub fn with_writer(self, writer: Writer) -> Self {
        Self { writer, ..self }
    }

    /// What is known of a file of this hash; none also where it is to be made anew, to be compared.
    pub fn get(&self, content: &[u8; 32]) -> Option<Prepared> {
        let entries = self.entries();
        let entry = entries.by_content.get(&hex(content))?.clone();
        if entries.to_check > 0 {
            return None;
        }
        // A record that a disk has lost is made anew, as one that is not known.
        let record = self.map.get(self.range(entry.record))?;
        (entry.check == check(record)).then(|| self.prepared(&entry))
    }

    /// Keeps a picture that was made, and gives it back as it lies in the file; none where the disk is
    /// full or gone.
    pub fn put(&self, content: &[u8; 32], made: Prepared) -> Option<Prepared> {
        let sha256 = hex(content);
        let record = {
            let mut entries = self.entries();
            if let Some(known) = entries.by_content.get(&sha256).cloned() {
                let stored = self.prepared(&known);
                if stored.working == made.working && stored.input == made.input {
                    entries.to_check = entries.to_check.saturating_sub(1);
                    return Some(stored);
                }
                if self.map.get(self.range(known.record)).is_some_and(|record| check(record) == known.check) {
                    // As it was made, so by another decoder: nothing of it is believed.
                    entries.by_content.clear();
                    entries.to_check = 0;
                }
            }
            let record = entries.next;
            entries.next += 1;
            record
        };
        let range = self.range(record);
        if range.end > self.map.len() {
            return Some(made); // more than was said there would be: it stays in memory
        }
        let mut bytes = Vec::with_capacity(record_bytes(self.side));
        bytes.extend_from_slice(&made.working);
        bytes.extend_from_slice(&made.input.bytes);
        if let Err(error) = (self.writer)(&self.file, &bytes, range.start as u64) {
            self.failed.get_or_init(|| error);
            return None;
        }
        let PixelStats { mean, deviation, black_permille, white_permille } = made.input.stats;
        let stats = [mean, deviation, black_permille, white_permille];
        let entry = Entry { sha256, record, size: made.size, stats, check: check(&bytes) };
        let prepared = self.prepared(&entry);
        self.entries().by_content.insert(entry.sha256.clone(), entry);
        Some(prepared)
    }

    /// What was added is on disk, and named by the index. The pictures stay as long as they are used.
    ///
    /// # Errors
    /// The disk is full or gone: nothing of this run counts for the next one, and its records are given
    /// back to the disk. None of its pictures may be looked at then.
    pub fn finish(mut self) -> io::Result<()> {
        let written = self.failed.take().map_or_else(|| self.write_index(), Err);
        if written.is_err() {
            // A disk that is gone takes this no more than the rest; why it failed is what is said.
            self.file.set_len((self.first * record_bytes(self.side)) as u64).unwrap_or_default();
        }
        // By hand: a lock lasts as long as the map, and that as long as the pictures.
        self.file.unlock().and(written)
    }

    fn write_index(&self) -> io::Result<()> {
        let entries = self.entries();
        let (by_content, next) = (&entries.by_content, entries.next);
        self.file.set_len((next.max(1) * record_bytes(self.side)) as u64)?;
        self.file.sync_all()?;
        let mut lines = Vec::new();
        let mut entries: Vec<&Entry> = by_content.values().collect();
        entries.sort_by_key(|entry| entry.record);
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        files::write_private(&self.index, &lines).map_err(|error| error.source)
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        // Each change of it is whole: who panicked left nothing half done.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a record lies in the file.
    fn range(&self, record: usize) -> Range<usize> {
        let start = record * record_bytes(self.side);
        start..start + record_bytes(self.side)
    }

    fn prepared(&self, entry: &Entry) -> Prepared {
        let Range { start, end } = self.range(entry.record);
        let middle = start + square(WORKING_SIDE);
        let at = |range| Pixels::mapped(Arc::clone(&self.map), range);
        let [mean, deviation, black_permille, white_permille] = entry.stats;
        Prepared {
            size: entry.size,
            working: at(start..middle),
            input: ModelInput {
                bytes: at(middle..end),
                stats: PixelStats { mean, deviation, black_permille, white_permille },
            },
        }
    }
}

fn square(side: u16) -> usize {
    usize::from(side) * usize::from(side)
}

/// What a picture takes on disk.
pub(super) fn record_bytes(side: u16) -> usize {
    square(WORKING_SIDE) + square(side)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(record: &[u8]) -> String {
    hex(&Sha256::digest(record)[..16])
}

/// A folder that nobody else may look into; one that is there stays as it is.
fn make_private(folder: &Path) -> io::Result<()> {
    folder.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The index; empty where there is none. A line that cannot be read names no record.
fn read_index(path: &Path) -> io::Result<Vec<Entry>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Writes at an offset, from any thread.
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::write_all_at(file, bytes, offset);
    #[cfg(windows)]
    match std::os::windows::fs::FileExt::seek_write(file, bytes, offset)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}
