//! The page's frame: what it is and its limits first, then the sections in the order of a reader's
//! questions.

use super::heat::HeatMaps;
use super::inputs::{Inputs, PageOptions};
use super::{data, examples, looked, results, training, words};
use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// Nothing is loaded and no script runs, whatever the page's data hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

const SECTIONS: [(&str, &str); 15] = [
    ("glance", "At a glance"),
    ("model", "Model"),
    ("data", "Data"),
    ("curves", "Learning curves"),
    ("quantization", "Float and int8"),
    ("discrimination", "Discrimination"),
    ("decisions", "At score 0.5"),
    ("states", "States"),
    ("calibration", "Calibration"),
    ("out-of-fold", "Out of fold"),
    ("subgroups", "Subgroups"),
    ("robustness", "Robustness"),
    ("looked", "Where it looked"),
    ("examples", "Examples"),
    ("method", "Method"),
];

pub(super) fn page(inputs: &Inputs, options: &PageOptions) -> Result<Markup> {
    let name =
        inputs.model.as_ref().map_or_else(|| "no model".to_owned(), |m| format!("{} {}", m.name, m.version));
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Pneumoscope report: " (name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.kicker { "Pneumoscope · training report" }
                    h1 { (name) }
                    @if let Some(m) = &inputs.model { p.hash { "SHA-256 " (m.sha256) } }
                }
                main {
                    (limits(inputs))
                    nav { @for (id, name) in SECTIONS { a href=(format!("#{id}")) { (name) } } }
                    (results::glance(&inputs.sets)?)
                    (training::model(inputs))
                    (data::data(inputs, options.no_pictures))
                    (training::curves(inputs)?)
                    (training::quantization(inputs))
                    (results::discrimination(&inputs.sets)?)
                    (results::decisions(&inputs.sets)?)
                    (results::states(&inputs.sets, options.no_pictures)?)
                    (results::calibration(&inputs.sets)?)
                    (training::out_of_fold(inputs))
                    (results::subgroups(&inputs.sets)?)
                    (results::robustness(&inputs.sets))
                    (looked::looked(&inputs.sets))
                    (pictures(inputs, options)?)
                    (method(inputs))
                }
                footer { "Supports a decision; it is not a diagnosis. All lights off never means healthy." }
            }
        }
    })
}

/// What this is and what it is not.
fn limits(inputs: &Inputs) -> Markup {
    let use_ = inputs.model.as_ref().map(|m| m.intended_use.as_str()).filter(|text| !text.is_empty());
    html! {
        section.limits id="limits" {
            h2 { "What this is, and its limits" }
            p {
                "A small network that sorts frontal chest radiographs for a clinic without a radiologist. It "
                b { "supports a decision and never makes one" } ": a person decides, and an amber light asks for one."
            }
            ul {
                li { b { "Intended use: " } (use_.unwrap_or("not stated by the model")) }
                li { "The numbers below hold for pictures like those that were evaluated. Another hospital, machine, age or way of filming can be worse; the shifted set and the robustness table show only some of that." }
                li { "Validation pictures come from the same source as the training pictures, and calibration and thresholds were fitted as the model table says; where they were fitted on the same pictures, their numbers are optimistic." }
                li { "It is not an approved medical device, and nothing here was tried on patients in care." }
                @let strangers = inputs.strangers();
                @if !strangers.is_empty() {
                    li.warning { "These sets were evaluated with another model file than the one in this folder: " (strangers.join(", ")) ". Evaluate again." }
                }
            }
        }
    }
}

fn pictures(inputs: &Inputs, options: &PageOptions) -> Result<Markup> {
    let maps = inputs.network.as_ref().filter(|_| !options.no_pictures).map(HeatMaps::new).transpose()?;
    Ok(html! {
        section id="examples" {
            h2 { "Examples" }
            @if options.no_pictures {
                (words::missing("pictures were left out of this page on request", ""))
            } @else if inputs.sets.iter().all(|s| s.predictions.is_empty()) {
                (words::missing("there are no predictions in this folder", "Run evaluate."))
            } @else {
                p.warning { "This page contains pictures of patients. Handle it as you handle them: keep it where they may be kept, and make it with --no-pictures to pass it on." }
                @match &maps {
                    Some(_) => p.note { "The second picture is what the network looked at (class activation map): red speaks for " (inputs.positive_label()) ", blue against it, the deeper the more. It shows what the answer hangs on; it is no map of an illness." }
                    None => p.note { "No maps of what the network looked at: there is no model.onnx in this folder." }
                }
                (examples::sections(&inputs.sets, maps.as_ref(), options))
            }
        }
    })
}

fn method(inputs: &Inputs) -> Markup {
    let resamples = inputs.sets.first().map(|s| (s.metrics.measured.resamples, s.metrics.measured.seed));
    html! {
        section id="method" {
            h2 { "How it was measured" }
            dl {
                dt { "Scoring" } dd { "Each picture went through the decoder, gate, preprocessing, engine and decision of the device's own runtime. Pictures without a score are counted under states and are in no other number." }
                dt { "Intervals" } dd {
                    "95 % percentile bootstrap over patients with all their pictures"
                    @if let Some((n, seed)) = resamples { ", " (n) " resamples, seed " (seed) }
                    " (Efron and Tibshirani 1993; Rutter 2000; Field and Welsh 2007). Where all resamples agree, a share of none or all has Wilson's interval over patients (1927), and another number none. The band of the ROC curve is pointwise."
                }
                dt { "ROC AUC" } dd { "The chance that an ill child's picture scores above a healthy one's, ties one half (Hanley and McNeil 1982)." }
                dt { "Average precision" } dd { "Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores, without interpolation (Davis and Goadrich 2006)." }
                dt { "At score 0.5" } dd { "Called positive where score ≥ 0.5. Precision TP/(TP+FP), recall TP/(TP+FN), F1 their harmonic mean, for each class; macro: plain mean, weighted: by support (Sokolova and Lapalme 2009)." }
                dt { "Calibration" } dd { "Brier score: mean of (score − label)² (Brier 1950). ECE: Σ n_b/N · |share with disease − mean score| over 15 equal-width bins of the score (Naeini et al. 2015). For both, scores are moved by Bayes' rule to the share of disease among the pictures, since a score is a probability at the share that its model names (Saerens et al. 2002)." }
                dt { "Where it looked" } dd { "Heat of a place: how much it moves the logit, in either direction (class activation map, Zhou et al. 2016). The chest's part is what lies an eighth of a side or more from every edge, the same for every film: it is no outline of lungs. The model that sees no detail is a logistic regression on the mean greys of 8 × 8 cells, fitted on one half of the patients and asked about the other, in turn. Covered parts have the picture's mean grey (Zeiler and Fergus 2014)." }
                dt { "A dash" } dd { "The number is not defined on these pictures, or was not measured." }
            }
        }
    }
}
