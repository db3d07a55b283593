//! What was measured as tables, for the screen and for docs/PERFORMANCE.md.

use super::emulated::{AARCH64_BASELINE, Aarch64, CortexM, Layer};
use super::measure::Measured;
use super::report::Report;
use crate::section::Section;

pub fn native(report: &Report) -> Section {
    let header = [
        "engine",
        "a frame, us",
        "to onnxruntime f32",
        "first result, ms",
        "peak memory, MB",
        "allocations a frame",
        "kB a frame",
    ];
    Section::new(machine(report), header, report.engines.iter().map(row).collect(), program(report))
}

fn row(measured: &Measured) -> [String; 7] {
    let whole = |number: Option<u64>| number.map_or("n/a".to_owned(), |number| number.to_string());
    [
        measured.engine.clone(),
        format!("{:.0}", measured.latency_us),
        format!("{:.2}", measured.ratio),
        format!("{:.1}", measured.first_result_ms),
        format!("{:.1}", measured.peak_mb),
        whole(measured.allocations),
        whole(measured.allocated_bytes.map(|bytes| bytes.div_ceil(1000))),
    ]
}

fn machine(report: &Report) -> String {
    let machine = &report.machine;
    let onnxruntime = report.engines.iter().find_map(|measured| measured.version.as_deref());
    format!(
        "{} ({}), {} cores, {}; load {:.1} at the start. rustc {}, tract {}, onnxruntime {}. Kernels unless named: {}. \
         Model {}, {} frames, {} rounds.",
        machine.cpu,
        machine.features.join(", "),
        machine.cores,
        machine.kernel,
        machine.load,
        machine.rustc,
        machine.tract,
        onnxruntime.unwrap_or("not measured"),
        report.kernels,
        report.model_sha256.get(..12).unwrap_or(&report.model_sha256),
        report.frames,
        report.rounds
    )
}

fn program(report: &Report) -> String {
    let program = &report.program;
    let call = report.engines.iter().find_map(|measured| measured.call_us);
    let call = call.map_or(String::new(), |call| {
        format!(" Python adds {call:.1} us to each of onnxruntime's frames, which is contained.")
    });
    format!(
        "`edge-runtime classify` as it is shipped (profile `dist`) on one 1024x1024 PNG: {:.0} ms from start to end, {:.1} MB at most.{call}",
        program.elapsed_ms, program.peak_mb
    )
}

pub fn aarch64(counted: &[Aarch64], tract: &str) -> Section {
    let header = ["engine", "Cortex-A53, millions", "to tract f32", "Cortex-A76, millions", "to tract f32"];
    let floats = counted.iter().find(|row| row.engine == AARCH64_BASELINE);
    let ratio = |own: u64, base: Option<u64>| {
        base.map_or("n/a".to_owned(), |base| format!("{:.3}", own as f64 / base as f64))
    };
    let rows = counted.iter().map(|row| {
        [
            row.engine.clone(),
            format!("{:.2}", row.a53 as f64 / 1e6),
            ratio(row.a53, floats.map(|f| f.a53)),
            format!("{:.2}", row.a76 as f64 / 1e6),
            ratio(row.a76, floats.map(|f| f.a76)),
        ]
    });
    Section::new(
        format!("The same model, one phantom, tract {tract}, QEMU's user emulation."),
        header,
        rows.collect(),
        "Instructions are no time: a Cortex-A53 issues two in order, a Cortex-A76 four out of order."
            .to_owned(),
    )
}

pub fn cortex_m(counted: &CortexM) -> Section {
    let header = ["layer", "operator", "MACs", "instructions", "a MAC", "CMSIS-NN a MAC", "ours to CMSIS-NN"];
    let theirs: f64 = counted.layers.iter().filter_map(|layer| layer.cmsis_nn).sum();
    let after = format!(
        "The whole frame, pooling and head included: {:.2} million instructions, {:.3} of the {:.2} million that CMSIS-NN's \
         figures give for the layers alone.",
        counted.frame as f64 / 1e6,
        counted.frame as f64 / theirs,
        theirs / 1e6
    );
    let before = "Core engine, kernels for DSP instructions, one phantom, QEMU's mps2-an386.".to_owned();
    Section::new(before, header, counted.layers.iter().map(layer_row).collect(), after)
}

fn layer_row(layer: &Layer) -> [String; 7] {
    let shape = &layer.shape;
    // An addition multiplies nothing; it is told by the element.
    let per = if shape.macs > 0 { shape.macs } else { shape.output.iter().product() } as f64;
    let number = |number: Option<f64>| number.map_or("n/a".to_owned(), |number| format!("{number:.2}"));
    [
        shape.name.clone(),
        shape.operator.clone(),
        shape.macs.to_string(),
        layer.instructions.to_string(),
        format!("{:.2}", layer.instructions as f64 / per),
        number(layer.cmsis_nn.map(|n| n / per)),
        number(layer.cmsis_nn.map(|n| layer.instructions as f64 / n)),
    ]
}
