//! What a chip's lamps showed, seen from outside: QEMU's trace of the board's LED register, with
//! the ticks of the chip's clock between, so that times are the chip's and the same in every run.

use anyhow::{Context, ensure};

use super::Line;

/// The lamps: bits of the LED register.
const RED: u32 = 1;
const AMBER: u32 = 2;
const GREEN: u32 = 4;

/// The lamps at the end of each millisecond from one reset to the next.
#[derive(Default)]
pub struct Boot(Vec<u32>);

/// Milliseconds that the lamps may be behind the log, or before it.
const SLACK: usize = 5;
/// Milliseconds that red may be lit alone where it is no POSITIVE: half of FAULT's alternation, and
/// a layer, because lamps change between layers only.
const LONGEST_RED: usize = 250 + 100;
/// Milliseconds that green may be lit alone where it is no NEGATIVE: while one lamp of the light
/// test follows another.
const LONGEST_GREEN: usize = SLACK;

/// From the last completed turn of a loop to its reset, in milliseconds.
const WATCHDOG_MS: usize = 5000;
/// The end of that time, in which FAULT must be shown: a loop may hang well into a frame (one
/// second), and is found dead after a second and a quarter.
const HANGS_IN_FAULT_MS: usize = WATCHDOG_MS - 1000 - 1250;

pub fn boots(trace: &str) -> anyhow::Result<Vec<Boot>> {
    let mut boots = vec![Boot::default()];
    let mut lit = 0;
    for line in trace.lines() {
        if line.starts_with("systick_timer_tick") {
            boots.last_mut().context("no boot")?.0.push(lit);
        } else if line.starts_with("mps2_scc_reset") {
            lit = 0;
            if boots.last().is_some_and(|boot| !boot.0.is_empty()) {
                boots.push(Boot::default());
            }
        } else if let Some(write) = line.split("offset 0x4 data 0x").nth(1) {
            let digits = write.split(' ').next().unwrap_or_default();
            let levels = u32::from_str_radix(digits, 16).with_context(|| format!("in {line:?}"))?;
            lit = levels & (RED | AMBER | GREEN);
        }
    }
    ensure!(boots.iter().all(|boot| !boot.0.is_empty()), "the clock of the chip never ran");
    Ok(boots)
}

impl Boot {
    /// Holds the lamps to what the log says was shown: `shows` are the log's lines of that kind.
    /// Where the loop hangs in the end, the log says nothing of that: the lamps must have gone to
    /// FAULT long before the watchdog's reset.
    pub fn check(&self, shows: &[&Line], hangs: bool) -> anyhow::Result<()> {
        let at = |line: &Line| line.number("at_ms").map(|ms| ms as usize).context("`shows` without a time");
        let mut states = vec![("TEST", 0)];
        for line in shows {
            states.push((line.get("state").context("`shows` without a state")?, at(line)?));
        }
        let end = self.0.len();
        let last = if hangs { end.saturating_sub(WATCHDOG_MS) } else { end };
        if hangs {
            let from = end.saturating_sub(HANGS_IN_FAULT_MS);
            self.holds("FAULT", from, end).context("while the loop hangs")?;
        }
        for (index, &(state, from)) in states.iter().enumerate() {
            let to = states.get(index + 1).map_or(last, |next| next.1);
            self.holds(state, from + SLACK, to.saturating_sub(SLACK))
                .with_context(|| format!("while the log says {state} from {from} to {to} ms"))?;
        }
        Ok(())
    }

    /// The lamps show `state` from one millisecond to another.
    fn holds(&self, state: &str, from: usize, to: usize) -> anyhow::Result<()> {
        let mut run = (0, 0);
        for (ms, &lit) in self.0.iter().enumerate().take(to).skip(from) {
            run = if run.0 == lit { (lit, run.1 + 1) } else { (lit, 1) };
            let right = match state {
                "POSITIVE" => lit == RED,
                "NEGATIVE" => lit == GREEN,
                "REFER" => lit == AMBER,
                "INVALID" => lit == AMBER || lit == 0,
                // One lamp goes out before the other is lit, and a tick may come between.
                "FAULT" if lit == 0 => run.1 == 1,
                "FAULT" => (lit == AMBER || lit == RED) && run.1 <= LONGEST_RED,
                "IDLE" => lit == 0,
                "TEST" if lit == GREEN => run.1 <= LONGEST_GREEN,
                "TEST" => lit != RED || run.1 <= LONGEST_RED,
                _ => false,
            };
            ensure!(
                right,
                "at {ms} ms the lamps are red {}, amber {}, green {}, since {} ms",
                lit & RED != 0,
                lit & AMBER != 0,
                lit & GREEN != 0,
                run.1
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(state: &str, at_ms: u32) -> Line {
        Line { time: String::new(), text: format!("shows state={state} reason=1 at_ms={at_ms}") }
    }

    /// A trace with the lamps `levels` for so many milliseconds each.
    fn trace(parts: &[(u32, usize)]) -> String {
        let write = |levels| format!("mps2_scc_write MPS2 SCC write: offset 0x4 data 0x{levels:x} size 4\n");
        let tick = "systick_timer_tick systick reload\n";
        parts.iter().map(|(levels, ms)| write(*levels) + &tick.repeat(*ms)).collect()
    }

    fn checked(parts: &[(u32, usize)], lines: &[Line]) -> anyhow::Result<()> {
        let boots = boots(&trace(parts))?;
        boots[0].check(&lines.iter().collect::<Vec<_>>(), false)
    }

    #[test]
    fn what_the_log_says_is_seen() {
        let lines = [shows("REFER", 600), shows("NEGATIVE", 900), shows("FAULT", 1200)];
        let blinks = [(2, 250), (1, 250), (2, 250)];
        let mut parts = vec![(3, 300), (6, 300), (2, 300), (12, 300)];
        parts.extend(blinks);
        checked(&parts, &lines).unwrap();
    }

    #[test]
    fn every_wrong_lamp_is_found() {
        let wrong: [(&[(u32, usize)], Line); 6] = [
            (&[(3, 600), (4, 300)], shows("REFER", 600)),
            (&[(3, 600), (4, 100), (6, 200)], shows("NEGATIVE", 600)),
            (&[(3, 600), (1, 400)], shows("FAULT", 600)),
            (&[(3, 600), (0, 300)], shows("FAULT", 600)),
            (&[(3, 600), (1, 100)], shows("IDLE", 600)),
            (&[(4, 100), (3, 500), (2, 100)], shows("REFER", 600)),
        ];
        for (parts, line) in wrong {
            checked(parts, std::slice::from_ref(&line)).expect_err(&line.text);
        }
    }

    #[test]
    fn a_loop_that_hangs_must_not_keep_its_answer_lit() {
        let lines = [shows("NEGATIVE", 600)];
        let lines: Vec<_> = lines.iter().collect();
        let fault = [2, 1].map(|lamp| (lamp, 250)).repeat(8);
        let good = [vec![(5, 600), (4, 3000)], fault].concat();
        boots(&trace(&good)).unwrap()[0].check(&lines, true).unwrap();
        let stale = boots(&trace(&[(5, 600), (4, 7000)])).unwrap();
        assert!(format!("{:#}", stale[0].check(&lines, true).unwrap_err()).contains("while the loop hangs"));
    }

    #[test]
    fn a_reset_begins_a_new_boot() {
        let text = trace(&[(3, 5)]) + "mps2_scc_reset MPS2 SCC: reset\n" + &trace(&[(2, 7)]);
        let lengths: Vec<_> = boots(&text).unwrap().iter().map(|boot| boot.0.len()).collect();
        assert_eq!(lengths, [5, 7]);
    }
}
