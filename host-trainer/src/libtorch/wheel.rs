//! Which `torch` wheel fits this machine, and how to get it: by pip, and checked against a fixed
//! SHA-256.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::error::{Error, VERSION, at};
use super::files::progress;

#[derive(Debug)]
pub struct Wheel {
    /// Operating system and architecture, as Rust names them.
    machine: (&'static str, &'static str),
    /// The platform tag, part of the file name.
    platform: &'static str,
    /// Size in MB (10^6 bytes), for the announcement.
    megabytes: u32,
    /// SHA-256 of the file, in hexadecimal.
    sha256: &'static str,
}

/// The wheels that can be used. The Python version in them does not matter: no Python part of them
/// is unpacked.
const WHEELS: [Wheel; 3] = [
    Wheel {
        machine: ("linux", "x86_64"),
        platform: "manylinux_2_28_x86_64",
        megabytes: 527,
        sha256: "796633c4cdf0fe2cdced72d8f88f22e73dbcfce83132763162f6d4bff13b820b",
    },
    Wheel {
        machine: ("linux", "aarch64"),
        platform: "manylinux_2_28_aarch64",
        megabytes: 427,
        sha256: "572df8be8ffb4599c88cbd6a0726f1f854f4da65d2e3c09f0e2c2283333cd6d4",
    },
    Wheel {
        machine: ("macos", "aarch64"),
        platform: "macosx_14_0_arm64",
        megabytes: 111,
        sha256: "2fe228aba290d14b9f31b049be550dbd469c3fd3013d7a19705b30454da97027",
    },
];

pub fn for_this_machine() -> Result<&'static Wheel, Error> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    WHEELS.iter().find(|wheel| wheel.machine == (os, arch)).ok_or(Error::Platform { os, arch })
}

impl Wheel {
    fn file_name(&self) -> String {
        format!("torch-{VERSION}-cp312-cp312-{}.whl", self.platform)
    }

    /// The wheel in the folder `dir`, fetched by pip where it is not there, with its hash checked
    /// in either case. A wheel with another hash is removed and is an error.
    pub fn obtain(&self, dir: &Path) -> Result<PathBuf, Error> {
        let file = dir.join(self.file_name());
        if !file.exists() {
            fs::create_dir_all(dir).map_err(at("create the folder", dir))?;
            self.download(dir)?;
        }
        self.check(&file)?;
        Ok(file)
    }

    /// Downloads into `dir`. pip itself writes to a temporary place and moves the finished file.
    fn download(&self, dir: &Path) -> Result<(), Error> {
        let python = python_with_pip(&["python3", "python"])?;
        eprintln!("libtorch: fetching {} ({} MB) with {python} -m pip", self.file_name(), self.megabytes);
        let status = Command::new(&python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--implementation=cp"])
            .args(["--python-version=3.12", "--abi=cp312", "--disable-pip-version-check", "--no-cache-dir"])
            .arg(format!("--platform={}", self.platform))
            .arg("--dest")
            .arg(dir)
            .arg(format!("torch=={VERSION}"))
            .stdin(Stdio::null())
            .stdout(Stdio::from(io::stderr()))
            .status()
            .map_err(at("run", Path::new(&python)))?;
        if status.success() { Ok(()) } else { Err(Error::Pip { wheel: self.file_name(), status }) }
    }

    /// Compares the hash; removes the file when it is another one.
    fn check(&self, file: &Path) -> Result<(), Error> {
        let found = sha256(file).map_err(at("read", file))?;
        if found == self.sha256 {
            return Ok(());
        }
        fs::remove_file(file).map_err(at("remove", file))?;
        Err(Error::WrongHash { file: file.to_path_buf(), expected: self.sha256, found })
    }
}

/// SHA-256 of a file, in hexadecimal.
fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let bar = progress(file.metadata()?.len(), "checking");
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            break;
        }
        hasher.update(&block[..read]);
        bar.inc(read as u64);
    }
    bar.finish_and_clear();
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The first of `candidates` that has a pip which knows `manylinux_2_28` (20.3 or later).
fn python_with_pip(candidates: &[&str]) -> Result<String, Error> {
    let mut found = Vec::new();
    for python in candidates {
        let output = Command::new(python).args(["-m", "pip", "--version"]).stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => {
                let text = String::from_utf8_lossy(&output.stdout).trim().to_string();
                match pip_version(&text) {
                    Some(version) if version >= (20, 3) => return Ok((*python).to_string()),
                    _ => found.push(format!("`{python}` has `{text}`")),
                }
            }
            Ok(_) => found.push(format!("`{python}` has no pip")),
            Err(_) => found.push(format!("there is no `{python}`")),
        }
    }
    Err(Error::NoPip { found: found.join(", ") })
}

/// Major and minor version from `pip 23.2.1 from ...`.
fn pip_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("pip ")?.split_whitespace().next()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wheel whose hash is that of the three bytes `abc`.
    const ABC: Wheel = Wheel {
        machine: ("linux", "x86_64"),
        platform: "test",
        megabytes: 0,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };

    #[test]
    fn a_wheel_with_the_right_hash_is_not_fetched_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("torch-2.13.0-cp312-cp312-test.whl");
        fs::write(&file, "abc").unwrap();
        // Platform `test` exists nowhere, so a fetch would fail.
        assert_eq!(ABC.obtain(dir.path()).unwrap(), file);
    }

    #[test]
    fn a_wheel_with_another_hash_is_named_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("torch-2.13.0-cp312-cp312-test.whl");
        fs::write(&file, "abd").unwrap();
        let error = ABC.obtain(dir.path()).unwrap_err();
        assert!(matches!(&error, Error::WrongHash { found, .. } if found.starts_with("a52d159f")), "{error}");
        let message = error.to_string();
        assert!(message.contains(ABC.sha256) && message.contains("removed"), "{message}");
        assert!(!file.exists());
    }

    #[test]
    fn without_python_the_message_says_what_to_install() {
        let error = python_with_pip(&["no-such-python-3", "false"]).unwrap_err().to_string();
        assert!(error.contains("there is no `no-such-python-3`, `false` has no pip"), "{error}");
        assert!(error.contains("apt-get install python3-pip"), "{error}");
    }

    #[test]
    fn pip_versions_are_read() {
        assert_eq!(pip_version("pip 23.2.1 from /usr/lib/python3 (python 3.11)"), Some((23, 2)));
        assert_eq!(pip_version("pip 18.1 from /usr/lib"), Some((18, 1)));
        assert_eq!(pip_version("pip"), None);
        assert!(Some((9, 9)) < Some((20, 3)));
    }

    #[test]
    fn every_wheel_has_a_full_hash_and_its_own_machine() {
        for (index, wheel) in WHEELS.iter().enumerate() {
            assert_eq!(wheel.sha256.len(), 64);
            assert!(WHEELS[..index].iter().all(|other| other.machine != wheel.machine));
        }
    }
}
