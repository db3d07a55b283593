//! What the tests of several packages share.

pub mod dicom;
#[cfg(feature = "models")]
pub mod intermediates;
#[cfg(feature = "models")]
pub mod loaded;
#[cfg(feature = "models")]
pub mod model;
#[cfg(feature = "models")]
pub mod narrow;
pub mod network;
#[cfg(feature = "models")]
pub mod no_chest;
#[cfg(feature = "models")]
pub mod picture;
pub mod python;
pub mod reference;
#[cfg(feature = "models")]
pub mod signed;
#[cfg(feature = "status")]
pub mod status;

/// A `board.toml` of no real board, with a chip that probe-rs knows and the development key.
pub const BOARD: &str = include_str!("board.toml");

/// Fails where a text lacks one of these parts.
#[track_caller]
pub fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "expected {part}\nin       {text}");
    }
}

/// SplitMix64.
pub fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
