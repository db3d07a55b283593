//! What a watched folder passes over, each said once: in the log and for an engineer. A child's
//! film that nobody reads because of its ending must not go unnoticed.

use super::memory::Look;
use edge_model::decode;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
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
const NO_PICTURE: &str = "no kind of file that is read here; export it in one that is";
const FOLDER: &str = "a folder: only files right in the watched folder are read";

/// A file's name in words: two files never have one.
pub(super) fn in_words(name: &OsStr) -> String {
    name.to_str().map_or_else(|| name.as_encoded_bytes().escape_ascii().to_string(), str::to_owned)
}

/// Why an entry is passed over, by its name alone.
pub(super) fn why_by_name(path: &Path) -> Option<&'static str> {
    let text = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| text.ends_with(ending));
    if text.starts_with("._") || ["thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"].contains(&&*text) {
        Some("a file of a computer's own, no picture")
    } else if ends(&[".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", "~"]) {
        Some("a file that is still being written, by its name")
    } else if text.starts_with('.') {
        Some("hidden: its name begins with a dot")
    } else {
        None
    }
}

/// Why an entry is passed over that can be looked at; none for a file.
pub(super) fn why_no_file(data: &std::fs::Metadata) -> Option<&'static str> {
    (!data.is_file()).then_some(FOLDER)
}

/// Files whose names do not tell what they are, with how they looked when they were opened to see
/// whether they are DICOM: none is opened again before it has changed.
#[derive(Debug, Default)]
pub(super) struct Opened {
    known: HashMap<OsString, (Look, bool)>,
    /// Those of the listing before.
    before: HashMap<OsString, (Look, bool)>,
}

impl Opened {
    /// What is not listed from now on is forgotten.
    pub fn listing_begins(&mut self) {
        self.before = std::mem::take(&mut self.known);
    }

    /// Why a file is passed over that looks like this; none for a picture by its ending, or a DICOM file
    /// whatever its name.
    pub fn why(&mut self, path: &Path, look: Look) -> Option<&'static str> {
        if decode::has_ending(path) {
            return None;
        }
        let name = path.file_name().unwrap_or_default();
        let known = self.before.remove(name).filter(|(its, _)| *its == look);
        let is_dicom = match known {
            Some((_, is_dicom)) => is_dicom,
            // What cannot be opened now may be at the next listing.
            None => match decode::begins_as_dicom(path) {
                Ok(is_dicom) => is_dicom,
                Err(_) => return Some(NO_PICTURE),
            },
        };
        self.known.insert(name.to_owned(), (look, is_dicom));
        (!is_dicom).then_some(NO_PICTURE)
    }
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
            let name = in_words(&name);
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
        let folder = tempfile::tempdir().unwrap();
        let mut opened = Opened::default();
        let mut why = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "x").unwrap();
            let look = Look::of(&path.metadata().unwrap());
            why_by_name(&path).or_else(|| opened.why(&path, look))
        };
        for name in ["a.png", "A.JPG", "b.c.jpeg", "part.png", "=1.png", "a.tif", "a.TIFF", "a.bmp", "a.webp"]
        {
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

    /// On a share, and with many files, opening each at each listing is what takes the time.
    #[test]
    fn a_file_of_unknown_ending_is_opened_once_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("IM000001");
        let dicom = test_support::dicom::radiograph(32, 32, &[7; 1024], &[]);
        let hour = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
        let write = |bytes: &[u8], modified| {
            std::fs::write(&path, bytes).unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        };
        let mut opened = Opened::default();
        let mut is_read = || {
            opened.listing_begins();
            opened.why(&path, Look::of(&path.metadata().unwrap())).is_none()
        };
        write(&vec![b'x'; dicom.len()], hour);
        assert!(!is_read());
        // Other bytes of the same look: that these are not seen shows that it was not opened.
        write(&dicom, hour);
        assert!(!is_read() && !is_read());
        write(&dicom, hour + Duration::from_secs(1));
        assert!(is_read());
        write(&vec![b'x'; dicom.len()], hour + Duration::from_secs(1));
        assert!(is_read());
        std::fs::write(&path, "text").unwrap();
        assert!(!is_read());
        // Gone for one listing, it is opened anew.
        write(&dicom, hour);
        assert!(is_read());
        write(&vec![b'x'; dicom.len()], hour);
        opened.listing_begins();
        opened.listing_begins();
        assert!(opened.why(&path, Look::of(&path.metadata().unwrap())).is_some());
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
