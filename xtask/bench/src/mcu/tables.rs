//! The counts and estimates as tables.

use anyhow::Context;
use board_config::Sources;

use super::count::Frame;
use super::estimate::Board;
use super::report::Report;
use crate::section::Section;

pub fn all(report: &Report) -> anyhow::Result<Vec<Section>> {
    let mut sections = vec![stages(report)?, cameras(report)?];
    if !report.boards.is_empty() {
        sections.push(boards(report)?);
    }
    Ok(sections)
}

/// One row a stage, one column a processor.
fn stages(report: &Report) -> anyhow::Result<Section> {
    let frames = report.processors.iter().map(|p| p.frames.first().context("no frame was counted"));
    let frames = frames.collect::<anyhow::Result<Vec<_>>>()?;
    let [m4, m7, m33] = frames[..] else { anyhow::bail!("expected three processors") };
    let row = |name: &str, counts: [u64; 3]| {
        let share = format!("{:.1}", counts[0] as f64 * 100.0 / m4.instructions as f64);
        let [a, b, c] = counts.map(|count| count.to_string());
        [name.to_owned(), a, b, c, share]
    };
    let stages = m4.stages.iter().map(|stage| {
        let name = &stage.label;
        Ok(row(name, [stage.instructions, m7.stage(name)?, m33.stage(name)?]))
    });
    let mut rows = stages.collect::<anyhow::Result<Vec<_>>>()?;
    rows.push(row("the whole frame", [m4, m7, m33].map(|frame| frame.instructions)));
    let before = format!(
        "Instructions of one frame ({}, a phantom that is judged to the end), kernels for DSP instructions, QEMU's mps2-{}.",
        m4.camera,
        report.processors.iter().map(|p| p.machine).collect::<Vec<_>>().join(", mps2-")
    );
    let after = "Rows are summed up as they come; the gate is the part before the network, `features` head and gate behind it.";
    let header = ["stage", "Cortex-M4F", "Cortex-M7", "Cortex-M33", "of the frame on M4F, %"];
    Ok(Section::new(before, header, rows, after.to_owned()))
}

/// One row a camera: what its rows cost.
fn cameras(report: &Report) -> anyhow::Result<Section> {
    let [m4, m7, m33] = &report.processors[..] else { anyhow::bail!("expected three processors") };
    let of = |frame: &Frame| anyhow::Ok([frame.stage("rows")?.to_string(), frame.instructions.to_string()]);
    let row = |((m4, m7), m33): ((&Frame, _), _)| {
        let [[a, b], [c, d], [e, f]] = [of(m4)?, of(m7)?, of(m33)?];
        Ok([m4.camera.clone(), a, b, c, d, e, f])
    };
    let header = ["camera", "rows, M4F", "frame, M4F", "rows, M7", "frame, M7", "rows, M33", "frame, M33"];
    let rows = m4.frames.iter().zip(&m7.frames).zip(&m33.frames).map(row);
    let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
    let before = "Only the rows depend on the camera.".to_owned();
    Ok(Section::new(before, header, rows, "A pixel of YUYV has two bytes, of which one is read.".to_owned()))
}

/// One row a board, and its sources below.
fn boards(report: &Report) -> anyhow::Result<Section> {
    let camera =
        &report.processors.first().and_then(|p| p.frames.first()).context("no frame was counted")?.camera;
    let row = |board: &Board| {
        [
            board.name.clone(),
            board.counted_on.clone(),
            board.mhz.to_string(),
            board.cycles_per_instruction.to_string(),
            format!("{:.0}", board.milliseconds),
            board.milliwatts.to_string(),
            format!("{:.2}", board.millijoules),
        ]
    };
    let header = ["board", "counted on", "MHz", "cycles an instruction", "ms a frame", "mW", "mJ a frame"];
    let before = format!(
        "Estimated, not measured: time and energy of one frame ({camera}) from its first row to its state."
    );
    let sources = report.boards.iter().map(|board| sources(&board.name, &board.sources));
    let after = format!("Where the numbers are from:\n\n{}", sources.collect::<Vec<_>>().join("\n"));
    Ok(Section::new(before, header, report.boards.iter().map(row).collect(), after))
}

/// Where a board's numbers are from, as an entry of a list.
fn sources(board: &str, sources: &Sources) -> String {
    let of = |(number, source)| format!("{number}: {source}");
    let all = sources.all().map(of).join(" ");
    let words: Vec<&str> =
        all.split_whitespace().chain(["Left", "out:"]).chain(sources.left_out.split_whitespace()).collect();
    format!("- {board}. {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times and powers follow from the counts; the sources are texts, which may be forgotten.
    #[test]
    fn the_committed_document_has_the_sources_of_every_board() {
        let document = std::fs::read_to_string(toolbox::root().join("docs/PERFORMANCE.md")).unwrap();
        let boards = board_config::all(&toolbox::root().join("firmware/boards")).unwrap();
        let estimates = boards.iter().filter_map(|(_, board)| Some((&board.name, board.estimate.as_ref()?)));
        let lines: Vec<String> = estimates.map(|(name, estimate)| sources(name, &estimate.sources)).collect();
        assert!(lines.len() >= 3, "{lines:?}");
        for line in &lines {
            assert!(document.contains(&format!("\n{line}\n")), "`cargo xtask bench-mcu --write`: {line}");
        }
        let planted = lines[0].replacen("MHz", "kHz", 1);
        assert!(!document.contains(&planted));
    }
}
