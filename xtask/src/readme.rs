//! The suite `readme`: what README.md tells the reader to type must work.
//!
//! Every line of a fenced `sh` block is one test, run by `sh` in the workspace's folder, in the
//! order of the page. A block after `<!-- not run: reason -->` is said not to be run, with that
//! reason, and so is a command that would run the tests again. In a line, a comment and what
//! follows a backslash at its end are as in the shell.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, ensure};
use toolbox::{host, process, root};

use toolbox::outcome::{Outcome, say};

/// One command of the page.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    /// Line of the page on which it starts, from 1.
    line: usize,
    /// What is typed.
    command: String,
    /// Why it is not run, if it is not.
    not_run: Option<String>,
}

/// Runs the page's commands, all of them even after one failed.
pub fn run() -> anyhow::Result<Outcome> {
    host::libtorch()?;
    let page = fs::read_to_string(root().join("README.md")).context("cannot read README.md")?;
    let (mut passed, mut failed) = (0, 0);
    for step in steps(&page) {
        let name = format!("README.md:{} {}", step.line, step.command);
        if let Some(reason) = step.not_run {
            say(&format!("test {name} ... not run: {reason}"));
            continue;
        }
        match shell(&step.command) {
            Ok(()) => {
                passed += 1;
                say(&format!("test {name} ... ok"));
            }
            Err(error) => {
                failed += 1;
                say(&format!("test {name} ... FAILED\n{error:#}"));
            }
        }
    }
    ensure!(passed + failed > 0, "README.md has no `sh` block that is run");
    Ok(Outcome::Ran { passed, failed })
}

/// Runs one command line; an error has its output.
fn shell(command: &str) -> anyhow::Result<()> {
    let mut shell = process::command("sh");
    let output = shell.args(["-euc", command]).stdin(Stdio::null()).output().context("cannot run sh")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr));
    Ok(())
}

/// The commands in the `sh` blocks of a Markdown page.
fn steps(page: &str) -> Vec<Step> {
    let mut found = Vec::new();
    let mut reason: Option<String> = None;
    let mut fence: Option<bool> = None;
    let mut started: Option<(usize, String)> = None;
    for (index, line) in page.lines().enumerate() {
        let text = line.trim();
        match fence {
            None => {
                if let Some(info) = text.strip_prefix("```") {
                    fence = Some(info.split_whitespace().next() == Some("sh"));
                } else if let Some(comment) = text.strip_prefix("<!-- not run:") {
                    reason = Some(comment.trim_end_matches("-->").trim().to_string());
                } else if !text.is_empty() {
                    // The mark belongs to the block that follows it, with at most empty lines between.
                    reason = None;
                }
            }
            Some(_) if text == "```" => {
                fence = None;
                reason = None;
            }
            Some(false) => {}
            Some(true) => {
                let (first, mut command) = started.take().unwrap_or((index + 1, String::new()));
                if let Some(part) = text.strip_suffix('\\') {
                    started = Some((first, command + part));
                    continue;
                }
                command += text;
                if !command.is_empty() && !command.starts_with('#') {
                    let not_run = reason.clone().or_else(|| recursion(&command));
                    found.push(Step { line: first, command, not_run });
                }
            }
        }
    }
    found
}

/// The reason not to run a command that would run these tests again.
fn recursion(command: &str) -> Option<String> {
    let again = ["cargo xtask test", "cargo test", ".ci/run"];
    again.iter().any(|text| command.contains(text)).then(|| "it would run this test again".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_fails() {
        assert!(shell("exit 3").is_err());
        assert!(shell("exit 0").is_ok());
    }

    #[test]
    fn commands_are_found_in_a_page() {
        let page = "Text with `code`.\n```sh\n# a comment\ncargo run -- \\\n    --help\n\nls # list\n```\n```text\nno\n```\n\
                    <!-- not run: needs a camera -->\n\n```sh\nwatch\n```\n<!-- not run: lost -->\nText.\n```sh\nlast\n\
                    cargo xtask test\n```\n";
        let step = |line, command: &str, not_run: Option<&str>| Step {
            line,
            command: command.to_string(),
            not_run: not_run.map(str::to_string),
        };
        let expected = [
            step(4, "cargo run -- --help", None),
            step(7, "ls # list", None),
            step(15, "watch", Some("needs a camera")),
            step(20, "last", None),
            step(21, "cargo xtask test", Some("it would run this test again")),
        ];
        assert_eq!(steps(page), expected);
    }
}
