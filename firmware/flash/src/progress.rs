//! A bar a step on standard error, with the time that is left; nothing where that is no terminal.

use crate::link::{Progress, Step};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use std::path::Path;

#[derive(Default)]
pub struct Bars {
    shown: Option<(Step, ProgressBar)>,
}

impl Bars {
    /// Shows how far a step is; another step begins another bar.
    pub fn show(&mut self, progress: Progress) {
        if self.shown.as_ref().is_none_or(|(step, _)| *step != progress.step) {
            self.finish();
            let bar = bar(progress.total, ProgressFinish::Abandon).with_message(name(progress.step));
            self.shown = Some((progress.step, bar));
        }
        if let Some((_, bar)) = &self.shown {
            bar.set_position(progress.done);
        }
    }

    /// Leaves the last bar as it is and goes to the next line.
    pub fn finish(&mut self) {
        self.shown = None;
    }
}

/// A bar a picture that goes out over a serial line.
#[derive(Default)]
pub struct Sending(Option<ProgressBar>);

impl Sending {
    /// Shows how much of a frame, `frame` of `frames` from 0, is out.
    pub fn show(&mut self, path: &Path, frame: u32, frames: u32, done: u64, all: u64) {
        let bar = self.0.get_or_insert_with(|| {
            let bar = bar(all * u64::from(frames), ProgressFinish::AndClear);
            bar.with_message(path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        });
        bar.set_position(u64::from(frame) * all + done);
    }

    /// Takes the bar away: a line says the same.
    pub fn finish(&mut self) {
        self.0 = None;
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

/// A bar of so many bytes, which ends like this when it is dropped.
fn bar(total: u64, ends: ProgressFinish) -> ProgressBar {
    // The template is a constant; were it wrong, the default bar would do.
    let style = ProgressStyle::with_template("{msg:>9} [{bar:40}] {bytes:>10}/{total_bytes:<10} {eta} left")
        .map(|style| style.progress_chars("=> "))
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_finish(ends)
}
