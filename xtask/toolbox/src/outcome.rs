//! How a suite ended, and how many tests it counted.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

use crate::process;
use anyhow::Context;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran: how many tests passed, and how many did not.
    Ran { passed: u64, failed: u64 },
    /// It cannot run here, and why.
    NotRun(String),
}

impl Outcome {
    /// That of a program that checks `count` things and says by its status whether all hold.
    pub fn checks(status: ExitStatus, count: u64) -> Self {
        if status.success() {
            Self::Ran { passed: count, failed: 0 }
        } else {
            Self::Ran { passed: 0, failed: count }
        }
    }

    /// Both of one suite's parts.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ran { passed, failed }, Self::Ran { passed: more, failed: worse }) => {
                Self::Ran { passed: passed + more, failed: failed + worse }
            }
            (not_run @ Self::NotRun(_), _) | (_, not_run) => not_run,
        }
    }
}

thread_local! {
    /// What this thread's suites have said, where it is shown later.
    static HELD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Shows a line of a suite, or holds it.
pub fn say(line: &str) {
    HELD.with_borrow_mut(|held| match held {
        Some(text) => *text += &format!("{line}\n"),
        None => println!("{line}"),
    });
}

/// Does `work`, and returns what its suites said instead of showing it: for a thread beside another
/// whose lines are shown as they come.
pub fn held<T>(work: impl FnOnce() -> T) -> (T, String) {
    HELD.set(Some(String::new()));
    (work(), HELD.take().unwrap_or_default())
}

/// Runs tests by cargo, shows what they print and counts them by the closing line of each program.
/// Programs that end without one, and a run in which no test ran, have failed.
pub fn run_counted(command: &mut Command) -> anyhow::Result<Outcome> {
    let line = process::line(command);
    say(&format!("==> {line}"));
    let (output, input) = io::pipe()?;
    if HELD.with_borrow(Option::is_some) {
        command.stderr(input.try_clone()?);
    }
    let child = command.stdout(input).spawn().with_context(|| format!("cannot run `{line}`"));
    // The command's own ends of the pipe: it ends with the last of them.
    command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let mut child = child?;
    let (mut passed, mut failed) = (0, 0);
    for line in BufReader::new(output).lines() {
        let line = line?;
        say(&line);
        if let Some(counts) = counts(&line) {
            (passed, failed) = (passed + counts.0, failed + counts.1);
        }
    }
    let status = child.wait()?;
    if !status.success() || passed + failed == 0 {
        failed = failed.max(1);
    }
    Ok(Outcome::Ran { passed, failed })
}

/// Tests that passed and failed, from the closing line of a test program.
fn counts(line: &str) -> Option<(u64, u64)> {
    let mut parts = line.strip_prefix("test result: ")?.split_once(". ")?.1.split("; ");
    let mut number = |word: &str| parts.next()?.strip_suffix(word)?.trim().parse().ok();
    Some((number("passed")?, number("failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Outcome {
        run_counted(process::command("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn closing_lines_are_added_up() {
        let line =
            "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0.1s";
        assert_eq!(counts(line), Some((12, 0)));
        assert_eq!(counts("test result: FAILED. 1 passed; 2 failed; 0 ignored;"), Some((1, 2)));
        assert_eq!(counts("test a ... ok"), None);
        assert_eq!(shell(&format!("echo '{line}'; echo '{line}'")), Outcome::Ran { passed: 24, failed: 0 });
    }

    #[test]
    fn what_dies_without_a_closing_line_or_runs_nothing_has_failed() {
        assert_eq!(
            shell("echo 'test result: ok. 1 passed; 0 failed'; exit 101"),
            Outcome::Ran { passed: 1, failed: 1 }
        );
        assert_eq!(shell("true"), Outcome::Ran { passed: 0, failed: 1 });
    }

    #[test]
    fn what_is_held_is_all_that_was_printed_and_nothing_of_others() {
        let script = "echo one; echo two >&2; echo 'test result: ok. 1 passed; 0 failed'";
        let (outcome, said) = held(|| shell(script));
        assert_eq!(outcome, Outcome::Ran { passed: 1, failed: 0 });
        assert!(said.ends_with("one\ntwo\ntest result: ok. 1 passed; 0 failed\n"), "{said}");
        assert_eq!(held(|| std::thread::spawn(|| say("shown")).join()).1, "");
    }

    #[test]
    fn a_part_that_did_not_run_is_not_passed_over() {
        let ran = Outcome::Ran { passed: 1, failed: 0 };
        let not_run = Outcome::NotRun("why".into());
        assert_eq!(ran.clone().and(not_run.clone()), not_run);
        assert_eq!(not_run.clone().and(ran.clone()), not_run);
        assert_eq!(ran.clone().and(ran), Outcome::Ran { passed: 2, failed: 0 });
    }
}
