//! Runtime.
fn main() {}
