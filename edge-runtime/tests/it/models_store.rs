//! The store of models without a device: what each change makes of it, and power cuts at every step.

use crate::support::log::{Fault, FaultyDisk};
use bundle::Version;
use edge_runtime::disk::Disk;
use edge_runtime::models::{
    BuiltIn, ChangeKind, Installed, KeptModel, Refusal, STARTS, State, Store, StoreError, Which,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tempfile::TempDir;

const NOW: &str = "2026-11-29T20:00:00Z";

fn built_in() -> BuiltIn {
    BuiltIn { sha256: "00".repeat(32), version: Version::parse("2.0.0").unwrap() }
}

/// A model whose hash begins with this digit; what its file holds is not looked at here.
fn kept(digit: char, version: &str) -> KeptModel {
    KeptModel {
        sha256: format!("{digit}").repeat(64),
        name: "a model".into(),
        version: Version::parse(version).unwrap(),
        installed: NOW.into(),
        key: "0123456789abcdef".into(),
        without_site: false,
        rejected: None,
    }
}

fn which(digit: char) -> Which {
    Which::Model(kept(digit, "2.0.0").sha256)
}

fn bundle(digit: char) -> Vec<u8> {
    vec![digit as u8; 5000]
}

fn installed(state: &mut State, digit: char, version: &str) -> Result<Installed, Refusal> {
    state.install(kept(digit, version), &built_in())
}

fn confirmed(state: &mut State, digit: char, version: &str) {
    installed(state, digit, version).unwrap();
    assert_eq!(state.begin(NOW), which(digit));
    state.confirm(NOW);
}

fn listed(state: &State) -> String {
    state.models.iter().map(|kept| &kept.sha256[..1]).collect()
}

#[test]
fn a_new_model_is_tried_confirmed_and_the_old_one_kept() {
    let mut state = State::default();
    assert_eq!(installed(&mut state, 'a', "2.1.0"), Ok(Installed::Pending));
    assert_eq!(state.current, Which::BuiltIn, "nothing runs before it was tried");
    assert_eq!(state.begin(NOW), which('a'));
    state.confirm(NOW);
    assert_eq!((&state.current, &state.previous), (&which('a'), &Some(Which::BuiltIn)));
    assert_eq!(installed(&mut state, 'a', "2.1.0"), Ok(Installed::RunsAlready));
    confirmed(&mut state, 'b', "2.2.0");
    confirmed(&mut state, 'c', "2.2.0");
    assert_eq!((&state.current, &state.previous), (&which('c'), &Some(which('b'))));
    assert_eq!(listed(&state), "bc", "two before are not kept");
    let kinds: Vec<_> = state.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Installed, ChangeKind::Confirmed].repeat(3));
    state.logged(state.changes[3].number);
    assert_eq!(state.changes.iter().map(|change| change.number).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn none_older_is_installed_but_a_person_may_go_back_once() {
    let mut state = State::default();
    let older = |minimum: &str, got: &str| {
        let [minimum, got] = [minimum, got].map(|text| Version::parse(text).unwrap());
        Err(Refusal::Older { minimum, got })
    };
    assert_eq!(installed(&mut state, 'a', "1.9.9"), older("2.0.0", "1.9.9"), "than the built-in one");
    confirmed(&mut state, 'a', "2.1.0");
    confirmed(&mut state, 'b', "3.0.0");
    let before = state.clone();
    assert_eq!(installed(&mut state, 'c', "2.9.9"), older("3.0.0", "2.9.9"));
    assert_eq!(state, before);
    state.roll_back(NOW).unwrap();
    assert_eq!((&state.current, &state.previous), (&which('a'), &None));
    assert!(state.kept(which('b').sha256().unwrap()).unwrap().rejected.is_some());
    assert_eq!(state.roll_back(NOW), Err(Refusal::NoPrevious));
    assert_eq!(installed(&mut state, 'c', "2.9.9"), older("3.0.0", "2.9.9"), "going back lowers nothing");
    assert_eq!(installed(&mut state, 'b', "3.0.0"), Ok(Installed::Pending), "it may be tried again");
    assert_eq!(state.kept(which('b').sha256().unwrap()).unwrap().rejected, None);
}

#[test]
fn a_device_that_ends_goes_back_by_itself_and_one_that_is_stopped_does_not() {
    let mut state = State::default();
    confirmed(&mut state, 'a', "2.1.0");
    installed(&mut state, 'b', "2.2.0").unwrap();
    for _ in 0..3 * STARTS {
        assert_eq!(state.begin(NOW), which('b'));
        state.stopped();
    }
    (0..STARTS).for_each(|_| assert_eq!(state.begin(NOW), which('b')));
    assert_eq!(state.begin(NOW), which('a'));
    assert_eq!((&state.pending, &state.current), (&None, &which('a')));
    let last = state.changes.last().unwrap();
    assert_eq!((last.kind, &last.model, &last.other), (ChangeKind::Rejected, &which('b'), &which('a')));
    assert!(last.why.as_ref().unwrap().contains("ended 2 times"), "{last:?}");
    // Back from a new one to the one that runs, with the one before still there.
    installed(&mut state, 'c', "2.2.0").unwrap();
    assert_eq!(listed(&state), "ac", "what was rejected before is not kept");
    assert_eq!(state.before(), Ok(&which('a')));
    state.roll_back(NOW).unwrap();
    assert_eq!((&state.current, &state.previous), (&which('a'), &Some(Which::BuiltIn)));
    // What was current, then failed as a new one, is not gone back to.
    confirmed(&mut state, 'd', "2.2.0");
    installed(&mut state, 'a', "2.2.0").unwrap();
    state.reject("no", NOW);
    assert_eq!(state.before(), Err(Refusal::NoPrevious));
}

#[test]
fn changes_without_a_device_are_not_collected_for_ever() {
    let mut state = State::default();
    let refused = (0..1000).map(|_| installed(&mut state, 'a', "2.1.0")).find_map(Result::err);
    assert_eq!(refused, Some(Refusal::Unlogged));
    assert_eq!(state.changes.len(), 256);
}

/// A store with one model that runs, one before it, and one that waits.
fn prepared() -> (TempDir, PathBuf) {
    let place = TempDir::new().unwrap();
    let folder = place.path().join("models");
    let mut store = Store::at(&folder);
    for (digit, version) in [('a', "2.1.0"), ('b', "2.2.0"), ('c', "2.3.0")] {
        store.install(&bundle(digit), kept(digit, version), &built_in()).unwrap();
        if digit != 'c' {
            store.begin().unwrap();
            store.confirm(which(digit).sha256().unwrap()).unwrap();
        }
    }
    (place, folder)
}

#[test]
fn what_is_written_is_read_again_and_any_changed_byte_is_found() {
    let (_place, folder) = prepared();
    let file = folder.join("models.json");
    let (good, state) = (fs::read(&file).unwrap(), Store::at(&folder).state().unwrap());
    assert_eq!((&state.current, state.pending.is_some()), (&which('b'), true));
    let mut harmless = 0;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        match Store::at(&folder).state() {
            Err(StoreError::Damaged { .. }) => {}
            // A space that became another character that JSON does not tell from it would be the same
            // state.
            Ok(same) => {
                assert_eq!(same, state, "byte {at}");
                harmless += 1;
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(harmless < good.len() / 100, "{harmless} of {} bytes", good.len());
    fs::write(&file, &good[..good.len() - 3]).unwrap();
    let error = Store::at(&folder).state().unwrap_err().to_string();
    assert!(error.contains("remove this file, then install the model again"), "{error}");
    // What it says is the way out.
    fs::remove_file(&file).unwrap();
    let mut store = Store::at(&folder);
    assert_eq!(store.state().unwrap(), State::default());
    store.install(&bundle('c'), kept('c', "2.3.0"), &built_in()).unwrap();
    assert_eq!(store.begin().unwrap(), which('c'));
}

/// What the power takes with it: with [`Loss::All`] everything that was not synced, a file's half
/// and a name's change; with `None` nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    None,
    All,
}

/// How a name was before it was changed in a folder that is not synced yet.
enum Unsynced {
    Created(PathBuf),
    Renamed { from: PathBuf, to: PathBuf, old: Option<Vec<u8>> },
    Removed(PathBuf, Vec<u8>),
}

/// What a [`PowerCut`] knows, for the test to look at afterwards.
#[derive(Default)]
struct Lost {
    /// Inodes of files with bytes that are not synced.
    dirty: BTreeSet<u64>,
    names: Vec<Unsynced>,
}

/// A disk whose power is cut at one of its calls.
struct PowerCut {
    faulty: FaultyDisk,
    lost: Rc<RefCell<Lost>>,
    /// It says that it has synced a file, and has not.
    lies: bool,
}

impl PowerCut {
    fn at(call: usize, lies: bool) -> (Self, Rc<RefCell<Lost>>) {
        let lost = Rc::default();
        (Self { faulty: FaultyDisk::new(call, Fault::Ends), lost: Rc::clone(&lost), lies }, lost)
    }

    fn is_cut(&self) -> bool {
        self.faulty.calls > self.faulty.at
    }
}

impl Disk for PowerCut {
    fn open(&mut self, path: &Path) -> io::Result<File> {
        self.faulty.open(path)
    }

    fn create_new(&mut self, path: &Path) -> io::Result<File> {
        let file = self.faulty.create_new(path)?;
        self.lost.borrow_mut().names.push(Unsynced::Created(path.to_owned()));
        Ok(file)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_cut() {
            self.lost.borrow_mut().dirty.insert(file.metadata()?.ino());
        }
        self.faulty.write(file, bytes)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        self.faulty.sync(file)?;
        if !self.lies {
            self.lost.borrow_mut().dirty.remove(&file.metadata()?.ino());
        }
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let old = fs::read(to).ok();
        self.faulty.rename(from, to)?;
        let renamed = Unsynced::Renamed { from: from.to_owned(), to: to.to_owned(), old };
        self.lost.borrow_mut().names.push(renamed);
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let old = fs::read(path)?;
        self.faulty.remove(path)?;
        self.lost.borrow_mut().names.push(Unsynced::Removed(path.to_owned(), old));
        Ok(())
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.faulty.sync_folder(folder)?;
        self.lost.borrow_mut().names.clear();
        Ok(())
    }
}

impl Lost {
    /// Takes from the folder what was not synced.
    fn lose(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let length = entry.metadata().unwrap().len();
            if self.dirty.contains(&entry.metadata().unwrap().ino()) {
                File::options().write(true).open(entry.path()).unwrap().set_len(length / 2).unwrap();
            }
        }
        for name in self.names.iter().rev() {
            match name {
                Unsynced::Created(path) => fs::remove_file(path).unwrap(),
                Unsynced::Renamed { from, to, old } => {
                    fs::rename(to, from).unwrap();
                    old.iter().for_each(|old| fs::write(to, old).unwrap());
                }
                Unsynced::Removed(path, old) => fs::write(path, old).unwrap(),
            }
        }
    }
}

type Step = fn(&mut Store<PowerCut>) -> Result<(), StoreError>;

/// Everything that changes a store, on [`prepared`].
const STEPS: [(&str, Step); 6] = [
    ("install", |store| store.install(&bundle('d'), kept('d', "2.4.0"), &built_in()).map(|_| ())),
    ("begin", |store| store.begin().map(|_| ())),
    ("confirm", |store| store.confirm(which('c').sha256().unwrap())),
    ("reject", |store| store.reject("of the test")),
    ("roll back", |store| store.roll_back()),
    ("logged", |store| store.logged(2)),
];

/// Cuts the power at each call of a step in turn. What is wrong afterwards; empty where the store
/// always is as before the step or as after it, with every model that it names. Also how many cuts.
fn cut_everywhere(step: Step, loss: Loss, lies: bool) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    for call in 0.. {
        let (_place, folder) = prepared();
        let before = Store::at(&folder).state().unwrap();
        let (disk, lost) = PowerCut::at(call, lies);
        let mut store = Store::with_disk(&folder, disk);
        let result = step(&mut store);
        let cut = store.disk().is_cut();
        drop(store);
        if loss == Loss::All {
            lost.borrow().lose(&folder);
        }
        let after = Store::at(&folder).state();
        match &after {
            Err(error) => wrong.push(format!("call {call}: {error}")),
            // Files are removed last, and that may wait: then nothing failed.
            Ok(after) => {
                let named = [after.current.sha256(), after.previous.as_ref().and_then(Which::sha256)];
                let pending = after.pending.as_ref().map(|pending| pending.sha256.as_str());
                for sha256 in named.into_iter().chain([pending]).flatten() {
                    let expected = bundle(sha256.chars().next().unwrap());
                    if Store::at(&folder).read(sha256).ok() != Some(expected) {
                        wrong.push(format!("call {call}: {sha256:.1} is not whole"));
                    }
                }
                if result.is_ok() && *after == before {
                    wrong.push(format!("call {call}: what was done is lost"));
                }
            }
        }
        // And it can be gone on with.
        if after.is_ok()
            && let Err(error) = Store::at(&folder).install(&bundle('e'), kept('e', "9.0.0"), &built_in())
        {
            wrong.push(format!("call {call}: {error}"));
        }
        if !cut {
            return (wrong, call);
        }
    }
    unreachable!("the calls of a step end")
}

#[test]
fn a_power_cut_at_any_write_leaves_a_store_that_runs() {
    for (name, step) in STEPS {
        for loss in [Loss::None, Loss::All] {
            let (wrong, cuts) = cut_everywhere(step, loss, false);
            assert!(wrong.is_empty(), "{name}, {loss:?}: {wrong:#?}");
            assert!(cuts >= 6, "{name}: {cuts} cuts");
        }
    }
}

#[test]
fn a_planted_disk_that_lies_about_syncing_is_found() {
    let (wrong, _) = cut_everywhere(STEPS[0].1, Loss::All, true);
    assert!(
        wrong.iter().any(|wrong| wrong.contains("is not whole") || wrong.contains("expected")),
        "{wrong:?}"
    );
}

#[test]
fn a_full_disk_changes_nothing_and_is_told() {
    for (name, step) in STEPS {
        // The lock, and a file that gets its name with the last of them.
        for call in 0..5 {
            let (_place, folder) = prepared();
            let before = Store::at(&folder).state().unwrap();
            let (disk, _) = PowerCut::at(call, false);
            let result = step(&mut Store::with_disk(&folder, disk));
            let after = Store::at(&folder).state().unwrap();
            assert_eq!(after, before, "{name}, call {call}");
            let error = result.unwrap_err().to_string();
            assert!(error.contains("has room"), "{name}, call {call}: {error}");
        }
    }
}

#[test]
fn the_model_that_runs_is_written_again_only_where_its_file_is_damaged() {
    let (_place, folder) = prepared();
    let file = Store::at(&folder).file(which('b').sha256().unwrap());
    for damaged in [false, true] {
        if damaged {
            fs::write(&file, "not whole").unwrap();
        }
        let mut store = Store::with_disk(&folder, PowerCut::at(usize::MAX, false).0);
        let done = store.install(&bundle('b'), kept('b', "2.2.0"), &built_in()).unwrap();
        assert_eq!((done, fs::read(&file).unwrap()), (Installed::RunsAlready, bundle('b')));
        assert_eq!(store.disk().faulty.calls > 1, damaged, "the lock's file is opened either way");
    }
    // The built-in model has no file.
    let place = TempDir::new().unwrap();
    let mut store = Store::at(place.path());
    let done = store.install(&bundle('0'), kept('0', "2.0.0"), &built_in()).unwrap();
    assert_eq!((done, store.file(&kept('0', "2.0.0").sha256).exists()), (Installed::RunsAlready, false));
}

#[test]
fn two_programs_take_turns() {
    let (_place, folder) = prepared();
    let threads: Vec<_> = ['d', 'e', 'f']
        .map(|digit| {
            let folder = folder.clone();
            std::thread::spawn(move || {
                Store::at(folder).install(&bundle(digit), kept(digit, "3.0.0"), &built_in()).unwrap()
            })
        })
        .into_iter()
        .collect();
    threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), Installed::Pending));
    let state = Store::at(&folder).state().unwrap();
    let installed = state.changes.iter().filter(|change| change.kind == ChangeKind::Installed).count();
    assert_eq!(installed, 6, "no change is lost");
    let pending = state.pending.unwrap().sha256;
    assert_eq!(Store::at(&folder).read(&pending).unwrap(), bundle(pending.chars().next().unwrap()));
    let files = fs::read_dir(&folder).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "bundle")
    });
    assert_eq!(files.count(), state.models.len(), "no file is left over");
}
