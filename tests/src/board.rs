//! The emulated board seen from the host: booting it, asking its agent, reading its lights, and the faults that it goes through.

pub mod guest;
pub mod lights;
pub mod picture;
#[path = "../board/src/protocol.rs"]
pub mod protocol;

pub use guest::Guest;
pub use picture::Picture;
pub use protocol::Request;
