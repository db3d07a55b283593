//! One file a subcommand, and what they share: the board that was named, and how they answer.

mod board;
pub mod bring_up;
pub mod flash;
pub mod flash_model;
pub mod loader;
mod output;
pub mod send;
pub mod sign;
