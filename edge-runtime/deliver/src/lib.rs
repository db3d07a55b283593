//! What the device has logged, delivered at least once and in order: to a broker by MQTT, to an
//! archive by DICOM. The device itself has no network; its log is the outbox.
//!
//! ```text
//! log --Follower--> outbox (cursor on disk) --> mqtt (message) --> broker
//!                   outbox (cursor on disk) --> pacs (report, picture) --> archive
//! ```
//!
//! Principles:
//!
//! 1. A cursor moves when the destination has confirmed a line, and not before: what comes twice can be
//!    told by the line's hash, what was left out could not.
//! 2. Each destination has its own cursor and thread; one that is away holds up no other.
//! 3. Nothing is sent about a patient beyond what the log holds, and to the archive what the picture
//!    itself brought.
//! 4. Memory does not grow with what waits: lines are read from the log when there is room for them.

pub mod backoff;
pub mod board;
pub mod config;
pub mod cursor_file;
pub mod message;
pub mod moment;
pub mod mqtt;
pub mod outbox;
pub mod pacs;
pub mod schema;
pub mod status_message;
