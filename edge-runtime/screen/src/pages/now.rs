//! The page of what the lights say now.

use super::answer::{Answer, answer};
use super::page::{Page, Reader};
use crate::watch::Seen;
use edge_core::State;
use maud::{Markup, html};
use status::{Case, Picture, Status, WorklistStatus};
use texts::Language;

/// Whatever is lost, nothing of before is shown: not the answer, not the picture.
pub fn part(reader: &Reader, seen: &Seen) -> Markup {
    match seen {
        Seen::Status(status) => known(reader, status),
        Seen::Lost(_) => lost(reader),
    }
}

/// The FAULT of a device that does not answer.
pub fn lost(reader: &Reader) -> Markup {
    let fault = Answer::State(State::Fault);
    answer(reader, fault, &reader.text("device-lost"), Some(&reader.text("device-lost.remedy")), &html! {})
}

fn known(reader: &Reader, status: &Status) -> Markup {
    let language = reader.language;
    let more = html! {
        @if let Some(list) = &status.worklist { (whose(reader, status, list)) }
    };
    let said = match status.shown {
        Some(shown) => {
            let remedy = language.remedy(&shown.reason);
            answer(
                reader,
                Answer::State(shown.state),
                &language.reason(&shown.reason),
                remedy.as_deref(),
                &more,
            )
        }
        None => answer(
            reader,
            Answer::Waiting,
            &language.text("ready-why"),
            Some(&language.text("ready-why.remedy")),
            &more,
        ),
    };
    html! {
        (said)
        div.beside {
            (picture(reader, status))
            @if let Some(score) = status.score { (scale(reader, score, status)) }
            (model(language, status))
        }
    }
}

/// The case that is named beside what is shown: the one that has its turn, or else the worst of those
/// that need a person.
fn named(list: &WorklistStatus) -> Option<u32> {
    list.turn.or(list.worst)
}

/// Whose answer it is, the button that says that it was seen, and who else needs a person.
fn whose(reader: &Reader, status: &Status, list: &WorklistStatus) -> Markup {
    let language = reader.language;
    let numbered = |number| list.cases.iter().find(|case| Some(case.number) == number);
    // While nothing is lit, and under a FAULT of the device, nobody's answer is seen.
    let seen = status.shown.filter(|_| status.device_fault().is_none());
    let case = numbered(named(list)).filter(|_| seen.is_some());
    // Amber for others would be read as the answer of the one who is named.
    let alone = case.and_then(|case| seen.filter(|shown| shown.state != case.answer.state).map(|_| case));
    let alone = alone.map(|case| [("state", language.state(case.answer.state).into())]);
    let worst = numbered(list.worst).filter(|_| alone.is_some() && list.turn.is_some());
    // Without a turn, the one that is named is one of those that are counted.
    let named_too = u32::from(list.turn.is_none() && case.is_some());
    let others = list.need_person.saturating_sub(named_too);
    let may = |case: &Case| list.acknowledges && case.may_be_acknowledged();
    html! {
        div.turn-of {
            @if let Some(case) = case {
                p.whose { span { (language.text("patient")) } " " strong { (case.name) }
                    @if let Some(alone) = &alone { ": " (language.text_with("case-by-itself", alone)) }
                }
                @if may(case) { (tap(reader, &status.run, case, Page::Now)) }
            }
            @if others > 0 {
                p.others {
                    a href=(Page::Today.path()) {
                        (language.text_with("others-need-person", &[("count", others.into())]))
                    }
                    @if let Some(worst) = worst { ": " strong { (worst.name) } }
                }
            }
        }
    }
}

/// The form that acknowledges a case.
pub fn tap(reader: &Reader, run: &str, case: &Case, page: Page) -> Markup {
    html! {
        form method="post" action="/acknowledge" {
            input type="hidden" name="token" value=(reader.token);
            input type="hidden" name="run" value=(run);
            input type="hidden" name="case" value=(case.number);
            input type="hidden" name="pictures" value=(case.pictures);
            input type="hidden" name="back" value=(page.path());
            button.tap type="submit" aria-label={ (reader.text("acknowledge")) " " (case.name) } {
                (reader.text("acknowledge"))
            }
        }
    }
}

/// The picture beside an answer: only where the answer is on it. A watched folder's newest picture
/// may be another patient's, and what a fault shows is no longer there.
fn belongs(status: &Status) -> Option<&Picture> {
    let answered = status.shown.is_some_and(|shown| shown.state != State::Fault);
    let case = status.worklist.as_ref().and_then(named);
    status.picture.as_ref().filter(|picture| answered && picture.case == case)
}

fn picture(reader: &Reader, status: &Status) -> Markup {
    let Some(picture) = belongs(status) else {
        let other = status.picture.is_some() && status.worklist.is_some();
        let why = if other { reader.text("picture-other") } else { reader.text("picture-none") };
        return html! { p.no-picture { (why) } };
    };
    html! {
        figure.picture {
            div.film {
                img src={ "/picture/" (picture.number) "?" (status.run) } alt=(reader.text("picture-judged"));
                @if picture.heat.is_some() {
                    img.heat src={ "/heat/" (picture.number) "?" (status.run) } alt=(reader.text("heat-note"));
                }
            }
            @if picture.heat.is_some() {
                figcaption {
                    label.switch for="heat-on" {
                        span.show { (reader.text("heat-show")) }
                        span.hide { (reader.text("heat-hide")) }
                    }
                    span.looked { (reader.text("heat-note")) }
                }
            }
        }
    }
}

/// Score and thresholds, from 0 at the left to 1 at the right.
fn scale(reader: &Reader, score: f32, status: &Status) -> Markup {
    let language = reader.language;
    let at =
        |share: f32| f64::from(if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }) * 400.0 + 20.0;
    let (low, high) = (status.thresholds.negative_below, status.thresholds.positive_above);
    let (score_at, low_at, high_at) = (at(score), at(low), at(high));
    // Two numbers do not run into each other, nor off the edge.
    let gap = (34.0 - (high_at - low_at)).max(0.0) / 2.0;
    let two = |share: f32| texts::fixed(share.into(), 2);
    let said =
        language.text_with("score-told", &[("score", two(score)), ("low", two(low)), ("high", two(high))]);
    let decimal = |share: f32| language.number(share.into(), 2);
    let place = |x: f64| format!("{x:.1}");
    html! {
        svg.scale viewBox="0 0 440 92" role="img" aria-label=(said) {
            rect.below x="20" y="34" height="22" width=(place(low_at - 20.0)) {}
            rect.between x=(place(low_at)) y="34" height="22" width=(place((high_at - low_at).max(0.0))) {}
            rect.above x=(place(high_at)) y="34" height="22" width=(place(420.0 - high_at)) {}
            path.mark d={ "M" (place(score_at)) " 34l-9-14h18Zm-2.5 0h5v22h-5Z" } {}
            text.value x=(place(score_at.clamp(30.0, 410.0))) y="15" text-anchor="middle" { (decimal(score)) }
            text.limit x=(place((low_at - gap).max(30.0))) y="74" text-anchor="middle" { (decimal(low)) }
            text.limit x=(place((high_at + gap).min(410.0))) y="74" text-anchor="middle" { (decimal(high)) }
            text.end x="20" y="90" text-anchor="start" { "− " (language.state(State::Negative)) }
            text.end x="420" y="90" text-anchor="end" { (language.state(State::Positive)) " +" }
        }
    }
}

fn model(language: Language, status: &Status) -> Markup {
    let short: String = status.model.sha256.chars().take(12).collect();
    html! {
        details.model {
            summary { (language.text("model")) " " (status.model.version) " · " code { (short) } }
            p { code { (status.model.sha256) } }
            p { (language.text("intended-use")) ": " span lang="en" { (status.model.intended_use) } }
            @if let Some(trouble) = &status.trouble { p lang="en" { (trouble) } }
        }
    }
}
