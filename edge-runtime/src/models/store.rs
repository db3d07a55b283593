//! The folder of models: their files, and the one that says what holds.
//!
//! ```text
//! models.json      what holds (State), with a checksum
//! models.lock      held while it is changed
//! SHA256.bundle    a model as it was signed, under the SHA-256 of the model file in it
//! ```

use super::state::{BuiltIn, Installed, KeptModel, Refusal, State, Which};
use crate::disk::{Disk, SystemDisk, write_all};
use crate::log::Hash;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Version of the state's form.
const FORMAT: u32 = 1;
const STATE: &str = "models.json";
const LOCK: &str = "models.lock";
const BUNDLE: &str = ".bundle";
const TEMPORARY: &str = ".tmp";

/// How long another program may hold the lock: it copies a small file meanwhile.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// The file's form.
#[derive(Serialize, Deserialize)]
struct StateFile<S> {
    format: u32,
    /// Of the state's JSON without spaces.
    sha256: Hash,
    state: S,
}

/// The store of one device.
#[derive(Debug)]
pub struct Store<D = SystemDisk> {
    folder: PathBuf,
    disk: D,
}

/// This moment, UTC, RFC 3339; empty where the clock has no date.
pub fn now() -> String {
    let now = jiff::Timestamp::try_from(SystemTime::now());
    now.map(|now| format!("{now:.0}")).unwrap_or_default()
}

impl Store {
    /// The store in this folder, which need not be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self::with_disk(folder, SystemDisk)
    }
}

impl<D: Disk> Store<D> {
    /// The same over another disk, for tests.
    pub fn with_disk(folder: impl Into<PathBuf>, disk: D) -> Self {
        Self { folder: folder.into(), disk }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The disk, for tests.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// The file of a model of this store.
    pub fn file(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}{BUNDLE}"))
    }

    /// What holds; of a store that is not there that the built-in model runs.
    ///
    /// # Errors
    /// [`StoreError::Read`] and [`StoreError::Damaged`].
    pub fn state(&self) -> Result<State, StoreError> {
        let path = self.folder.join(STATE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            bytes => bytes.map_err(|source| StoreError::Read { path: path.clone(), source })?,
        };
        decode(&bytes).map_err(|what| StoreError::Damaged { path, what })
    }

    /// The bytes of a model's file.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn read(&self, sha256: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.file(sha256);
        fs::read(&path).map_err(|source| StoreError::Read { path, source })
    }

    /// Takes a model that was checked: its file first, then that it is to be tried.
    ///
    /// # Errors
    /// [`StoreError`]; what ran before runs on then.
    pub fn install(
        &mut self,
        bundle: &[u8],
        model: KeptModel,
        built_in: &BuiltIn,
    ) -> Result<Installed, StoreError> {
        if let Err(source) = fs::create_dir(&self.folder)
            && source.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(StoreError::Write { path: self.folder.clone(), source });
        }
        let _lock = self.lock()?;
        let mut state = self.state()?;
        let (path, sha256) = (self.file(&model.sha256), model.sha256.clone());
        let installed = state.install(model, built_in)?;
        // The one that runs, too: installing it again is what mends a file that was damaged.
        let is_kept = state.kept(&sha256).is_some();
        if is_kept && fs::read(&path).ok().is_none_or(|there| there != bundle) {
            self.put(&path, bundle)?;
        }
        if installed == Installed::Pending {
            self.write(&state)?;
        }
        Ok(installed)
    }

    /// What to try at this start: [`State::begin`].
    ///
    /// # Errors
    /// [`StoreError`]: without a record nothing new may be tried.
    pub fn begin(&mut self) -> Result<Which, StoreError> {
        self.update(|state| Ok(state.begin(&now())))
    }

    /// [`State::stopped`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stopped(&mut self) -> Result<(), StoreError> {
        self.update(|state| {
            state.stopped();
            Ok(())
        })
    }

    /// [`State::reject`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reject(&mut self, why: &str) -> Result<(), StoreError> {
        self.update(|state| {
            state.reject(why, &now());
            Ok(())
        })
    }

    /// [`State::confirm`], of the model that ran: another one may have been installed meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn confirm(&mut self, sha256: &str) -> Result<(), StoreError> {
        self.update(|state| {
            if state.pending.as_ref().is_some_and(|pending| pending.sha256 == sha256) {
                state.confirm(&now());
            }
            Ok(())
        })
    }

    /// [`State::roll_back`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn roll_back(&mut self) -> Result<(), StoreError> {
        self.update(|state| Ok(state.roll_back(&now())?))
    }

    /// [`State::logged`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn logged(&mut self, number: u64) -> Result<(), StoreError> {
        self.update(|state| {
            state.logged(number);
            Ok(())
        })
    }

    fn update<T>(&mut self, change: impl Fn(&mut State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // Where nothing changes nothing is written, the lock's file neither.
        let before = self.state()?;
        let mut state = before.clone();
        let result = change(&mut state)?;
        if state == before {
            return Ok(result);
        }
        let _lock = self.lock()?;
        let mut state = self.state()?;
        let result = change(&mut state)?;
        self.write(&state)?;
        Ok(result)
    }

    /// Replaces the state, then removes the files that it does not name any more.
    fn write(&mut self, state: &State) -> Result<(), StoreError> {
        self.put(&self.folder.join(STATE), &encode(state))?;
        // What stays lying there is removed after the next change.
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
            let unneeded = match name.strip_suffix(BUNDLE) {
                Some(sha256) => state.kept(sha256).is_none(),
                None => name.ends_with(TEMPORARY),
            };
            if unneeded {
                let _ = self.disk.remove(&self.folder.join(name));
            }
        }
        Ok(())
    }

    /// A file that is there whole or not at all. Under the lock, so its temporary name is free.
    fn put(&mut self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(TEMPORARY);
        let temporary = PathBuf::from(temporary);
        let mut put = || -> io::Result<()> {
            if temporary.try_exists()? {
                self.disk.remove(&temporary)?;
            }
            let mut file = self.disk.create_new(&temporary)?;
            write_all(&mut self.disk, &mut file, bytes)?;
            self.disk.sync(&file)?;
            self.disk.rename(&temporary, path)?;
            self.disk.sync_folder(&self.folder)
        };
        put().map_err(|source| StoreError::Write { path: path.to_owned(), source })
    }

    fn lock(&mut self) -> Result<File, StoreError> {
        let path = self.folder.join(LOCK);
        let failed = |source| StoreError::Write { path: path.clone(), source };
        let lock = self.disk.open(&path).map_err(failed)?;
        let deadline = Instant::now() + LOCK_WAIT;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy { path }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }
}

fn encode(state: &State) -> Vec<u8> {
    let file = StateFile { format: FORMAT, sha256: checksum(state), state };
    // Fails on maps whose keys are no strings, and there is none.
    let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn checksum(state: &State) -> Hash {
    Hash::of(serde_json::to_string(state).unwrap_or_default().as_bytes())
}

/// The error says what is wrong.
fn decode(bytes: &[u8]) -> Result<State, String> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let Head { format } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if format != FORMAT {
        return Err(format!("expected format {FORMAT}, got {format}"));
    }
    let file: StateFile<State> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if checksum(&file.state) != file.sha256 {
        return Err("its checksum does not fit".to_owned());
    }
    if file.state.is_whole() {
        Ok(file.state)
    } else {
        Err("it names a model that it does not list".to_owned())
    }
}

/// Why the store is not as somebody wants it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot read {}: {source}; the service's user can, and root", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "cannot write {}: {source}; check that the folder exists, belongs to the service's user and has room",
        path.display()
    )]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "expected what `edge-runtime model install` wrote in {}, but {what}; remove this file, then install the model \
         again",
        path.display()
    )]
    Damaged { path: PathBuf, what: String },
    #[error("another program has held {} for {} s; try again", path.display(), LOCK_WAIT.as_secs())]
    Busy { path: PathBuf },
    #[error(transparent)]
    Refused(#[from] Refusal),
}
