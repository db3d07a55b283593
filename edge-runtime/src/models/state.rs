//! What holds of a device's models, and how it changes: without a disk.

use crate::log::{Event, ModelChange};
use bundle::Version;
use serde::{Deserialize, Serialize};

/// Starts that a new model is given. A device that ends more often before it is confirmed goes back.
pub const STARTS: u8 = 2;

/// Changes that may wait for a log. More come only where no device ever starts.
const MOST_CHANGES: usize = 256;

/// The model that the program was built with.
#[derive(Clone, Debug)]
pub struct BuiltIn {
    pub sha256: String,
    pub version: Version,
}

/// One of the models that a device may run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The one that the program was built with.
    #[default]
    BuiltIn,
    /// The one of the store with this SHA-256.
    Model(String),
}

impl Which {
    /// SHA-256 of a model of the store; none for the built-in one.
    pub fn sha256(&self) -> Option<&str> {
        match self {
            Self::BuiltIn => None,
            Self::Model(sha256) => Some(sha256),
        }
    }
}

/// A model whose file lies in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptModel {
    /// Of the model file, 64 hexadecimal digits: the name by which logs and site files call it.
    pub sha256: String,
    pub name: String,
    #[serde(with = "version_text")]
    pub version: Version,
    /// When it was installed, UTC, RFC 3339.
    pub installed: String,
    /// Fingerprint of the key that it is signed with.
    pub key: String,
    /// A person said that it may run without the configured site file, which is for another model.
    pub without_site: bool,
    /// Why it does not run; none where it runs, may run, or ran before.
    pub rejected: Option<String>,
}

/// A new model that is not confirmed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    pub sha256: String,
    /// Starts of the device with it that ended otherwise than by somebody stopping it, and the one
    /// that runs.
    pub starts: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Installed,
    Confirmed,
    Rejected,
    RolledBack,
}

/// A change that waits for the device's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub number: u64,
    pub at: String,
    pub kind: ChangeKind,
    /// What it is about.
    pub model: Which,
    pub version: Option<String>,
    /// In whose place it came, or which runs on.
    pub other: Which,
    pub why: Option<String>,
}

impl Change {
    /// As the log says it.
    pub fn event(&self) -> Event<'_> {
        let change = ModelChange {
            change: self.number,
            at: &self.at,
            model_sha256: self.model.sha256(),
            model_version: self.version.as_deref(),
            other_sha256: self.other.sha256(),
            why: self.why.as_deref(),
        };
        match self.kind {
            ChangeKind::Installed => Event::ModelInstalled(change),
            ChangeKind::Confirmed => Event::ModelConfirmed(change),
            ChangeKind::Rejected => Event::ModelRejected(change),
            ChangeKind::RolledBack => Event::ModelRolledBack(change),
        }
    }
}

/// Everything that `models.json` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub models: Vec<KeptModel>,
    /// Confirmed; it runs where none is on trial.
    pub current: Which,
    /// What ran before, where a person may go back to it.
    pub previous: Option<Which>,
    pub pending: Option<Pending>,
    /// No model below this version is installed.
    #[serde(with = "version_text")]
    pub minimum_version: Version,
    pub changes: Vec<Change>,
    pub next_change: u64,
}

/// What an installation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// The device tries it at its next start.
    Pending,
    /// It is the one that runs; nothing was changed.
    RunsAlready,
}

/// Why a change is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "expected version {minimum} or later, which ran here, got {got}; sign a later version, or go back to the one \
         before with `edge-runtime model rollback`"
    )]
    Older { minimum: Version, got: Version },
    #[error(
        "expected a model that ran before, got none: nothing is there to go back to; install another one"
    )]
    NoPrevious,
    #[error(
        "{MOST_CHANGES} changes wait for the device's log; start the device, which writes them, then try again"
    )]
    Unlogged,
}

impl State {
    pub fn kept(&self, sha256: &str) -> Option<&KeptModel> {
        self.models.iter().find(|model| model.sha256 == sha256)
    }

    /// Takes a new model, which is tried at the next start, in place of one that waited.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is changed then.
    pub fn install(&mut self, model: KeptModel, built_in: &BuiltIn) -> Result<Installed, Refusal> {
        let running = self.current.sha256().unwrap_or(&built_in.sha256);
        if running == model.sha256 {
            return Ok(Installed::RunsAlready);
        }
        let floor = if self.current == Which::BuiltIn { built_in.version } else { Version::default() };
        let minimum = self.minimum_version.max(floor);
        if model.version < minimum {
            return Err(Refusal::Older { minimum, got: model.version });
        }
        if self.changes.len() >= MOST_CHANGES {
            return Err(Refusal::Unlogged);
        }
        let (sha256, at) = (model.sha256.clone(), model.installed.clone());
        self.pending = Some(Pending { sha256: sha256.clone(), starts: 0 });
        self.models.retain(|kept| kept.rejected.is_none() && kept.sha256 != sha256);
        self.models.push(model);
        self.forget_unneeded();
        self.note(ChangeKind::Installed, Which::Model(sha256), self.current.clone(), None, &at);
        Ok(Installed::Pending)
    }

    /// What to try at this start; a new model's start is counted. One that was given all its starts
    /// is rejected.
    pub fn begin(&mut self, now: &str) -> Which {
        match &mut self.pending {
            Some(Pending { starts, .. }) if *starts >= STARTS => {
                let why = format!("the device ended {STARTS} times with it before it was confirmed");
                self.reject(&why, now);
                self.current.clone()
            }
            Some(Pending { starts, sha256 }) => {
                *starts += 1;
                Which::Model(sha256.clone())
            }
            None => self.current.clone(),
        }
    }

    /// Somebody stopped the device: the start does not count.
    pub fn stopped(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.starts = pending.starts.saturating_sub(1);
        }
    }

    /// The new model does not run; the confirmed one does.
    pub fn reject(&mut self, why: &str, now: &str) {
        self.drop_pending(ChangeKind::Rejected, why, now);
    }

    fn drop_pending(&mut self, kind: ChangeKind, why: &str, now: &str) {
        let Some(Pending { sha256, .. }) = self.pending.take() else { return };
        self.mark(&sha256, why);
        // Somebody may have installed the one before again: nobody goes back to what has failed.
        self.previous.take_if(|previous| previous.sha256() == Some(&sha256));
        self.note(kind, Which::Model(sha256), self.current.clone(), Some(why), now);
        self.forget_unneeded();
    }

    /// The new model has run well: it is the one that runs, and the one that ran is kept.
    pub fn confirm(&mut self, now: &str) {
        let Some(Pending { sha256, .. }) = self.pending.take() else { return };
        let model = Which::Model(sha256.clone());
        let old = std::mem::replace(&mut self.current, model.clone());
        if let Some(version) = self.kept(&sha256).map(|kept| kept.version) {
            self.minimum_version = self.minimum_version.max(version);
        }
        self.note(ChangeKind::Confirmed, model, old.clone(), None, now);
        self.previous = Some(old);
        self.forget_unneeded();
    }

    /// What [`State::roll_back`] would make run.
    ///
    /// # Errors
    /// [`Refusal::NoPrevious`].
    pub fn before(&self) -> Result<&Which, Refusal> {
        match &self.pending {
            Some(_) => Ok(&self.current),
            None => self.previous.as_ref().ok_or(Refusal::NoPrevious),
        }
    }

    /// A person goes back: from a new model to the one that runs, else to the one before.
    ///
    /// # Errors
    /// [`Refusal::NoPrevious`].
    pub fn roll_back(&mut self, now: &str) -> Result<(), Refusal> {
        const WHY: &str = "a person went back from it";
        if self.pending.is_some() {
            self.drop_pending(ChangeKind::RolledBack, WHY, now);
            return Ok(());
        }
        let previous = self.previous.take().ok_or(Refusal::NoPrevious)?;
        let from = std::mem::replace(&mut self.current, previous);
        if let Some(sha256) = from.sha256() {
            self.mark(sha256, WHY);
        }
        self.note(ChangeKind::RolledBack, from, self.current.clone(), Some(WHY), now);
        self.forget_unneeded();
        Ok(())
    }

    /// The changes up to this number are in the log.
    pub fn logged(&mut self, number: u64) {
        self.changes.retain(|change| change.number > number);
    }

    fn mark(&mut self, sha256: &str, why: &str) {
        if let Some(kept) = self.models.iter_mut().find(|kept| kept.sha256 == sha256) {
            kept.rejected = Some(why.to_owned());
        }
    }

    fn note(&mut self, kind: ChangeKind, model: Which, other: Which, why: Option<&str>, at: &str) {
        let version = model.sha256().and_then(|sha256| self.kept(sha256));
        let version = version.map(|kept| kept.version.to_string());
        let (at, why) = (at.to_owned(), why.map(str::to_owned));
        self.changes.push(Change { number: self.next_change, at, kind, model, version, other, why });
        self.next_change += 1;
    }

    /// Keeps what runs, what ran before, what is on trial, and what was rejected last.
    fn forget_unneeded(&mut self) {
        let last_rejected = self.models.iter().rfind(|kept| kept.rejected.is_some());
        let last_rejected = last_rejected.map(|kept| kept.sha256.clone());
        let pending = self.pending.as_ref().map(|pending| pending.sha256.as_str());
        let previous = self.previous.as_ref().and_then(Which::sha256);
        let needed = [self.current.sha256(), previous, pending, last_rejected.as_deref()];
        self.models.retain(|kept| needed.contains(&Some(kept.sha256.as_str())));
    }

    /// Whether every model that is named has its entry, under a name that is no path.
    pub(super) fn is_whole(&self) -> bool {
        let pending = self.pending.as_ref().map(|pending| pending.sha256.as_str());
        let named = [self.current.sha256(), self.previous.as_ref().and_then(Which::sha256), pending];
        let hash = |text: &str| {
            text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        named.into_iter().flatten().all(|sha256| self.kept(sha256).is_some())
            && self.models.iter().all(|kept| hash(&kept.sha256))
    }
}

/// Versions as in a model's metadata.
mod version_text {
    use bundle::Version;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(version)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        let text = String::deserialize(deserializer)?;
        Version::parse(&text).ok_or_else(|| D::Error::custom("expected a version such as 1.2.3"))
    }
}
