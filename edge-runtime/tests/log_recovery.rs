//! No line is lost and none accepted torn: a last line cut at every byte, every call of the disk failing or being the last, a full
//! disk, and a process killed at random moments.

mod support;

use edge_runtime::log::{Kind, Log, Options, Reader, verify};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::log::{Fault, FaultyDisk, SMALL, files, names, write};
use tempfile::TempDir;

/// Decisions that a sweep writes: enough for rotations that delete.
const DECISIONS: usize = 14;

/// What must hold after anything that happened: the log is sound, and of the decisions that were accepted none is missing but those
/// that rotation deleted, which are the oldest.
fn held(path: &Path, accepted: &[String]) -> Result<(), String> {
    let verified = verify(path, &[], None).map_err(|error| error.to_string())?;
    if !verified.is_sound() {
        return Err(format!("{:?}", verified.breaks));
    }
    let names = names(path);
    if names.is_empty() || !accepted.ends_with(&names) {
        return Err(format!("accepted {accepted:?}, in the log {names:?}"));
    }
    let rotated = verified.first.is_some_and(|first| first.seq > 0);
    if !rotated && names.len() != accepted.len() {
        return Err(format!("accepted {accepted:?}, in the log {names:?}"));
    }
    Ok(())
}

/// How many lines the log says it could not write.
fn told_as_lost(path: &Path) -> u64 {
    let events = Reader::open(path).unwrap().filter_map(|entry| entry.unwrap().event);
    events.filter(|event| event["what"] == "not_logged").map(|event| event["lines"].as_u64().unwrap()).sum()
}

#[test]
fn torn_at_every_byte_of_the_last_line() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("device.log");
    let options = Options { max_bytes: 1 << 20, ..SMALL };
    let mut log = Log::open(&path, options).unwrap();
    let before: Vec<_> = (0..3).map(|i| i.to_string()).collect();
    before.iter().for_each(|name| write(&mut log, name).unwrap());
    let whole = fs::read(&path).unwrap().len();
    write(&mut log, "torn").unwrap();
    drop(log);
    let bytes = fs::read(&path).unwrap();
    for cut in whole..bytes.len() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("device.log");
        fs::write(&path, &bytes[..cut]).unwrap();
        if cut > whole {
            let kinds: Vec<_> = verify(&path, &[], None).unwrap().breaks.iter().map(|b| b.kind).collect();
            assert_eq!(kinds, [Kind::Torn], "accepted a line cut at {cut}");
        }
        let mut log = Log::open(&path, options).unwrap();
        write(&mut log, "after").unwrap();
        let expected = [&before[..], &["after".to_owned()]].concat();
        assert_eq!(held(&path, &expected), Ok(()), "cut at {cut}");
        assert_eq!(names(&path), expected, "cut at {cut}");
        let torn = path.with_extension("log.torn-1");
        assert_eq!(torn.exists(), cut > whole);
        if cut > whole {
            assert_eq!(fs::read(&torn).unwrap(), bytes[whole..cut], "nothing is destroyed");
            let event = Reader::open(&path).unwrap().find_map(|entry| entry.unwrap().event).unwrap();
            assert_eq!((&event["what"], &event["bytes"]), (&"recovered".into(), &(cut - whole).into()));
        }
    }
}

/// Writes all decisions over a disk with a fault; returns those that were accepted, how many were not, and the calls made.
fn sweep(path: &Path, at: usize, fault: Fault) -> (Vec<String>, usize, usize) {
    let mut log = Log::with_disk(path, SMALL, FaultyDisk::new(at, fault));
    let all = (0..DECISIONS).map(|i| i.to_string());
    let (accepted, refused): (Vec<_>, Vec<_>) = all.partition(|name| write(&mut log, name).is_ok());
    let calls = log.disk().calls;
    (accepted, refused.len(), calls)
}

/// Lays a log with torn bytes at its end, so that a sweep also goes through a repair.
fn torn_before(path: &Path) {
    let mut log = Log::open(path, SMALL).unwrap();
    write(&mut log, "before").unwrap();
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"{\"seq\":1,").unwrap();
}

/// Runs a sweep for every call that the disk gets.
fn every_call(fault: Fault, mut look: impl FnMut(&Path, Vec<String>, usize, usize)) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("device.log");
    torn_before(&path);
    let (accepted, refused, calls) = sweep(&path, 0, Fault::Never);
    assert_eq!((accepted.len(), refused), (DECISIONS, 0));
    assert!(files(&path).len() == 4 && verify(&path, &[], None).unwrap().first.unwrap().seq > 0);
    assert!(calls > 60, "{calls}");
    for at in 0..calls {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("device.log");
        torn_before(&path);
        let (accepted, refused, _) = sweep(&path, at, fault);
        look(&path, [vec!["before".to_owned()], accepted].concat(), refused, at);
    }
}

#[test]
fn every_call_of_the_disk_fails_once_or_some_times() {
    for calls in [1, 2, 7] {
        let mut refusals = 0;
        every_call(Fault::Fails { calls }, |path, mut accepted, refused, at| {
            // Whatever failed at the very end is told by the next line.
            let mut log = Log::open(path, SMALL).unwrap();
            if write(&mut log, "next").is_ok() {
                accepted.push("next".to_owned());
            }
            assert_eq!(held(path, &accepted), Ok(()), "{calls} calls from {at}");
            // What is not in the log is told in it, but for what the last of its writers could not tell.
            let ended = accepted[accepted.len() - 2] != (DECISIONS - 1).to_string();
            let rotated = names(path).len() < accepted.len();
            assert!(told_as_lost(path) == refused as u64 || ended || rotated, "{calls} calls from {at}");
            refusals += refused;
        });
        assert!(refusals > 20, "{refusals}");
    }
}

#[test]
fn every_call_of_the_disk_is_the_last() {
    let mut ended_early = 0;
    every_call(Fault::Ends, |path, mut accepted, refused, at| {
        ended_early += refused.min(1);
        let mut log = Log::open(path, SMALL).unwrap();
        // A line whose last step was cut off may be there though nobody was told so, and is then whole.
        let names = names(path);
        if names.last() != accepted.last() && names.len() > 1 {
            assert_eq!(names.get(names.len() - 2), accepted.last(), "call {at}");
            accepted.push(names[names.len() - 1].clone());
        }
        write(&mut log, "next").unwrap();
        accepted.push("next".to_owned());
        assert_eq!(held(path, &accepted), Ok(()), "call {at}");
    });
    assert!(ended_early > 50, "{ended_early}");
}

/// The suites bite: a disk that says it wrote a line and did not is found, at whichever line it lies.
#[test]
fn a_disk_that_lies_is_found() {
    let mut found = 0;
    every_call(Fault::Lies, |path, accepted, _, at| {
        let lied = held(path, &accepted).is_err();
        assert!(lied || names(path).len() < accepted.len() || at > 60, "call {at}");
        found += usize::from(lied);
    });
    assert!(found > 20, "{found}");
}

/// A disk that is really full, as the system says it.
#[test]
fn goes_on_by_itself_when_there_is_room_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("device.log");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut log = Log::new(&path, SMALL);
    for i in 0..5 {
        let error = write(&mut log, &i.to_string()).unwrap_err().to_string();
        assert!(error.contains("No space left on device"), "{error}");
    }
    assert_eq!(log.lost(), 5);
    fs::remove_file(&path).unwrap();
    write(&mut log, "room").unwrap();
    assert_eq!((log.lost(), told_as_lost(&path)), (0, 5));
    assert_eq!(held(&path, &["room".to_owned()]), Ok(()));
    // And where the whole folder goes and comes.
    let away = folder.path().join("away");
    let mut log = Log::new(away.join("device.log"), SMALL);
    assert!(write(&mut log, "no folder").is_err() && Log::open(away.join("device.log"), SMALL).is_err());
    fs::create_dir(&away).unwrap();
    write(&mut log, "folder").unwrap();
    assert_eq!(told_as_lost(&away.join("device.log")), 1);
}

/// The variable that makes [`writer`] write, to the log that it names.
const WRITER: &str = "PNEUMOSCOPE_TEST_LOG";

/// Not a test by itself: the process that is killed. It says each decision that was accepted.
#[test]
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
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("device.log");
    let (mut torn, mut total) = (0, 0);
    for round in 0..100u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer", "--nocapture"])
            .env(WRITER, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = child.stderr.take().unwrap();
        // From its first line on, for a time that is never the same.
        let mut first = [0];
        said.read_exact(&mut first).unwrap();
        std::thread::sleep(Duration::from_micros(round * 7919 % 20_000));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "it was to be killed while it wrote");
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        let text = format!("{}{rest}", char::from(first[0]));
        let accepted = text.lines().last().unwrap().parse::<usize>().unwrap();
        total += accepted + 1;

        let verified = verify(&path, &[], None).unwrap();
        for found in &verified.breaks {
            assert!(found.kind == Kind::Torn && found.file.ends_with(".log"), "round {round}: {found:?}");
            torn += 1;
        }
        let names: Vec<usize> = names(&path).iter().map(|name| name.parse().unwrap()).collect();
        // The last run's decisions are numbered without gaps up to the last that was accepted, or one more that nobody was told of.
        let last = *names.last().unwrap();
        assert!(last == accepted || last == accepted + 1, "round {round}: {last}, accepted {accepted}");
        let run: Vec<usize> = names
            .iter()
            .rev()
            .scan(last + 1, |above, &name| {
                (*above == name + 1).then(|| {
                    *above = name;
                    name
                })
            })
            .collect();
        assert!(run.last() == Some(&0) || run.len() == names.len(), "round {round}: {names:?}");
    }
    let mut log = Log::open(&path, SMALL).unwrap();
    write(&mut log, "0").unwrap();
    let verified = verify(&path, &[], None).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.breaks);
    println!("{total} decisions accepted in 100 runs, {torn} of them left a torn line");
}
