//! libtorch for `tch`, put into a cache folder: the CPU part of the `torch` wheel, with what it
//! lacks made here.
//!
//! The wheel is the one form in which a package registry carries libtorch. On Linux it is a CUDA
//! build, so three things are changed to use it without CUDA: the CUDA libraries are left out,
//! `libtorch.so` (a shell that pulls them in) becomes a linker script, and the few CUDA functions
//! that `libtorch_cpu.so` imports are provided by small stub libraries that answer "no device".
//!
//! Everything is prepared in a temporary folder that is renamed when it is complete, under a lock,
//! so a kill at any moment or two starts at once leave nothing half made.

mod stubs;
mod unpack;
mod wheel;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

/// The version that this `tch` was written for; `torch-sys` refuses any other.
const VERSION: &str = "2.13.0";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "no libtorch {VERSION} wheel is known for {os} on {arch}; install libtorch {VERSION} yourself and set \
         LIBTORCH to its folder"
    )]
    Platform {
        /// Operating system, as Rust names it.
        os: &'static str,
        /// Processor architecture, as Rust names it.
        arch: &'static str,
    },
    #[error(
        "libtorch {VERSION} is fetched with pip 20.3 or later, but {found}; install Python 3 with pip (on Debian: \
         apt-get install python3-pip) or set LIBTORCH to a libtorch {VERSION} of your own"
    )]
    NoPip { found: String },
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
    #[error("cannot read the wheel {}: {source}; remove it and run again", file.display())]
    Archive { file: PathBuf, source: zip::result::ZipError },
    #[error("cannot read the symbols of {}: {source}", file.display())]
    Symbols { file: PathBuf, source: object::read::Error },
    #[error(
        "cannot build the stub {library} with the C compiler `{compiler}`: {message}; install one (on Debian: \
         apt-get install g++), it is needed for tch too"
    )]
    Stub { library: String, compiler: String, message: String },
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

/// Makes sure that `cache/libtorch` is a complete libtorch [`VERSION`]; fetches and unpacks it
/// where it is not.
pub fn ensure(cache: &Path) -> Result<(), Error> {
    let target = cache.join("libtorch");
    if is_complete(&target) {
        return Ok(());
    }
    fs::create_dir_all(cache).map_err(at("create the folder", cache))?;
    let lock_path = cache.join("libtorch.lock");
    let lock = File::create(&lock_path).map_err(at("create", &lock_path))?;
    if lock.try_lock().is_err() {
        eprintln!("libtorch: another start is setting it up; waiting for it");
        lock.lock().map_err(at("lock", &lock_path))?;
    }
    // Somebody else may have finished it while this start waited.
    if is_complete(&target) {
        return Ok(());
    }
    let wheel = wheel::for_this_machine()?;
    let file = wheel.obtain(&cache.join("wheels"))?;
    install(&file, &target)?;
    eprintln!("libtorch: ready in {}", target.display());
    Ok(())
}

/// True if `dir` is a finished libtorch of the right version. The version file is written last.
fn is_complete(dir: &Path) -> bool {
    fs::read_to_string(dir.join("build-version")).is_ok_and(|version| version.trim() == VERSION)
}

/// Unpacks the wheel `file`, adds what it lacks and puts the result at `target`, replacing what is
/// there.
fn install(file: &Path, target: &Path) -> Result<(), Error> {
    let making = target.with_extension("tmp");
    remove_dir(&making)?;
    unpack::unpack(file, &making)?;
    let built = stubs::provide_missing(&making.join("lib"))?;
    if !built.is_empty() {
        eprintln!("libtorch: built stubs for {} (no CUDA device is used)", built.join(", "));
    }
    write_synced(&making.join("build-version"), format!("{VERSION}\n").as_bytes())?;
    remove_dir(target)?;
    fs::rename(&making, target).map_err(at("rename into place", target))
}

/// Removes a folder that may not exist.
fn remove_dir(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("remove", dir)(error)),
        _ => Ok(()),
    }
}

/// Writes a whole file and waits until it is on the disk.
fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = File::create(path).map_err(at("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at("write", path))
}

/// A bar over `bytes` bytes with the remaining time; hidden when standard error is no terminal.
fn progress(bytes: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:10} [{bar:40}] {bytes}/{total_bytes}, {eta} left");
    // The template is a constant; were it wrong, the plain bar would do.
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
    ProgressBar::new(bytes).with_style(style).with_message(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libtorch::unpack::tests::write_wheel;

    #[test]
    fn complete_means_the_right_version() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_complete(dir.path()));
        fs::write(dir.path().join("build-version"), "2.12.0\n").unwrap();
        assert!(!is_complete(dir.path()));
        fs::write(dir.path().join("build-version"), "2.13.0\n").unwrap();
        assert!(is_complete(dir.path()));
    }

    #[test]
    fn a_half_made_folder_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let (wheel, target) = (dir.path().join("torch.whl"), dir.path().join("libtorch"));
        write_wheel(&wheel, &[("torch/lib/libc10.dylib", b"new"), ("torch/include/a.h", b"header")]);
        // Both kinds of remains: of a kill while unpacking, and of a folder without its version file.
        for remains in ["libtorch", "libtorch.tmp"] {
            fs::create_dir_all(dir.path().join(remains).join("lib")).unwrap();
            fs::write(dir.path().join(remains).join("lib/libold.so"), "old").unwrap();
        }
        install(&wheel, &target).unwrap();
        assert!(is_complete(&target));
        assert_eq!(fs::read(target.join("lib/libc10.dylib")).unwrap(), b"new");
        assert_eq!(fs::read(target.join("include/a.h")).unwrap(), b"header");
        assert!(!target.join("lib/libold.so").exists());
        assert!(!dir.path().join("libtorch.tmp").exists());
    }

    #[test]
    fn a_broken_wheel_leaves_no_libtorch() {
        let dir = tempfile::tempdir().unwrap();
        let (wheel, target) = (dir.path().join("torch.whl"), dir.path().join("libtorch"));
        fs::write(&wheel, "not an archive").unwrap();
        assert!(matches!(install(&wheel, &target), Err(Error::Archive { .. })));
        assert!(!target.exists());
    }

    #[test]
    fn a_complete_libtorch_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("libtorch");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("build-version"), "2.13.0\n").unwrap();
        ensure(dir.path()).unwrap();
        // Nothing was locked, fetched or unpacked.
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
