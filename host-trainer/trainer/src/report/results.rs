//! The sections on how good the model is; the evaluated sets stand side by side.

use super::inputs::EvaluatedSet;
use super::plots;
use super::words::{estimate, figure, missing, number, percent, state_badge};
use crate::evaluate::metrics::Estimate;
use crate::evaluate::metrics::{ClassAverage, ClassMetrics, Statistics};
use crate::evaluate::record::{StateCounts, TRAINED_ON};
use crate::evaluate::robustness::Robustness;
use anyhow::Result;
use maud::{Markup, html};

const REMEDY: &str = "Run evaluate on a validation or test set.";

/// A heading over one column a set, or the note that there is none.
fn section_of_sets(
    id: &str,
    heading: &str,
    intro: Markup,
    sets: &[EvaluatedSet],
    column: impl Fn(&EvaluatedSet) -> Result<Markup>,
) -> Result<Markup> {
    let columns: Vec<Markup> = sets.iter().map(column).collect::<Result<_>>()?;
    Ok(html! {
        section id=(id) {
            h2 { (heading) }
            @if sets.is_empty() { (missing("no set was evaluated", REMEDY)) } @else {
                (intro)
                div.sets { @for (set, column) in sets.iter().zip(&columns) { div.set { h3 { (set.name) } (column) } } }
            }
        }
    })
}

/// The handful of numbers that matter most.
pub(super) fn glance(sets: &[EvaluatedSet]) -> Result<Markup> {
    let tiles = |s: &Statistics<Estimate>| {
        [
            ("ROC AUC", s.auc, false),
            ("of the ill, not shown NEGATIVE", s.sensitivity_not_negative, true),
            ("of the healthy, not shown POSITIVE", s.specificity_not_positive, true),
            ("referred to a person", s.refer_share, true),
        ]
    };
    let intro = html! { p { "Small figures: 95 % intervals, from resampling patients. They cover chance in the choice of patients, not another hospital, another machine or another age." } };
    section_of_sets("glance", "At a glance", intro, sets, |set| {
        let d = &set.metrics.data;
        Ok(html! {
            @if d.trained_on { p.warning { (TRAINED_ON) "." } } @else { p.note { (set.what) "." } }
            div.tiles { @for (name, e, share) in tiles(&set.metrics.measured.statistics) { div.tile {
                span.value { @if share { (percent(e.value)) } @else { (number(e.value)) } }
                @if let (Some(low), Some(high)) = (e.low, e.high) {
                    span.interval { @if share { (percent(Some(low))) " – " (percent(Some(high))) } @else { (number(Some(low))) " – " (number(Some(high))) } }
                }
                span.name { (name) }
            } } }
            p.note {
                (d.pictures) " pictures of " (d.patients) " patients: " (d.positives) " with and " (d.negatives) " without disease; "
                @if d.scored == d.pictures { "all got a score." } @else { b { (d.pictures - d.scored) " got no score" } " (" a href="#states" { "states" } ")." }
                @if !d.description.is_empty() { " Data: " (d.description) "." }
            }
        })
    })
}

pub(super) fn discrimination(sets: &[EvaluatedSet]) -> Result<Markup> {
    let intro = html! { p { "Does the score put the ill above the healthy? Independent of any threshold." } };
    section_of_sets("discrimination", "Discrimination", intro, sets, |set| {
        let (m, s) = (&set.metrics.measured, &set.metrics.measured.statistics);
        let point =
            s.specificity.value.zip(s.sensitivity.value).map(|(specificity, y)| (1.0 - specificity, y));
        let share = m.positives as f64 / m.pictures.max(1) as f64;
        let roc = plots::roc(&m.roc, &m.roc_band, point)?;
        let pr = plots::precision_recall(&m.precision_recall, share)?;
        let legend = [
            ("c-blue", "model"),
            ("c-band", "95 % interval"),
            ("c-orange dot", "score 0.5"),
            ("c-dash", "guessing"),
        ];
        Ok(html! {
            (figure(roc, &legend, html! { "ROC curve. Area " (estimate(&s.auc)) "." }))
            (figure(pr, &[("c-blue", "model"), ("c-dash", "guessing")], html! {
                "Precision-recall curve. Average precision " (estimate(&s.average_precision))
                "; guessing would give " (number(Some(share))) ", the share of disease in these data."
            }))
        })
    })
}

/// Classification report and confusion matrix at score 0.5.
pub(super) fn decisions(sets: &[EvaluatedSet]) -> Result<Markup> {
    let intro = html! { p {
        "If every picture had to be called one way or the other, at score 0.5. The device does not do this (see "
        a href="#states" { "states" } "), but it is how classifiers are compared. Precision depends on how common the disease is in the data."
    } };
    let class = |name: &str, c: &ClassMetrics| {
        html! { tr {
            th { (name) } td { (estimate(&c.precision)) } td { (estimate(&c.recall)) } td { (estimate(&c.f1)) } td { (c.support) }
        } }
    };
    let average = |name: &str, a: &ClassAverage| {
        html! { tr.average {
            th { (name) } td { (number(a.precision)) } td { (number(a.recall)) } td { (number(a.f1)) } td { (a.support) }
        } }
    };
    section_of_sets("decisions", "At score 0.5", intro, sets, |set| {
        let (m, r) = (&set.metrics.model, &set.metrics.measured.report);
        let s = &set.metrics.measured.statistics;
        let matrix =
            plots::confusion(&set.metrics.measured.confusion, (&m.label_negative, &m.label_positive))?;
        Ok(html! {
            (figure(matrix, &[("c-blue", "right"), ("c-orange", "wrong")], html! { "Confusion matrix; per cent of each true class." }))
            div.scroll { table.numbers {
                thead { tr { th {} th { "precision" } th { "recall" } th { "F1" } th { "support" } } }
                tbody {
                    (class(&m.label_negative, &r.negative))
                    (class(&m.label_positive, &r.positive))
                    (average("macro average", &r.macro_average))
                    (average("weighted average", &r.weighted_average))
                }
            } }
            table.numbers.compact { tbody {
                tr { th { "accuracy" } td { (estimate(&r.accuracy)) } }
                tr { th { "balanced accuracy" } td { (estimate(&s.balanced_accuracy)) } }
                tr { th { "sensitivity" } td { (estimate(&s.sensitivity)) } }
                tr { th { "specificity" } td { (estimate(&s.specificity)) } }
            } }
        })
    })
}

pub(super) fn states(sets: &[EvaluatedSet], no_names: bool) -> Result<Markup> {
    let intro = html! { p {
        "What the lights would show, by truth. REFER means that a person must look. INVALID pictures were refused by the gate, "
        "FAULT and UNREADABLE ones got no answer: none of these has a score, and all other numbers on this page are without them."
    } };
    section_of_sets("states", "States of the device", intro, sets, |set| {
        let (m, t, s) = (&set.metrics.model, &set.metrics.states, &set.metrics.measured.statistics);
        let rows = [(&m.label_negative, &t.without_disease), (&m.label_positive, &t.with_disease)];
        let both = shown(rows[0].1).into_iter().zip(shown(rows[1].1));
        Ok(html! {
            @for (name, counts) in rows {
                p.barname { (name) span.note { " " (counts.total()) " pictures" } }
                div.bar role="img" aria-label=(format!("{name}: {} positive, {} refer, {} negative", counts.positive, counts.refer, counts.negative)) {
                    @for (state, n) in shown(counts) { @if n > 0 {
                        span class=(state.to_lowercase()) style=(format!("flex-grow:{n}")) {}
                    } }
                }
            }
            div.scroll { table.numbers.compact {
                thead { tr { th {} @for (name, _) in rows { th { (name) } } } }
                tbody { @for (i, ((state, without), (_, with))) in both.enumerate() {
                    @if i < ALWAYS_SHOWN || without + with > 0 { tr {
                        th { (state_badge(state)) }
                        @for (n, counts) in [(without, rows[0].1), (with, rows[1].1)] {
                            td { (n) " " span.interval { (percent((counts.total() > 0).then(|| n as f64 / counts.total() as f64))) } }
                        }
                    } }
                } }
            } }
            table.numbers.compact { tbody {
                tr { th { "sensitivity of “not NEGATIVE”" } td { (estimate(&s.sensitivity_not_negative)) } }
                tr { th { "specificity of “not POSITIVE”" } td { (estimate(&s.specificity_not_positive)) } }
                tr { th { "share of REFER" } td { (estimate(&s.refer_share)) } }
            } }
            @if !set.metrics.not_scored.is_empty() {
                details {
                    summary { (set.metrics.not_scored.len()) " pictures without a score" }
                    ul.refused { @for r in &set.metrics.not_scored { li {
                        (state_badge(&r.state)) " " (r.note)
                        @if !no_names { " " span.id { (r.id) } }
                    } } }
                }
            }
        })
    })
}

/// How many of [`shown`] have a line even where nothing is in it.
const ALWAYS_SHOWN: usize = 4;

/// The states in the order of the page.
fn shown(c: &StateCounts) -> [(&'static str, u64); 6] {
    [
        ("POSITIVE", c.positive),
        ("REFER", c.refer),
        ("NEGATIVE", c.negative),
        ("INVALID", c.invalid),
        ("FAULT", c.fault),
        ("UNREADABLE", c.unreadable),
    ]
}

pub(super) fn calibration(sets: &[EvaluatedSet]) -> Result<Markup> {
    let intro = html! { p {
        "Is a score of 0.8 right eight times in ten? On the dashed line it is. Dots of bins with few pictures jump. A score is a probability at one \
         share of disease: where the model says at which, the axis is the score moved to the share among these pictures, and not the score that \
         the device shows."
    } };
    section_of_sets("calibration", "Calibration", intro, sets, |set| {
        let (m, s) = (&set.metrics.measured, &set.metrics.measured.statistics);
        let caption = html! {
            "Reliability in 15 bins, and how many pictures each holds. Expected calibration error " (estimate(&s.ece))
            ", Brier score " (estimate(&s.brier)) "; 0 is best for both."
        };
        Ok(figure(
            plots::reliability(&m.reliability)?,
            &[("c-blue", "model"), ("c-dash", "perfect")],
            caption,
        ))
    })
}

pub(super) fn subgroups(sets: &[EvaluatedSet]) -> Result<Markup> {
    let intro = html! { p { "Each kind of disease, as the file names tell it, against all pictures without disease." } };
    section_of_sets("subgroups", "Subgroups", intro, sets, |set| {
        let groups = &set.metrics.subgroups;
        Ok(html! {
            @if groups.is_empty() { (missing("these data name no kinds of disease", "")) } @else { div.scroll { table.numbers {
                thead { tr { th {} th { "pictures" } th { "patients" } th { "AUC" } th { "sensitivity at 0.5" } th { "not NEGATIVE" } } }
                tbody { @for g in groups { tr {
                    th { (g.name) } td { (g.pictures) } td { (g.patients) }
                    td { (estimate(&g.auc)) } td { (estimate(&g.sensitivity)) } td { (estimate(&g.sensitivity_not_negative)) }
                } } }
            } } }
        })
    })
}

/// The same pictures, changed; one table below the other, because they are wide.
pub(super) fn robustness(sets: &[EvaluatedSet]) -> Markup {
    let table = |r: &Robustness| {
        html! {
            p.note { (r.pictures) " of " (r.drawn_from) " scored pictures, drawn from each class by its share (seed " (r.seed) ")." }
            div.scroll { table.numbers.compact {
                thead { tr { th {} th { "scored" } th { "AUC" } th { "sensitivity" } th { "specificity" } th { "mean |Δ logit|" } th { "states changed" } } }
                tbody { @for l in &r.lines { tr {
                    th { (l.change) } td { (l.scored) } td { (estimate(&l.auc)) } td { (number(l.sensitivity.value)) }
                    td { (number(l.specificity.value)) } td { (number(l.logit_difference)) } td { (percent(l.changed_states)) }
                } } }
            } }
        }
    };
    let measured: Vec<_> =
        sets.iter().filter_map(|s| Some((s.name, s.metrics.robustness.as_ref()?))).collect();
    html! {
        section id="robustness" {
            h2 { "Robustness" }
            @if measured.is_empty() {
                (missing("no changes were tried", "Run evaluate with a robustness limit above 0."))
            } @else {
                p { "The same pictures as another room might have taken them. Each line changes one thing in the decoded picture, before the gate." }
                @for (name, r) in measured { h3 { (name) } (table(r)) }
            }
        }
    }
}
