//! What one linked program takes and contains.

use std::collections::BTreeSet;

use board_config::Board;
use serde::Serialize;

use crate::elf::graph::Graph;
use crate::elf::image::Image;
use crate::elf::table::{Table, any, fits};
use crate::elf::{reach, stack};

/// Bytes that the processor puts on the stack for an exception: 26 words with those of the float
/// unit, and one to align them.
pub const EXCEPTION: u32 = 27 * 4;

/// The device's loop, of which one turn may not panic.
pub const LOOP: &str = "*firmware::device::Device<*>::poll";
/// What a board's program is in its place during the first start.
pub const CHECKLIST: &str = "*firmware::bring_up::checklist::run*";

/// A second region of the board's memory, where one cannot hold everything: the arena's.
const BULK: &str = "BULK";
/// The static that holds the arena.
const ARENA: &str = "*ARENA*";

/// What a program takes, in bytes.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub board: String,
    /// Flash, from the start of the firmware's region to the last byte that is loaded from there.
    /// No model is in it.
    pub flash: u32,
    /// Statics but for the arena.
    pub statics: u32,
    /// What the stages and the network work in.
    pub arena: u32,
    /// The stack with all handlers; none where it has no bound.
    pub stack: Option<u32>,
    /// What the board sets apart for the stack; 0 where the stack has whatever nothing else takes.
    pub reserved: u32,
    /// The calls that need the most stack, from the reset on: the function, and its own bytes when
    /// it calls the next.
    pub path: Vec<(String, u32)>,
    /// Handlers of exceptions and interrupts, each with its stack and how often it may be on the
    /// stack at once.
    pub handlers: Vec<Handler>,
    /// Functions that call through a pointer of which nothing is known.
    pub guesses: Vec<String>,
    /// What is wrong, apart from sizes.
    pub faults: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Handler {
    pub name: String,
    /// Its stack in bytes, without what the processor puts there.
    pub stack: u32,
    pub times: u32,
}

impl Report {
    /// All memory: statics, arena and stack, or what is set apart for it; none where the stack has
    /// no bound.
    pub fn memory(&self) -> Option<u32> {
        Some(self.statics + self.arena + self.stack?.max(self.reserved))
    }
}

/// Measures the program `name` of a board. No panic may be reached from the functions named like
/// `turn`.
pub fn measure(
    board: &Board,
    name: &str,
    turn: &str,
    image: &Image,
    table: &Table,
) -> anyhow::Result<Report> {
    let mut report = Report { board: name.to_owned(), reserved: board.stack, ..Report::default() };
    memories(&mut report, board, image);
    let (reset, handlers) = image.vectors()?;
    let roots: Vec<u32> = handlers.keys().copied().chain([reset]).collect();
    let graph = Graph::new(image, table, &roots);
    report.guesses = graph.guesses();

    let mut why = BTreeSet::new();
    let mut bytes = 0;
    match stack::bound(&graph, reset) {
        Ok(bound) => (bytes, report.path) = (bound.bytes, bound.path),
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
    contents(&mut report, turn, &graph);
    report.faults.extend(overflow(&report, board));
    Ok(report)
}

/// Bytes that the board has for the stack.
fn room(report: &Report, board: &Board) -> u32 {
    let bulk = board.other.get(BULK).map_or(0, |region| region.size);
    let free = (board.ram.size + bulk).saturating_sub(report.statics + report.arena);
    if board.stack == 0 { free } else { board.stack.min(free) }
}

/// Whether the stack may grow beyond what there is for it.
fn overflow(report: &Report, board: &Board) -> Option<String> {
    let room = room(report, board);
    let stack = report.stack.filter(|&stack| stack > room)?;
    Some(format!("stack: {stack} bytes, {} more than the {room} that the board has for it", stack - room))
}

/// Whether a run used more stack than the bound allows, having left `left` bytes unused: then the
/// bound is wrong.
pub fn contradiction(report: &Report, board: &Board, left: u32) -> Option<String> {
    let used = room(report, board).saturating_sub(left);
    let bound = report.stack.filter(|&bound| bound < used)?;
    Some(format!(
        "stack: a run used {used} bytes, {} more than the computed {bound}: the bound is wrong",
        used - bound
    ))
}

fn memories(report: &mut Report, board: &Board, image: &Image) {
    let flash = board.flash.firmware.range();
    let bulk = board.other.get(BULK).map(|region| region.range());
    let is_memory = |address: u32| {
        board.ram.range().contains(&address) || bulk.as_ref().is_some_and(|bulk| bulk.contains(&address))
    };
    let mut end = flash.start;
    for section in &image.sections {
        let size = u32::try_from(section.bytes.len()).unwrap_or(u32::MAX);
        if size > 0 && flash.contains(&section.load) {
            end = end.max(section.load.saturating_add(size));
        } else {
            // It lies outside of the region and takes memory somewhere all the same.
            report.flash += size;
        }
        if is_memory(section.address) {
            report.statics += section.size;
        }
    }
    report.flash += end - flash.start;
    let arenas = image.statics.iter().filter(|item| fits(ARENA, &item.name) && is_memory(item.address));
    report.arena = arenas.map(|item| item.size).sum();
    report.statics = report.statics.saturating_sub(report.arena);
    if report.arena == 0 {
        report.faults.push("arena: there is no static of that name in the board's memory".into());
    }
}

fn contents(report: &mut Report, turn: &str, graph: &Graph<'_>) {
    let allocator = reach::allocator(&graph.image.names);
    if !allocator.is_empty() {
        report.faults.push(format!("allocator: none may be linked, found {}", allocator.join(", ")));
    }
    let is_turn = |entry: &u32| graph.image.functions.get(entry).is_some_and(|f| any(turn, &f.names));
    let turns: Vec<u32> = graph.nodes.keys().copied().filter(is_turn).collect();
    if turns.is_empty() {
        report.faults.push(format!("panics: the loop is not found, no function that runs is named {turn}"));
    }
    if let Some(way) = reach::panic(graph, &turns) {
        report.faults.push(format!("panics: the loop reaches one: {}", way.join(" -> ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::image::{Section, Static};

    /// The tests' board with little memory, of which so many bytes are set apart for the stack.
    fn board(stack: u32) -> Board {
        let mut board = Board::parse(test_support::BOARD).unwrap();
        (board.ram.size, board.stack) = (0x2000, stack);
        board
    }

    #[test]
    fn a_stack_has_what_is_set_apart_for_it_or_what_is_left() {
        let (left, apart) = (board(0), board(0x800));
        let report =
            |stack| Report { statics: 0x100, arena: 0x1000, stack: Some(stack), ..Report::default() };
        assert_eq!(overflow(&report(0xf00), &left), None);
        assert!(overflow(&report(0xf01), &left).unwrap().contains("1 more than the 3840"));
        assert_eq!(overflow(&report(0x800), &apart), None);
        assert!(overflow(&report(0x808), &apart).unwrap().contains("8 more than the 2048"));
        // What is set apart is taken, used or not.
        let reserved = Report { reserved: 0x800, ..report(0x10) };
        assert_eq!(reserved.memory(), Some(0x1000 + 0x100 + 0x800));
    }

    #[test]
    fn a_run_that_used_more_than_the_bound_shows_that_it_is_wrong() {
        let board = board(0x800);
        let report = Report { stack: Some(1000), ..Report::default() };
        assert_eq!(contradiction(&report, &board, 2048 - 1000), None);
        let why = contradiction(&report, &board, 2048 - 1004).unwrap();
        assert!(why.contains("used 1004 bytes, 4 more than the computed 1000"), "{why}");
    }

    #[test]
    fn sections_count_where_they_lie_and_where_they_are_loaded_from() {
        let board = board(0);
        let section = |name: &str, address, load, bytes: usize, size| Section {
            name: name.into(),
            address,
            load,
            size,
            bytes: vec![0; bytes],
            ..Section::default()
        };
        let mut image = Image {
            sections: vec![
                section(".text", 0x100, 0x100, 0x1000, 0x1000),
                section(".data", 0x2000_0000, 0x1104, 0x20, 0x20),
                section(".bss", 0x2000_0020, 0x2000_0020, 0, 0x500),
                section(".elsewhere", 0x6000_0000, 0x6000_0000, 0x10, 0x10),
            ],
            ..Image::default()
        };
        image.statics.push(Static { name: "main::ARENA_BYTES".into(), address: 0x2000_0100, size: 0x400 });
        let mut report = Report::default();
        memories(&mut report, &board, &image);
        assert_eq!((report.flash, report.statics, report.arena), (0x1124 + 0x10, 0x120, 0x400));
        assert!(report.faults.is_empty());
        image.statics.clear();
        memories(&mut report, &board, &image);
        assert!(report.faults[0].contains("arena"));
    }
}
