//! The languages that there are.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A language with a file of its own, by its ISO 639-1 code in configurations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Language {
    /// What the other languages fall back to.
    #[default]
    English,
    French,
    Spanish,
    Portuguese,
    Swahili,
}

/// A code that no language has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a language, one of {}; got {got:?}", Language::ALL.map(Language::code).join(", "))]
pub struct UnknownLanguage {
    /// What came.
    pub got: String,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::English, Self::French, Self::Spanish, Self::Portuguese, Self::Swahili];

    /// Its ISO 639-1 code, as in a configuration and in HTML's `lang`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::Swahili => "sw",
        }
    }

    /// What it calls itself.
    pub const fn native_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
            Self::Spanish => "Español",
            Self::Portuguese => "Português",
            Self::Swahili => "Kiswahili",
        }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(code: &str) -> Result<Self, UnknownLanguage> {
        let found = Self::ALL.into_iter().find(|language| language.code() == code);
        found.ok_or_else(|| UnknownLanguage { got: code.to_owned() })
    }
}

impl TryFrom<String> for Language {
    type Error = UnknownLanguage;

    fn try_from(code: String) -> Result<Self, UnknownLanguage> {
        code.parse()
    }
}

impl From<Language> for &'static str {
    fn from(language: Language) -> Self {
        language.code()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_its_language_and_an_unknown_one_is_told_what_there_is() {
        for language in Language::ALL {
            assert_eq!(language.code().parse(), Ok(language));
        }
        let told = "de".parse::<Language>().unwrap_err().to_string();
        assert_eq!(told, "expected a language, one of en, fr, es, pt, sw; got \"de\"");
    }
}
