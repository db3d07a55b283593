//! What is around every page: head, navigation, languages, and what a browser shows when it hears
//! nothing any more.

use super::answer::{Answer, answer};
use super::assets::ASSETS;
use super::page::{Page, Reader};
use edge_core::State;
use maud::{DOCTYPE, Markup, html};
use status::Status;
use texts::Language;

/// How often a page without scripts asks anew, in seconds; after four the style hides what it showed.
const REFRESH_S: u32 = 2;

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
                noscript { meta http-equiv="refresh" content=(REFRESH_S); }
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

/// What a page is, beside what stands in it.
#[derive(Clone, Copy, Debug)]
pub struct Outline<'a> {
    pub page: Page,
    /// Whether its reader has given a PIN.
    pub guarded: bool,
    /// The device's, where it answers.
    pub status: Option<&'a Status>,
}

/// A page: `part` is what changes of it, `rest` what does not.
pub fn page(reader: &Reader, outline: &Outline, part: &Markup, rest: &Markup) -> Markup {
    let Outline { page, guarded, status } = *outline;
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
                            (part)
                        }
                        template #gone { (gone(reader)) }
                        // The style shows it in place of a part that nobody keeps up to date.
                        div #deaf { (gone(reader)) }
                    }
                    (rest)
                }
                footer {
                    p { (language.notice()) }
                    @if let Some(status) = status { p.device { (status.device) " " (status.software) } }
                }
            }
        }
    }
}

/// What a page shows when the connection to this program is lost.
fn gone(reader: &Reader) -> Markup {
    answer(
        reader,
        Answer::State(State::Fault),
        &reader.text("page-lost"),
        Some(&reader.text("page-lost.remedy")),
        &html! {},
    )
}
