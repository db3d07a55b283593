//! The emulated board seen from the host: booting it, asking its agent, reading its lights, and the
//! faults that it goes through.

pub mod beside;
pub mod device;
pub mod ends;
pub mod fault;
pub mod guest;
pub mod host;
pub mod lights;
pub mod neighbour;
pub mod page;
pub mod picture;
pub mod places;
pub mod service;
pub mod whole;

pub use arm64_protocol::Request;
pub use device::Device;
pub use fault::Fault;
pub use guest::Guest;
pub use host::Host;
pub use picture::Picture;
