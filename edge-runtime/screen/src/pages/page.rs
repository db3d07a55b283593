//! Which pages there are, and who reads them.

use crate::config::Offset;
use texts::Language;

/// Who reads a page.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    pub language: Language,
    /// For the forms of the page.
    pub token: &'a str,
    pub offset: Offset,
}

impl Reader<'_> {
    /// The text of this id.
    pub fn text(&self, id: &str) -> String {
        self.language.text(id)
    }
}

/// One of the four pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Now,
    Today,
    Figures,
    Aim,
}

impl Page {
    pub const ALL: [Self; 4] = [Self::Now, Self::Today, Self::Figures, Self::Aim];

    pub const fn path(self) -> &'static str {
        match self {
            Self::Now => "/",
            Self::Today => "/today",
            Self::Figures => "/figures",
            Self::Aim => "/aim",
        }
    }

    /// Its name where events are asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Today => "today",
            Self::Figures => "figures",
            Self::Aim => "aim",
        }
    }

    pub fn title(self, language: Language) -> String {
        match self {
            Self::Now => language.text("page-now"),
            Self::Today => language.text("page-today"),
            Self::Figures => language.text("page-figures"),
            Self::Aim => language.text("page-aim"),
        }
    }

    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.path() == path)
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.name() == name)
    }

    /// Whether it changes while one looks at it.
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Figures)
    }
}
