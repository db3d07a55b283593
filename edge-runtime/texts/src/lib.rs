//! Every text that a nurse sees, in one [Fluent](https://projectfluent.org) file a language:
//! `locales/en.ftl` and its translations. Logs, journals and what engineers read stay English.
//!
//! ```
//! use edge_core::{Reason, State};
//! use texts::Language;
//!
//! let french: Language = "fr".parse().unwrap();
//! assert_eq!(french.state(State::Negative), "NÉGATIF");
//! let stale = Reason::Stale(2345, 1500);
//! assert!(french.reason(&stale).starts_with("Aucune nouvelle image depuis 2,3 s (1,5 s au plus)"));
//! assert_eq!(french.remedy(&stale).unwrap(), "Débranchez puis rebranchez la caméra.");
//! assert_eq!(french.text_with("cases-to-come", &[("count", 2.into())]), "2 à venir");
//! ```
//!
//! Principles:
//!
//! 1. A text that a language lacks is shown in English, and a test finds it.
//! 2. Nothing here fails or panics: faults of the files are found by tests.
//! 3. Numbers are written as the language writes them, and reasons in units that people use.

#[cfg(test)]
mod faults;
mod language;
mod locale;
mod number;
mod reason;

pub use fluent_bundle::FluentValue as Value;
pub use language::{Language, UnknownLanguage};
pub use number::fixed;
pub use reason::EACH_REASON;

use edge_core::{Reason, State};
use fluent_bundle::FluentArgs;

/// What [`Language::text_with`] puts into a text: the name and the value of each of its variables.
pub type Arguments<'a> = [(&'a str, Value<'a>)];

impl Language {
    /// The text `id` of `locales/en.ftl` in this language; `message.attribute` names an attribute.
    /// The id itself where no file has it.
    pub fn text(self, id: &str) -> String {
        self.text_with(id, &[])
    }

    /// The same for a text with variables. A whole number chooses the plural; [`fixed`] makes a
    /// number with digits after its point.
    pub fn text_with(self, id: &str, arguments: &Arguments<'_>) -> String {
        self.find(id, arguments).unwrap_or_else(|| id.to_owned())
    }

    /// The word for a state, as large as it is shown.
    pub fn state(self, state: State) -> String {
        self.text(match state {
            State::Positive => "state-positive",
            State::Negative => "state-negative",
            State::Refer => "state-refer",
            State::Invalid => "state-invalid",
            State::Fault => "state-fault",
        })
    }

    /// Why a state is shown, as a sentence with its numbers.
    pub fn reason(self, reason: &Reason) -> String {
        self.text_with(reason::id(reason), &reason::arguments(self, reason))
    }

    /// What to do about it, in one or two sentences; none where there is nothing to do but wait.
    pub fn remedy(self, reason: &Reason) -> Option<String> {
        self.find(&format!("{}.remedy", reason::id(reason)), &reason::arguments(self, reason))
    }

    /// The sentences that nothing shown may lack: what an answer is not, and what to do.
    pub fn notice(self) -> String {
        self.text("notice")
    }

    fn find(self, id: &str, arguments: &Arguments<'_>) -> Option<String> {
        let arguments: FluentArgs<'_> = arguments.iter().cloned().collect();
        locale::first([locale::of(self), locale::of(Self::English)], id, &arguments)
    }
}
