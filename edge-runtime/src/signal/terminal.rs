//! What the lights show, in words: one line that is redrawn on a terminal, a line a change
//! elsewhere. Where files are answered, it says whose answer it is, and who else needs a person.
//!
//! A terminal keeps nothing, so it shows names; elsewhere, as in a service's journal, a name stands
//! as the first digits of its hash, which the log has, unless names may be kept.

use crate::cases::{CasesView, Named};
use crate::log::Hash;
use anstyle::{AnsiColor, Style};
use edge_core::State;
use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::signal::heartbeat;
use edge_core::worklist::CaseId;
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
    /// Whose answer it is, and who else needs a person; none for a camera.
    pub cases: Option<&'a CasesView>,
}

/// A view of the device on a stream. Nothing is allocated after it was made.
pub struct Terminal<W: Write> {
    out: W,
    live: bool,
    colours: bool,
    names: bool,
    text: String,
    last: Option<Kind>,
    drawn_ms: u64,
}

/// What a new line is written for: state and reason, the case, how many others need a person and
/// how many wait.
type Kind = (Option<(State, u8)>, Option<(Option<CaseId>, u32, u32)>);

fn kind(line: &ScreenLine<'_>) -> Kind {
    // The numbers of a reason, such as an age, may change with every frame; its kind does not.
    let shown = line.shown.map(|shown| (shown.state, shown.reason.code()));
    let cases = line.cases.map(|CasesView { view, .. }| (view.turn, view.need_person, view.waiting));
    (shown, cases)
}

impl<W: Write> Terminal<W> {
    /// `live`: `out` is a terminal, whose line can be redrawn. Writes `device` and `notice`, which
    /// nothing shown may lack; a screen that takes them not is gone, and may come back.
    pub fn new(mut out: W, live: bool, colours: bool, device: &str, notice: &str) -> Self {
        let device: String = device.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(out, "{device}: {notice}");
        let text = String::with_capacity(512);
        Self { out, live, colours, names: live, text, last: None, drawn_ms: 0 }
    }

    /// Shows names of files and accession numbers though `out` may keep them.
    #[must_use]
    pub fn with_names(mut self) -> Self {
        self.names = true;
        self
    }

    /// Shows an answer at `now_ms` of the clock that does not step.
    pub fn show(&mut self, line: &ScreenLine<'_>, now_ms: u64) -> io::Result<()> {
        let kind = kind(line);
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
        let turn = line.cases.and_then(|cases| cases.turn.as_ref());
        match line.shown {
            Some(Indication { state, reason }) => {
                let style = if self.colours { style(state) } else { Style::new() };
                let _ = write!(self.text, "{style}{state:<8}{style:#}  ");
                // A fault hides every answer, so it names none.
                if let Some(case) = turn.filter(|case| hides_nothing(state, case)) {
                    self.name(case);
                    self.text.push_str(": ");
                    if state != case.answer.state {
                        let _ = write!(self.text, "{} by itself, but ", case.answer.state);
                    }
                }
                let _ = write!(self.text, "{reason}");
            }
            None => self.text.push_str("READY     waiting for a picture"),
        }
        if let Some(cases) = line.cases {
            self.others(cases);
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

    /// Who else needs a person, and how many answers are still to come.
    fn others(&mut self, cases: &CasesView) {
        let CasesView { view, worst, button, needed_person, .. } = cases;
        if let Some(worst) = worst {
            let _ = write!(
                self.text,
                "; {} more to look at, the worst {} ",
                view.need_person, worst.answer.state
            );
            self.name(worst);
            self.text.push_str(if *button { ", press the button" } else { "" });
        }
        if view.waiting > 0 {
            let _ = write!(self.text, "; {} to come", view.waiting);
        }
        if !button && *needed_person > 0 {
            let _ = write!(self.text, "; {needed_person} since the start needed a person");
        }
    }

    fn name(&mut self, case: &Named) {
        if self.names {
            self.text.extend(case.name.chars().take(MOST_NAME).map(printable));
        } else {
            let hash = Hash::of(case.file.as_bytes());
            let _ = write!(self.text, "#{:.12}", hash.to_string());
        }
        if case.pictures > 1 {
            let _ = write!(self.text, " ({} pictures)", case.pictures);
        }
    }
}

/// Longest name on the screen, in characters.
const MOST_NAME: usize = 64;

/// What could steer the terminal, or turn the line around, is shown as the replacement character.
fn printable(c: char) -> char {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { char::REPLACEMENT_CHARACTER } else { c }
}

/// Whether what is shown is this case's answer, or stands for it because others need a person.
fn hides_nothing(state: State, case: &Named) -> bool {
    state == case.answer.state || (state == State::Refer && case.answer.state == State::Negative)
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
