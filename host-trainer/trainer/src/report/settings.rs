//! A run's settings in the field's words.

use super::words::{json_paths, json_text};
use crate::run::Recipe;
use serde_json::Value;

/// Name and value of each setting of `run.json`: the recipe's by the names that they have in
/// publications, then what else is there by its key.
pub(super) fn settings(run: &Value) -> Vec<(String, String)> {
    let recipe = run.get("recipe").and_then(|recipe| serde_json::from_value::<Recipe>(recipe.clone()).ok());
    let named = recipe.as_ref().map(named).unwrap_or_default();
    let rest = json_paths(run).into_iter().filter(|(path, _)| {
        !named
            .iter()
            .any(|(key, ..)| path.strip_prefix("recipe, ").is_some_and(|path| path == key.replace('_', " ")))
    });
    let named = named.iter().map(|(_, name, value)| ((*name).to_owned(), value.clone()));
    named.chain(rest.map(|(path, value)| (path, json_text(&value)))).collect()
}

/// Key, name and value of a recipe's numbers.
fn named(recipe: &Recipe) -> Vec<(&'static str, &'static str, String)> {
    let off = |value: f64| if value == 0.0 { "none".to_owned() } else { value.to_string() };
    let mut named = vec![
        ("seed", "seed", recipe.seed.to_string()),
        ("side", "input, pixels a side", recipe.side.to_string()),
        ("epochs", "epochs in float", recipe.epochs.to_string()),
        ("batch", "batch size", recipe.batch.to_string()),
        ("rate", "peak learning rate (AdamW, warm-up and cosine)", recipe.rate.to_string()),
        ("decay", "weight decay", recipe.decay.to_string()),
        ("threads", "threads of libtorch", recipe.threads.to_string()),
        ("average", "decay of the weights' exponential moving average", recipe.average.to_string()),
    ];
    if recipe.teacher.is_none() {
        named.extend([
            ("width", "width multiplier", recipe.width.to_string()),
            ("smoothing", "label smoothing", off(recipe.smoothing)),
            ("mixup", "mixup, alpha", off(recipe.mixup)),
            ("sam", "sharpness-aware minimisation, rho", off(recipe.sam)),
            ("auxiliary", "auxiliary head (bacterial or viral), weight of its loss", off(recipe.auxiliary)),
            (
                "quantized_epochs",
                "epochs of quantization-aware training",
                recipe.quantized_epochs.to_string(),
            ),
            ("quantized_rate", "peak learning rate in int8", recipe.quantized_rate.to_string()),
            ("others", "head for pictures that the model is not for, weight of its loss", off(recipe.others)),
        ]);
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_the_fields_names_and_nothing_is_left_out() {
        let recipe = Recipe { mixup: 0.1, width: 1.5, ..Recipe::default() };
        let mut run = serde_json::json!({ "recipe": recipe, "data": "a folder" });
        run["recipe"]["something_new"] = 7.into();
        let found = settings(&run);
        let value = |name: &str| found.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        assert_eq!(value("mixup, alpha"), Some("0.1"));
        assert_eq!(value("width multiplier"), Some("1.5"));
        assert_eq!(value("label smoothing"), Some("none"), "what was not used is said");
        assert_eq!(value("recipe, something new"), Some("7"), "a key without a name keeps its own");
        assert_eq!((value("data"), value("recipe, mixup")), (Some("a folder"), None));
        // What cannot be read as a recipe is shown as it is.
        run["recipe"]["epochs"] = "many".into();
        assert_eq!(settings(&run).iter().find(|(name, _)| name == "recipe, epochs").unwrap().1, "many");
    }
}
