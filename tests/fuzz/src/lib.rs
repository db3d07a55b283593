//! What the fuzz targets share: the planted fault, and what holds for every error.
//!
//! A target asserts what must hold for any bytes; libFuzzer looks for bytes that break it. `cargo
//! xtask fuzz` builds and runs all of `fuzz_targets/`, starting from `seeds/`.

pub mod site;

use std::cell::RefCell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Once, OnceLock};

/// Whether the target is to spoil its own result, deep inside, where only inputs come that passed
/// every check. A run must then fail: it shows that inputs get that far and that the assertion
/// behind bites.
pub fn planted_fault() -> bool {
    static PLANTED: OnceLock<bool> = OnceLock::new();
    *PLANTED.get_or_init(|| std::env::var_os("PNEUMOSCOPE_PLANT_FAULT").is_some())
}

/// An error's text is printed as one line of a terminal or a log: it must be one, whatever bytes it
/// quotes.
#[track_caller]
pub fn assert_one_line(error: &impl Display) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.chars().any(char::is_control), "not one line of text: {text:?}");
}

/// A folder for one input's files, in memory where this machine has such a place.
pub fn room() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("room for a folder")
}

/// Runs the body of a target whose own code lets panics of others unwind and makes errors of them:
/// only one that comes out of the body ends the run. libFuzzer's hook would end it at any.
pub fn catching_panics(body: impl FnOnce()) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| LAST_PANIC.with_borrow_mut(|last| *last = panic.to_string())));
    });
    if catch_unwind(AssertUnwindSafe(body)).is_err() {
        LAST_PANIC.with_borrow(|last| eprintln!("{last}"));
        std::process::abort();
    }
}

thread_local! {
    /// A caught panic costs no output; the last words of one that ends the run are shown.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}
