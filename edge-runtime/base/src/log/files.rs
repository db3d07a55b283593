//! The files of one log: `FILE` is being written, `FILE.1` was before it, `FILE.2` before that.
//!
//! Beside them may lie `FILE.torn-N` (the rest of a line that was cut off), `FILE.broken-N` (a file
//! that was set aside) and `FILE.lock` (empty; who holds its lock writes the log).

use super::chain::Link;
use super::line;
use crate::disk::Disk;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub(super) struct Files {
    path: PathBuf,
}

/// Files that lie beside a log, by what stands between the log's name and their number.
pub(super) const TORN: &str = "torn";
pub(super) const BROKEN: &str = "broken";

impl Files {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub fn folder(&self) -> &Path {
        self.path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn with(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        name.into()
    }

    pub fn lock(&self) -> PathBuf {
        self.with(".lock")
    }

    /// The file of that number; 0 is the one being written.
    pub fn number(&self, number: u32) -> PathBuf {
        if number == 0 { self.path.clone() } else { self.with(&format!(".{number}")) }
    }

    /// The numbers of the files that are there, the newest (the least) first.
    pub fn list(&self) -> io::Result<Vec<u32>> {
        let mut numbers = self.endings("")?;
        if self.path.try_exists()? {
            numbers.push(0);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Files `FILE.KIND-N` beside the log, in their order.
    pub fn beside(&self, kind: &str) -> io::Result<Vec<PathBuf>> {
        let mut numbers = self.endings(&format!("{kind}-"))?;
        numbers.sort_unstable();
        Ok(numbers.iter().map(|n| self.with(&format!(".{kind}-{n}"))).collect())
    }

    /// The next free name `FILE.KIND-N`.
    pub fn free(&self, kind: &str) -> io::Result<PathBuf> {
        let last = self.endings(&format!("{kind}-"))?.into_iter().max().unwrap_or(0);
        Ok(self.with(&format!(".{kind}-{}", last.saturating_add(1))))
    }

    /// All numbers N above 0 for which there is a file `FILE.` `before` N.
    fn endings(&self, before: &str) -> io::Result<Vec<u32>> {
        let mut start = self.path.file_name().unwrap_or_default().to_owned();
        start.push(format!(".{before}"));
        let mut numbers = Vec::new();
        for entry in fs::read_dir(self.folder())? {
            let name = entry?.file_name();
            let Some(digits) = name.as_encoded_bytes().strip_prefix(start.as_encoded_bytes()) else {
                continue;
            };
            let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            // `01` and `+1` are numbers too, but no names of this log's files.
            numbers.extend(number.filter(|n: &u32| *n > 0 && n.to_string().as_bytes() == digits));
        }
        Ok(numbers)
    }
}

/// What closing the newest file does to the others.
#[derive(Debug)]
pub(super) struct Rotation {
    /// Numbers of the files to delete, the oldest first.
    doomed: Vec<u32>,
    /// Numbers of the files that get the next higher one, the oldest first; the last is 0.
    shifted: Vec<u32>,
    /// The oldest file that stays, by its number now.
    oldest: u32,
}

impl Rotation {
    /// Plans for the files `numbers`, sorted, of which 0 was closed; `keep` others stay. A gap,
    /// left by a power cut between two renames, is filled before anything is deleted for room.
    pub fn plan(numbers: &[u32], keep: u32) -> Self {
        let gap = (1..).find(|n| !numbers.contains(n)).unwrap_or(u32::MAX);
        let dies = |n: u32| n > keep || (n == keep && gap > keep);
        let doomed: Vec<u32> = numbers.iter().copied().filter(|&n| n > 0 && dies(n)).rev().collect();
        let shifted = (0..gap.min(keep)).rev().collect();
        let oldest = numbers.iter().copied().filter(|n| !doomed.contains(n)).max().unwrap_or(0);
        Self { doomed, shifted, oldest }
    }

    /// Where the log begins after the rotation; none where that line cannot be read.
    pub fn begins(&self, files: &Files) -> Option<Link> {
        first_line(&files.number(self.oldest)).ok().flatten()
    }

    /// Deletes and renames. A power cut after any step leaves files whose lines still follow one
    /// another.
    pub fn apply(&self, files: &Files, disk: &mut impl Disk) -> io::Result<()> {
        for &number in &self.doomed {
            disk.remove(&files.number(number))?;
        }
        for &number in &self.shifted {
            disk.rename(&files.number(number), &files.number(number + 1))?;
        }
        disk.sync_folder(files.folder())
    }
}

/// The place of a file's first line; none where it is no whole line.
pub(super) fn first_line(path: &Path) -> io::Result<Option<Link>> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?).take(line::MAX as u64 + 1).read_until(b'\n', &mut line)?;
    Ok(line.strip_suffix(b"\n").and_then(|line| line::check(line).ok()).map(|checked| checked.link))
}

/// The size of a file; none where there is none.
pub(super) fn size(path: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_names_are_not_the_logs() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("device.log");
        for ending in
            ["", ".1", ".12", ".0", ".01", ".+2", ".x", ".torn-3", ".torn-0", ".torn-x", ".lock", "2"]
        {
            fs::write(format!("{}{ending}", path.display()), "").unwrap();
        }
        let files = Files::new(&path);
        assert_eq!(files.list().unwrap(), [0, 1, 12]);
        assert_eq!(files.beside(TORN).unwrap(), [folder.path().join("device.log.torn-3")]);
        assert_eq!(files.free(TORN).unwrap(), folder.path().join("device.log.torn-4"));
        assert_eq!(files.free(BROKEN).unwrap(), folder.path().join("device.log.broken-1"));
    }

    #[test]
    fn rotations_fill_gaps_before_they_delete() {
        let plan = |numbers: &[u32], keep| {
            let Rotation { doomed, shifted, oldest } = Rotation::plan(numbers, keep);
            (doomed, shifted, oldest)
        };
        assert_eq!(plan(&[0], 2), (vec![], vec![0], 0));
        assert_eq!(plan(&[0, 1], 2), (vec![], vec![1, 0], 1));
        assert_eq!(plan(&[0, 1, 2], 2), (vec![2], vec![1, 0], 1));
        // Cut between two renames: 1 became 2 already.
        assert_eq!(plan(&[0, 2], 2), (vec![], vec![0], 2));
        // Fewer are kept than before.
        assert_eq!(plan(&[0, 1, 2, 3], 1), (vec![3, 2, 1], vec![0], 0));
    }
}
