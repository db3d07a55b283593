//! The page of today's answers.

use super::answer::{Answer, answer, shape};
use super::figures::Figures;
use super::now::{lost, tap};
use super::page::{Page, Reader};
use crate::watch::Seen;
use edge_core::State;
use maud::{Markup, PreEscaped, html};
use status::{Case, Progress};

/// A state as it stands in a row: small, with its shape.
fn small(reader: &Reader, state: State) -> Markup {
    let answer = Answer::State(state);
    html! {
        span class={ "small " (answer.class()) } {
            (PreEscaped(shape(answer))) (answer.word(reader.language))
        }
    }
}

/// A table's head, with the texts of these ids.
fn head(reader: &Reader, columns: &[&str]) -> Markup {
    html! {
        thead {
            tr {
                @for column in columns { th scope="col" { (reader.text(column)) } }
            }
        }
    }
}

/// So far a clock is set back on a day; what is further ahead is of a clock that was wrong, and nobody's today.
const SET_BACK_MS: u64 = 2 * 86_400_000;

/// The cases since the device's start that are of today, the newest first. Those that a clock which was
/// set back has left in the future are of today too.
pub fn part(reader: &Reader, seen: &Seen) -> Markup {
    let Some(status) = seen.status() else { return lost(reader) };
    let Some(list) = &status.worklist else {
        return html! { p.empty { (reader.text("today-camera")) } };
    };
    let day = |unix_ms| reader.offset.local(unix_ms).map(|(day, _)| day);
    let (today, latest) = (day(status.unix_ms), day(status.unix_ms.saturating_add(SET_BACK_MS)));
    let local = |case: &Case| reader.offset.local(case.unix_ms);
    // Whoever still needs a person stays, whatever the date.
    let listed = |case: &&Case| {
        let open = !matches!(case.progress, Progress::Done | Progress::Acknowledged);
        let day = day(case.unix_ms);
        open || (day >= today && day <= latest)
    };
    let cases: Vec<&Case> = list.cases.iter().rev().filter(listed).collect();
    let fault = status.device_fault();
    // Never an answer that the lights have not shown yet, or that a FAULT of the device hides.
    let state = |case: &Case| {
        Some(case.answer.state).filter(|_| fault.is_none() && case.progress != Progress::Waiting)
    };
    let may = |case: &Case| fault.is_none() && list.acknowledges && case.may_be_acknowledged();
    html! {
        @if let Some(fault) = fault {
            @let (why, remedy) = (reader.language.reason(&fault.reason), reader.language.remedy(&fault.reason));
            (answer(reader, Answer::State(fault.state), &why, remedy.as_deref(), &html! {}))
        }
        @if cases.is_empty() { p.empty { (reader.text("today-none")) } }
        @else {
            table.cases {
                (head(reader, &["answer", "time", "name", "acknowledged"]))
                tbody {
                    @for case in cases {
                        tr class=[(Some(case.number) == list.turn).then_some("turn")] {
                            td { @if let Some(state) = state(case) { (small(reader, state)) } }
                            td { (local(case).map(|(_, time)| time).unwrap_or_default()) }
                            td.name { (case.name) }
                            td {
                                @if may(case) {
                                    (tap(reader, &status.run, case, Page::Today))
                                } @else { (progress(reader, case.progress)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn progress(reader: &Reader, progress: Progress) -> String {
    match progress {
        Progress::Waiting => reader.text("turn-waiting"),
        Progress::Shown => reader.text("turn-now"),
        Progress::NeedsPerson => reader.text("turn-needs-person"),
        Progress::Acknowledged => reader.text("acknowledged"),
        Progress::Done => reader.text("turn-done"),
    }
}

/// Today's answers of before the device's last start, from the log.
pub fn earlier(reader: &Reader, figures: &Figures) -> Markup {
    let Some(days) = figures.days.as_ref().filter(|days| !days.earlier.is_empty()) else { return html! {} };
    html! {
        section.earlier {
            h2 { (reader.text("earlier")) }
            p { (reader.text("earlier-note")) }
            table.cases {
                (head(reader, &["answer", "time", "name"]))
                tbody {
                    @for earlier in &days.earlier {
                        tr {
                            td {
                                @match State::ALL.iter().find(|state| state.name() == earlier.state) {
                                    Some(state) => (small(reader, *state)),
                                    None => (earlier.state),
                                }
                            }
                            td { (earlier.time) }
                            td { code { (earlier.short) } }
                        }
                    }
                }
            }
        }
    }
}
