//! What joins an answer with a clinic's own records: the study UID and accession number of a DICOM
//! file, in the log where somebody asked for them.
//!
//! Both name an examination, and through the clinic's records a patient. Accession numbers are short
//! and often count up, so a plain hash of one is found by trying all; ours is of a salt of this device,
//! 64 characters in a file beside the log that only the owner may read, followed by the text. Who has
//! the salt joins by the same: `printf %s "$(cat log.jsonl.salt)$number" | sha256sum`.

use crate::log::{ExamRecord, Hash};
use edge_model::decode::Exam;
use edge_model::files;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How study UIDs and accession numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Studies {
    /// Not at all.
    #[default]
    Off,
    /// As the hash of a salt of this device and the text.
    Hashed,
    Plain,
}

/// Writes them as the configuration says.
#[derive(Debug)]
pub struct Joining {
    studies: Studies,
    salt: String,
}

#[derive(Debug, thiserror::Error)]
#[error("the salt {}: {source}; check that the log's folder exists and is writable, or set [log] studies = \"off\"", path.display())]
pub struct SaltError {
    pub path: PathBuf,
    pub source: io::Error,
}

impl Joining {
    /// Nothing is written.
    pub const OFF: Self = Self { studies: Studies::Off, salt: String::new() };

    /// For the log at this path: the salt beside it is read, or made where there is none.
    pub fn beside(log: &Path, studies: Studies) -> Result<Self, SaltError> {
        if studies != Studies::Hashed {
            return Ok(Self { studies, salt: String::new() });
        }
        let mut path = log.as_os_str().to_owned();
        path.push(".salt");
        let path = PathBuf::from(path);
        let salt = salt(&path).map_err(|source| SaltError { path, source })?;
        Ok(Self { studies, salt })
    }

    /// What is written of an examination; none where nothing is.
    pub fn of(&self, exam: &Exam) -> Option<ExamRecord> {
        let (study, number) = (exam.study_uid.as_deref(), exam.accession_number.as_deref());
        let hash = |text: &str| Hash::of(format!("{}{text}", self.salt).as_bytes());
        let record = match self.studies {
            Studies::Off => return None,
            Studies::Hashed => ExamRecord {
                study_uid_sha256: study.map(hash),
                accession_number_sha256: number.map(hash),
                ..ExamRecord::default()
            },
            Studies::Plain => ExamRecord {
                study_uid: study.map(str::to_owned),
                accession_number: number.map(str::to_owned),
                ..ExamRecord::default()
            },
        };
        (record != ExamRecord::default()).then_some(record)
    }
}

/// The salt in a file, made once.
fn salt(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(salt) if Hash::parse(salt.trim()).is_some() => Ok(salt.trim().to_owned()),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "expected 64 hexadecimal digits")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut random = [0; 32];
            File::open("/dev/urandom")?.read_exact(&mut random)?;
            let salt = Hash(random).to_string();
            files::write_private(path, salt.as_bytes()).map_err(|error| error.source)?;
            Ok(salt)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn exam() -> Exam {
        let (study_uid, accession_number) = (Some("1.2.3".into()), Some("A-4711".into()));
        Exam { study_uid, accession_number, ..Exam::default() }
    }

    #[test]
    fn nothing_is_written_unless_asked_for_and_a_hash_is_the_salts() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.jsonl");
        assert_eq!(Joining::OFF.of(&exam()), None);
        assert_eq!(Joining::beside(&log, Studies::default()).unwrap().of(&exam()), None);
        let plain = Joining::beside(&log, Studies::Plain).unwrap().of(&exam()).unwrap();
        assert_eq!(plain.accession_number.as_deref(), Some("A-4711"));
        assert!(!folder.path().join("log.jsonl.salt").exists(), "only a hash needs one");

        let first = Joining::beside(&log, Studies::Hashed).unwrap().of(&exam()).unwrap();
        let again = Joining::beside(&log, Studies::Hashed).unwrap().of(&exam()).unwrap();
        assert_eq!(first, again, "the salt lasts");
        let path = folder.path().join("log.jsonl.salt");
        let salt = fs::read_to_string(&path).unwrap();
        assert_eq!(first.accession_number_sha256, Some(Hash::of(format!("{salt}A-4711").as_bytes())));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!serde_json::to_string(&first).unwrap().contains("A-4711"));

        let other = Joining::beside(&folder.path().join("other.jsonl"), Studies::Hashed).unwrap();
        assert_ne!(other.of(&exam()).unwrap(), first, "another device, another salt");
        assert_eq!(other.of(&Exam::default()), None);
        fs::write(&path, "short").unwrap();
        let error = Joining::beside(&log, Studies::Hashed).unwrap_err().to_string();
        assert!(error.contains("expected 64 hexadecimal digits; check"), "{error}");
    }
}
