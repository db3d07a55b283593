//! What the counts may mean on a board: time and energy of a frame from what its `board.toml` says
//! of clock, pace and power.

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use board_config::Sources;
use serde::Serialize;

use super::count::Processor;

/// The estimate for one board and one frame of the first camera.
#[derive(Debug, Serialize)]
pub struct Board {
    pub name: String,
    pub counted_on: String,
    pub mhz: f64,
    pub cycles_per_instruction: f64,
    pub milliwatts: f64,
    pub milliseconds: f64,
    pub millijoules: f64,
    pub sources: Sources,
}

/// Every board in `folder` whose `board.toml` has an estimate, by name; none where there is no such
/// folder.
pub fn all(folder: &Path, processors: &[Processor]) -> anyhow::Result<Vec<Board>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut boards = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.join("board.toml").is_file() {
            let board = board_config::Board::read(&path)?;
            boards.extend(of(&board, processors).with_context(|| format!("board {}", board.name))?);
        }
    }
    boards.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(boards)
}

fn of(board: &board_config::Board, processors: &[Processor]) -> anyhow::Result<Option<Board>> {
    let Some(estimate) = &board.estimate else {
        return Ok(None);
    };
    let processor = processors.iter().find(|p| p.machine == estimate.counted_on).ok_or_else(|| {
        let known: Vec<_> = processors.iter().map(|p| p.machine).collect();
        anyhow!("estimate.counted_on: expected one of {known:?}, got {:?}", estimate.counted_on)
    })?;
    let instructions = processor.frames.first().context("no frame was counted")?.instructions as f64;
    let milliseconds = instructions * estimate.cycles_per_instruction / (estimate.mhz * 1e3);
    Ok(Some(Board {
        name: board.name.clone(),
        counted_on: processor.name.to_owned(),
        mhz: estimate.mhz,
        cycles_per_instruction: estimate.cycles_per_instruction,
        milliwatts: estimate.milliwatts,
        milliseconds,
        millijoules: milliseconds * estimate.milliwatts / 1e3,
        sources: estimate.sources.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcu::count::Frame;

    fn board(counted_on: &str) -> board_config::Board {
        let text = format!(
            r#"
            name = "a"
            description = "b"
            target = "thumbv7em-none-eabihf"
            public_key = "{}"
            ram = {{ start = 0x20000000, size = 0x40000 }}
            [flash]
            sector = 0x1000
            firmware = {{ start = 0, size = 0x20000 }}
            records = {{ start = 0x20000, size = 0x2000 }}
            slot_a = {{ start = 0x30000, size = 0x40000 }}
            slot_b = {{ start = 0x70000, size = 0x40000 }}
            [estimate]
            counted_on = "{counted_on}"
            mhz = 100
            cycles_per_instruction = 1.5
            milliwatts = 40
            [estimate.sources]
            mhz = "a guess: a"
            cycles_per_instruction = "a guess: b"
            milliwatts = "a guess: c"
            left_out = "d"
            "#,
            "00".repeat(32)
        );
        board_config::Board::parse(&text).unwrap()
    }

    fn processors() -> Vec<Processor> {
        let frame = Frame { camera: "c".into(), instructions: 20_000_000, stages: Vec::new() };
        vec![Processor { name: "Cortex-M4F", machine: "an386", frames: vec![frame] }]
    }

    #[test]
    fn time_and_energy_follow_from_clock_pace_and_power() {
        let board = of(&board("an386"), &processors()).unwrap().unwrap();
        // 20 million instructions, 30 million cycles, 0.3 s at 100 MHz, 12 mJ at 40 mW.
        assert!((board.milliseconds - 300.0).abs() < 1e-9);
        assert!((board.millijoules - 12.0).abs() < 1e-9);
    }

    #[test]
    fn an_unknown_processor_is_an_error_and_no_estimate_is_none() {
        let error = of(&board("an999"), &processors()).unwrap_err().to_string();
        assert!(error.contains("[\"an386\"], got \"an999\""), "{error}");
        let silent = board_config::Board { estimate: None, ..board("an386") };
        assert!(of(&silent, &processors()).unwrap().is_none());
    }

    #[test]
    fn a_missing_folder_has_no_boards() {
        assert!(all(Path::new("no/such/folder"), &processors()).unwrap().is_empty());
    }
}
