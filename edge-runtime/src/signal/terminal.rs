//! What the lights show, in words: one line that is redrawn on a terminal, a line a change
//! elsewhere.

use anstyle::{AnsiColor, Style};
use edge_core::State;
use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::signal::heartbeat;
use std::fmt::Write as _;
use std::io::{self, Write};

/// How often the line is redrawn where nothing changed, in milliseconds.
const REDRAW_MS: u64 = 250;

/// What stands beside a state: never a bare light.
#[derive(Clone, Copy, Debug)]
pub struct ScreenLine<'a> {
    /// What is shown, and why; none while the device waits for its trigger.
    pub shown: Option<Indication>,
    /// The calibrated score of the newest frame; none where it has none.
    pub score: Option<f32>,
    pub thresholds: Thresholds,
    /// The model's hash; the first digits are shown.
    pub model_sha256: &'a str,
}

/// A view of the device on a stream. Nothing is allocated after it was made.
pub struct Terminal<W: Write> {
    out: W,
    live: bool,
    colours: bool,
    text: String,
    last: Option<Option<(State, u8)>>,
    drawn_ms: u64,
}

impl<W: Write> Terminal<W> {
    /// `live`: `out` is a terminal, whose line can be redrawn. Writes `device` and `notice`, which
    /// nothing shown may lack.
    pub fn new(mut out: W, live: bool, colours: bool, device: &str, notice: &str) -> io::Result<Self> {
        let device: String = device.chars().filter(|c| !c.is_control()).collect();
        writeln!(out, "{device}: {notice}")?;
        Ok(Self { out, live, colours, text: String::with_capacity(512), last: None, drawn_ms: 0 })
    }

    /// Shows an answer at `now_ms` of the clock that does not step.
    pub fn show(&mut self, line: &ScreenLine<'_>, now_ms: u64) -> io::Result<()> {
        // The numbers of a reason, such as an age, may change with every frame; its kind does not.
        let kind = line.shown.map(|shown| (shown.state, shown.reason.code()));
        let due = self.live && now_ms.saturating_sub(self.drawn_ms) >= REDRAW_MS;
        if self.last == Some(kind) && !due {
            return Ok(());
        }
        (self.last, self.drawn_ms) = (Some(kind), now_ms);
        self.text.clear();
        if self.live {
            // Clears the line; what is too long is cut off, not wrapped.
            let beat = if heartbeat(now_ms, true) { '*' } else { ' ' };
            let _ = write!(self.text, "\r\x1b[2K\x1b[?7l{beat} ");
        }
        match line.shown {
            Some(Indication { state, reason }) => {
                let style = if self.colours { style(state) } else { Style::new() };
                let _ = write!(self.text, "{style}{state:<8}{style:#}  {reason}");
            }
            None => self.text.push_str("READY     waiting for a picture"),
        }
        if let Some(score) = line.score {
            let Thresholds { negative_below: low, positive_above: high } = line.thresholds;
            let _ =
                write!(self.text, "; score {score:.3} (NEGATIVE below {low:.3}, POSITIVE above {high:.3})");
        }
        let model = line.model_sha256.get(..12).unwrap_or(line.model_sha256);
        let _ = write!(self.text, "; model {model}");
        self.text.push_str(if self.live { "\x1b[?7h" } else { "\n" });
        self.out.write_all(self.text.as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Drop for Terminal<W> {
    fn drop(&mut self) {
        if self.live {
            // Nothing is left to be done where the terminal has gone.
            let _ = self.out.write_all(b"\n");
        }
    }
}

fn style(state: State) -> Style {
    let colour = match state {
        State::Positive => AnsiColor::Red,
        State::Negative => AnsiColor::Green,
        State::Refer | State::Invalid => AnsiColor::Yellow,
        State::Fault => AnsiColor::Magenta,
    };
    Style::new().fg_color(Some(colour.into())).bold()
}
