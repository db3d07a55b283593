//! Models that travel: a store of signed models, one of which runs, one before it that is kept, and
//! perhaps a new one on trial.
//!
//! ```text
//! install:  signature -> model -> self-test -> the file, synced -> pending
//! start:    pending? counted, opened, self-test -> on trial -> confirmed, the old one is kept
//!                    failed, or the device ended twice with it -> rejected, the old one runs on
//! ```
//!
//! 1. What runs was signed, each time: a file of the store is opened as it was at its installation.
//! 2. One file says what holds (`models.json`), replaced whole after what it names is on disk; so at
//!    every moment the store holds a model that may run.
//! 3. A start with a new model is counted before the model is opened; whatever ends the device after
//!    that counts against the model, except that somebody stopped it.
//! 4. No model older than one that was confirmed is installed; a person may go back to the one
//!    before ([`Store::roll_back`]).
//! 5. Each change waits in the state until a device has written it into its log.
//!
//! Who can write the store's folder can remove the state and begin anew with an older signed model:
//! that is not defended against here.

mod keys;
mod state;
mod store;
mod trial;

pub use keys::{KeysError, read_keys};
pub use state::{BuiltIn, Change, ChangeKind, Installed, KeptModel, Pending, Refusal, STARTS, State, Which};
pub use store::{Store, StoreError, now};
pub use trial::{FRAMES, Trial, Verdict};
