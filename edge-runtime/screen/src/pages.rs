//! The pages, as text: nothing here reads or writes anything.

mod aim;
mod answer;
mod assets;
mod figures;
mod messages;
mod now;
mod outline;
mod page;
mod today;

pub use assets::ASSETS;
pub use figures::Figures;
pub use messages::{Refusal, login, message};
pub use page::{Page, Reader};

use crate::watch::Seen;
use axum::response::Html;
use maud::{Markup, html};

/// What of a page changes.
pub fn part(page: Page, reader: &Reader, seen: &Seen) -> Markup {
    match page {
        Page::Now => now::part(reader, seen),
        Page::Today => today::part(reader, seen),
        Page::Aim => aim::part(reader, seen),
        Page::Figures => html! {},
    }
}

/// A whole page; `figures` are of the log, for the pages that show some.
pub fn whole(
    reader: &Reader,
    page: Page,
    seen: &Seen,
    figures: Option<&Figures>,
    guarded: bool,
) -> Html<String> {
    let rest = match (page, figures) {
        (Page::Today, Some(figures)) => today::earlier(reader, figures),
        (Page::Figures, Some(figures)) => figures::body(reader, seen, figures),
        _ => html! {},
    };
    let around = outline::Outline { page, guarded, status: seen.status() };
    Html(outline::page(reader, &around, &part(page, reader, seen), &rest).into_string())
}
