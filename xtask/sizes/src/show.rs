//! The sizes for people and for programs.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;

use super::budget::{Budgets, FLASH, MEMORY};
use super::measure::{EXCEPTION, Report};

/// One JSON object a line and board.
pub fn json(reports: &[Report], budgets: &Budgets) -> std::io::Result<String> {
    let mut text = String::new();
    for report in reports {
        let mut object = serde_json::to_value(report)?;
        object["memory"] = json!(report.memory());
        object["budget"] = json!(budgets.get(&report.board));
        text += &format!("{object}\n");
    }
    Ok(text)
}

/// A table, what it assumes, and the deepest calls where `path` is set.
pub fn text(reports: &[Report], budgets: &Budgets, path: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["board", "flash", "budget", "statics", "arena", "stack", "budget", "memory", "budget"]);
    for report in reports {
        let budget = budgets.get(&report.board);
        let number = |number: Option<u32>| number.map_or("-".to_string(), |number| number.to_string());
        table.add_row([
            report.board.clone(),
            report.flash.to_string(),
            number(budget.map(|budget| budget.flash)),
            report.statics.to_string(),
            report.arena.to_string(),
            number(report.stack),
            number(budget.map(|budget| budget.stack)),
            number(report.memory()),
            number(budget.map(|budget| budget.ram)),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!(
        "Bytes. Flash: code, constants and initial values, no model; at most {FLASH}. Memory: statics, arena and stack; at most \
         {MEMORY}.\nStack: computed from the linked program; every handler once on top of the deepest calls, as if each could \
         interrupt all others, with {EXCEPTION} bytes of saved registers each.\n\n{table}\n"
    );
    for report in reports {
        if !report.guesses.is_empty() {
            let _ = writeln!(
                text,
                "\n{}: called through pointers of which firmware/calls.toml says nothing, so that any function may be called whose \
                 address is taken: {}",
                report.board,
                report.guesses.join(", ")
            );
        }
        if path {
            let _ =
                writeln!(text, "\n{}: the deepest calls, each with its own bytes at the next", report.board);
            for (name, bytes) in &report.path {
                let _ = writeln!(text, "{bytes:>8}  {name}");
            }
            for handler in &report.handlers {
                let times =
                    if handler.times > 1 { format!(", {} times", handler.times) } else { String::new() };
                let _ = writeln!(text, "{:>8}  {} and {EXCEPTION}{times}", handler.stack, handler.name);
            }
        }
    }
    text
}
