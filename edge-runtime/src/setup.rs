//! Writing a device's configuration: single values in its commented text, asked for or given.
//!
//! ```text
//! text of before, or the shipped one -> Draft <- Wishes <- options, Questions
//!                                        \-> check -> replace (the old one stays as FILE.bak)
//! ```

mod delivery;
mod draft;
mod questions;
mod replace;
mod wishes;

pub use delivery::{Archive, Broker, CONFIGURATION, Delivery, SHIPPED_DELIVERY, Site, or_none};
pub use draft::{Change, Draft, DraftError};
pub use questions::Questions;
pub use replace::{ReplaceError, replace};
pub use wishes::{Lines, ScreenUse, Wishes};

/// The configuration that the package brings, every key explained.
pub const SHIPPED: &str = include_str!("../packaging/pneumoscope.toml");
