//! The signed model: what travels to a device, and what must hold before any of it is run.
//!
//! ```text
//! header (256 bytes) | model | golden input (side * side bytes)
//! ```
//!
//! The header carries the model's version, a SHA-256 of everything behind it, and an ed25519
//! signature over itself; so the one signature covers every byte. For a board the model is a packed
//! one, for Linux a model file; the header of each begins with another magic ([`Target`]), so that
//! neither is taken for the other. [`Signed::open`] is the only way in, over bytes where they lie:
//! nothing is copied. [`Bundle::open`] goes on to the packed model of a board. Bytes behind the
//! length that the header says are ignored, because a slot is larger than what lies in it. The
//! feature `sign` has the writer.
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(feature = "sign")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod error;
mod form;
pub mod key_file;
mod packed;
#[cfg(feature = "sign")]
mod sign;
mod signed;
mod version;

pub use error::BundleError;
pub use form::{ALIGNMENT, FORMAT, HEADER, MAGIC, Target, fingerprint};
pub use packed::{Bundle, BundleVerifier};
#[cfg(feature = "sign")]
pub use sign::{Golden, SignError, sign, sign_file};
pub use signed::{BundleId, Signed, claimed_version, id, signer, unchecked_model};
pub use version::Version;
