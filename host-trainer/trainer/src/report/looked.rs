//! Where the network looked: does the heat lie in the chest, and does the answer hang on it?

use super::inputs::EvaluatedSet;
use super::words::{estimate, missing, number};
use crate::evaluate::localization::Localization;
use maud::{Markup, html};

pub(super) fn looked(sets: &[EvaluatedSet]) -> Markup {
    let measured: Vec<(&EvaluatedSet, &Localization)> =
        sets.iter().filter_map(|set| Some((set, set.metrics.localization.as_ref()?))).collect();
    html! {
        section id="looked" {
            h2 { "Where it looked" }
            @if measured.is_empty() {
                (missing("no maps were measured", "Run evaluate with a sample above 0."))
            } @else {
                p { "A network can be right for a wrong reason: by the frame, a marker, the outline. Two checks of the maps that are shown under " a href="#examples" { "examples" } "." }
                @for (set, localization) in measured { h3 { (set.name) } (one(set, localization)) }
            }
        }
    }
}

fn one(set: &EvaluatedSet, l: &Localization) -> Markup {
    let model = &set.metrics.model;
    html! {
        p.note { (l.pictures) " of " (l.drawn_from) " scored pictures, drawn from each class by its share (seed " (l.seed) ")." }
        p { (l.place_in_words()) }
        table.numbers.compact {
            thead { tr { th {} th { "share of the heat in the chest’s part" } } }
            tbody {
                tr { th { "the network" } td { (estimate(&l.heat_in_chest)) } }
                tr { th { "spread evenly" } td { (number(Some(l.chest_area))) } }
                @if let Some(layout) = &l.layout {
                    tr { th { "a model that sees no detail (AUC " (number(layout.auc)) ")" } td { (estimate(&layout.heat_in_chest)) } }
                    tr { th { "the network more than that, picture by picture" } td { (estimate(&layout.difference)) } }
                }
            }
        }
        p { (l.covering_in_words()) }
        div.scroll { table.numbers.compact {
            thead { tr { th { "ninth covered" } th { "truth" } th { "pictures" } th { "scored" } th { "change of score" } th { "states changed" } } }
            tbody { @for c in &l.covered { tr {
                th { (c.part) }
                td { (if c.with_disease { &model.label_positive } else { &model.label_negative }) }
                td { (c.pictures) } td { (c.scored) }
                td { (estimate(&c.score_change)) } td { (estimate(&c.changed_states)) }
            } } }
        } }
    }
}
