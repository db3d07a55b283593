//! The section on the data: what was read, what was left out and why, what is there more than once.

use super::inputs::Inputs;
use super::words::missing;
use crate::dataset::findings::{Findings, Groups, Names};
use maud::{Markup, html};

/// `no_names`: names of pictures can name patients.
pub(super) fn data(inputs: &Inputs, no_names: bool) -> Markup {
    html! {
        section id="data" {
            h2 { "Data" }
            @match &inputs.findings {
                Some(findings) => (found(findings, no_names)),
                None => (missing("there is no account of the data in this folder", "Training writes it.")),
            }
            @if let Some(gate) = &inputs.gate { p { "The model's gate was " (gate) "." } }
        }
    }
}

fn found(findings: &Findings, no_names: bool) -> Markup {
    let names = |names: &Names| if no_names { names.count.to_string() } else { names.to_string() };
    html! {
        p { (findings.pictures()) " pictures were read, " (findings.normal) " NORMAL and " (findings.pneumonia) " PNEUMONIA." }
        p.warning[findings.patients_unknown > 0] { (findings.patients_in_words()) }
        @if findings.left_out.0.is_empty() {
            p { "No file was left out." }
        } @else {
            table.facts { @for (why, files) in &findings.left_out.0 { tr { th { "left out: " (why) } td { (names(files)) } } } }
        }
        @let likeness = findings.likeness_in_words();
        @if likeness.is_empty() {
            p { "No picture was there more than once, as far as files and a perceptual hash tell." }
        }
        @for (what, groups) in &likeness {
            @if no_names { p { (what) "." } } @else { (listed(what, groups)) }
        }
    }
}

fn listed(what: &str, groups: &Groups) -> Markup {
    html! {
        details {
            summary { (what) }
            ul { @for group in &groups.listed { li { (group.join(" = ")) } } }
            @let more = groups.count - groups.listed.len();
            @if more > 0 { p.note { "and " (more) " groups more" } }
        }
    }
}
