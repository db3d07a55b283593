//! The integration tests of the package `flash`.

mod loaders;
mod sign;
