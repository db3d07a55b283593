//! What came out of a run, by its folder: area under the ROC curve on every validation set that its
//! history has, as `val_auc` and `shifted_auc` are there.

use crate::run::{Phase, Run};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// AUC by validation set.
pub type Sets = BTreeMap<String, f64>;

/// A finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub float: Sets,
    /// Empty where it is not quantized.
    pub int8: Sets,
    /// Of all epochs.
    pub seconds: f64,
}

impl Outcome {
    /// What is in a run's folder; none where the run is not finished.
    pub fn read(run: &Run, quantize: bool) -> Result<Option<Self>> {
        let seconds = run.history.iter().map(|epoch| epoch.seconds).filter(|s| s.is_finite()).sum();
        let finished = if quantize { "quantize.json" } else { "float.safetensors" };
        if !run.path(finished).exists() {
            return Ok(None);
        }
        if quantize {
            let compared: Value = run.read_json("quantize.json")?;
            let [float, int8] = ["float", "int8"].map(|which| areas(compared.get(which)));
            return Ok(Some(Self { float, int8, seconds }));
        }
        let last = run.history.iter().rposition(|epoch| epoch.phase == Phase::Float);
        let history: Vec<Value> = run.read_json("history.json")?;
        let last = last.and_then(|at| history.get(at)).context("history.json: expected an epoch in float")?;
        Ok(Some(Self { float: areas(Some(last)), int8: Sets::new(), seconds }))
    }

    /// Epochs that are done in a run's folder, and the seconds that they took.
    pub fn so_far(folder: &Path) -> (usize, f64) {
        let Ok(run) = Run::open(folder) else { return (0, 0.0) };
        (run.history.len(), run.history.iter().map(|epoch| epoch.seconds).sum())
    }
}

/// The numbers whose name ends in `_auc`, by what stands before; JSON's null is not a number.
fn areas(figures: Option<&Value>) -> Sets {
    let named = figures.and_then(Value::as_object).into_iter().flatten();
    let area = |value: &Value| value.as_f64().or(value.is_null().then_some(f64::NAN));
    named.filter_map(|(key, value)| Some((set(key.strip_suffix("_auc")?), area(value)?))).collect()
}

fn set(key: &str) -> String {
    if key == "val" { "plain".into() } else { key.replace('_', " ") }
}
