//! Python with the packages that some tests are judged by, as `cargo xtask test` brings it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

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
    printed(command.output().expect("Python runs"))
}

/// What `tests/metrics.py` makes of statements, a JSON list: another, of the first disagreement of
/// each.
///
/// # Panics
/// Where it fails, with what it says.
pub fn judge_metrics(statements: &str) -> String {
    let mut judge = script("metrics.py");
    judge.env("OMP_NUM_THREADS", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = judge.spawn().expect("Python runs");
    // Who fails before it has read says why on its standard error.
    let _ = running.stdin.take().expect("a pipe").write_all(statements.as_bytes());
    printed(running.wait_with_output().expect("Python ends"))
}

fn printed(run: Output) -> String {
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}
