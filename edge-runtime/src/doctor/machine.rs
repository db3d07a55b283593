//! The machine as its files and programs tell of it, under a root of their own in tests.

use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take to answer; it is ended then.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest file or answer that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A machine: what lies under a folder that is `/` but in tests.
#[derive(Clone, Debug)]
pub struct Machine {
    root: PathBuf,
    patience: Duration,
}

/// What a program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output, without blanks around it.
    pub said: String,
    /// Its standard error, likewise.
    pub complained: String,
}

impl Machine {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), patience: PATIENCE }
    }

    /// Ends programs after so long.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// A path as the machine means it, such as `/proc/uptime`.
    pub fn path(&self, path: &str) -> PathBuf {
        self.under(Path::new(path))
    }

    /// The same of a path that a configuration names.
    pub fn under(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The beginning of a small text file, without blanks around it; none where it cannot be read.
    pub fn read(&self, path: &Path) -> Option<String> {
        // A pipe or a device would let its reader wait.
        let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|data| data.is_file()))?;
        text(file)
    }

    /// The beginning of a small file, byte by byte.
    ///
    /// # Errors
    /// It cannot be read, or is no file.
    pub fn bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("expected a file, got something else"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Where a program lies; none where it is not installed.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let folders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
        folders.iter().map(|folder| self.path(folder).join(name)).find(|path| path.is_file())
    }

    /// Asks a program; none where it is not installed, does not start or does not end in time.
    pub fn ask(&self, name: &str, arguments: &[&str]) -> Option<Answer> {
        // Files, not pipes: nobody has to read while it runs.
        let (said, complained) = (tempfile::tempfile().ok()?, tempfile::tempfile().ok()?);
        let mut command = Command::new(self.program(name)?);
        command.args(arguments).env("LC_ALL", "C").process_group(0).stdin(Stdio::null());
        command.stdout(said.try_clone().ok()?).stderr(complained.try_clone().ok()?);
        let mut child = command.spawn().ok()?;
        let start = Instant::now();
        let status = loop {
            match child.try_wait().ok()? {
                Some(status) => break Some(status),
                None if start.elapsed() >= self.patience => break None,
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let Some(status) = status else {
            // With all that it started; then it is waited for, or it would stay in the table.
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            let _ = child.wait();
            return None;
        };
        Some(Answer { code: status.code(), said: again(said)?, complained: again(complained)? })
    }
}

fn again(mut file: File) -> Option<String> {
    file.rewind().ok()?;
    text(file)
}

fn text(file: File) -> Option<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}
