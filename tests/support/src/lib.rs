//! What the tests of several packages share.

#[cfg(feature = "models")]
pub mod model;
pub mod network;
#[cfg(feature = "models")]
pub mod no_chest;
#[cfg(feature = "models")]
pub mod picture;
pub mod reference;
