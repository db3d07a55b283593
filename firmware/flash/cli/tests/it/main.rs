//! The integration tests of the program `flash`, without a board.

mod loader;
mod program;
mod send;

use assert_cmd::Command;
use std::path::Path;

/// Runs the program: its exit status, and what it wrote to standard output and error.
fn flash(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("flash").unwrap().args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
