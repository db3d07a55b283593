//! Root writes nothing into a store that belongs to somebody else: whoever owns a folder can put
//! links there. The program starts again as the owner, with the file open already.

use crate::outcome::Outcome;
use crate::report::Output;
use anyhow::{Context, Result};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, exit};

/// Who the store belongs to.
pub struct Owner {
    user: u32,
    group: u32,
}

/// The owner of the store, or of the folder that it will be made in, where this program runs as
/// root and the owner is another user.
pub fn other_than_root(store: &Path) -> Option<Owner> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let folder = store.ancestors().find_map(|folder| folder.metadata().ok())?;
    let owner = Owner { user: folder.uid(), group: folder.gid() };
    (owner.user != 0).then_some(owner)
}

impl Owner {
    /// Runs `model` with these words as the owner; without a file it reads our standard input. Where
    /// it ends with an error, which it has told, this program ends the same way.
    pub fn again(&self, words: &[PathBuf], file: Option<File>, output: Output) -> Result<Outcome> {
        let mut command = Command::new("/proc/self/exe");
        command.arg("model").args(words).uid(self.user).gid(self.group);
        command.args((output == Output::Json).then_some("--json"));
        command.stdin(file.map_or_else(Stdio::inherit, Stdio::from));
        let status = command.status().context("cannot start again as the owner of the store")?;
        match status.code() {
            Some(0) => Ok(Outcome::Complete),
            code => exit(code.unwrap_or(1)),
        }
    }
}
