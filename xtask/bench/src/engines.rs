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
use engine::Setup;
use report::Report;
use toolbox::{process, python};

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
    /// Write one JSON object to standard output instead of tables, and leave docs/PERFORMANCE.md as
    /// it is.
    #[arg(long)]
    json: bool,
}

/// Measures, shows and writes docs/PERFORMANCE.md.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let python = python::find()?;
    let packages = python::packages(&python)?;
    // In one go: two would compile tract twice, with other features of its dependencies each.
    let build = ["build", "--release", "--package", "edge-runtime", "--package", "conformance", "--bins"];
    process::run(process::cargo().args(build))?;
    // The program as it is shipped, for its memory.
    process::run(process::cargo().args(["build", "--profile", "dist", "--package", "edge-runtime"]))?;
    let cpu = arguments.cpu.map_or_else(machine::last_cpu, Ok)?;
    let setup = Setup::new(&python.program, &packages, cpu, arguments.frames)?;
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
    let machine = machine::Machine::this(cpu)?;
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
    let mut sections = vec![(std::env::consts::ARCH, table::native(&report), complete)];
    if let Some(counted) = &report.cortex_m4f {
        sections.push(("aarch64-instructions", table::aarch64(&report), true));
        sections.push(("cortex-m4f-instructions", table::cortex_m(counted), true));
    }
    for (name, section, complete) in sections {
        println!("{}\n", section.text());
        if complete {
            document::replace(name, &section.markdown())?;
        }
    }
    Ok(())
}
