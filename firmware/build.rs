//! Has the tests compiled again when a fault is added: each file is a test.

fn main() {
    println!("cargo::rerun-if-changed=tests/faults");
}
