//! What the lights show, in words of the configured language: one line that is redrawn on a terminal, a line a change
//! elsewhere. Where files are answered, it says whose answer it is, and who else needs a person.
//!
//! A terminal keeps nothing, so it shows names and accession numbers; elsewhere, as in a service's
//! journal, a file's name stands as the first digits of its hash, which the log has, unless names may
//! be kept.

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
use texts::Language;

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

/// A view of the device on a stream, in the language of whoever looks at it. A line that is written
/// allocates its texts, at most four times a second; a turn without a line allocates nothing.
pub struct Terminal<W: Write> {
    out: W,
    live: bool,
    colours: bool,
    names: bool,
    language: Language,
    /// Width of the longest state's word.
    width: usize,
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
    /// `live`: `out` is a terminal, whose line can be redrawn. Writes `device` and the notice, which
    /// nothing shown may lack; a screen that takes them not is gone, and may come back.
    pub fn new(mut out: W, live: bool, colours: bool, device: &str, language: Language) -> Self {
        let device: String = device.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(out, "{device}: {}", language.notice());
        let mut words = State::ALL.map(|state| language.state(state)).to_vec();
        words.push(language.text("state-ready"));
        let words = words.iter().map(|word| word.chars().count());
        let (width, text) = (words.max().unwrap_or(0), String::with_capacity(512));
        Self { out, live, colours, names: live, language, width, text, last: None, drawn_ms: 0 }
    }

    /// Shows names of files though `out` may keep them; an accession number is for a terminal alone.
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
        let language = self.language;
        let (shown, state) = (line.shown, line.shown.map(|shown| shown.state));
        let word = state.map_or_else(|| language.text("state-ready"), |state| language.state(state));
        let style = if self.colours { state.map_or(Style::new(), style) } else { Style::new() };
        let _ = write!(self.text, "{style}{word:<0$}{style:#}  ", self.width);
        if let Some(state) = state
            && let Some(case) = line.cases.and_then(|cases| cases.whose(state))
        {
            let name = self.name(case);
            let _ = write!(self.text, "{name}: ");
            if state != case.answer.state {
                let alone = [("state", language.state(case.answer.state).into())];
                let _ = write!(self.text, "{}. ", language.text_with("case-by-itself", &alone));
            }
        }
        let why = shown.map_or_else(|| language.text("ready-why"), |shown| language.reason(&shown.reason));
        self.text.push_str(&why);
        if let Some(others) = line.cases.and_then(|cases| self.others(cases)) {
            let _ = write!(self.text, " [{others}]");
        }
        if let Some(score) = line.score {
            let Thresholds { negative_below: low, positive_above: high } = line.thresholds;
            let told = [("score", score), ("low", low), ("high", high)];
            let told = told.map(|(name, value)| (name, texts::fixed(value.into(), 3)));
            let _ = write!(self.text, " {}", language.text_with("score-told", &told));
        }
        if let Some(remedy) = shown.and_then(|shown| language.remedy(&shown.reason)) {
            let _ = write!(self.text, " {remedy}");
        }
        let model = line.model_sha256.get(..12).unwrap_or(line.model_sha256);
        let _ = write!(self.text, " {}", language.text_with("model-told", &[("model", model.into())]));
        self.text.push_str(if self.live { "\x1b[?7h" } else { "\n" });
        self.out.write_all(self.text.as_bytes())?;
        self.out.flush()
    }

    /// Who else needs a person, and how many answers are still to come; none where nobody.
    fn others(&self, cases: &CasesView) -> Option<String> {
        let CasesView { view, worst, acknowledges, button, needed_person, .. } = cases;
        let told = |id, count: u32| self.language.text_with(id, &[("count", count.into())]);
        let mut parts = Vec::new();
        if let Some(worst) = worst {
            let state = self.language.state(worst.answer.state);
            let worst = [
                ("count", view.need_person.into()),
                ("state", state.into()),
                ("name", self.name(worst).into()),
            ];
            parts.push(self.language.text_with("cases-need-person", &worst));
            parts.extend(button.then(|| self.language.text("cases-press-button")));
        }
        parts.extend((view.waiting > 0).then(|| told("cases-to-come", view.waiting)));
        let unseen = !acknowledges && *needed_person > 0;
        parts.extend(unseen.then(|| told("cases-needed-person", *needed_person)));
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn name(&self, case: &Named) -> String {
        let mut name = if self.names {
            let name = if self.live { &case.name } else { &case.file };
            name.chars().take(MOST_NAME).map(printable).collect()
        } else {
            let hash = Hash::of(case.file.as_bytes());
            format!("#{:.12}", hash.to_string())
        };
        if case.pictures > 1 {
            let pictures = [("count", case.pictures.into())];
            let _ = write!(name, " ({})", self.language.text_with("pictures", &pictures));
        }
        name
    }
}

/// Longest name on the screen, in characters.
const MOST_NAME: usize = 64;

/// What could steer the terminal, or turn the line around, is shown as the replacement character.
fn printable(c: char) -> char {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { char::REPLACEMENT_CHARACTER } else { c }
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
