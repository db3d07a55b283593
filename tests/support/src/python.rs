//! Python with the packages that some tests are judged by, as `cargo xtask test` brings it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter, with the packages on its path.
///
/// # Panics
/// Where the test runs outside `cargo xtask test`, which sets where both are.
pub fn python() -> Command {
    let [program, packages] = ["PNEUMOSCOPE_PYTHON", "PNEUMOSCOPE_PYTHON_PACKAGES"]
        .map(|name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by cargo xtask test")));
    let mut command = Command::new(program);
    command.env("PYTHONPATH", packages);
    command
}

/// The interpreter with a script of the folder `tests`.
pub fn script(name: &str) -> Command {
    let mut command = python();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name));
    command
}

/// What the command prints.
///
/// # Panics
/// Where it fails, with what it says.
pub fn output(command: &mut Command) -> String {
    let run = command.output().expect("Python runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

/// What `tests/metrics.py` makes of statements, a JSON list: another, of the first disagreement of
/// each.
pub fn judge_metrics(statements: &str) -> String {
    let file: PathBuf = std::env::temp_dir().join(format!("statements-{}.json", std::process::id()));
    std::fs::write(&file, statements).expect("a temporary file");
    let judged = output(script("metrics.py").arg(&file).env("OMP_NUM_THREADS", "1"));
    std::fs::remove_file(&file).expect("a temporary file");
    judged
}
