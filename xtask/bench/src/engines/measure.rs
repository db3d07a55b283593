//! Starts, rounds, and what is made of them.

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::engine::{self, BASELINE, Engine, Setup};
use super::worker::{Ended, Worker};

/// Processes that are started for the time to the first result.
const STARTS: usize = 9;

#[derive(Debug, Serialize)]
pub struct Measured {
    pub engine: String,
    /// Median over all frames of all rounds, in microseconds.
    pub latency_us: f64,
    /// Median over the rounds of: its median frame by the baseline's median frame.
    pub ratio: f64,
    /// Median over several processes, in milliseconds: from the first instruction until the first
    /// logit is there.
    pub first_result_ms: f64,
    /// Most memory that the process held at a time.
    pub peak_mb: f64,
    pub allocations: Option<u64>,
    pub allocated_bytes: Option<u64>,
    /// What the calling language adds to a run, in microseconds; contained in the latency.
    pub call_us: Option<f64>,
    pub version: Option<String>,
    /// Each round's median frame, in microseconds.
    pub round_us: Vec<f64>,
}

/// `edge-runtime classify` on one picture, as a process.
#[derive(Debug, Serialize)]
pub struct Program {
    /// From starting it until it has ended, median, in milliseconds.
    pub elapsed_ms: f64,
    /// Most memory that it held at a time, largest of all runs.
    pub peak_mb: f64,
}

/// Measures all engines in alternating rounds.
pub fn all(setup: &Setup, engines: Vec<Engine>, rounds: u16) -> anyhow::Result<Vec<Measured>> {
    let bar = bar(STARTS + usize::from(rounds));
    bar.set_message("starting");
    let mut firsts = vec![Vec::new(); engines.len()];
    for _ in 0..STARTS {
        for (engine, firsts) in engines.iter().zip(&mut firsts) {
            let (worker, started) = Worker::start(setup.worker(engine))?;
            firsts.push(started.first_us);
            worker.end()?;
        }
        bar.inc(1);
    }
    bar.set_message("rounds");
    let start = |engine| Ok(Worker::start(setup.worker(engine))?.0);
    let mut workers = engines.iter().map(start).collect::<anyhow::Result<Vec<Worker>>>()?;
    let mut times = vec![Vec::new(); engines.len()];
    for _ in 0..rounds {
        for (worker, times) in workers.iter_mut().zip(&mut times) {
            let round = worker.round()?;
            ensure!(round.len() == setup.prepared.logits.len(), "a worker left out frames");
            times.push(round.into_iter().map(|ns| ns as f64 / 1e3).collect::<Vec<f64>>());
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let ended = workers.into_iter().map(Worker::end).collect::<anyhow::Result<Vec<Ended>>>()?;

    let medians: Vec<Vec<f64>> =
        times.iter().map(|rounds| rounds.iter().map(|round| median(round)).collect()).collect();
    let baseline = engines.iter().position(|engine| engine.name == BASELINE);
    let baseline = medians[baseline.context("the engine to compare with is not among the engines")?].clone();
    let mut measured = Vec::new();
    for ((((engine, rounds), round_us), ended), firsts) in
        engines.into_iter().zip(times).zip(medians).zip(ended).zip(firsts)
    {
        // A fast engine that computes something else has no place in the table.
        ensure!(
            !engine.int8 || ended.logits == setup.prepared.logits,
            "{} gives other logits than the golden vectors",
            engine.name
        );
        let ratios: Vec<f64> = round_us.iter().zip(&baseline).map(|(own, base)| own / base).collect();
        measured.push(Measured {
            engine: engine.name,
            latency_us: median(&rounds.concat()),
            ratio: median(&ratios),
            first_result_ms: median(&firsts) / 1e3,
            peak_mb: megabytes(ended.peak_kb),
            allocations: ended.allocations,
            allocated_bytes: ended.allocated_bytes,
            call_us: ended.call_us,
            version: ended.version,
            round_us,
        });
    }
    Ok(measured)
}

pub fn program(setup: &Setup) -> anyhow::Result<Program> {
    #[derive(Deserialize)]
    struct Run {
        elapsed_us: f64,
        peak_kb: u64,
    }
    let runs = (0..STARTS).map(|_| engine::answer(setup.program())).collect::<anyhow::Result<Vec<Run>>>()?;
    let elapsed: Vec<f64> = runs.iter().map(|run| run.elapsed_us / 1e3).collect();
    let peak = runs.iter().map(|run| run.peak_kb).max().unwrap_or_default();
    Ok(Program { elapsed_ms: median(&elapsed), peak_mb: megabytes(peak) })
}

fn megabytes(kb: u64) -> f64 {
    kb as f64 * 1024.0 / 1e6
}

/// The middle value, or the mean of the two in the middle; NaN of none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

fn bar(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:10} [{bar:30}] {pos}/{len}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(steps as u64).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }
}
