//! Progress with remaining time, on standard error; nothing where that is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

/// A bar over `steps` steps; whoever made it counts them and clears it.
pub fn bar(what: &str, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:28} [{bar:30}] {pos}/{len}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(steps as u64).with_style(style).with_message(what.to_owned())
}

/// Maps items on all cores under a bar; results are in the order of the items.
pub fn map<T: Sync, R: Send>(what: &str, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let bar = bar(what, items.len());
    let step = |item| {
        let result = work(item);
        bar.inc(1);
        result
    };
    let results = items.par_iter().map(step).collect();
    bar.finish_and_clear();
    results
}
