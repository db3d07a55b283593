//! Results as a defmt log, a line each, `key=value`; what is to be looked at comes last, in words.

use super::line::{Line, Report, Value};
use crate::boot::VERSION;
use crate::message_buffer::LogCounts;
use defmt::println;

/// How long a message may wait until somebody reads the log.
const PATIENCE_MS: u64 = 2_000;

/// Writes results to the global defmt logger. A message that finds no room is written again, until
/// there is some or nobody seems to read: the device's log does not wait, but here somebody does.
#[derive(Clone, Copy, Debug)]
pub struct DefmtReport {
    /// Says what became of the logger's messages.
    pub counts: fn() -> LogCounts,
    /// Milliseconds since the start.
    pub now_ms: fn() -> u64,
    /// Nobody read for as long as a message may wait.
    pub unread: bool,
}

impl DefmtReport {
    /// The first line.
    #[inline(never)]
    pub fn start(&mut self, board: &str) {
        self.until_read(|| println!("bring-up firmware={=str} board={=str}", VERSION, board));
    }

    /// The last one.
    #[inline(never)]
    pub fn done(&mut self) {
        self.until_read(|| println!("done"));
    }

    fn until_read(&mut self, write: impl Fn()) {
        let began = (self.now_ms)();
        loop {
            let lost = (self.counts)().lost;
            write();
            if (self.counts)().lost == lost {
                self.unread = false;
                return;
            }
            self.unread |= (self.now_ms)().saturating_sub(began) > PATIENCE_MS;
            if self.unread {
                return;
            }
        }
    }
}

impl Report for DefmtReport {
    fn line(&mut self, line: &Line) {
        let [wire, other] = line.wires;
        self.until_read(|| {
            println!(
                "check={=str} outcome={=str} expected={} came={} wires={=str},{=str} look={=str}",
                line.check,
                line.outcome.name(),
                line.expected,
                line.came,
                wire,
                other,
                line.look
            );
        });
    }

    fn picture(&mut self, width: u16, height: u16) {
        self.until_read(|| println!("picture width={=u16} height={=u16}", width, height));
    }

    fn pixels(&mut self, row: u16, column: u16, pixels: &[u8]) {
        self.until_read(|| println!("pixels row={=u16} column={=u16} values={=[u8]}", row, column, pixels));
    }
}

impl defmt::Format for Value {
    fn format(&self, formatter: defmt::Formatter<'_>) {
        match *self {
            Value::Word(word) => defmt::write!(formatter, "{=str}", word),
            Value::Number(number) => defmt::write!(formatter, "{=u32}", number),
            Value::Hex(number) => defmt::write!(formatter, "{=u32:#06x}", number),
        }
    }
}
