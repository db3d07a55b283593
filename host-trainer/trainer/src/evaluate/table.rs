//! The numbers as text for a terminal.

use super::metrics::three_decimals;
use super::record::{Evaluation, StateCounts, TRAINED_ON};
use std::fmt;

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, m, d) = (&self.measured.statistics, &self.model, &self.data);
        writeln!(f, "{} {} (sha256 {})", m.name, m.version, m.sha256)?;
        writeln!(f, "on {}", d.description)?;
        if d.trained_on {
            writeln!(f, "{}", TRAINED_ON)?;
        }
        writeln!(
            f,
            "{} pictures of {} patients: {} {}, {} {}; {} scored",
            d.pictures, d.patients, d.negatives, m.label_negative, d.positives, m.label_positive, d.scored
        )?;
        writeln!(f, "(in brackets: 95 % intervals, {} resamples of patients)\n", self.measured.resamples)?;
        for (name, e) in [
            ("ROC AUC", &s.auc),
            ("average precision", &s.average_precision),
            ("Brier score", &s.brier),
            ("calibration error (ECE)", &s.ece),
        ] {
            writeln!(f, "{name:<28}{}", e)?;
        }

        writeln!(f, "\nat score 0.5")?;
        writeln!(f, "  {:<18}{:<26}{:<26}{:<26}{:>8}", "", "precision", "recall", "F1", "support")?;
        let mut line = |name: &str, [p, r, f1]: [String; 3], n: u64| {
            writeln!(f, "  {name:<18}{p:<26}{r:<26}{f1:<26}{n:>8}")
        };
        let r = &self.measured.report;
        for (name, c) in [(&m.label_negative, &r.negative), (&m.label_positive, &r.positive)] {
            line(name, [c.precision, c.recall, c.f1].map(|e| e.to_string()), c.support)?;
        }
        for (name, a) in [("macro average", &r.macro_average), ("weighted average", &r.weighted_average)] {
            line(name, [a.precision, a.recall, a.f1].map(three_decimals), a.support)?;
        }
        writeln!(f, "  accuracy          {}", r.accuracy)?;
        writeln!(f, "  sensitivity       {}", s.sensitivity)?;
        writeln!(f, "  specificity       {}", s.specificity)?;

        writeln!(
            f,
            "\nas the device shows it (NEGATIVE below {}, POSITIVE above {})",
            m.decision.negative_below, m.decision.positive_above
        )?;
        writeln!(
            f,
            "  {:<18}{:>10}{:>8}{:>10}{:>9}{:>7}{:>12}",
            "", "POSITIVE", "REFER", "NEGATIVE", "INVALID", "FAULT", "UNREADABLE"
        )?;
        let t = &self.states;
        for (name, counts) in [(&m.label_negative, &t.without_disease), (&m.label_positive, &t.with_disease)]
        {
            let StateCounts { positive, refer, negative, invalid, fault, unreadable } = counts;
            writeln!(
                f,
                "  {name:<18}{positive:>10}{refer:>8}{negative:>10}{invalid:>9}{fault:>7}{unreadable:>12}"
            )?;
        }
        writeln!(f, "  sensitivity of \"not NEGATIVE\"  {}", s.sensitivity_not_negative)?;
        writeln!(f, "  specificity of \"not POSITIVE\"  {}", s.specificity_not_positive)?;

        for g in &self.subgroups {
            writeln!(
                f,
                "\n{} ({} pictures, {} patients): AUC {}, sensitivity {}",
                g.name, g.pictures, g.patients, g.auc, g.sensitivity
            )?;
        }
        if let Some(robustness) = &self.robustness {
            write!(f, "\n{robustness}")?;
        }
        if let Some(localization) = &self.localization {
            write!(f, "\n{localization}")?;
        }
        writeln!(f, "\nThis supports a decision and makes none. Intended use: {}", m.intended_use)
    }
}
