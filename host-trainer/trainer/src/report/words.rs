//! Numbers and small pieces as the page writes them.

use crate::evaluate::metrics::Estimate;
use maud::{Markup, html};
use serde_json::Value;

/// A share with three digits, a dash where undefined.
pub(super) fn number(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or_else(|| "–".to_owned(), |v| format!("{v:.3}").replace('-', "−"))
}

/// A share in per cent, a dash where undefined.
pub(super) fn percent(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or_else(|| "–".to_owned(), |v| format!("{:.1} %", 100.0 * v))
}

/// `0.953` over its interval.
pub(super) fn estimate(e: &Estimate) -> Markup {
    html! {
        (number(e.value))
        @if let (Some(low), Some(high)) = (e.low, e.high) {
            " " span.interval { (number(Some(low))) " – " (number(Some(high))) }
        }
    }
}

/// Says that something was not measured, and what would measure it.
pub(super) fn missing(what: &str, remedy: &str) -> Markup {
    html! { p.missing { "Not measured: " (what) ". " (remedy) } }
}

/// A diagram, its legend and its caption. `legend` is pairs of a CSS class for the colour and a
/// name.
pub(super) fn figure(svg: String, legend: &[(&str, &str)], caption: Markup) -> Markup {
    html! {
        figure {
            (maud::PreEscaped(svg))
            figcaption {
                @if !legend.is_empty() {
                    span.legend {
                        @for (class, name) in legend { span { i class=(class) {} (name) } }
                    }
                }
                (caption)
            }
        }
    }
}

/// A JSON leaf as text; numbers short.
pub(super) fn json_text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(n) if n.is_f64() => n.as_f64().map_or_else(String::new, short),
        other => other.to_string(),
    }
}

/// Four decimals at most for ordinary numbers; scientific for very small ones.
fn short(v: f64) -> String {
    if v != 0.0 && v.abs() < 1e-3 {
        return format!("{v:e}");
    }
    let text = format!("{v:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The leaves of a JSON tree as `a, b` paths with their values; lists of more than four are left
/// out.
pub(super) fn json_paths(value: &Value) -> Vec<(String, Value)> {
    fn walk(prefix: &str, value: &Value, out: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    let key = key.replace('_', " ");
                    let path = if prefix.is_empty() { key } else { format!("{prefix}, {key}") };
                    walk(&path, inner, out);
                }
            }
            Value::Array(list) if list.len() > 4 || list.iter().any(|v| v.is_object() || v.is_array()) => {}
            Value::Array(list) => {
                let text = list.iter().map(json_text).collect::<Vec<_>>().join("; ");
                out.push((prefix.to_owned(), Value::String(text)));
            }
            other => out.push((prefix.to_owned(), other.clone())),
        }
    }
    let mut out = Vec::new();
    walk("", value, &mut out);
    out
}

pub(super) fn state_badge(name: &str) -> Markup {
    html! { span class=(format!("state {}", name.to_lowercase())) { (name) } }
}
