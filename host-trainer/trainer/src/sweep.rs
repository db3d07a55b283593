//! A list of experiments, one run after the other, and the table that they are compared in. What is
//! run is in [`crate::commands::sweep`].

pub mod outcome;
pub mod table;
