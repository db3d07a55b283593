//! `firmware/budget.toml`, and what is above it.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::measure::Report;
use toolbox::root;

pub const FILE: &str = "firmware/budget.toml";

/// Flash that code may take on every board, the model not counted.
pub const FLASH: u32 = 128 * 1024;
/// Memory in all: statics, arena and stack.
pub const MEMORY: u32 = 256 * 1024;

/// What a board's program may take, in bytes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Flash without model.
    pub flash: u32,
    pub ram: u32,
    pub stack: u32,
}

pub type Budgets = BTreeMap<String, Budget>;

pub fn read() -> anyhow::Result<Budgets> {
    let text = std::fs::read_to_string(root().join(FILE)).with_context(|| format!("cannot read {FILE}"))?;
    toml::from_str(&text).context(FILE)
}

/// What is wrong with a board's program, one line each.
pub fn check(report: &Report, budget: Option<&Budget>) -> Vec<String> {
    let board = &report.board;
    let mut lines: Vec<String> = report.faults.iter().map(|fault| format!("{board}: {fault}")).collect();
    let mut most = |what: &str, bytes: Option<u32>, bound: u32, whose: &str| {
        if let Some(bytes) = bytes.filter(|&bytes| bytes > bound) {
            let over = bytes - bound;
            lines.push(format!("{board}: {what}: {bytes} bytes, {over} above the {bound} of {whose}"));
        }
    };
    most("flash", Some(report.flash), FLASH, "the bound for every board");
    most("memory", report.memory(), MEMORY, "the bound for every board");
    match budget {
        Some(budget) => {
            most("flash", Some(report.flash), budget.flash, FILE);
            most("memory", report.memory(), budget.ram, FILE);
            most("stack", report.stack, budget.stack, FILE);
        }
        None => lines
            .push(format!("{board}: it has no budget; add [{board}] with flash, ram and stack to {FILE}")),
    }
    lines
}

/// Budgets of boards that do not exist.
pub fn strangers<'a>(budgets: &Budgets, boards: impl Iterator<Item = &'a str>) -> Vec<String> {
    let boards: Vec<&str> = boards.collect();
    let unknown = budgets.keys().filter(|name| !boards.contains(&name.as_str()));
    unknown
        .map(|name| format!("{FILE}: there is no board `{name}`; the boards are {}", boards.join(", ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let (board, stack) = ("b".to_string(), Some(1000));
        Report { board, flash: 5000, statics: 200, arena: 3000, stack, ..Report::default() }
    }

    #[test]
    fn what_is_within_its_budget_passes_and_one_byte_above_is_said_with_how_much() {
        let budget = Budget { flash: 5000, ram: 4200, stack: 1000 };
        assert_eq!(check(&report(), Some(&budget)), Vec::<String>::new());
        for (less, line) in [
            (Budget { flash: 4999, ..budget }, "flash: 5000 bytes, 1 above the 4999"),
            (Budget { ram: 4190, ..budget }, "memory: 4200 bytes, 10 above the 4190"),
            (Budget { stack: 999, ..budget }, "stack: 1000 bytes, 1 above the 999"),
        ] {
            let line = format!("b: {line} of firmware/budget.toml");
            assert_eq!(check(&report(), Some(&less)), [line]);
        }
    }

    #[test]
    fn no_budget_allows_more_than_the_bounds_of_every_board() {
        let budget = Budget { flash: u32::MAX, ram: u32::MAX, stack: u32::MAX };
        let large = Report { flash: FLASH + 1, arena: MEMORY, ..report() };
        let lines = check(&large, Some(&budget));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("1 above") && lines[1].contains("1200 above"), "{lines:?}");
    }

    #[test]
    fn every_board_has_a_budget_and_every_budget_a_board() {
        assert!(check(&report(), None)[0].contains("add [b]"));
        let budget = Budget { flash: 0, ram: 0, stack: 0 };
        let budgets = Budgets::from([("b".into(), budget), ("c".into(), budget)]);
        let lines = strangers(&budgets, ["b"].into_iter());
        assert_eq!(lines, ["firmware/budget.toml: there is no board `c`; the boards are b"]);
    }

    #[test]
    fn faults_are_told_whatever_the_sizes_are() {
        let budget = Budget { flash: 5000, ram: 4200, stack: 1000 };
        let report = Report { stack: None, faults: vec!["stack: no bound".into()], ..report() };
        assert_eq!(check(&report, Some(&budget)), ["b: stack: no bound"]);
    }
}
