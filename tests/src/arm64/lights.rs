//! The lights as they are seen from outside the board, and what they say.
//!
//! QEMU tells of every change of an output of the GPIO chip, but in the time of the machine that it
//! runs on. The board's kernel tells of every write to a line, in the board's time. The two are
//! held against each other: the same lines must have changed to the same levels in the same order,
//! or something is wrong with what we see.

use anyhow::{Context, ensure};
use edge_core::State;
use std::path::PathBuf;
use std::{fmt, fs};

/// Which line of the chip carries what; the button's is the machine's power button.
pub const RED: u8 = 0;
pub const AMBER: u8 = 1;
pub const GREEN: u8 = 2;
pub const BUTTON: u8 = 3;
pub const HEARTBEAT: u8 = 4;
pub const BUZZER: u8 = 5;

/// The longest that one lamp alone is lit in a FAULT, in microseconds, with time for a busy board
/// to change it.
const ALTERNATION: u64 = 350_000;
/// The longest half of an INVALID's blink, likewise.
const BLINK: u64 = 900_000;
/// Between two lines that are set one after the other, nothing is shown, in microseconds.
const TOGETHER: u64 = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The board's monotonic clock, in microseconds.
    pub at: u64,
    pub line: u8,
    pub lit: bool,
}

pub struct Watch {
    seen: PathBuf,
    /// Levels as the board's kernel wrote them; the chip begins with all of them low.
    levels: [bool; 8],
    recorded: Vec<Change>,
    written: u64,
}

impl Watch {
    /// Watches what QEMU writes to this file.
    pub fn new(seen: PathBuf) -> Self {
        Self { seen, levels: [false; 8], recorded: Vec::new(), written: 0 }
    }

    /// Takes what the kernel recorded since the last time; returns all changes so far.
    /// An error where a record does not fit what was seen from outside.
    pub fn take(&mut self, records: &str) -> anyhow::Result<&[Change]> {
        ensure!(!records.contains("LOST"), "the board's kernel lost records of its lines");
        // What is read of a line is recorded too: the button's.
        let written = |line: &&str| line.contains("gpio_value:") && !line.contains(" get ");
        for line in records.lines().filter(written) {
            let change =
                recorded(line).with_context(|| format!("cannot read the kernel's record {line:?}"))?;
            if change.line != HEARTBEAT {
                self.written = change.at;
            }
            let level = &mut self.levels[usize::from(change.line)];
            if *level != change.lit {
                *level = change.lit;
                self.recorded.push(change);
            }
        }
        let seen = fs::read_to_string(&self.seen).context("cannot read what QEMU saw")?;
        let seen = changed(&seen).context("cannot read a line of what QEMU saw")?;
        let recorded: Vec<(u8, bool)> = self.recorded.iter().map(|c| (c.line, c.lit)).collect();
        // Between the two readings the board went on: what was seen may be longer, never other.
        ensure!(
            seen.starts_with(&recorded),
            "the board wrote the lines {recorded:?}, from outside were seen {seen:?}"
        );
        Ok(&self.recorded)
    }

    /// When a lamp was last written, changed or not, in the board's microseconds.
    pub fn written(&self) -> u64 {
        self.written
    }
}

/// `... 12.345678: gpio_value: 504 set 1`
fn recorded(line: &str) -> Option<Change> {
    let (before, after) = line.split_once(": gpio_value: ")?;
    let (seconds, micros) = before.split_whitespace().next_back()?.split_once('.')?;
    let at = seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?;
    let words: Vec<&str> = after.split_whitespace().collect();
    let [number, "set", level] = words[..] else { return None };
    // The kernel numbers lines of all chips; ours begins at a multiple of eight.
    let line = (number.parse::<u32>().ok()? % 8) as u8;
    Some(Change { at, line, lit: level == "1" })
}

/// What changed, by lines such as `pl061_set_output /machine/unattached/device[6] setting output 2
/// to 1`; at reset QEMU tells of each line that it is low.
fn changed(seen: &str) -> Option<Vec<(u8, bool)>> {
    let mut levels = [false; 8];
    let mut changes = Vec::new();
    for line in seen.lines().filter(|line| line.contains("pl061_set_output")) {
        let (number, level) = line.split_once("setting output ")?.1.trim().split_once(" to ")?;
        let (number, level): (u8, bool) = (number.parse().ok()?, level == "1");
        let old = std::mem::replace(levels.get_mut(usize::from(number))?, level);
        if old != level {
            changes.push((number, level));
        }
    }
    Some(changes)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// The board's clock when it began, in microseconds.
    pub from: u64,
    pub what: Reading,
}

/// What a person reads from the lights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    State(State),
    /// The program has ended: red and amber, both steady.
    Safe,
    /// Two lamps of the test at the beginning.
    Test,
    Dark,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reading::State(state) => state.name(),
            Reading::Safe => "ended",
            Reading::Test => "test",
            Reading::Dark => "dark",
        })
    }
}

/// Red, amber and green.
type Lit = [bool; 3];
const NONE: Lit = [false, false, false];
const RED_ALONE: Lit = [true, false, false];
const AMBER_ALONE: Lit = [false, true, false];

/// What is lit for a while.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: u64,
    to: u64,
    lit: Lit,
}

/// Reads the lights as a person does who knows the patterns, up to the board's time `now`.
///
/// Green alone is NEGATIVE however short it is. Red or amber alone is part of a FAULT's alternation
/// only where it is short and the other comes before or after it, and amber is part of an INVALID's
/// blink only where it is short and dark comes after or before it; else they are POSITIVE and
/// REFER.
pub fn read(changes: &[Change], now: u64) -> Vec<Said> {
    let spans = spans(changes, now);
    let mut said: Vec<Said> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        let beside = |lit: Lit| {
            let before = index.checked_sub(1).is_some_and(|before| spans[before].lit == lit);
            before || spans.get(index + 1).is_some_and(|after| after.lit == lit)
        };
        let lasted = span.to - span.from;
        let what = match span.lit {
            [false, false, true] => Reading::State(State::Negative),
            RED_ALONE if lasted < ALTERNATION && beside(AMBER_ALONE) => Reading::State(State::Fault),
            RED_ALONE => Reading::State(State::Positive),
            AMBER_ALONE if lasted < ALTERNATION && beside(RED_ALONE) => Reading::State(State::Fault),
            AMBER_ALONE if lasted < BLINK && beside(NONE) => Reading::State(State::Invalid),
            AMBER_ALONE => Reading::State(State::Refer),
            NONE if lasted < BLINK && beside(AMBER_ALONE) => Reading::State(State::Invalid),
            NONE => Reading::Dark,
            [true, true, false] => Reading::Safe,
            _ => Reading::Test,
        };
        if said.last().is_none_or(|last| last.what != what) {
            said.push(Said { from: span.from, what });
        }
    }
    said
}

/// The same changes where `line` carries a lamp that is lit while it is low, as all lines are at
/// first.
pub fn lit_while_low(changes: &[Change], line: u8) -> Vec<Change> {
    let turned = changes.iter().map(|change| Change { lit: change.lit != (change.line == line), ..*change });
    [Change { at: 0, line, lit: true }].into_iter().chain(turned).collect()
}

/// The times between changes, without those in which one of two lines was already set and the other
/// not yet.
fn spans(changes: &[Change], now: u64) -> Vec<Span> {
    let mut lit = NONE;
    let mut spans = vec![Span { from: 0, to: 0, lit }];
    for change in changes {
        let Some(lamp) = [RED, AMBER, GREEN].iter().position(|line| *line == change.line) else { continue };
        lit[lamp] = change.lit;
        let last = spans.len() - 1;
        spans[last].to = change.at;
        if change.at - spans[last].from < TOGETHER {
            spans[last].lit = lit;
        } else {
            spans.push(Span { from: change.at, to: change.at, lit });
        }
    }
    let last = spans.len() - 1;
    spans[last].to = now.max(spans[last].from);
    spans.dedup_by(|later, earlier| {
        let same = later.lit == earlier.lit;
        if same {
            earlier.to = later.to;
        }
        same
    });
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes from `(ms, line, lit)`.
    fn changes(list: &[(u64, u8, bool)]) -> Vec<Change> {
        list.iter().map(|&(ms, line, lit)| Change { at: ms * 1000, line, lit }).collect()
    }

    fn readings(list: &[(u64, u8, bool)], now_ms: u64) -> Vec<(u64, Reading)> {
        read(&changes(list), now_ms * 1000).iter().map(|said| (said.from / 1000, said.what)).collect()
    }

    #[test]
    fn steady_lamps_are_read() {
        let list = [
            (1000, GREEN, true),
            (2000, GREEN, false),
            (2001, AMBER, true),
            (4000, AMBER, false),
            (4001, RED, true),
        ];
        let expected = [
            (0, Reading::Dark),
            (1000, Reading::State(State::Negative)),
            (2000, Reading::State(State::Refer)),
            (4000, Reading::State(State::Positive)),
        ];
        assert_eq!(readings(&list, 5000), expected);
    }

    #[test]
    fn a_lamp_of_the_other_polarity_is_read_the_other_way() {
        let low = lit_while_low(&changes(&[(1000, AMBER, true), (3000, AMBER, false)]), AMBER);
        let what: Vec<Reading> = read(&low, 5_000_000).iter().map(|said| said.what).collect();
        let refer = Reading::State(State::Refer);
        assert_eq!(what, [refer, Reading::Dark, refer]);
    }

    #[test]
    fn an_alternation_is_a_fault_until_red_stays() {
        let mut list = vec![(1000, AMBER, true)];
        for step in 0..4 {
            let at = 1250 + 500 * step;
            list.extend([
                (at, AMBER, false),
                (at, RED, true),
                (at + 250, RED, false),
                (at + 250, AMBER, true),
            ]);
        }
        list.extend([(3250, AMBER, false), (3250, RED, true)]);
        let fault = [(0, Reading::Dark), (1000, Reading::State(State::Fault))];
        assert_eq!(readings(&list, 3300), fault);
        assert_eq!(readings(&list, 4000), [&fault[..], &[(3250, Reading::State(State::Positive))]].concat());
    }

    #[test]
    fn a_slow_blink_is_invalid() {
        let list = [(5000, AMBER, true), (5500, AMBER, false), (6000, AMBER, true), (6500, AMBER, false)];
        assert_eq!(readings(&list, 6600)[1], (5000, Reading::State(State::Invalid)));
    }

    #[test]
    fn a_flash_of_green_is_seen() {
        let list = [
            (1000, RED, true),
            (3000, RED, false),
            (3000, GREEN, true),
            (3050, GREEN, false),
            (3050, RED, true),
        ];
        assert!(readings(&list, 5000).contains(&(3000, Reading::State(State::Negative))));
    }

    #[test]
    fn both_records_must_agree() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "1@2.3:pl061_set_output /machine/x: setting output 2 to 1\n").unwrap();
        let record = "   pneumo-1 [000] ..... 12.000345: gpio_value: 506 set 1\n";
        let mut watch = Watch::new(file.path().into());
        assert_eq!(watch.take(record).unwrap(), [Change { at: 12_000_345, line: GREEN, lit: true }]);
        let error = watch.take("   pneumo-1 [000] ..... 12.5: gpio_value: 504 set 1\n").unwrap_err();
        assert!(error.to_string().contains("from outside were seen"), "{error}");
    }
}
