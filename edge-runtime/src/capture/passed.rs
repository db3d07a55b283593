//! What a watched folder passes over, each said once: in the log and for an engineer. A child's
//! film that nobody reads because of its ending must not go unnoticed.

use edge_model::decode;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

/// Files that are passed over for one reason, and were noticed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    pub why: &'static str,
    pub files: u64,
    /// The name of the first of them.
    pub name: String,
}

pub(super) const THERE_BEFORE: &str =
    "there when the folder was first watched (`existing = true` has such files answered)";
pub(super) const NOT_SEEN: &str = "cannot be looked at: a link to nothing, or no permission";
const FOLDER: &str = "a folder: only files right in the watched folder are read";

/// Why an entry is passed over; none for a picture by its name, or a DICOM file whatever its name.
pub(super) fn why(path: &Path) -> Option<&'static str> {
    let text = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| text.ends_with(ending));
    if text.starts_with("._") || ["thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"].contains(&&*text) {
        Some("a file of a computer's own, no picture")
    } else if ends(&[".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", "~"]) {
        Some("a file that is still being written, by its name")
    } else if text.starts_with('.') {
        Some("hidden: its name begins with a dot")
    } else if !decode::is_picture(path) {
        Some("no kind of file that is read here; export it in one that is")
    } else {
        None
    }
}

/// Why an entry with a picture's name is passed over though it can be looked at; none for a file.
pub(super) fn why_no_file(data: &std::fs::Metadata) -> Option<&'static str> {
    (!data.is_file()).then_some(FOLDER)
}

#[derive(Debug)]
struct Noticed {
    why: &'static str,
    since: Instant,
    said: bool,
}

/// What was noticed so far. What vanishes soon, as a name that a file has while it is written, is
/// not said.
#[derive(Debug, Default)]
pub(super) struct Passed {
    noticed: HashMap<OsString, Noticed>,
    to_say: VecDeque<PassedOver>,
}

/// Most names that are remembered though they are no longer there.
const MOST: usize = 50_000;

impl Passed {
    /// Takes note of a listing's names that are passed over.
    pub fn listed(&mut self, names: Vec<(OsString, &'static str)>, wait: Duration) {
        let now = Instant::now();
        let mut groups: BTreeMap<&'static str, PassedOver> = BTreeMap::new();
        if self.noticed.len() > MOST + names.len() {
            self.noticed.retain(|name, _| names.iter().any(|(listed, _)| listed == name));
        }
        for (name, why) in names {
            let noticed =
                self.noticed.entry(name.clone()).or_insert(Noticed { why, since: now, said: false });
            if noticed.why != why {
                *noticed = Noticed { why, since: now, said: false };
            }
            if noticed.said || now.duration_since(noticed.since) < wait {
                continue;
            }
            noticed.said = true;
            let name = name.to_string_lossy().into_owned();
            groups.entry(why).or_insert(PassedOver { why, files: 0, name }).files += 1;
        }
        self.to_say.extend(groups.into_values());
    }

    pub fn say(&mut self, what: PassedOver) {
        self.to_say.push_back(what);
    }

    /// What is to be said next.
    pub fn next(&mut self) -> Option<PassedOver> {
        self.to_say.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pictures_are_taken_and_all_others_have_a_reason() {
        let why = |name: &str| why(Path::new(name));
        for name in ["a.png", "A.JPG", "b.c.jpeg", "part.png", "=1.png"] {
            assert_eq!(why(name), None, "{name}");
        }
        for (name, expected) in [
            ("._a.jpg", "a computer's own"),
            ("Thumbs.db", "a computer's own"),
            (".DS_Store", "a computer's own"),
            ("a.jpg.part", "still being written"),
            ("a.png~", "still being written"),
            (".a.png", "hidden"),
            ("a.gif", "no kind of file"),
            ("a.heic", "no kind of file"),
            ("a.pdf", "no kind of file"),
            ("a", "no kind of file"),
        ] {
            assert!(why(name).is_some_and(|why| why.contains(expected)), "{name}: {:?}", why(name));
        }
    }

    #[test]
    fn each_is_said_once_and_many_at_once_in_one_sentence() {
        let mut passed = Passed::default();
        let names = |names: &[&str]| -> Vec<_> {
            let why = "no kind of file";
            names.iter().map(|name| (OsString::from(name), why)).collect()
        };
        let said = |passed: &mut Passed| passed.next().map(|said| (said.files, said.name));
        passed.listed(names(&["a.gif", "b.gif"]), Duration::ZERO);
        assert_eq!([said(&mut passed), said(&mut passed)], [Some((2, "a.gif".into())), None]);
        // Unmounted, and back.
        passed.listed(vec![], Duration::ZERO);
        passed.listed(names(&["a.gif", "b.gif", "c.gif"]), Duration::ZERO);
        assert_eq!([said(&mut passed), said(&mut passed)], [Some((1, "c.gif".into())), None]);
        passed.listed(names(&["d.part"]), Duration::from_secs(3600));
        assert_eq!(said(&mut passed), None, "it may be gone soon");
    }
}
