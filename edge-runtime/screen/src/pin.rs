//! The site's PIN: only its hash is kept, argon2id in a PHC string.
//!
//! 2 MiB and eight rounds are what a process of 12 MB has room for beside its connections; OWASP's smallest
//! recommendation needs 7 MiB with five. What a short PIN lacks is made up for by how seldom it may be tried
//! (`throttle`), as long as nobody reads the file.

use crate::kept;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file in the folder of `access.folder`.
pub const FILE: &str = "pin";

/// Fewest characters of a PIN.
pub const LEAST: usize = 6;

/// Most bytes of a PIN.
pub const MOST: usize = 64;

/// Memory of a hash, in KiB.
const MEMORY_KIB: u32 = 2048;

/// Rounds of a hash.
const ROUNDS: u32 = 8;

/// Longest file that is read.
const MOST_BYTES: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub enum PinError {
    #[error(
        "expected a PIN of {LEAST} characters or more and at most {MOST} bytes; take eight digits or more"
    )]
    Length,
    #[error(
        "expected a PIN that is harder to guess than one character over and over, or digits in their order"
    )]
    Easy,
    #[error("cannot hash the PIN: {0}")]
    Hash(String),
    #[error("{}: {source}; check the folder, and run as root or as the folder's owner", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{}: expected an argon2id hash as `pneumoscope-screen set-pin` writes it; set the PIN again with `sudo \
         pneumoscope-screen set-pin`", .0.display()
    )]
    Form(PathBuf),
    #[error(
        "{}: expected a hash of {MEMORY_KIB} KiB at most, got one of {memory_kib}, as another version of this program \
         set it; set the PIN again with `sudo pneumoscope-screen set-pin`, it may be the same", .path.display()
    )]
    Memory { path: PathBuf, memory_kib: u32 },
}

/// The hash of a PIN.
#[derive(Clone, Debug)]
pub struct Pin(String);

impl Pin {
    /// Hashes `pin` with a new salt.
    ///
    /// # Errors
    /// It is too short, too long or too easy.
    pub fn new(pin: &str) -> Result<Self, PinError> {
        if pin.chars().count() < LEAST || pin.len() > MOST {
            return Err(PinError::Length);
        }
        let steps: Vec<i16> =
            pin.as_bytes().windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
        if [0, 1, -1].iter().any(|step| steps.iter().all(|found| found == step)) {
            return Err(PinError::Easy);
        }
        let failed = |error: &dyn std::fmt::Display| PinError::Hash(error.to_string());
        let params = Params::new(MEMORY_KIB, ROUNDS, 1, None).map_err(|error| failed(&error))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon2.hash_password(pin.as_bytes()).map_err(|error| failed(&error))?;
        Ok(Self(hash.to_string()))
    }

    /// Whether `pin` is it. Takes a good part of a second on a slow board.
    pub fn is(&self, pin: &str) -> bool {
        let Ok(hash) = PasswordHash::new(&self.0) else { return false };
        pin.len() <= MOST && Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok()
    }

    /// Reads the PIN's hash in `folder`; none where none was set.
    ///
    /// # Errors
    /// There is a file, and it cannot be read or is no such hash.
    pub fn read(folder: &Path) -> Result<Option<Self>, PinError> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(PinError::Io { path, source }),
        };
        let text = text.trim();
        let memory = PasswordHash::new(text).ok().filter(|_| text.len() <= MOST_BYTES).and_then(|hash| {
            (hash.algorithm.as_str() == "argon2id").then(|| hash.params.get_decimal("m"))?
        });
        match memory {
            // More would be memory that this process must not take.
            Some(memory_kib) if memory_kib > MEMORY_KIB => Err(PinError::Memory { path, memory_kib }),
            Some(_) => Ok(Some(Self(text.to_owned()))),
            None => Err(PinError::Form(path)),
        }
    }

    /// Writes it to `folder`, for the folder's owner alone.
    ///
    /// # Errors
    /// The folder is not there, or belongs to somebody else.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, PinError> {
        let path = folder.join(FILE);
        let put = kept::put(&path, format!("{}\n", self.0).as_bytes());
        put.map_err(|source| PinError::Io { path: path.clone(), source })?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_pin_is_known_by_its_hash_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Pin::read(folder.path()).unwrap().is_none());
        let path = Pin::new("739104").unwrap().write(folder.path()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=2048,t=8,p=1$") && !text.contains("739104"), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let pin = Pin::read(folder.path()).unwrap().unwrap();
        assert!(pin.is("739104"));
        assert!(!pin.is("739105") && !pin.is("") && !pin.is(&"739104".repeat(1000)));
    }

    #[test]
    fn what_is_easy_to_guess_is_refused() {
        for (pin, why) in
            [("12345", "expected a PIN of"), ("000000", "harder"), ("123456", "harder"), ("987654", "harder")]
        {
            assert!(Pin::new(pin).unwrap_err().to_string().contains(why), "{pin}");
        }
        assert!(matches!(Pin::new(&"ab".repeat(40)), Err(PinError::Length)));
    }

    #[test]
    fn what_is_no_hash_or_wants_more_memory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let good = Pin::new("739104").unwrap().0;
        let read = |text: &str| {
            fs::write(folder.path().join(FILE), text).unwrap();
            Pin::read(folder.path())
        };
        for text in ["", "739104", &good.replace("argon2id", "argon2d"), &good.replace("m=2048", "m=-1")] {
            assert!(matches!(read(text), Err(PinError::Form(_))), "{text}");
        }
        for memory in [2049, 4096, 1_048_576] {
            let greater = read(&good.replace("m=2048", &format!("m={memory}")));
            assert!(matches!(greater, Err(PinError::Memory { memory_kib, .. }) if memory_kib == memory));
        }
        // One that was set with less is still the PIN.
        let params = Params::new(1024, 2, 1, None).unwrap();
        let less = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(b"739104").unwrap();
        assert!(read(&less.to_string()).unwrap().unwrap().is("739104"));
    }
}
