//! Stub libraries for the CUDA functions that `libtorch_cpu.so` imports although it runs on the
//! CPU.
//!
//! The dynamic linker wants every library that is named as needed, and every versioned symbol in
//! it. So a stub has the file name, the symbols and the version names which the importing libraries
//! ask for, and each function returns 100, CUDA's `cudaErrorNoDevice`: libtorch then finds no
//! device. Only what is needed and absent is built.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use object::read::elf::{ElfFile64, FileHeader, Sym};
use object::{Endianness, ReadCache, elf};

use super::error::{Error, at};

/// The libraries that may be replaced by stubs: CUDA's run time and its profiler.
const CUDA: [&str; 2] = ["libcudart.so", "libcupti.so"];

/// By library name, by version name: the functions imported.
type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Builds a stub in `lib` for each of the [`CUDA`] libraries that a library in `lib` imports from
/// and that is not there itself; returns their names. Where nothing is missing (macOS, a CPU
/// build), nothing is built.
pub fn provide_missing(lib: &Path) -> Result<Vec<String>, Error> {
    let mut imports = Imports::new();
    for entry in fs::read_dir(lib).map_err(at("list", lib))? {
        let path = entry.map_err(at("list", lib))?.path();
        if is_elf(&path)? {
            read_imports(&path, &mut imports)?;
        }
    }
    imports.retain(|library, _| {
        CUDA.iter().any(|cuda| library.starts_with(cuda)) && !lib.join(library).exists()
    });
    for (library, versions) in &imports {
        build(lib, library, versions)?;
    }
    Ok(imports.into_keys().collect())
}

/// True if the file starts with the ELF magic (a linker script or a macOS library does not).
fn is_elf(path: &Path) -> Result<bool, Error> {
    use std::io::Read;
    let mut magic = Vec::new();
    let file = File::open(path).map_err(at("open", path))?;
    file.take(4).read_to_end(&mut magic).map_err(at("read", path))?;
    Ok(magic == elf::ELFMAG)
}

/// Adds to `imports` each undefined versioned symbol of the ELF library at `path`.
fn read_imports(path: &Path, imports: &mut Imports) -> Result<(), Error> {
    let file = File::open(path).map_err(at("open", path))?;
    // Reads only the tables, not the half gigabyte beside them.
    let cache = ReadCache::new(file);
    collect(&cache, imports).map_err(|source| Error::Symbols { file: path.to_path_buf(), source })
}

/// The part of [`read_imports`] that can fail in the ELF reader.
fn collect(data: &ReadCache<File>, imports: &mut Imports) -> object::read::Result<()> {
    let elf = ElfFile64::<Endianness, &ReadCache<File>>::parse(data)?;
    let endian = elf.endian();
    let sections = elf.elf_header().sections(endian, data)?;
    let symbols = sections.symbols(endian, data, elf::SHT_DYNSYM)?;
    let Some(versions) = sections.versions(endian, data)? else { return Ok(()) };
    for (index, symbol) in symbols.enumerate() {
        if !symbol.is_undefined(endian) {
            continue;
        }
        let version = versions.version(versions.version_index(endian, index).index())?;
        let Some((version, library)) = version.and_then(|version| Some((version, version.file()?))) else {
            continue;
        };
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let name = text(symbols.symbol_name(endian, symbol)?);
        imports.entry(text(library)).or_default().entry(text(version.name())).or_default().insert(name);
    }
    Ok(())
}

/// Compiles `lib/library` with one function for each symbol, under its version name.
fn build(lib: &Path, library: &str, versions: &BTreeMap<String, BTreeSet<String>>) -> Result<(), Error> {
    let source = lib.join("stub.c");
    let map = lib.join("stub.map");
    let mut code = String::new();
    let mut script = String::new();
    for (version, names) in versions {
        let list: String = names.iter().map(|name| format!("{name}; ")).collect();
        script += &format!("{version} {{ global: {list}}};\n");
        code.extend(names.iter().map(|name| format!("int {name}(void) {{ return 100; }}\n")));
    }
    fs::write(&source, code).map_err(at("write", &source))?;
    fs::write(&map, script).map_err(at("write", &map))?;
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let result = compile(&compiler, &source, &map, &lib.join(library));
    for made in [&source, &map] {
        fs::remove_file(made).map_err(at("remove", made))?;
    }
    result.map_err(|message| Error::Stub {
        library: library.to_string(),
        compiler: compiler.to_string_lossy().into_owned(),
        message,
    })
}

/// Runs the C compiler; an error is what it said.
fn compile(compiler: &OsStr, source: &Path, map: &Path, target: &Path) -> Result<(), String> {
    let argument = |prefix: &str, value: &OsStr| {
        let mut text = std::ffi::OsString::from(prefix);
        text.push(value);
        text
    };
    let output = Command::new(compiler)
        .args(["-shared", "-fPIC", "-nostdlib", "-o"])
        .arg(target)
        .arg(argument("-Wl,-soname,", target.file_name().unwrap_or_default()))
        .arg(argument("-Wl,--version-script=", map.as_os_str()))
        .arg(source)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_string())
    }
}

// The tests build real libraries as the Linux wheels have them.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn cc(dir: &Path, code: &str, args: &[&str]) {
        let file = dir.join("t.c");
        fs::write(&file, code).unwrap();
        let status = Command::new("cc").current_dir(dir).arg("t.c").args(args).status().unwrap();
        assert!(status.success());
    }

    /// A folder `lib` with a `libuser.so` that imports `cudaCount` and `cudaReset` from an absent
    /// `libcudart.so.13`.
    fn lib_that_needs_cuda(dir: &Path) -> std::path::PathBuf {
        let (cuda, lib) = (dir.join("cuda"), dir.join("lib"));
        fs::create_dir(&cuda).unwrap();
        fs::create_dir(&lib).unwrap();
        fs::write(dir.join("v.map"), "libcudart.so.13 { global: *; };").unwrap();
        let real = ["-shared", "-fPIC", "-Wl,-soname,libcudart.so.13", "-Wl,--version-script=v.map"];
        let to = ["-o", "cuda/libcudart.so.13"];
        cc(
            dir,
            "int cudaCount(void){return 7;} int cudaReset(void){return 7;} int unused;",
            &[&real[..], &to].concat(),
        );
        cc(
            dir,
            "#include <stdlib.h>\nint cudaCount(void); int cudaReset(void);\n\
             int user(void){ return getenv(\"HOME\") ? cudaCount() : cudaReset(); }",
            &["-shared", "-fPIC", "-Wl,-soname,libuser.so", "-o", "lib/libuser.so", "cuda/libcudart.so.13"],
        );
        lib
    }

    #[test]
    fn imports_are_read_with_library_and_version() {
        let dir = tempfile::tempdir().unwrap();
        let lib = lib_that_needs_cuda(dir.path());
        let mut imports = Imports::new();
        read_imports(&lib.join("libuser.so"), &mut imports).unwrap();
        let names: Vec<&str> =
            imports["libcudart.so.13"]["libcudart.so.13"].iter().map(String::as_str).collect();
        assert_eq!(names, ["cudaCount", "cudaReset"]);
        assert!(imports["libc.so.6"].values().flatten().any(|name| name == "getenv"));
    }

    #[test]
    fn a_program_runs_on_the_stub_and_finds_no_device() {
        let dir = tempfile::tempdir().unwrap();
        let lib = lib_that_needs_cuda(dir.path());
        assert_eq!(provide_missing(&lib).unwrap(), ["libcudart.so.13"]);
        let mut left: Vec<_> = fs::read_dir(&lib).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["libcudart.so.13", "libuser.so"]);
        cc(
            dir.path(),
            "int user(void); int main(void){ return user(); }",
            &["-o", "program", "lib/libuser.so", "lib/libcudart.so.13"],
        );
        let status = Command::new(dir.path().join("program"))
            .env("LD_LIBRARY_PATH", &lib)
            .env("LD_BIND_NOW", "1")
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(100));
    }

    #[test]
    fn nothing_is_built_where_nothing_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let lib = lib_that_needs_cuda(dir.path());
        fs::copy(dir.path().join("cuda/libcudart.so.13"), lib.join("libcudart.so.13")).unwrap();
        fs::write(lib.join("libtorch.so"), "INPUT(libuser.so)\n").unwrap();
        assert_eq!(provide_missing(&lib).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_compiler_that_fails_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = compile(OsStr::new("no-such-cc"), dir.path(), dir.path(), dir.path()).unwrap_err();
        assert!(!error.is_empty());
    }
}
