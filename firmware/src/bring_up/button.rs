//! The button: open, then pressed once.

use super::line::{Line, Value};

const NAME: &str = "button";
/// How long it may be held at first, until somebody presses, and until that one lets go.
pub(super) const HELD_MS: u64 = 3_000;
pub(super) const PRESS_MS: u64 = 20_000;
pub(super) const LET_GO_MS: u64 = 5_000;

/// `until(closed, limit)` waits at most so many milliseconds for that state of the contact, and
/// says whether it came.
pub(super) fn check(mut until: impl FnMut(bool, u64) -> bool) -> Line {
    let fail = |expected, came, look| {
        Line::failed(NAME, Value::Word(expected), Value::Word(came), ["button", ""], look)
    };
    if !until(false, HELD_MS) {
        return fail(
            "open",
            "closed",
            "its line is at ground though nobody presses: a short, or a button of the other kind",
        );
    }
    if !until(true, PRESS_MS) {
        return fail(
            "pressed",
            "open",
            "nobody pressed it within 20 s, or the press does not bring its line to ground",
        );
    }
    if !until(false, LET_GO_MS) {
        return fail("let-go", "closed", "its line stays at ground after the press: the button is stuck");
    }
    Line::passed(NAME, Value::Word("pressed"))
}
