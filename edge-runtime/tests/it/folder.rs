//! What a watched folder remembers: through empty listings, files that cannot be looked at, mounts
//! that come late, and restarts.

use crate::support::picture;
use edge_runtime::capture::{CaptureError, CaptureOptions, Folder, Logged, Source};
use edge_runtime::log::Hash;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for what must come, on the slowest machine; a test that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Several listings: what comes wrongly would come in it.
const A_WHILE: Duration = Duration::from_millis(700);

/// A folder `films` in one of its own, and a memory that outlives the source.
struct Ward {
    base: TempDir,
    options: CaptureOptions,
}

impl Ward {
    fn new() -> Self {
        let options = CaptureOptions { quiet_ms: 50, give_up_ms: 100, ..Default::default() };
        let ward = Self { base: TempDir::new().unwrap(), options };
        fs::create_dir(ward.films()).unwrap();
        ward
    }

    fn films(&self) -> PathBuf {
        self.base.path().join("films")
    }

    fn memory(&self) -> PathBuf {
        self.base.path().join("answered")
    }

    fn put(&self, name: &str, width: u32) -> PathBuf {
        let path = self.films().join(name);
        fs::write(&path, picture::png(width, 40)).unwrap();
        path
    }

    /// A device is switched on, whose log says this last.
    fn starts(&self, last: Option<Logged>) -> Folder {
        Folder::with_memory(&self.films(), &self.options, &self.memory(), last).unwrap()
    }
}

/// The next file, answered as a device answers it; what the log says of it.
fn answered(source: &mut Folder) -> (String, Logged) {
    let shot = source.next(PATIENCE).unwrap();
    let (name, frame) = (shot.name.to_owned(), Some(Hash::of(shot.name.as_bytes())));
    source.answering(frame).unwrap();
    source.answered(true);
    let logged = Logged { name: Hash::of(name.as_bytes()), frame };
    (name, logged)
}

#[track_caller]
fn nothing(source: &mut Folder) {
    let error = source.next(A_WHILE).map(|shot| shot.name.to_owned()).unwrap_err();
    assert!(matches!(error, CaptureError::Nothing), "{error}");
}

fn move_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::rename(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A share that is not mounted lists as an empty folder, and every old film was answered again
/// when it was.
#[test]
fn an_empty_listing_forgets_nothing() {
    let ward = Ward::new();
    ward.put("old.png", 40);
    let mut source = ward.starts(None);
    nothing(&mut source);
    ward.put("new.png", 41);
    assert_eq!(answered(&mut source).0, "new.png");
    let away = ward.base.path().join("away");
    fs::create_dir(&away).unwrap();
    move_all(&ward.films(), &away);
    nothing(&mut source);
    // What came while nobody could see it is new.
    fs::write(away.join("meanwhile.png"), picture::png(42, 40)).unwrap();
    move_all(&away, &ward.films());
    assert_eq!(answered(&mut source).0, "meanwhile.png");
    nothing(&mut source);
}

#[test]
fn a_file_that_cannot_be_looked_at_for_a_while_stays_answered() {
    let ward = Ward::new();
    let elsewhere = ward.base.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut source = ward.starts(None);
    nothing(&mut source);
    for (name, width) in [("a.png", 40), ("b.png", 41)] {
        fs::write(elsewhere.join(name), picture::png(width, 40)).unwrap();
        symlink(elsewhere.join(name), ward.films().join(name)).unwrap();
        assert_eq!(answered(&mut source).0, name);
    }
    // The links lead nowhere, as to a share that is gone; then they lead to the same again.
    let gone = ward.base.path().join("gone");
    fs::rename(&elsewhere, &gone).unwrap();
    nothing(&mut source);
    let said = source.passed_over().expect("it is said");
    assert!(said.files == 2 && said.why.contains("a link to nothing"), "{said:?}");
    fs::rename(&gone, &elsewhere).unwrap();
    nothing(&mut source);
}

/// Root may look at everything, so this needs another user.
#[test]
fn a_file_without_permission_is_waited_for_and_stays_what_it_was() {
    let ward = Ward::new();
    let locked = ward.base.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::write(locked.join("a.png"), picture::png(40, 40)).unwrap();
    symlink(locked.join("a.png"), ward.films().join("a.png")).unwrap();
    // At first sight nobody may look at it: it is old all the same.
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let may_look = fs::metadata(locked.join("a.png")).is_ok();
    let mut source = ward.starts(None);
    nothing(&mut source);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
    nothing(&mut source);
    // The same where there are no permissions that count: a link to nothing is what cannot be looked at.
    println!("permissions count: {}", !may_look);
    symlink(locked.join("b.png"), ward.films().join("b.png")).unwrap();
    let mut again = ward.starts(None);
    nothing(&mut again);
    fs::write(locked.join("b.png"), picture::png(41, 40)).unwrap();
    assert_eq!(answered(&mut again).0, "b.png", "it came after the first start");
}

#[test]
fn what_was_answered_stays_so_over_a_restart_and_what_came_meanwhile_is_new() {
    let ward = Ward::new();
    ward.put("old.png", 40);
    let mut source = ward.starts(None);
    nothing(&mut source);
    ward.put("one.png", 41);
    let (name, last) = answered(&mut source);
    assert_eq!(name, "one.png");
    drop(source);
    ward.put("while-off.png", 42);
    let mut source = ward.starts(Some(last));
    let (name, last) = answered(&mut source);
    assert_eq!(name, "while-off.png");
    nothing(&mut source);
    drop(source);
    // The same name with another picture is another file, after a restart too.
    ward.put("one.png", 43);
    let mut source = ward.starts(Some(last));
    assert_eq!(answered(&mut source).0, "one.png");
    nothing(&mut source);
    let kept = fs::read_to_string(ward.memory()).unwrap();
    assert!(!kept.contains("png") && !kept.contains("films"), "no names: {kept}");
    assert_eq!(ward.memory().metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

/// Killed between the note and the log's line, the film was never answered; killed after the line,
/// it was.
#[test]
fn the_last_note_is_held_against_the_log() {
    for logged in [false, true] {
        let ward = Ward::new();
        let mut source = ward.starts(None);
        nothing(&mut source);
        ward.put("one.png", 40);
        let (_, before) = answered(&mut source);
        ward.put("two.png", 41);
        let frame = Some(Hash::of(b"two"));
        assert_eq!(source.next(PATIENCE).unwrap().name, "two.png");
        source.answering(frame).unwrap();
        drop(source); // killed
        let last = Logged { name: Hash::of(b"two.png"), frame };
        let mut source = ward.starts(Some(if logged { last } else { before }));
        if !logged {
            assert_eq!(answered(&mut source).0, "two.png");
        }
        nothing(&mut source);
    }
}

#[test]
fn an_answer_that_the_log_refused_comes_again_and_again_until_it_is_taken() {
    let ward = Ward::new();
    let mut source = ward.starts(None);
    nothing(&mut source);
    ward.put("one.png", 40);
    for _ in 0..3 {
        assert_eq!(source.next(PATIENCE).unwrap().name, "one.png");
        source.answering(None).unwrap();
        source.answered(false);
    }
    assert_eq!(answered(&mut source).0, "one.png");
    nothing(&mut source);
}

#[test]
fn a_memory_that_is_damaged_or_of_another_folder_counts_for_what_it_still_tells() {
    let ward = Ward::new();
    let mut source = ward.starts(None);
    nothing(&mut source);
    ward.put("one.png", 40);
    ward.put("two.png", 41);
    let (_, first) = answered(&mut source);
    let (second, _) = answered(&mut source);
    drop(source);
    // A power cut tore the last line.
    let whole = fs::read(ward.memory()).unwrap();
    fs::write(ward.memory(), &whole[..whole.len() - 9]).unwrap();
    // The note is on disk before the log's line, so the log ends with the answer before.
    let mut source = ward.starts(Some(first));
    let (torn, last) = answered(&mut source);
    assert_eq!(torn, second);
    nothing(&mut source);
    drop(source);
    let mut source = ward.starts(Some(last));
    nothing(&mut source);
    drop(source);
    // Of another folder it says nothing: what lies there is old, as at any first sight.
    let other = ward.base.path().join("other");
    fs::rename(ward.films(), &other).unwrap();
    fs::write(other.join("three.png"), picture::png(42, 40)).unwrap();
    let mut source = Folder::with_memory(&other, &ward.options, &ward.memory(), Some(last)).unwrap();
    nothing(&mut source);
    let said = source.passed_over().expect("what was there before is said");
    assert_eq!((said.files, said.why.contains("first watched")), (3, true));
    fs::create_dir(ward.base.path().join("dir")).unwrap();
    let refused = Folder::with_memory(&other, &ward.options, &ward.base.path().join("dir"), None);
    assert!(refused.is_err(), "a memory that cannot be read is no empty one");
}

/// What it told is lost: then rather two answers than none.
#[test]
fn a_memory_whose_beginning_is_damaged_makes_no_file_old() {
    for left in [&b""[..], b"{\"Folder\"", b"\0\0\0\0"] {
        let ward = Ward::new();
        let mut source = ward.starts(None);
        nothing(&mut source);
        ward.put("one.png", 40);
        let (_, last) = answered(&mut source);
        drop(source);
        fs::write(ward.memory(), left).unwrap();
        ward.put("two.png", 41);
        let mut source = ward.starts(Some(last));
        let mut names = [answered(&mut source).0, answered(&mut source).0];
        names.sort();
        assert_eq!(names, ["one.png", "two.png"]);
        drop(source);
    }
}

#[test]
fn a_folder_that_is_spelled_otherwise_is_the_same() {
    let ward = Ward::new();
    let mut source = ward.starts(None);
    nothing(&mut source);
    ward.put("one.png", 40);
    let (_, last) = answered(&mut source);
    drop(source);
    ward.put("two.png", 41);
    let spelled = PathBuf::from(format!("{}/./films/", ward.base.path().display()));
    let mut source = Folder::with_memory(&spelled, &ward.options, &ward.memory(), Some(last)).unwrap();
    assert_eq!(answered(&mut source).0, "two.png");
    nothing(&mut source);
}

/// With a note that cannot be written no file is answered.
#[test]
fn a_memory_that_cannot_be_written_is_an_error_until_it_can() {
    let ward = Ward::new();
    let disk = ward.base.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let memory = disk.join("answered");
    let mut source = Folder::with_memory(&ward.films(), &ward.options, &memory, None).unwrap();
    nothing(&mut source);
    ward.put("one.png", 40);
    assert_eq!(source.next(PATIENCE).unwrap().name, "one.png");
    source.answering(None).unwrap();
    source.answered(false);
    fs::remove_dir_all(&disk).unwrap();
    // Its open file is gone with its folder, which only a whole new one notices.
    let mut again = Folder::with_memory(&ward.films(), &ward.options, &memory, None).unwrap();
    let error = again.next(A_WHILE).map(|shot| shot.name.to_owned()).unwrap_err();
    assert!(error.to_string().contains("answered"), "{error}");
    fs::create_dir(&disk).unwrap();
    nothing(&mut again);
    ward.put("two.png", 41);
    assert_eq!(answered(&mut again).0, "two.png");
}

/// A share that is mounted after the device was started: what lies on it is old; and so it stays
/// when it is unmounted and comes back.
#[test]
#[ignore = "needs the right to mount: cargo xtask test mounts"]
fn a_mount_that_comes_after_the_service_brings_nothing_new() {
    const INSIDE: &str = "PNEUMOSCOPE_OWN_MOUNTS";
    if std::env::var_os(INSIDE).is_none() {
        // Mounts of its own, which nobody else sees and which end with it.
        let mut inside = std::process::Command::new("unshare");
        inside.args(["--map-root-user", "--mount"]).arg(std::env::current_exe().unwrap());
        let name = "folder::a_mount_that_comes_after_the_service_brings_nothing_new";
        let ended = inside.args(["--exact", name, "--ignored"]).env(INSIDE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let ward = Ward::new();
    let share = ward.base.path().join("share");
    fs::create_dir(&share).unwrap();
    mount(&["-t", "tmpfs", "none"], &share);
    for name in ["a.png", "b.png"] {
        fs::write(share.join(name), picture::png(40, 40)).unwrap();
    }
    for memory in [None, Some(ward.memory())] {
        let mut source = match &memory {
            None => Folder::new(&ward.films(), &ward.options),
            Some(memory) => Folder::with_memory(&ward.films(), &ward.options, memory, None).unwrap(),
        };
        nothing(&mut source);
        mount(&["--bind", share.to_str().unwrap()], &ward.films());
        nothing(&mut source);
        assert_eq!(source.passed_over().expect("it is said").files, if memory.is_none() { 2 } else { 3 });
        let new = if memory.is_none() { "c.png" } else { "d.png" };
        ward.put(new, 41);
        let (name, last) = answered(&mut source);
        assert_eq!(name, new);
        unmount(&ward.films());
        nothing(&mut source);
        mount(&["--bind", share.to_str().unwrap()], &ward.films());
        nothing(&mut source);
        unmount(&ward.films());
        // Started before the mount once more: now what is unknown has come meanwhile.
        if let Some(memory) = memory {
            let mut source = Folder::with_memory(&ward.films(), &ward.options, &memory, Some(last)).unwrap();
            nothing(&mut source);
            fs::write(share.join("e.png"), picture::png(42, 40)).unwrap();
            mount(&["--bind", share.to_str().unwrap()], &ward.films());
            assert_eq!(answered(&mut source).0, "e.png");
            nothing(&mut source);
            unmount(&ward.films());
        }
    }
    // The same films under another number, as of a server that was set up anew: only what is new is new.
    mount(&["--bind", share.to_str().unwrap()], &ward.films());
    let mut source = Folder::new(&ward.films(), &ward.options);
    nothing(&mut source);
    unmount(&ward.films());
    mount(&["-t", "tmpfs", "none"], &ward.films());
    let mut copy = std::process::Command::new("cp");
    copy.arg("-a").args(["a.png", "b.png"].map(|name| share.join(name))).arg(ward.films());
    assert!(copy.status().unwrap().success());
    ward.put("f.png", 43);
    assert_eq!(answered(&mut source).0, "f.png");
    nothing(&mut source);
    unmount(&ward.films());
    unmount(&share);
}

fn mount(arguments: &[&str], at: &Path) {
    assert!(std::process::Command::new("mount").args(arguments).arg(at).status().unwrap().success());
}

fn unmount(at: &Path) {
    assert!(std::process::Command::new("umount").arg(at).status().unwrap().success());
}
