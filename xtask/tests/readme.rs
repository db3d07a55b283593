//! Runs the commands of README.md: what it tells the reader to type must work.
//!
//! Every line of a fenced `sh` block is one test, run by `sh` in the workspace's folder, in the order of the page. A
//! block after `<!-- not run: reason -->` is listed as ignored with that reason, and so is a command that would run
//! these tests again. In a line, a comment and what follows a backslash at its end are as in the shell.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

#[derive(Debug, PartialEq, Eq)]
struct Step {
    /// Line of the page on which it starts, from 1.
    line: usize,
    command: String,
    /// Why it is not run, if it is not.
    not_run: Option<String>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A command may use what an earlier one made.
    arguments.test_threads = Some(1);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("README.md"));
    let mut trials = vec![
        Trial::test("commands_are_found_in_a_page", || extract_commands().map_err(Failed::from)),
        Trial::test("a_failing_command_fails", || {
            let failed = run("exit 3", Path::new("."));
            if failed.is_err() { Ok(()) } else { Err("`exit 3` passed".into()) }
        }),
    ];
    match page {
        Ok(page) => {
            let steps = steps(&page);
            let runnable = steps.iter().filter(|step| step.not_run.is_none()).count();
            trials.push(Trial::test("page_has_commands", move || {
                if runnable > 0 { Ok(()) } else { Err("README.md has no `sh` block that is run".into()) }
            }));
            trials.extend(steps.into_iter().filter_map(|step| trial(step, &root, &arguments)));
        }
        Err(error) => {
            trials.push(Trial::test("page_is_there", move || Err(format!("README.md: {error}").into())))
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The test of one step. A step that is not run shows as ignored; where ignored tests are asked for it is only named,
/// because there is no way in which it could be run.
fn trial(step: Step, root: &Path, arguments: &Arguments) -> Option<Trial> {
    let name = format!("README.md:{} {}", step.line, step.command);
    let Some(reason) = step.not_run else {
        let root = root.to_path_buf();
        return Some(Trial::test(name, move || run(&step.command, &root)));
    };
    if arguments.include_ignored || arguments.ignored {
        eprintln!("not run: {name}: {reason}");
        return None;
    }
    Some(Trial::test(name, || Ok(())).with_kind(format!("not run: {reason}")).with_ignored_flag(true))
}

/// Runs one command line; the output is shown when it fails.
fn run(command: &str, root: &Path) -> Result<(), Failed> {
    let output =
        Command::new("sh").args(["-euc", command]).current_dir(root).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Err(format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr)).into())
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

/// Checks [`steps`] on a page with every case.
fn extract_commands() -> Result<(), String> {
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
    let found = steps(page);
    if found == expected { Ok(()) } else { Err(format!("expected {expected:#?}, found {found:#?}")) }
}
