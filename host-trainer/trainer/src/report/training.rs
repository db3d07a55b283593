//! The sections on how the model was made: model, run, learning curves, float against int8.

use super::inputs::Inputs;
use super::plots::{self, BLUE, GREEN, GREY, ORANGE};
use super::settings::settings;
use super::words::{estimate, figure, json_paths, json_text, missing, number};
use crate::evaluate::record::ModelFacts;
use crate::run::{Epoch, Phase};
use anyhow::Result;
use maud::{Markup, html};
use serde_json::Value;

/// The model's own words and the run's settings.
pub(super) fn model(inputs: &Inputs) -> Markup {
    html! {
        section id="model" {
            h2 { "Model" }
            @match &inputs.model {
                Some(m) => (facts(m)),
                None => (missing("there is no model in this folder", "Run export, then evaluate.")),
            }
            @if let Some(run) = &inputs.run {
                details {
                    summary { "Settings of the training run" }
                    table.facts { @for (key, value) in settings(run) { tr { th { (key) } td { (value) } } } }
                    (clusters(run))
                }
            }
        }
    }
}

/// The clusters of acquisition of which this run held one out.
fn clusters(run: &Value) -> Markup {
    let clusters = run.pointer("/split/clusters").and_then(Value::as_array);
    html! { @if let Some(clusters) = clusters { div.scroll { table.numbers.compact {
        thead { tr { th { "cluster" } th { "pictures" } th { "patients" } th { "normal" } th { "pneumonia" } th { "differs by, in deviations" } } }
        tbody { @for cluster in clusters { tr {
            th { (json_text(&cluster["number"])) }
            @for key in ["pictures", "patients", "negatives", "positives", "traits"] { td { (json_text(&cluster[key])) } }
        } } }
    } } } }
}

fn facts(m: &ModelFacts) -> Markup {
    let d = &m.decision;
    let kilobytes =
        m.file_bytes.map_or_else(|| "not stated".to_owned(), |b| format!("{:.1} kB", b as f64 / 1000.0));
    let rows = [
        ("name and version", format!("{} {}", m.name, m.version)),
        ("SHA-256 of the file", m.sha256.clone()),
        ("size of the file", kilobytes),
        ("input", format!("{0} × {0} pixels, one channel, {1}", m.input_side, m.preprocessing)),
        ("labels", format!("{} (low score), {} (high score)", m.label_negative, m.label_positive)),
        (
            "calibration",
            format!("score = 1 / (1 + exp(−(logit / {} + {}))); {}", d.temperature, d.bias, d.fitted_on),
        ),
        ("thresholds", {
            format!(
                "NEGATIVE below {}, POSITIVE above {}; {}",
                d.negative_below, d.positive_above, d.chosen_for
            )
        }),
        ("training data", format!("SHA-256 {}", m.provenance.training_data_sha256)),
        ("seeds", m.provenance.seeds.clone()),
        ("made by", m.provenance.made_by.clone()),
        ("evaluated with", m.engine.clone()),
    ];
    html! { table.facts { @for (key, value) in rows { tr { th { (key) } td { (value) } } } } }
}

type Pick = fn(&Epoch<Option<f64>>) -> Option<f64>;

/// Loss, accuracy and AUC over the epochs.
pub(super) fn curves(inputs: &Inputs) -> Result<Markup> {
    let history = &inputs.history;
    let body = if history.is_empty() {
        missing("there is no history of epochs in this folder", "Training writes it.")
    } else {
        let border = history.iter().position(|e| e.phase == Phase::Qat).filter(|&at| at > 0);
        let legend = [
            ("c-grey", "training"),
            ("c-blue", "validation"),
            ("c-orange", "shifted validation"),
            ("c-green", "film"),
        ];
        // There is no AUC of training pictures: its lines are the last three.
        let plot = |title, picks: &[Pick], caption: &str| {
            let first = legend.len() - picks.len();
            let values = picks.iter().map(|pick| history.iter().map(pick).collect());
            let series: Vec<_> = [GREY, BLUE, ORANGE, GREEN].into_iter().skip(first).zip(values).collect();
            let svg = plots::epochs(title, &series, border, title == "loss")?;
            anyhow::Ok(figure(svg, &legend[first..], html! { (caption) }))
        };
        let loss = "Loss (cross-entropy, balanced over classes); lower is better.";
        let loss =
            plot("loss", &[|e| e.train_loss, |e| e.val_loss, |e| e.shifted_loss, |e| e.film_loss], loss)?;
        let accuracy: [Pick; 4] =
            [|e| e.train_accuracy, |e| e.val_accuracy, |e| e.shifted_accuracy, |e| e.film_accuracy];
        let accuracy = plot("accuracy", &accuracy, "Accuracy at a logit of 0.")?;
        let auc = plot(
            "ROC AUC",
            &[|e| e.val_auc, |e| e.shifted_auc, |e| e.film_auc],
            "Area under the ROC curve.",
        )?;
        let seconds: f64 = history.iter().filter_map(|e| e.seconds).sum();
        html! {
            p {
                (history.len()) " epochs in " (format!("{:.0} minutes", seconds / 60.0)) ". "
                @if border.is_some() { "Right of the dashed line: quantization-aware training, in which the network computes in int8. " }
                "Training values are on augmented pictures, so they may lie below those of validation."
            }
            div.figures {
                (loss) (accuracy) (auc)
            }
        }
    };
    Ok(html! { section id="curves" { h2 { "Learning curves" } (body) } })
}

/// Float and int8, side by side, with what `quantize.json` holds of both.
pub(super) fn quantization(inputs: &Inputs) -> Markup {
    let of =
        |which: &str| inputs.quantize.as_ref().and_then(|q| q.get(which)).map(json_paths).unwrap_or_default();
    let (float, int8) = (of("float"), of("int8"));
    let mut keys: Vec<&str> = float.iter().chain(&int8).map(|(key, _)| key.as_str()).collect();
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(*key));
    // Plain before shifted, as everywhere on the page.
    keys.sort_by_key(|key| key.starts_with("shifted"));
    html! {
        section id="quantization" {
            h2 { "Float and int8" }
            @if keys.is_empty() {
                (missing("there is no comparison of the float and the int8 network in this folder", "Run quantize."))
            } @else {
                p { "The same network before and after quantization, on the same pictures. The int8 network is the one that is shipped. Accuracy here is at a logit of 0, before calibration moves the decision point to score 0.5." }
                div.scroll { table.numbers {
                    thead { tr { th {} th { "float" } th { "int8" } th { "difference" } } }
                    tbody { @for key in keys {
                        @let (a, b) = (find(&float, key), find(&int8, key));
                        @let difference = a.and_then(|v| v.as_f64()).zip(b.and_then(|v| v.as_f64())).map(|(a, b)| b - a);
                        tr { th { (title(key)) } td { (cell(a)) } td { (cell(b)) } td { (signed(difference)) } }
                    } }
                } }
            }
        }
    }
}

/// What networks of the same recipe said of patients that they had not seen, and the clusters that were
/// held out.
pub(super) fn out_of_fold(inputs: &Inputs) -> Markup {
    let Some(figures) = &inputs.out_of_fold else {
        return html! { section id="out-of-fold" {
            h2 { "For new patients" }
            @if inputs.held_apart > 0 {
                p {
                    "Score and thresholds were fitted on " (inputs.held_apart) " pictures of validation patients "
                    "who are in no figure of this page; the thresholds are conformal (Vovk, Gammerman and Shafer 2005), "
                    "so they hold for new patients of this data. Networks of folds were not asked."
                }
            } @else { (missing(
                "there are no predictions out of fold: score and thresholds were fitted on the validation patients that this page reports on, so what depends on them is flattered",
                "Give more patients, or run folds and export with --out-of-fold.",
            )) }
        } };
    };
    html! {
        section id="out-of-fold" {
            h2 { "Out of fold" }
            p {
                "Networks of the folds, each asked about what it had not learned from (folds of " (figures.kind) "). Score and thresholds of the model were fitted on these answers. "
                "Below, each fold is judged by score and thresholds fitted on the other folds alone: what new patients of this data can expect, if the model that is shipped does as the networks of the folds."
            }
            div.scroll { table.numbers {
                thead { tr { th {} th { "AUC, mean of folds" } th { "AUC, worst fold" } th { "ECE" } th { "ill, not NEGATIVE" } th { "healthy, not POSITIVE" } th { "REFER" } } }
                tbody { @for c in &figures.conditions { tr {
                    th { (c.condition) } td { (number(c.mean_auc)) } td { (number(c.worst_auc)) } td { (estimate(&c.pooled.ece)) }
                    td { (estimate(&c.pooled.sensitivity_not_negative)) } td { (estimate(&c.pooled.specificity_not_positive)) } td { (estimate(&c.pooled.refer_share)) }
                } } }
            } }
            div.scroll { table.numbers.compact {
                thead { tr { th { "fold" } th { "pictures" } th { "with disease" } th { "AUC plain" } th { "shifted" } th { "film" } th { "cluster" } } }
                tbody { @for fold in &figures.folds { tr {
                    th { (fold.number) } td { (fold.pictures) } td { (fold.positives) }
                    @for auc in fold.auc { td { (number(auc)) } }
                    td { (fold.cluster.as_ref().map_or("–", |cluster| cluster.traits.as_str())) }
                } } }
            } }
        }
    }
}

fn find<'a>(list: &'a [(String, Value)], key: &str) -> Option<&'a Value> {
    list.iter().find(|(k, _)| k == key).map(|(_, v)| v)
}

/// A key of `quantize.json` in words.
fn title(key: &str) -> String {
    let word = |w: &str| match w.trim_end_matches(',') {
        "val" => "validation".to_owned(),
        "auc" => "ROC AUC".to_owned(),
        other => other.to_owned(),
    };
    key.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Four decimals for a fraction, anything else as it is.
fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::Number(n)) if n.is_f64() => {
            n.as_f64().map_or_else(|| number(None), |v| format!("{v:.4}"))
        }
        Some(other) => json_text(other),
        None => number(None),
    }
}

/// A difference with its sign; none on what rounds to 0.
fn signed(v: Option<f64>) -> String {
    let text = v.map_or_else(|| number(None), |v| format!("{v:+.4}").replace('-', "−"));
    if text.ends_with("0.0000") { "0.0000".to_owned() } else { text }
}
