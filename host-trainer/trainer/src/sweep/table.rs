//! The table of a sweep: a row an experiment, the best worst validation first.

use super::outcome::{Outcome, Sets};
use crate::export::footprint::Footprint;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

/// Mean over seeds and, of two or more, the standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub mean: f64,
    pub deviation: Option<f64>,
}

impl Spread {
    /// None where there is no value.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        (!values.is_empty()).then_some(Self { mean, deviation })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.mean)?;
        self.deviation.map_or(Ok(()), |deviation| write!(f, " ± {deviation:.4}"))
    }
}

/// An experiment, over the seeds that are finished.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub name: String,
    /// Seeds that are finished.
    pub seeds: Vec<u64>,
    /// Seeds that were asked for.
    pub of: usize,
    /// AUC by validation set.
    pub float: BTreeMap<String, Spread>,
    pub int8: BTreeMap<String, Spread>,
    /// Lowest mean over seeds of any set, of the int8 network where there is one.
    pub worst: Option<f64>,
    pub footprint: Option<Footprint>,
    /// Training time of a seed, mean.
    pub seconds: Option<f64>,
    /// Of the first seed that failed.
    pub error: Option<String>,
}

impl Row {
    pub fn new(
        name: &str,
        of: usize,
        footprint: Option<Footprint>,
        outcomes: &[(u64, Outcome)],
        error: Option<String>,
    ) -> Self {
        let spreads = |pick: &dyn Fn(&Outcome) -> &Sets| -> BTreeMap<String, Spread> {
            let names: BTreeSet<&String> = outcomes.iter().flat_map(|(_, o)| pick(o).keys()).collect();
            let of = |name: &String| -> Vec<f64> {
                outcomes.iter().filter_map(|(_, o)| pick(o).get(name).copied()).collect()
            };
            names.into_iter().filter_map(|name| Some((name.clone(), Spread::of(&of(name))?))).collect()
        };
        let (float, int8) = (spreads(&|outcome| &outcome.float), spreads(&|outcome| &outcome.int8));
        let judged = if int8.is_empty() { &float } else { &int8 };
        // A set without an area is no reason to be judged by the others alone.
        let worst = judged.values().map(|spread| spread.mean).min_by(f64::total_cmp);
        let worst = worst.filter(|_| judged.values().all(|spread| spread.mean.is_finite()));
        let seconds: Vec<f64> = outcomes.iter().map(|(_, outcome)| outcome.seconds).collect();
        Self {
            name: name.to_owned(),
            seeds: outcomes.iter().map(|(seed, _)| *seed).collect(),
            of,
            float,
            int8,
            worst,
            footprint,
            seconds: Spread::of(&seconds).map(|spread| spread.mean),
            error,
        }
    }
}

/// All rows; also the form of `sweep.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    pub data: String,
    pub experiments: Vec<Row>,
}

impl Table {
    /// Sorts the rows by their worst validation, those without one last.
    pub fn new(data: String, mut experiments: Vec<Row>) -> Self {
        let worst = |row: &Row| row.worst.unwrap_or(f64::NEG_INFINITY);
        experiments.sort_by(|a, b| worst(b).total_cmp(&worst(a)));
        Self { data, experiments }
    }

    /// Rows of which a seed failed.
    pub fn failed(&self) -> usize {
        self.experiments.iter().filter(|row| row.error.is_some()).count()
    }

    /// Sets in the order of the table: as they are, then shifted, then what else there is.
    fn sets(&self, pick: &dyn Fn(&Row) -> &BTreeMap<String, Spread>) -> Vec<String> {
        let names: BTreeSet<String> =
            self.experiments.iter().flat_map(|row| pick(row).keys().cloned()).collect();
        let mut names = Vec::from_iter(names);
        names.sort_by_key(|name| {
            ["plain", "shifted"].iter().position(|known| *known == name.as_str()).unwrap_or(2)
        });
        names
    }
}

/// Markdown, with columns that also line up on a terminal.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (float, int8) = (self.sets(&|row| &row.float), self.sets(&|row| &row.int8));
        let mut lines = vec![vec!["experiment".to_owned(), "seeds".into(), "worst".into()]];
        lines[0].extend(float.iter().map(|set| format!("{set}, float")));
        lines[0].extend(int8.iter().map(|set| format!("{set}, int8")));
        lines[0].extend(["bytes", "arena", "seconds", "error"].map(str::to_owned));
        let dash = || "–".to_owned();
        for row in &self.experiments {
            let mut line = vec![row.name.clone(), format!("{} of {}", row.seeds.len(), row.of)];
            line.push(row.worst.map_or_else(dash, |worst| format!("{worst:.4}")));
            for (sets, spreads) in [(&float, &row.float), (&int8, &row.int8)] {
                line.extend(sets.iter().map(|set| spreads.get(set).map_or_else(dash, Spread::to_string)));
            }
            line.push(row.footprint.map_or_else(dash, |footprint| footprint.packed.to_string()));
            line.push(row.footprint.map_or_else(dash, |footprint| footprint.arena.to_string()));
            line.push(row.seconds.map_or_else(dash, |seconds| format!("{seconds:.0}")));
            line.push(row.error.as_deref().unwrap_or_default().replace('\n', " ").replace('|', "/"));
            lines.push(line);
        }
        let widths: Vec<usize> = (0..lines[0].len())
            .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
            .collect();
        let rule = widths.iter().map(|width| "-".repeat((*width).max(3))).collect();
        lines.insert(1, rule);
        for line in &lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(&widths) {
                write!(text, "| {cell:<width$} ", width = (*width).max(3))?;
            }
            writeln!(f, "{text}|")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(float: &[(&str, f64)], int8: &[(&str, f64)]) -> Outcome {
        let sets = |of: &[(&str, f64)]| of.iter().map(|(name, auc)| (name.to_string(), *auc)).collect();
        Outcome { float: sets(float), int8: sets(int8), seconds: 60.0 }
    }

    #[test]
    fn rows_are_means_over_seeds_sorted_by_the_worst_set() {
        let plain = [
            (1, outcome(&[("plain", 0.99), ("shifted", 0.96), ("film", 0.90)], &[])),
            (2, outcome(&[("plain", 0.98), ("shifted", 0.94), ("film", 0.92)], &[])),
        ];
        let plain = Row::new("a", 2, None, &plain, None);
        assert_eq!(plain.worst, Some(0.91));
        let film = plain.float["film"];
        // Two values 0.02 apart: 0.01 * sqrt(2).
        assert!((film.deviation.unwrap() - 0.014_142).abs() < 1e-6, "{film:?}");
        // Judged by what is shipped: the int8 network's sets, where there are any.
        let int8 = [(1, outcome(&[("plain", 0.5)], &[("plain", 0.97), ("shifted", 0.95)]))];
        let int8 = Row::new("b", 2, Some(Footprint { packed: 7, arena: 8 }), &int8, None);
        assert_eq!((int8.worst, int8.float["plain"].deviation), (Some(0.95), None));
        // An area that is none on one set: not judged by the other.
        let undefined = [(1, outcome(&[("plain", 0.99), ("film", f64::NAN)], &[]))];
        assert_eq!(Row::new("d", 1, None, &undefined, None).worst, None);
        let failed = Row::new("c", 1, None, &[], Some("line 1\nof | two".into()));
        let table = Table::new("data".into(), vec![failed, plain, int8]);
        let names: Vec<&str> = table.experiments.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names, table.failed()), (vec!["b", "a", "c"], 1));
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        assert_eq!(
            cells(lines[0])[1..8],
            ["experiment", "seeds", "worst", "plain, float", "shifted, float", "film, float", "plain, int8"]
        );
        assert_eq!(cells(lines[3])[1..5], ["a", "2 of 2", "0.9100", "0.9850 ± 0.0071"]);
        assert!(lines[4].contains("line 1 of / two"), "{}", lines[4]);
    }
}
