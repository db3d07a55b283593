//! No line is lost and none accepted torn: a last line cut at every byte, every call of the disk
//! failing or being the last, a full disk. What a killed process leaves is in `log_killed.rs`.

use crate::support::log::{Fault, FaultyDisk, SMALL, events, files, kinds, names, place, write};
use edge_runtime::log::{Kind, Log, Options, verify};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Decisions that a sweep writes: enough for rotations that delete.
const DECISIONS: usize = 14;

/// What must hold after anything that happened: the log is sound and in the order of `attempted`;
/// of the decisions that were accepted none is missing but those that rotation deleted, which are
/// the oldest. A refused one may be there: then the disk failed after the line was whole, and could
/// not take it back. Returns how many attempts are not there; none where some were deleted.
fn held(path: &Path, attempted: &[String], refused: &[String]) -> Result<Option<u64>, String> {
    let verified = verify(path, &[], None).map_err(|error| error.to_string())?;
    if !verified.is_sound() {
        return Err(format!("{:?}", verified.breaks));
    }
    let names = names(path);
    let rotated = verified.first.is_some_and(|first| first.seq > 0);
    let mut rest = attempted.iter();
    if rotated {
        let from = attempted.iter().position(|name| Some(name) == names.first());
        rest = attempted[from.ok_or_else(|| format!("{names:?} were not written"))?..].iter();
    }
    let mut found = names.iter().peekable();
    let missing: Vec<_> = rest.filter(|name| found.next_if_eq(name).is_none()).collect();
    if found.peek().is_some() || missing.iter().any(|name| !refused.contains(name)) {
        return Err(format!("attempted {attempted:?}, refused {refused:?}, in the log {names:?}"));
    }
    Ok((!rotated).then_some(missing.len() as u64))
}

fn told_as_lost(path: &Path) -> u64 {
    let events = events(path).into_iter();
    events.filter(|event| event["what"] == "not_logged").map(|event| event["lines"].as_u64().unwrap()).sum()
}

#[test]
fn torn_at_every_byte_of_the_last_line() {
    let (_folder, path) = place();
    let options = Options { max_bytes: 1 << 20, ..SMALL };
    let mut log = Log::open(&path, options).unwrap();
    let before: Vec<_> = (0..3).map(|i| i.to_string()).collect();
    before.iter().for_each(|name| write(&mut log, name).unwrap());
    let whole = fs::read(&path).unwrap().len();
    write(&mut log, "torn").unwrap();
    drop(log);
    let bytes = fs::read(&path).unwrap();
    for cut in whole..bytes.len() {
        let (_folder, path) = place();
        fs::write(&path, &bytes[..cut]).unwrap();
        if cut > whole {
            let kinds = kinds(&verify(&path, &[], None).unwrap());
            assert_eq!(kinds, [Kind::Torn], "accepted a line cut at {cut}");
        }
        let mut log = Log::with_disk(&path, options, FaultyDisk::new(0, Fault::Never));
        write(&mut log, "after").unwrap();
        let expected = [&before[..], &["after".to_owned()]].concat();
        assert_eq!(held(&path, &expected, &[]), Ok(Some(0)), "cut at {cut}");
        let torn = path.with_extension("log.torn-1");
        assert_eq!(torn.exists(), cut > whole);
        if cut > whole {
            assert_eq!(fs::read(&torn).unwrap(), bytes[whole..cut], "nothing is destroyed");
            let event = &events(&path)[0];
            assert_eq!((&event["what"], &event["bytes"]), (&"recovered".into(), &(cut - whole).into()));
        }
    }
}

/// Tries to write all decisions over a disk with a fault; returns those that were refused and how
/// many calls the disk got.
fn sweep(path: &Path, options: Options, at: usize, fault: Fault) -> (Vec<String>, usize) {
    let mut log = Log::with_disk(path, options, FaultyDisk::new(at, fault));
    let refused = all().into_iter().filter(|name| write(&mut log, name).is_err()).collect();
    (refused, log.disk().calls)
}

fn all() -> Vec<String> {
    (0..DECISIONS).map(|i| i.to_string()).collect()
}

/// Lays a log with torn bytes at its end, so that a sweep also goes through a repair.
fn torn_before(path: &Path) {
    let mut log = Log::open(path, SMALL).unwrap();
    write(&mut log, "before").unwrap();
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"{\"seq\":1,").unwrap();
}

/// Runs a sweep for every call that the disk gets, and then a device over a good disk, which writes
/// one more line. `look` gets what [`held`] finds, the number of refused decisions, and the number
/// of the call.
fn every_call(
    options: Options,
    fault: Fault,
    mut look: impl FnMut(&Path, Result<Option<u64>, String>, u64, usize),
) {
    let (_folder, path) = place();
    torn_before(&path);
    let (refused, calls) = sweep(&path, options, 0, Fault::Never);
    assert_eq!(refused, [""; 0]);
    let deleted = verify(&path, &[], None).unwrap().first.unwrap().seq > 0;
    assert_eq!(deleted, options.keep == SMALL.keep);
    assert!(files(&path).len() > 3 && calls > 60, "{calls}");
    let attempted = [&["before".to_owned()], &all()[..], &["next".to_owned()]].concat();
    for at in 0..calls {
        let (_folder, path) = place();
        torn_before(&path);
        let (refused, _) = sweep(&path, options, at, fault);
        let mut log = Log::open(&path, options).unwrap();
        write(&mut log, "next").unwrap();
        look(&path, held(&path, &attempted, &refused), refused.len() as u64, at);
    }
}

#[test]
fn every_call_of_the_disk_fails_once_or_some_times() {
    for (calls, keep) in [(1, 20), (2, 20), (7, 20), (2, SMALL.keep)] {
        let (mut refusals, mut counted) = (0, 0);
        every_call(Options { keep, ..SMALL }, Fault::Fails { calls }, |path, held, refused, at| {
            let missing = held.unwrap_or_else(|error| panic!("{calls} calls from {at}: {error}"));
            // What is not in the log is told in it, unless the last decision failed: its writer could not
            // tell.
            if let Some(missing) = missing.filter(|_| names(path).contains(&(DECISIONS - 1).to_string())) {
                assert_eq!(told_as_lost(path), missing, "{calls} calls from {at}");
                counted += missing;
            }
            refusals += refused;
        });
        assert!(refusals > 20 && (counted > 20 || keep == SMALL.keep), "{refusals}, {counted}");
    }
}

#[test]
fn every_call_of_the_disk_is_the_last() {
    let mut ended_early = 0;
    every_call(SMALL, Fault::Ends, |_, held, refused, at| {
        held.unwrap_or_else(|error| panic!("call {at}: {error}"));
        ended_early += refused.min(1);
    });
    assert!(ended_early > 50, "{ended_early}");
}

/// The suites bite: a disk that says it wrote a line and did not is found, at whichever line it
/// lies.
#[test]
fn a_disk_that_lies_is_found() {
    let mut found = 0;
    every_call(SMALL, Fault::Lies, |_, held, refused, _| {
        assert_eq!(refused, 0, "it lies");
        found += u64::from(held.is_err());
    });
    assert!(found > 20, "{found}");
}

/// A disk that is really full, as the system says it.
#[test]
fn goes_on_by_itself_when_there_is_room_again() {
    let (_folder, path) = place();
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
    assert_eq!(held(&path, &["room".to_owned()], &[]), Ok(Some(0)));
    // And where the whole folder goes and comes.
    let away = path.with_file_name("away");
    let mut log = Log::new(away.join("device.log"), SMALL);
    assert!(write(&mut log, "no folder").is_err() && Log::open(away.join("device.log"), SMALL).is_err());
    fs::create_dir(&away).unwrap();
    write(&mut log, "folder").unwrap();
    assert_eq!(told_as_lost(&away.join("device.log")), 1);
}

/// What must be on disk before what: a power cut keeps only what was synced, and may keep what came
/// later without what came before.
#[test]
fn what_the_next_step_relies_on_is_synced_before_it() {
    let (_folder, path) = place();
    let asked = |path: &Path, lines: usize| {
        let mut log = Log::with_disk(path, SMALL, FaultyDisk::new(0, Fault::Never));
        (0..lines).for_each(|line| write(&mut log, &line.to_string()).unwrap());
        log.disk().asked.join(" ")
    };
    // The lock, the file and its name in the folder; then each line by itself.
    assert_eq!(asked(&path, 2), "open open sync_folder write sync write sync");
    // A torn line is copied, with its name, before it is cut off; and the cut is there before the next
    // line.
    let torn = fs::read(&path).unwrap();
    fs::write(&path, &torn[..torn.len() - 9]).unwrap();
    assert_eq!(
        asked(&path, 1),
        "open open create_new write sync sync_folder truncate sync open write sync write sync"
    );
    // A file that is full is closed by a line of its own, then moved, with its name.
    let (_folder, path) = place();
    let rotates = asked(&path, 5);
    assert!(rotates.contains("write sync open rename sync_folder open sync_folder write sync"), "{rotates}");
    // One whose last lines were changed is moved before the new one is made.
    let (_folder, path) = place();
    asked(&path, 2);
    let changed = fs::read_to_string(&path).unwrap().replace("REFER", "NEGATIVE");
    fs::write(&path, changed).unwrap();
    let aside = asked(&path, 1);
    assert!(aside.starts_with("open rename sync_folder open sync_folder write sync"), "{aside}");
}
