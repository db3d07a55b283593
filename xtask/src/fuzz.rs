//! `cargo xtask fuzz`: any bytes give a value or an error. libFuzzer looks for some that do not,
//! through cargo-fuzz.
//!
//! The targets are the files of tests/fuzz/fuzz_targets, each with seeds of its own. What a run
//! learns it keeps in `.cache/fuzz/corpus` and goes on from there; bytes that broke a target are
//! left in `.cache/fuzz/artifacts`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, bail, ensure};

use toolbox::{process, root, tool};

use toolbox::outcome::{Outcome, say};

/// The version of cargo-fuzz that the targets were written for.
const VERSION: &str = "0.13.2";
/// The package of the targets, from the workspace's folder.
const PACKAGE: &str = "tests/fuzz";
/// Seconds of a run among the tests: inputs a little beside the seeds.
const SHORT: u32 = 5;
/// Longest search for a planted fault, which ends where it is found.
const PLANTED: u32 = 30;
/// How libFuzzer ends when it has found something.
const FOUND: i32 = 77;

/// What to fuzz, and for how long.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask fuzz                 every target for a minute\n  \
                        cargo xtask fuzz --seconds 3600  the long run: an hour a target, one after the other\n  \
                        cargo xtask fuzz decode          picture files only\n\n\
                        Needs rustup's nightly toolchain (rustup toolchain install nightly --profile minimal).")]
pub struct Arguments {
    /// A file of tests/fuzz/fuzz_targets, without `.rs`; all of them where none is named.
    target: Option<String>,
    /// Seconds for each target.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Instead, plant a fault behind all checks of each target, and see that its run fails.
    #[arg(long, conflicts_with = "seconds")]
    planted: bool,
}

/// Builds and runs targets until the first that fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(
        nightly_is_there(),
        "fuzzing needs rustup's nightly toolchain: rustup toolchain install nightly --profile minimal"
    );
    let mut targets = targets()?;
    if let Some(name) = &arguments.target {
        let all = targets.join(", ");
        targets.retain(|target| target == name);
        ensure!(!targets.is_empty(), "there is no target `{name}`; expected one of {all}");
    }
    build()?;
    targets.iter().try_for_each(|target| match arguments.planted {
        true => bites(target),
        false => search(target, arguments.seconds),
    })
}

/// Among the tests: a short run of every target from its seeds alone, and that a planted fault in
/// it is found.
pub fn short() -> anyhow::Result<Outcome> {
    if !nightly_is_there() {
        return Ok(Outcome::NotRun("rustup's nightly is not installed".into()));
    }
    build()?;
    let targets = targets()?;
    // Each takes one processor: those that there are go through the list together.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    for some in targets.chunks(cores) {
        thread::scope(|scope| {
            let runs: Vec<_> = some.iter().map(|target| scope.spawn(|| short_run(target))).collect();
            for run in runs {
                say(&run.join().unwrap_or_else(|_| bail!("a run ended by a panic"))?);
            }
            anyhow::Ok(())
        })?;
    }
    Ok(Outcome::Ran { passed: 2 * targets.len() as u64, failed: 0 })
}

/// Returns what there is to say where all is well; several run at once.
fn short_run(target: &str) -> anyhow::Result<String> {
    let mut run = over(target, &empty("short", target)?, SHORT)?;
    // The same inputs each time, as far as it comes: a test that fails by chance is no test.
    let output =
        run.arg("-seed=1").output().with_context(|| format!("cannot run the fuzz target `{target}`"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} ({}): {text}", broke(target), output.status);
    let inputs = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let inputs = inputs.context("libFuzzer did not say how many inputs it ran")?.trim();
    bites(target)?;
    Ok(format!("fuzz target {target}: {inputs} inputs, and the planted fault found"))
}

/// Whether rustup has the nightly toolchain; stable Rust has neither libFuzzer's instrumentation
/// nor sanitizers.
pub fn nightly_is_there() -> bool {
    nightly("cargo").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// A program of the nightly toolchain.
pub fn nightly(program: &str) -> Command {
    let mut command = process::command("rustup");
    // The cargo that runs this program says so to its children; here it would be the wrong one.
    command.args(["run", "nightly", program]).env_remove("CARGO");
    command
}

/// Names of the targets, found and not listed.
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = root().join(PACKAGE).join("fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    ensure!(!names.is_empty(), "there is no target in {}", folder.display());
    names.sort();
    Ok(names)
}

/// A folder of everything here that can be made again.
fn cache(name: &str) -> PathBuf {
    root().join(".cache/fuzz").join(name)
}

/// An empty folder for what a run learns, where it is to begin from the seeds alone.
fn empty(name: &str, target: &str) -> anyhow::Result<PathBuf> {
    let folder = cache(name).join(target);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Builds all targets, instrumented and with the address sanitizer.
fn build() -> anyhow::Result<()> {
    let program = tool::installed("cargo-fuzz", VERSION)?;
    let mut cargo_fuzz = nightly(&program.to_string_lossy());
    cargo_fuzz.args(["build", "--fuzz-dir", PACKAGE, "--target-dir"]).arg(cache("target"));
    process::run(cargo_fuzz.env("RUSTC_WRAPPER", root().join(PACKAGE).join("rustc.sh")))
}

/// The built target, with the folder where it leaves what broke it.
fn program(target: &str, artifacts: &str) -> anyhow::Result<Command> {
    let artifacts = cache(artifacts).join(target);
    fs::create_dir_all(&artifacts).with_context(|| format!("cannot make {}", artifacts.display()))?;
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = process::command(cache("target").join(triple).join("release").join(target));
    // As cargo-fuzz runs it. One input may take this long before it counts as one that never ends.
    command.env("ASAN_OPTIONS", "detect_odr_violation=0").args(["-timeout=60", "-verbosity=0"]);
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    Ok(command)
}

/// Runs a target for as long as is asked.
fn search(target: &str, seconds: u32) -> anyhow::Result<()> {
    let corpus = cache("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    process::run(&mut over(target, &corpus, seconds)?).with_context(|| broke(target))
}

/// A target over its seeds and over what is in `corpus`, where it keeps what it learns.
fn over(target: &str, corpus: &Path, seconds: u32) -> anyhow::Result<Command> {
    let mut run = program(target, "artifacts")?;
    run.arg(format!("-max_total_time={seconds}")).arg("-print_final_stats=1");
    run.arg(corpus).arg(root().join(PACKAGE).join("seeds").join(target));
    Ok(run)
}

/// What to do where bytes broke a target.
fn broke(target: &str) -> String {
    format!(
        "fuzz target `{target}`: the bytes that broke it are the newest in .cache/fuzz/artifacts/{target}; mend \
         what they show and keep them as {PACKAGE}/seeds/{target}/found-..."
    )
}

/// A target whose result is spoiled behind all checks must fail at its own assertion, and soon.
fn bites(target: &str) -> anyhow::Result<()> {
    let mut run = program(target, "planted-artifacts")?;
    run.env("PNEUMOSCOPE_PLANT_FAULT", "1").arg(format!("-max_total_time={PLANTED}"));
    run.arg(empty("planted", target)?).arg(root().join(PACKAGE).join("seeds").join(target));
    let output = run.output().with_context(|| format!("cannot run the fuzz target `{target}`"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let at = format!("panicked at fuzz_targets/{target}.rs");
    if output.status.code() == Some(FOUND) && text.contains(&at) {
        return Ok(());
    }
    bail!("fuzz target `{target}` did not find its planted fault ({}): {text}", output.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_built_and_has_seeds() {
        let manifest = fs::read_to_string(root().join(PACKAGE).join("Cargo.toml")).unwrap();
        let targets = targets().unwrap();
        assert!(targets.len() >= 5, "{targets:?}");
        for target in &targets {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
            let seeds = fs::read_dir(root().join(PACKAGE).join("seeds").join(target)).unwrap();
            assert!(seeds.count() >= 3, "{target}");
        }
    }
}
