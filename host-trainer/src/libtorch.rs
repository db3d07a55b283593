//! libtorch for `tch`, put into a cache folder: the CPU part of the `torch` wheel, with what it
//! lacks made here.
//!
//! The wheel is the one form in which a package registry carries libtorch. On Linux it is a CUDA
//! build, so three things are changed to use it without CUDA: the CUDA libraries are left out,
//! `libtorch.so` (a shell that pulls them in) becomes a linker script, and the few CUDA functions
//! that `libtorch_cpu.so` imports are provided by small stub libraries that answer "no device".
//!
//! With CUDA (`setup --cuda`) the wheel's own libraries are kept and NVIDIA's put beside them; then
//! neither shell nor stubs are changed.
//!
//! Everything is prepared in a temporary folder that is renamed when it is complete, under a lock,
//! so a kill at any moment or two starts at once leave nothing half made.

mod cuda;
mod error;
mod files;
mod stubs;
mod unpack;
mod wheel;

pub use error::Error;

use std::fs::{self, File};
use std::path::Path;

use error::{VERSION, at};
use files::{remove_dir, write_synced};

/// Makes sure that `cache/libtorch` is a complete libtorch [`VERSION`]; fetches and unpacks it
/// where it is not. With `cuda`, one that uses CUDA where there is a driver; without, whichever is
/// there.
pub fn ensure(cache: &Path, cuda: bool) -> Result<(), Error> {
    let target = cache.join("libtorch");
    let is_there = || is_complete(&target) && (!cuda || target.join("lib/libtorch_cuda.so").exists());
    if is_there() {
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
    if is_there() {
        return Ok(());
    }
    if cuda {
        cuda::install(cache)?;
    }
    let wheel = wheel::for_this_machine()?;
    let file = wheel.obtain(&cache.join("wheels"))?;
    install(&file, &target, cuda)?;
    eprintln!("libtorch: ready in {}", target.display());
    Ok(())
}

/// True if `dir` is a finished libtorch of the right version. The version file is written last.
fn is_complete(dir: &Path) -> bool {
    fs::read_to_string(dir.join("build-version")).is_ok_and(|version| version.trim() == VERSION)
}

/// Unpacks the wheel `file`, adds what it lacks and puts the result at `target`, replacing what is
/// there.
fn install(file: &Path, target: &Path, cuda: bool) -> Result<(), Error> {
    let making = target.with_extension("tmp");
    remove_dir(&making)?;
    unpack::unpack_torch(file, &making, cuda)?;
    if !cuda {
        let built = stubs::provide_missing(&making.join("lib"))?;
        if !built.is_empty() {
            eprintln!("libtorch: built stubs for {} (no CUDA device is used)", built.join(", "));
        }
    }
    write_synced(&making.join("build-version"), format!("{VERSION}\n").as_bytes())?;
    remove_dir(target)?;
    fs::rename(&making, target).map_err(at("rename into place", target))
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
        install(&wheel, &target, false).unwrap();
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
        assert!(matches!(install(&wheel, &target, false), Err(Error::Archive { .. })));
        assert!(!target.exists());
    }

    #[test]
    fn a_complete_libtorch_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("libtorch");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("build-version"), "2.13.0\n").unwrap();
        ensure(dir.path(), false).unwrap();
        // Nothing was locked, fetched or unpacked.
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
