//! Where the network looked, in words and as text for a terminal.

use super::{Localization, PARTS};
use crate::evaluate::metrics::three_decimals;
use std::fmt;

impl Localization {
    /// Where the heat lies, in a sentence.
    pub fn place_in_words(&self) -> String {
        let per_cent =
            |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |s| format!("{:.0} %", 100.0 * s));
        let mut text = format!(
            "{} of what moved the answers lies in the middle of the picture, where the chest is; spread evenly it would be {}",
            per_cent(self.heat_in_chest.value),
            per_cent(Some(self.chest_area)),
        );
        let Some(layout) = &self.layout else {
            return text + ". There were too few patients to compare it with a model that sees no detail.";
        };
        let verdict = match (layout.difference.low, layout.difference.high) {
            (Some(low), _) if low > 0.0 => "the network looks at the chest more than that model does",
            (_, Some(high)) if high < 0.0 => {
                "the network looks at the chest less than that model does: do not trust it before you know at what"
            }
            _ => "there is no difference that chance could not make",
        };
        text += &format!(
            ", and of a simple model that sees only where light and dark lie it is {}: {verdict}.",
            per_cent(layout.heat_in_chest.value)
        );
        text
    }

    /// What covering does, in a sentence.
    pub fn covering_in_words(&self) -> String {
        let points = |part, with_disease| {
            let change = self.covered(part, with_disease).and_then(|c| c.score_change.value);
            change.map_or_else(|| "-".to_owned(), |c| format!("{c:+.2}").replace('-', "−"))
        };
        let [hottest, by_lot, coldest] = PARTS
            .map(|part| format!("{} with disease and {} without", points(part, true), points(part, false)));
        format!(
            "Covering the ninth of the picture that the map calls hottest moves the score by {hottest}, a ninth by lot by {by_lot}, \
             the coldest by {coldest}."
        )
    }
}

impl fmt::Display for Localization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "where it looked ({} of {} scored pictures, seed {})",
            self.pictures, self.drawn_from, self.seed
        )?;
        writeln!(
            f,
            "  heat in the chest's part    {}, spread evenly {:.3}",
            self.heat_in_chest, self.chest_area
        )?;
        if let Some(layout) = &self.layout {
            writeln!(
                f,
                "  the same by layout alone    {}, AUC {}\n  difference                  {}",
                layout.heat_in_chest,
                three_decimals(layout.auc),
                layout.difference
            )?;
        }
        writeln!(
            f,
            "  {:<28}{:>10}{:>8}   {:<28}{:<26}",
            "ninth covered", "pictures", "scored", "change of score", "states changed"
        )?;
        for c in &self.covered {
            let name = format!("{}, {}", c.part, if c.with_disease { "with disease" } else { "without" });
            let [change, states] = [c.score_change, c.changed_states].map(|e| e.to_string());
            writeln!(f, "  {name:<28}{:>10}{:>8}   {change:<28}{states:<26}", c.pictures, c.scored)?;
        }
        writeln!(f, "  {}\n  {}", self.place_in_words(), self.covering_in_words())
    }
}
