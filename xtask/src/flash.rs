//! `cargo xtask sign`, `flash`, `flash-model` and `send`: the package `firmware/flash` does them; what has to be compiled for it is compiled here.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::flash_cli::{BoardOptions, FlashOptions};
use crate::{firmware, process, root, target};

/// Hands this command line over to the package's program: its exit status and its last line are those of the command.
pub fn hand_over() -> anyhow::Result<()> {
    become_it(&mut command(&program()?))
}

/// Builds a board's firmware and has it written, by the same program.
pub fn flash(options: &FlashOptions) -> anyhow::Result<()> {
    let program = program()?;
    if options.elf.is_some() {
        return become_it(&mut command(&program));
    }
    // First whether there is such a board, and a probe: nobody waits for a build to learn that.
    let mut look = command(&program);
    let status = look.status().with_context(|| format!("cannot run {}", program.display()))?;
    if !status.success() {
        // It has said why.
        std::process::exit(status.code().unwrap_or(1));
    }
    become_it(command(&program).arg("--elf").arg(build(&options.board)?))
}

/// A board's firmware, built as it is shipped.
fn build(options: &BoardOptions) -> anyhow::Result<PathBuf> {
    let boards = options.boards.clone().unwrap_or_else(|| root().join("firmware/boards"));
    let (folder, board) = board_config::find(&boards.canonicalize()?, &options.board)?;
    firmware::build(&folder, &board)
}

/// The package's program, built along with the features of the tests: others would compile tract once more.
fn program() -> anyhow::Result<PathBuf> {
    let build = ["build", "--workspace", "--features", "host-trainer/torch", "--bin", "flash"];
    process::run(process::cargo().args(build))?;
    Ok(target().join("debug/flash"))
}

/// This command line, for the program. It runs where the user is: relative paths are from there.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    command
}

fn become_it(command: &mut Command) -> anyhow::Result<()> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot run `{}`", process::line(command)))
}
