//! `cargo xtask bench`: our engines beside tract and onnxruntime, on the shipped model and the
//! golden frames.
//!
//! Every engine has a process of its own ([`worker`]), all on one core, one thread each. They are
//! asked in turn, round by round, so that whatever disturbs the machine disturbs all of them;
//! medians are compared, round by round.

mod emulated;
mod engine;
mod machine;
mod measure;
mod report;
mod table;
mod worker;

use anyhow::ensure;

use crate::document;
use crate::section::Section;
use emulated::{Aarch64, CortexM};
use engine::Setup;
use report::Report;
use toolbox::{host, process, python};

/// What to measure.
#[derive(clap::Args)]
pub struct Arguments {
    /// Rounds; every engine runs all frames once a round.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Golden frames to run, taken evenly from all.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    frames: u16,
    /// Measure only engines whose name contains this text, and onnxruntime-f32, to which all are
    /// compared; may be given several times. docs/PERFORMANCE.md is then left as it is.
    #[arg(long, value_name = "TEXT")]
    engine: Vec<String>,
    /// The core to run on; without it the last one that this process may use.
    #[arg(long, value_name = "NUMBER")]
    cpu: Option<u16>,
    /// Measure this machine only, not the instructions of the emulated ones.
    #[arg(long)]
    no_emulation: bool,
    /// Count the instructions of the emulated machines only: they are exact on a busy machine too.
    #[arg(long, conflicts_with_all = ["no_emulation", "engine", "json"])]
    emulation_only: bool,
    /// Write one JSON object to standard output instead of tables, and leave docs/PERFORMANCE.md as
    /// it is.
    #[arg(long)]
    json: bool,
}

/// Measures, shows and writes docs/PERFORMANCE.md.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let python = python::find()?;
    let packages = python::packages(&python)?;
    let profile = if arguments.emulation_only { "debug" } else { "release" };
    if arguments.emulation_only {
        // What is counted is built for its own machine; these prepare frames and name layers.
        let programs = ["bench_worker", "edge-runtime"];
        programs.iter().try_for_each(|name| host::program(name).map(drop))?;
    } else {
        // In one go: two would compile tract twice, with other features of its dependencies each.
        let build = ["build", "--release", "--package", "edge-runtime", "--package", "conformance", "--bins"];
        process::run(process::cargo().args(build))?;
    }
    let cpu = arguments.cpu.map_or_else(machine::last_cpu, Ok)?;
    let setup = Setup::new(&python.program, &packages, cpu, arguments.frames, profile)?;
    let machine = machine::Machine::this(cpu)?;
    if arguments.emulation_only {
        let counted = (emulated::aarch64(&setup)?, emulated::cortex_m(&setup)?);
        return emulated_sections(&counted.0, &counted.1, &machine.tract).into_iter().try_for_each(write);
    }
    // The program as it is shipped, for its memory.
    process::run(process::cargo().args(["build", "--profile", "dist", "--package", "edge-runtime"]))?;
    let mut engines = setup.engines();
    let wanted = |name: &str| arguments.engine.iter().any(|text| name.contains(text.as_str()));
    let all = engines.len();
    if !arguments.engine.is_empty() {
        ensure!(
            engines.iter().any(|engine| wanted(&engine.name)),
            "--engine: no engine's name contains {:?}; there are {:?}",
            arguments.engine,
            engines.iter().map(|engine| &engine.name).collect::<Vec<_>>()
        );
        engines.retain(|engine| wanted(&engine.name) || engine.name == engine::BASELINE);
    }
    if machine.saturates() {
        engines.retain(|engine| engine.name != engine::ONNXRUNTIME_INT8);
        eprintln!(
            "warning: left out: {}, which saturates on this processor and computes something else",
            engine::ONNXRUNTIME_INT8
        );
    }
    if machine.load > 0.5 {
        eprintln!(
            "warning: other programs are busy here (load {:.1}); quiet figures need a quiet machine",
            machine.load
        );
    }
    let complete = engines.len() == all;
    let engines = measure::all(&setup, engines, arguments.rounds)?;
    let program = measure::program(&setup)?;
    let (aarch64, cortex_m4f) = if arguments.no_emulation {
        (Vec::new(), None)
    } else {
        (emulated::aarch64(&setup)?, Some(emulated::cortex_m(&setup)?))
    };
    let model_sha256 = setup.prepared.model_sha256;
    let kernels = setup.prepared.kernels.first().cloned().unwrap_or_default();
    let (rounds, frames) = (arguments.rounds, arguments.frames);
    let report =
        Report { machine, model_sha256, kernels, rounds, frames, engines, program, aarch64, cortex_m4f };
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    let native = (std::env::consts::ARCH, table::native(&report));
    if complete {
        write(native)?;
    } else {
        println!("{}\n", native.1.text());
    }
    let counted = report.cortex_m4f.as_ref();
    let emulated = counted.map(|counted| emulated_sections(&report.aarch64, counted, &report.machine.tract));
    emulated.into_iter().flatten().try_for_each(write)
}

/// A section of docs/PERFORMANCE.md, and its name there.
type Named = (&'static str, Section);

fn emulated_sections(aarch64: &[Aarch64], cortex_m: &CortexM, tract: &str) -> [Named; 2] {
    [
        ("aarch64-instructions", table::aarch64(aarch64, tract)),
        ("cortex-m4f-instructions", table::cortex_m(cortex_m)),
    ]
}

/// Shows a section and writes it.
fn write((name, section): Named) -> anyhow::Result<()> {
    println!("{}\n", section.text());
    document::replace(name, &section.markdown())
}
