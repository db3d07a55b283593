//! What a person acknowledged on a screen, from the file that the screen replaces.
//!
//! Whatever lies there: it is looked at in the publisher's thread, and only an entry of this run
//! that was not in the file when it was read before is handed on, once. One that comes too early,
//! for an answer that nobody has seen yet, is refused then and not kept for later.

use edge_core::worklist::CaseId;
use status::{Acknowledgement, Acknowledgements, MOST_ACKNOWLEDGEMENTS, StatusError};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

#[derive(Debug)]
pub struct Taps {
    file: PathBuf,
    run: String,
    /// By what a file is told from the one before; none where there is none.
    seen: Option<Mark>,
    /// The entries of the file that was read last.
    known: Vec<Acknowledgement>,
}

/// Device, inode, size and time of a file: that of its change, which nobody sets.
type Mark = (u64, u64, u64, i64, i64);

impl Taps {
    /// `run` is [`status::Status::run`].
    pub fn new(file: PathBuf, run: String) -> Self {
        Self { file, run, seen: None, known: Vec::new() }
    }

    /// The cases that were tapped since this was called last, with how many pictures each had then.
    ///
    /// # Errors
    /// What lies there is no such file; said once for each.
    pub fn look(&mut self) -> Result<Vec<(CaseId, u16)>, StatusError> {
        let looked = std::fs::symlink_metadata(&self.file).ok();
        let mark = looked.map(|l| (l.dev(), l.ino(), l.size(), l.ctime(), l.ctime_nsec()));
        if mark == self.seen {
            return Ok(Vec::new());
        }
        self.seen = mark;
        if mark.is_none() {
            return Ok(Vec::new());
        }
        let mut entries = status::read::<Acknowledgements>(&self.file)?.entries;
        entries.drain(..entries.len().saturating_sub(MOST_ACKNOWLEDGEMENTS));
        let new = entries.iter().filter(|entry| entry.run == self.run && !self.known.contains(entry));
        let new = new.map(|entry| (CaseId(entry.case), entry.pictures)).collect();
        self.known = entries;
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn entry(number: u64, run: &str, case: u32) -> Acknowledgement {
        Acknowledgement { number, run: run.into(), case, pictures: 1 }
    }

    #[test]
    fn each_tap_of_this_run_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(status::ACKNOWLEDGED);
        let mut taps = Taps::new(file.clone(), "now".into());
        let mut writes = |entries: &[Acknowledgement]| {
            status::write(&file, &Acknowledgements::new(entries.to_vec())).unwrap();
            let new: Vec<_> = taps.look().unwrap().into_iter().map(|(id, _)| id.0).collect();
            assert_eq!(taps.look().unwrap(), [], "the same file");
            new
        };
        let (one, two, before) = (entry(1, "now", 7), entry(2, "now", 8), entry(3, "before", 9));
        assert_eq!(writes(std::slice::from_ref(&one)), [7]);
        assert_eq!(writes(&[one.clone(), two.clone(), before]), [8]);
        assert_eq!(writes(std::slice::from_ref(&two)), [0; 0]);
        // A screen that was started anew counts from 1 again.
        assert_eq!(writes(&[entry(1, "now", 9)]), [9]);
        assert_eq!(writes(&[entry(1, "now", 9), entry(2, "now", 7)]), [7]);
        let many: Vec<_> = (1..=1000).map(|number| entry(number, "now", number as u32)).collect();
        assert_eq!(writes(&many).len(), MOST_ACKNOWLEDGEMENTS);
    }

    #[test]
    fn whatever_lies_there_is_an_error_once_and_the_next_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(status::ACKNOWLEDGED);
        let mut taps = Taps::new(file.clone(), "now".into());
        assert_eq!(taps.look().unwrap(), [], "nothing is there");
        for bytes in [b"nonsense".to_vec(), vec![b'['; 2 << 20], b"{\"version\":1,\"entries\":[{}]}".to_vec()]
        {
            fs::write(&file, bytes).unwrap();
            assert!(taps.look().is_err());
            assert_eq!(taps.look().unwrap(), [], "said once");
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(taps.look().is_err());
        fs::remove_dir(&file).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(pipe.success() && taps.look().is_err());
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        assert!(taps.look().is_err());
        status::write(&file, &Acknowledgements::new(vec![entry(1, "now", 7)])).unwrap();
        assert_eq!(taps.look().unwrap(), [(CaseId(7), 1)]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
