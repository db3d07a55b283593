//! The page for aiming a camera: the newest picture, and the gate's figures as bars.

use super::now::lost;
use super::page::Reader;
use crate::watch::Seen;
use edge_core::State;
use maud::{Markup, html};
use status::Figure;
use texts::Language;

pub fn part(reader: &Reader, seen: &Seen) -> Markup {
    let language = reader.language;
    let Some(status) = seen.status() else { return lost(reader) };
    let Some(picture) = &status.picture else {
        return html! { p.empty { (reader.text("picture-none")) } };
    };
    let decision = &picture.decision;
    html! {
        div.aiming {
            figure.picture {
                div.film {
                    img src={ "/picture/" (picture.number) "?" (status.run) } alt=(reader.text("picture-judged"));
                }
                // Only what is wrong with the picture: the answer on a single one is not what the lights say.
                @if decision.state == State::Invalid {
                    figcaption {
                        strong { (language.state(decision.state)) } " " (language.reason(&decision.reason))
                        @if let Some(remedy) = language.remedy(&decision.reason) { " " (remedy) }
                    }
                }
            }
            table.gate {
                caption { (reader.text("aim-how")) }
                tbody { @for figure in &picture.figures { (row(reader, figure)) } }
            }
        }
    }
}

fn row(reader: &Reader, figure: &Figure) -> Markup {
    let (class, word) = if figure.passes() {
        ("passes", reader.text("figure-passes"))
    } else {
        ("fails", reader.text("figure-fails"))
    };
    html! {
        tr class=(class) {
            th scope="row" { (name(reader, figure)) }
            td { (bar(figure)) }
            td { (number(reader.language, figure)) }
            td.word { (word) }
        }
    }
}

/// A figure's name, as it is where no language has one.
fn name(reader: &Reader, figure: &Figure) -> String {
    match figure.name.as_str() {
        "elongation" => reader.text("figure-elongation"),
        "brightness" => reader.text("figure-brightness"),
        "contrast" => reader.text("figure-contrast"),
        "black" => reader.text("figure-black"),
        "white" => reader.text("figure-white"),
        "sharpness" => reader.text("figure-sharpness"),
        "layout" => reader.text("figure-layout"),
        "features" => reader.text("figure-features"),
        "familiarity" => reader.text("figure-familiarity"),
        other => other.to_owned(),
    }
}

/// A figure in the units that people use, the same as in a reason.
fn number(language: Language, figure: &Figure) -> String {
    let value = f64::from(figure.value);
    match figure.name.as_str() {
        "elongation" | "sharpness" => language.number(value / 1000.0, 2),
        "black" | "white" => language.number(value / 10.0, 0) + " %",
        "brightness" | "contrast" => language.number(value / 655.35, 0) + " %",
        _ => language.number(value, 0),
    }
}

/// What is let through as a band, the figure as a line in it or beside it.
fn bar(figure: &Figure) -> Markup {
    let limits = [figure.least, figure.most];
    let known = limits.into_iter().flatten().chain([figure.value]).filter(|number| number.is_finite());
    let (least, most) =
        known.fold((f32::MAX, f32::MIN), |(least, most), number| (least.min(number), most.max(number)));
    let room = ((most - least) * 0.25).max(most.abs() * 0.1).max(1e-3);
    let (from, to) = (least - room, most + room);
    let at = |number: f32| {
        let share = (number - from) / (to - from);
        f64::from(if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }) * 200.0
    };
    let (low, high) = (figure.least.map_or(0.0, at), figure.most.map_or(200.0, at));
    let place = |x: f64| format!("{x:.1}");
    html! {
        svg.bar viewBox="0 0 200 20" aria-hidden="true" {
            rect.all x="0" y="6" width="200" height="8" {}
            rect.good x=(place(low)) y="6" width=(place((high - low).max(0.0))) height="8" {}
            rect.value x=(place(at(figure.value) - 2.0)) y="0" width="4" height="20" {}
        }
    }
}
