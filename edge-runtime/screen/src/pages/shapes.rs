//! A shape for each state, so that it can be told without colour: plus in an octagon, minus in a
//! circle, question mark in a diamond, cross in a dashed square, exclamation mark in a triangle.

use super::frame::Answer;
use edge_core::State;

/// The device's three lamps; the style lights them as the device does.
pub const LAMPS: &str = r#"<svg class="lamps" viewBox="0 0 144 48" aria-hidden="true"><circle class="red" cx="24" cy="24" r="18"/><circle class="amber" cx="72" cy="24" r="18"/><circle class="green" cx="120" cy="24" r="18"/></svg>"#;

/// The shape of an answer, without colours: the style gives them.
pub fn shape(answer: Answer) -> &'static str {
    match answer {
        Answer::State(State::Positive) => {
            r#"<svg class="shape" viewBox="0 0 100 100" aria-hidden="true"><path class="body" d="M31 4h38l27 27v38L69 96H31L4 69V31Z"/><path class="mark" d="M43 22h14v21h21v14H57v21H43V57H22V43h21Z"/></svg>"#
        }
        Answer::State(State::Negative) => {
            r#"<svg class="shape" viewBox="0 0 100 100" aria-hidden="true"><circle class="body" cx="50" cy="50" r="46"/><path class="mark" d="M22 42h56v16H22Z"/></svg>"#
        }
        Answer::State(State::Refer) => {
            r#"<svg class="shape" viewBox="0 0 100 100" aria-hidden="true"><path class="body" d="M50 2 98 50 50 98 2 50Z"/><path class="line" d="M36 40c0-20 29-20 29-1 0 12-15 12-15 24"/><circle class="mark" cx="50" cy="76" r="6"/></svg>"#
        }
        Answer::State(State::Invalid) => {
            r#"<svg class="shape" viewBox="0 0 100 100" aria-hidden="true"><rect class="dashed" x="7" y="7" width="86" height="86"/><path class="line" d="m29 29 42 42M71 29 29 71"/></svg>"#
        }
        Answer::State(State::Fault) => {
            r#"<svg class="shape" viewBox="0 0 100 100" aria-hidden="true"><path class="body" d="M50 4 98 94H2Z"/><path class="mark" d="M43 34h14l-3 32h-8Z"/><circle class="mark" cx="50" cy="79" r="7"/></svg>"#
        }
        Answer::Waiting => {
            r#"<svg class="shape" viewBox="0 0 100 100" aria-hidden="true"><circle class="dashed" cx="50" cy="50" r="42"/><circle class="mark" cx="28" cy="50" r="6"/><circle class="mark" cx="50" cy="50" r="6"/><circle class="mark" cx="72" cy="50" r="6"/></svg>"#
        }
    }
}
