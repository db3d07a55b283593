//! What is said in the size of the lights, with a shape for each state, so that it can be told without
//! colour: plus in an octagon, minus in a circle, question mark in a diamond, cross in a dashed square,
//! exclamation mark in a triangle.

use super::page::Reader;
use edge_core::State;
use maud::{Markup, PreEscaped, html};
use texts::Language;

/// What is said in the size of the lights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    State(State),
    /// Nothing is lit.
    Waiting,
}

impl Answer {
    /// Its class in the style.
    pub fn class(self) -> String {
        match self {
            Self::State(state) => state.name().to_lowercase(),
            Self::Waiting => "waiting".into(),
        }
    }

    pub fn word(self, language: Language) -> String {
        match self {
            Self::State(state) => language.state(state),
            Self::Waiting => language.text("state-ready"),
        }
    }
}

/// The answer with its shape, its lamps, why, and what to do; `more` comes below.
pub fn answer(reader: &Reader, answer: Answer, why: &str, remedy: Option<&str>, more: &Markup) -> Markup {
    let word = answer.word(reader.language);
    html! {
        section class={ "answer " (answer.class()) } aria-live="assertive" {
            div.sign {
                (PreEscaped(shape(answer)))
                p.word.long[word.chars().count() > 8] data-state=(answer.class()) { (word) }
                (PreEscaped(LAMPS))
            }
            div.why {
                p.reason { (why) }
                @if let Some(remedy) = remedy {
                    p.remedy { span.unseen { (reader.text("what-to-do")) ": " } (remedy) }
                }
                (more)
            }
        }
    }
}

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
