//! What can go wrong while libtorch is put in place, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// The version that this `tch` was written for; `torch-sys` refuses any other.
pub(super) const VERSION: &str = "2.13.0";

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
        "CUDA is set up on Linux with an x86-64 processor, not for {os} on {arch}; install PyTorch {VERSION} with CUDA \
         and set LIBTORCH_USE_PYTORCH=1"
    )]
    NoCuda {
        /// Operating system, as Rust names it.
        os: &'static str,
        /// Processor architecture, as Rust names it.
        arch: &'static str,
    },
    #[error("{0}. Or set LIBTORCH to a libtorch {VERSION} of your own")]
    Wheel(#[from] wheels::Error),
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
pub(super) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { action, path, source }
}
