//! What is around every page: head, navigation, languages, and what a browser shows when it hears
//! nothing any more.

use super::assets::ASSETS;
use super::{Page, Reader, shapes};
use crate::watch::Seen;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use texts::Language;

/// The head of a page; `refresh` is for browsers without scripts.
pub fn head(language: Language, title: &str, refresh: bool) -> Markup {
    let [style, script, icon] = &ASSETS;
    html! {
        head {
            meta charset="utf-8";
            title { (title) " – Pneumoscope" }
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="dark";
            meta name="language" content=(language.code());
            link rel="icon" href=(icon.address()) type="image/svg+xml";
            link rel="stylesheet" href=(style.address());
            @if refresh {
                script src=(script.address()) defer {}
                noscript { meta http-equiv="refresh" content="2"; }
            }
        }
    }
}

/// The links to the other languages.
pub fn languages(current: Language, back: &str) -> Markup {
    html! {
        ul.languages {
            @for other in Language::ALL {
                li {
                    a href={ "/language/" (other.code()) "?back=" (back) } lang=(other.code()) hreflang=(other.code())
                        title=(other.native_name()) aria-current=[(other == current).then_some("true")] { (other.code()) }
                }
            }
        }
    }
}

/// A page: what changes of it, and `rest`, which does not.
pub fn page(reader: &Reader, page: Page, seen: &Seen, rest: &Markup, guarded: bool) -> Markup {
    let language = reader.language;
    let name = |page: Page| page.title(language);
    html! {
        (DOCTYPE)
        html lang=(language.code()) {
            (head(language, &name(page), page.is_live()))
            body class=(page.name()) {
                header {
                    nav aria-label=(reader.text("pages")) {
                        ul {
                            @for other in Page::ALL {
                                li {
                                    a href=(other.path()) aria-current=[(other == page).then_some("page")] {
                                        (name(other))
                                    }
                                }
                            }
                        }
                    }
                    nav aria-label=(reader.text("language")) { (languages(language, page.path())) }
                    @if guarded {
                        form.leave method="post" action="/logout" {
                            input type="hidden" name="token" value=(reader.token);
                            button type="submit" { (reader.text("sign-out")) }
                        }
                    }
                }
                main {
                    h1.unseen { (name(page)) }
                    @if page == Page::Now {
                        // Beside what changes, so that it stays as it was left.
                        input #heat-on .unseen type="checkbox" aria-label=(reader.text("heat-show"));
                    }
                    @if page.is_live() {
                        div #live data-events={ "/events?page=" (page.name()) } {
                            (page.part(reader, seen))
                        }
                        template #gone { (gone(reader)) }
                    }
                    (rest)
                }
                footer {
                    p { (language.notice()) }
                    @if let Some(status) = seen.status() { p.device { (status.device) " " (status.software) } }
                }
            }
        }
    }
}

/// What a page shows when the connection to this program is lost.
fn gone(reader: &Reader) -> Markup {
    answer(
        reader,
        Answer::State(edge_core::State::Fault),
        &reader.text("page-lost"),
        Some(&reader.text("page-lost.remedy")),
        &html! {},
    )
}

/// What is said in the size of the lights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    State(edge_core::State),
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
                (PreEscaped(shapes::shape(answer)))
                p.word.long[word.chars().count() > 8] data-state=(answer.class()) { (word) }
                (PreEscaped(shapes::LAMPS))
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
