//! Short pages: one sentence and a way back, and the one that asks for the PIN.

use super::outline::{head, languages};
use super::page::Page;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use texts::Language;

/// Why somebody may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Wrong,
    /// Too many tries; how many seconds to wait.
    Wait(u64),
}

fn page(language: Language, title: &str, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang=(language.code()) {
            (head(language, title, false))
            body.message { main { h1 { (title) } (body) } footer { p { (language.notice()) } } }
        }
    };
    Html(page.into_string())
}

/// A sentence, and a way back.
pub fn message(language: Language, status: StatusCode, told: &str) -> Response {
    let body = html! { p { a href=(Page::Now.path()) { (language.text("back")) } } };
    (status, page(language, told, &body)).into_response()
}

/// Asks for the PIN.
pub fn login(
    language: Language,
    token: &str,
    back: &str,
    refusal: Option<Refusal>,
    status: StatusCode,
) -> Response {
    let body = html! {
        @match refusal {
            Some(Refusal::Wrong) => p.refused role="alert" { (language.text("pin-wrong")) },
            Some(Refusal::Wait(seconds)) => p.refused role="alert" { (language.text_with("pin-wait", &[("seconds", seconds.into())])) },
            None => {},
        }
        form method="post" action="/login" {
            input type="hidden" name="token" value=(token);
            input type="hidden" name="back" value=(back);
            label for="pin" { (language.text("pin")) }
            input #pin type="password" name="pin" inputmode="numeric" autocomplete="current-password" required autofocus;
            button.tap type="submit" { (language.text("sign-in")) }
        }
        nav aria-label=(language.text("language")) { (languages(language, back)) }
    };
    (status, page(language, &language.text("sign-in"), &body)).into_response()
}
