//! Takes from the `torch` wheel what a C++ program on the CPU needs: headers and libraries, without
//! CUDA and Python.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use wheels::progress;
use zip::ZipArchive;

use super::error::{Error, at};
use super::files::write_synced;

/// Libraries that are left out: Python's and its helpers.
const PYTHON: [&str; 3] = ["libshm", "libtorch_global_deps", "libtorch_python"];
/// Libraries that are left out where CUDA is not wanted.
const CUDA: [&str; 4] = ["libc10_cuda", "libcaffe2_nvrtc", "libtorch_cuda", "libtorch_nvshmem"];

/// On Linux `libtorch.so` is an empty shell that needs `libtorch_cuda.so`. In its place stands this
/// linker script, which GNU ld and lld take for the two libraries it names.
const LINKER_SCRIPT: &str = "INPUT(libtorch_cpu.so libc10.so)\n";

/// Unpacks the needed part of the `torch` wheel into the new folder `target`, as `target/include`
/// and `target/lib`.
pub fn unpack_torch(wheel: &Path, target: &Path, cuda: bool) -> Result<(), Error> {
    unpack(wheel, target, &|name| is_needed(name, cuda))?;
    let shell = target.join("lib/libtorch.so");
    if !cuda && shell.exists() {
        write_synced(&shell, LINKER_SCRIPT.as_bytes())?;
    }
    Ok(())
}

/// Unpacks the files of `wheel` whose names are `needed` into the folder `target`, without the
/// first folder of their names.
pub fn unpack(wheel: &Path, target: &Path, needed: &dyn Fn(&str) -> bool) -> Result<(), Error> {
    let archive_error = |source| Error::Archive { file: wheel.to_path_buf(), source };
    let file = File::open(wheel).map_err(at("open", wheel))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(archive_error)?;

    let mut chosen = Vec::new();
    let mut bytes = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(archive_error)?;
        if entry.is_file() && entry.name().is_ok_and(|name| needed(&name)) {
            chosen.push(index);
            bytes += entry.size();
        }
    }
    eprintln!(
        "libtorch: unpacking {} files ({} MB) into {}",
        chosen.len(),
        bytes / 1_000_000,
        target.with_extension("").display()
    );

    let bar = progress(bytes, "unpacking");
    for index in chosen {
        let entry = archive.by_index(index).map_err(archive_error)?;
        // A name that would leave the folder is none of a torch wheel.
        let Some(name) = entry.enclosed_name() else { continue };
        let name: PathBuf = name.components().skip(1).collect();
        let path = target.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at("create the folder", parent))?;
        }
        let mut out = File::create(&path).map_err(at("create", &path))?;
        io::copy(&mut bar.wrap_read(entry), &mut out).map_err(at("write", &path))?;
        // The libraries must be on the disk before the version file is; ten thousand headers are not worth
        // the wait.
        if name.components().any(|folder| folder.as_os_str() == "lib") {
            out.sync_all().map_err(at("write", &path))?;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// True for the headers and for each library that works without Python and, unless it is wanted,
/// without CUDA.
fn is_needed(name: &str, cuda: bool) -> bool {
    if name.starts_with("torch/include/") {
        return true;
    }
    let Some(library) = name.strip_prefix("torch/lib/") else { return false };
    let is_library = library.contains(".so") || library.ends_with(".dylib");
    let one_of = |prefixes: &[&str]| prefixes.iter().any(|prefix| library.starts_with(prefix));
    is_library && !library.contains('/') && !one_of(&PYTHON) && (cuda || !one_of(&CUDA))
}

#[cfg(test)]
pub mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    pub fn write_wheel(path: &Path, files: &[(&str, &[u8])]) {
        let mut zip = ZipWriter::new(File::create(path).unwrap());
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
    }

    #[test]
    fn headers_and_cpu_libraries_are_taken() {
        for name in [
            "torch/include/ATen/Tensor.h",
            "torch/lib/libc10.so",
            "torch/lib/libgomp.so.1",
            "torch/lib/libtorch_cpu.so",
            "torch/lib/libtorch.dylib",
        ] {
            assert!(is_needed(name, false) && is_needed(name, true), "{name}");
        }
        for name in [
            "torch/__init__.py",
            "torch/lib/libtorch_cuda.so",
            "torch/lib/libtorch_cuda_linalg.so",
            "torch/lib/libtorch_python.dylib",
            "torch/_C.cpython-312-x86_64-linux-gnu.so",
            "torch/test/libc10.so",
        ] {
            assert!(!is_needed(name, false), "{name}");
            assert_eq!(is_needed(name, true), name.contains("cuda"), "{name}");
        }
    }

    #[test]
    fn the_shell_becomes_a_linker_script() {
        let dir = tempfile::tempdir().unwrap();
        let (wheel, target) = (dir.path().join("w.whl"), dir.path().join("out"));
        write_wheel(
            &wheel,
            &[
                ("torch/lib/libc10.so", b"c10"),
                ("torch/lib/libtorch.so", b"shell"),
                ("torch/lib/libtorch_cuda.so", b"cuda"),
                ("torch/__init__.py", b"python"),
            ],
        );
        unpack_torch(&wheel, &target, false).unwrap();
        assert_eq!(fs::read_to_string(target.join("lib/libtorch.so")).unwrap(), LINKER_SCRIPT);
        assert_eq!(fs::read(target.join("lib/libc10.so")).unwrap(), b"c10");
        assert_eq!(fs::read_dir(target.join("lib")).unwrap().count(), 2);
        assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
        // With CUDA it stays the shell, beside what it pulls in.
        unpack_torch(&wheel, &target, true).unwrap();
        assert_eq!(fs::read(target.join("lib/libtorch.so")).unwrap(), b"shell");
        assert_eq!(fs::read(target.join("lib/libtorch_cuda.so")).unwrap(), b"cuda");
    }

    #[test]
    fn a_damaged_entry_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let (wheel, target) = (dir.path().join("w.whl"), dir.path().join("out"));
        let content: Vec<u8> =
            (0..2000_u32).flat_map(|i| (i.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        write_wheel(&wheel, &[("torch/lib/libc10.so", &content)]);
        let mut bytes = fs::read(&wheel).unwrap();
        bytes[1000] ^= 0xFF;
        fs::write(&wheel, bytes).unwrap();
        assert!(unpack_torch(&wheel, &target, false).is_err());
    }
}
