//! A process killed at random moments leaves a log that is sound up to the line being written.
//! Alone in its file: a process that starts another one shares its files, and their locks, with it
//! for a moment.

use crate::support::log::{SMALL, assert_sound, names, place, write};
use edge_runtime::log::{Kind, Log, verify};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The variable that makes [`writer`] write, to the log that it names.
const WRITER: &str = "PNEUMOSCOPE_TEST_LOG";

/// The process that is killed. It says each decision that was accepted.
#[test]
#[ignore = "no test by itself: killed_a_hundred_times starts it"]
fn writer() {
    let Some(path) = std::env::var_os(WRITER) else { return };
    let mut log = Log::open(path, SMALL).unwrap();
    for i in 0.. {
        write(&mut log, &i.to_string()).unwrap();
        std::io::stderr().write_all(format!("{i}\n").as_bytes()).unwrap();
    }
}

#[test]
fn killed_a_hundred_times() {
    let (_folder, path) = place();
    let (mut torn, mut total) = (0, 0);
    for round in 0..100u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "log_killed::writer", "--ignored", "--nocapture"])
            .env(WRITER, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = child.stderr.take().unwrap();
        // From its first line on, for a time that is never the same.
        let mut first = [0];
        said.read_exact(&mut first).unwrap();
        std::thread::sleep(Duration::from_micros(round * 7919 % 50_000));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "it was to be killed while it wrote");
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        let text = format!("{}{rest}", char::from(first[0]));
        let accepted = text.lines().last().unwrap().parse::<usize>().unwrap();
        total += accepted + 1;

        for found in verify(&path, &[], None).unwrap().breaks {
            assert!(found.kind == Kind::Torn && found.file.ends_with(".log"), "round {round}: {found:?}");
            torn += 1;
        }
        let names: Vec<usize> = names(&path).iter().map(|name| name.parse().unwrap()).collect();
        // The last run's decisions are numbered without gaps up to the last that was accepted, or one more
        // that nobody was told of.
        let last = *names.last().unwrap();
        assert!(last == accepted || last == accepted + 1, "round {round}: {last}, accepted {accepted}");
        let run = names.iter().rev().zip((0..=last).rev()).take_while(|(name, down)| **name == *down).count();
        assert!(run == last + 1 || run == names.len(), "round {round}: {names:?}");
    }
    let mut log = Log::open(&path, SMALL).unwrap();
    write(&mut log, "0").unwrap();
    assert_sound(&path);
    println!("{total} decisions accepted in 100 runs, {torn} of them left a torn line");
}
