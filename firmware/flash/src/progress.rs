//! A bar a step on standard error, with the time that is left; nothing where that is no terminal.

use crate::link::{Progress, Step};
use indicatif::{ProgressBar, ProgressStyle};

/// Draws what it is told.
#[derive(Default)]
pub struct Bars {
    shown: Option<(Step, ProgressBar)>,
}

impl Bars {
    /// Shows how far a step is; another step begins another bar.
    pub fn show(&mut self, progress: Progress) {
        if self.shown.as_ref().is_none_or(|(step, _)| *step != progress.step) {
            self.finish();
            let bar = ProgressBar::new(progress.total).with_style(style()).with_message(name(progress.step));
            self.shown = Some((progress.step, bar));
        }
        if let Some((_, bar)) = &self.shown {
            bar.set_position(progress.done);
        }
    }

    /// Leaves the last bar as it is and goes to the next line.
    pub fn finish(&mut self) {
        if let Some((_, bar)) = self.shown.take() {
            bar.abandon();
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.finish();
    }
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Read => "reading",
        Step::Erase => "erasing",
        Step::Write => "writing",
        Step::Verify => "verifying",
    }
}

fn style() -> ProgressStyle {
    // The template is a constant; were it wrong, the default bar would do.
    ProgressStyle::with_template("{msg:>9} [{bar:40}] {bytes:>10}/{total_bytes:<10} {eta} left")
        .map(|style| style.progress_chars("=> "))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
