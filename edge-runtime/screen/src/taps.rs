//! Taps on answers that were seen, for the device to read.

use status::{ACKNOWLEDGED, Acknowledgement, Acknowledgements, Case, Status};
use std::io;
use std::path::{Path, PathBuf};

/// The taps of this run and of those before it.
#[derive(Debug)]
pub struct Taps {
    file: PathBuf,
    entries: Vec<Acknowledgement>,
}

/// Why a tap says nothing to the device.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// Another answer is there than the one that was tapped, or none.
    #[error("the answer is not the one that was tapped any more")]
    Changed,
    #[error("{}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// The case that a form names, as the page showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapped<'f> {
    pub run: &'f str,
    pub case: u32,
    pub pictures: u16,
    /// Whether it was the page that names one case only, and puts the next one's button where the
    /// last one's was.
    pub named: bool,
}

/// A finger that was meant for the answer of before comes down so long after the change at the most.
const SETTLED_MS: u64 = 1000;

impl Taps {
    /// Taps into `folder`. Numbers go on from those that lie there: the device takes each once.
    pub fn new(folder: &Path) -> Self {
        let file = folder.join(ACKNOWLEDGED);
        let entries =
            status::read::<Acknowledgements>(&file).map_or_else(|_| Vec::new(), |read| read.entries);
        Self { file, entries }
    }

    /// Acknowledges the case of `status` that was tapped, at `now_ms` of the status' monotonic clock.
    ///
    /// # Errors
    /// [`TapError`]: what was seen is no longer the answer, or the folder cannot be written.
    pub fn tap(&mut self, status: &Status, tapped: &Tapped, now_ms: u64) -> Result<(), TapError> {
        let same = |case: &&Case| case.number == tapped.case && case.pictures == tapped.pictures;
        let cases = status.worklist.iter().filter(|list| list.acknowledges).flat_map(|list| &list.cases);
        let case = cases.filter(same).find(|case| case.may_be_acknowledged());
        let new = now_ms.saturating_sub(status.shown_since_ms) < SETTLED_MS;
        let unseen = status.device_fault().is_some() || tapped.named && new;
        if status.run != tapped.run || case.is_none() || unseen {
            return Err(TapError::Changed);
        }
        let number = self.entries.last().map_or(1, |last| last.number.saturating_add(1));
        let (run, case, pictures) = (status.run.clone(), tapped.case, tapped.pictures);
        let mut entries = self.entries.clone();
        entries.push(Acknowledgement { number, run, case, pictures });
        let all = Acknowledgements::new(entries);
        status::write(&self.file, &all)
            .map_err(|source| TapError::Write { path: self.file.clone(), source })?;
        self.entries = all.entries;
        Ok(())
    }
}
