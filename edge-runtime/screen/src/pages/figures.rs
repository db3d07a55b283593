//! The page of figures: the log by days, drift, uptime, disk.

use super::answer::Answer;
use super::page::Reader;
use crate::history::Days;
use crate::watch::Seen;
use base::clock::boottime_ms;
use base::log::{Day, Summary};
use edge_core::State;
use maud::{Markup, html};
use std::sync::Arc;

/// Most days that are shown.
const MOST_DAYS: usize = 31;

/// What was read for a page.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The log's; none where it cannot be read.
    pub days: Option<Arc<Days>>,
    /// Bytes of its disk: free, and in all.
    pub disk: Option<(u64, u64)>,
    /// The device's clock, in milliseconds since 1970.
    pub now_ms: u64,
}

pub fn body(reader: &Reader, seen: &Seen, figures: &Figures) -> Markup {
    html! {
        div.figures {
            dl.facts {
                @if let Some((day, time)) = reader.offset.local(figures.now_ms.saturating_sub(boottime_ms())) {
                    div { dt { (reader.text("uptime")) } dd { (day) " " (time) } }
                }
                @if let Some((free, all)) = figures.disk {
                    div { dt { (reader.text("disk")) } dd { (size(reader, free)) " / " (size(reader, all)) } }
                }
                @if let Some(days) = &figures.days {
                    div { dt { (reader.text("drift")) } dd { (drift(reader, &days.summary)) } }
                }
                @if let Some(trouble) = seen.status().and_then(|status| status.trouble.as_ref()) {
                    div { dt { (reader.text("trouble")) } dd lang="en" { (trouble) } }
                }
            }
            @match &figures.days {
                None => p.empty { (reader.text("log-unreadable")) },
                Some(days) => {
                    (table(reader, &days.summary))
                    @if days.summary.damaged > 0 {
                        p { (reader.text("damaged-lines")) " " (days.summary.damaged) }
                    }
                    p { a.export href="/figures.csv" download { (reader.text("export")) } }
                },
            }
        }
    }
}

fn size(reader: &Reader, bytes: u64) -> String {
    format!("{} GB", reader.language.number(bytes as f64 / 1e9, 1))
}

fn drift(reader: &Reader, summary: &Summary) -> Markup {
    let Some(drift) = &summary.drift else { return html! { (reader.text("drift-unknown")) } };
    let level = match drift.level {
        "none" => reader.text("drift-none"),
        "some" => reader.text("drift-some"),
        _ => reader.text("drift-much"),
    };
    html! { (level) " (PSI " (reader.language.number(drift.psi, 2)) ")" }
}

fn table(reader: &Reader, summary: &Summary) -> Markup {
    let days = summary.days.iter().rev().take(MOST_DAYS);
    html! {
        div.wide tabindex="0" role="region" aria-label=(reader.text("page-figures")) {
            table.days {
                caption { (reader.text("days-note")) }
                thead {
                    tr {
                        th scope="col" { (reader.text("day")) }
                        th scope="col" { (reader.text("shares")) }
                        th scope="col" { (reader.text("pictures-judged")) }
                        @for state in State::ALL { th scope="col" { (reader.language.state(state)) } }
                        th scope="col" { (reader.text("faults")) }
                        th scope="col" { (reader.text("not-logged")) }
                    }
                }
                tbody {
                    @for day in days {
                        tr {
                            th scope="row" { (day.day) }
                            td { (shares(day)) }
                            td { (day.decisions) }
                            @for count in day.states { td { (count) } }
                            td { (day.faults) }
                            td { (day.not_logged) }
                        }
                    }
                }
            }
        }
    }
}

/// The states' shares of a day, in the order of [`State::ALL`]; the numbers stand beside it.
fn shares(day: &Day) -> Markup {
    let all = day.decisions.max(1) as f64;
    let mut from = 0.0;
    let bars = State::ALL.iter().zip(day.states).map(|(state, count)| {
        let (start, width) = (from, count as f64 / all * 120.0);
        from += width;
        (Answer::State(*state).class(), format!("{start:.1}"), format!("{width:.1}"))
    });
    html! {
        svg.shares viewBox="0 0 120 16" aria-hidden="true" {
            @for (class, x, width) in bars { rect class=(class) x=(x) y="0" width=(width) height="16" {} }
        }
    }
}
