//! What one linked program takes and contains.

use std::collections::BTreeSet;

use board_config::Board;
use serde::Serialize;

use crate::elf::graph::Graph;
use crate::elf::image::Image;
use crate::elf::table::{Table, fits};
use crate::elf::{reach, stack};

/// Bytes that the processor puts on the stack for an exception: 26 words with those of the float unit, and one to align them.
pub const EXCEPTION: u32 = 27 * 4;

/// The device's loop, of which one turn may not panic.
const LOOP: &str = "*firmware::device::Device<*>::turn";

/// The static that holds the arena.
const ARENA: &str = "*ARENA*";

/// What a program takes, in bytes.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The board.
    pub board: String,
    /// Flash, from the start of the firmware's region to the last byte that is loaded from there. No model is in it.
    pub flash: u32,
    /// Statics but for the arena.
    pub statics: u32,
    /// What the stages and the network work in.
    pub arena: u32,
    /// The stack with all handlers; none where it has no bound.
    pub stack: Option<u32>,
    /// The calls that need the most stack, from the reset on: the function, and its own bytes when it calls the next.
    pub path: Vec<(String, u32)>,
    /// Handlers of exceptions and interrupts, each with its stack and how often it may be on the stack at once.
    pub handlers: Vec<Handler>,
    /// Functions that call through a pointer of which nothing is known.
    pub guesses: Vec<String>,
    /// What is wrong, apart from sizes.
    pub faults: Vec<String>,
}

/// A handler of an exception or an interrupt.
#[derive(Debug, Serialize)]
pub struct Handler {
    /// Its name.
    pub name: String,
    /// Its stack in bytes, without what the processor puts there.
    pub stack: u32,
    /// How often it is counted.
    pub times: u32,
}

impl Report {
    /// All memory: statics, arena and stack; none where the stack has no bound.
    pub fn memory(&self) -> Option<u32> {
        Some(self.statics + self.arena + self.stack?)
    }
}

/// Measures a board's program.
pub fn measure(board: &Board, image: &Image, table: &Table) -> anyhow::Result<Report> {
    let mut report = Report { board: board.name.clone(), ..Report::default() };
    memories(&mut report, board, image);
    let (reset, handlers) = image.vectors()?;
    let roots: Vec<u32> = handlers.keys().copied().chain([reset]).collect();
    let graph = Graph::new(image, table, &roots);
    report.guesses = graph.guesses();

    let mut why = BTreeSet::new();
    let main = stack::bound(&graph, reset);
    let mut bytes = 0;
    match main {
        Ok(bound) => {
            bytes += bound.bytes;
            report.path = bound.path;
        }
        Err(reasons) => why.extend(reasons),
    }
    for (handler, vectors) in handlers {
        match stack::bound(&graph, handler) {
            Ok(bound) => {
                // One that never returns ends the program: it runs once, whichever vector led there.
                let times = if graph.returns(handler) { vectors } else { 1 };
                bytes += times * (bound.bytes + EXCEPTION);
                report.handlers.push(Handler { name: image.name(handler), stack: bound.bytes, times });
            }
            Err(reasons) => why.extend(reasons),
        }
    }
    if why.is_empty() {
        report.stack = Some(bytes);
    }
    report.faults = why.into_iter().map(|reason| format!("stack: {reason}")).collect();
    contents(&mut report, &graph);
    if let Some(memory) = report.memory().filter(|&memory| memory > board.ram.size) {
        let size = board.ram.size;
        let over = memory - size;
        report.faults.push(format!(
            "memory: {memory} bytes, {over} more than the board's {size}: the stack would overflow"
        ));
    }
    Ok(report)
}

/// Flash, statics and arena.
fn memories(report: &mut Report, board: &Board, image: &Image) {
    let (flash, ram) = (board.flash.firmware.range(), board.ram.range());
    let mut end = flash.start;
    for section in &image.sections {
        if !section.bytes.is_empty() {
            let size = u32::try_from(section.bytes.len()).unwrap_or(u32::MAX);
            if flash.contains(&section.load) {
                end = end.max(section.load.saturating_add(size));
            } else {
                // It lies outside of the region and takes memory somewhere all the same.
                report.flash += size;
            }
        }
        if ram.contains(&section.address) {
            report.statics += section.size;
        }
    }
    report.flash += end - flash.start;
    let arenas = image.statics.iter().filter(|item| fits(ARENA, &item.name) && ram.contains(&item.address));
    report.arena = arenas.map(|item| item.size).sum();
    report.statics = report.statics.saturating_sub(report.arena);
    if report.arena == 0 {
        report.faults.push("arena: there is no static of that name in the board's memory".into());
    }
}

/// Whether it holds what it must not.
fn contents(report: &mut Report, graph: &Graph<'_>) {
    let allocator = reach::allocator(&graph.image.names);
    if !allocator.is_empty() {
        report.faults.push(format!("allocator: none may be linked, found {}", allocator.join(", ")));
    }
    let turns = graph.nodes.keys().copied().filter(|&entry| {
        let function = graph.image.functions.get(&entry);
        function.is_some_and(|function| function.names.iter().any(|name| fits(LOOP, name)))
    });
    let turns: Vec<u32> = turns.collect();
    if turns.is_empty() {
        report.faults.push(format!("panics: the loop is not found, no function that runs is named {LOOP}"));
    }
    if let Some(way) = reach::panic(graph, &turns) {
        report.faults.push(format!("panics: the loop reaches one: {}", way.join(" -> ")));
    }
}
