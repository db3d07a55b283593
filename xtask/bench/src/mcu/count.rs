//! Counting: every stage of cameras' frames on every emulated microcontroller, exactly.

use anyhow::{Context, ensure};
use serde::Serialize;

use emulation::instructions::Region;
use emulation::machine::{self, Machine};
use emulation::on_target;
use toolbox::cross::{self, ON_TARGET, Profile};

/// The processors, with the emulated machines by the names that `counted_on` in a board.toml has.
const PROCESSORS: [(&str, &str, Machine); 3] = [
    ("Cortex-M4F", "an386", Machine::CortexM4),
    ("Cortex-M7", "an500", Machine::CortexM7),
    ("Cortex-M33", "an505", Machine::CortexM33),
];

/// Where the frames lie, from the workspace's folder.
const FOLDER: &str = ".cache/bench-mcu";

#[derive(Debug, Serialize)]
pub struct Processor {
    pub name: &'static str,
    pub machine: &'static str,
    /// One frame of each camera; the first camera's is the one that is told of in full.
    pub frames: Vec<Frame>,
}

#[derive(Debug, Serialize)]
pub struct Frame {
    pub camera: String,
    /// Instructions from its first row to its state.
    pub instructions: u64,
    /// The same, stage by stage, in their order.
    pub stages: Vec<Region>,
}

impl Frame {
    /// A region is a stage, and nothing is between them.
    fn new(camera: &str, stages: Vec<Region>) -> Self {
        let instructions = stages.iter().map(|stage| stage.instructions).sum();
        Self { camera: camera.to_owned(), instructions, stages }
    }

    pub fn stage(&self, name: &str) -> anyhow::Result<u64> {
        let stage = self.stages.iter().find(|stage| stage.label == name);
        Ok(stage.with_context(|| format!("{}: the stage {name} was not counted", self.camera))?.instructions)
    }
}

/// Counts every camera's frame on every processor; all must give one answer.
pub fn all() -> anyhow::Result<Vec<Processor>> {
    // Has model and frames written: a line a camera, its name, then the arguments that count it.
    let lines = on_target::inputs(&["stages", FOLDER])?;
    let mut answers: Vec<Option<String>> = vec![None; lines.len()];
    let count = |(name, machine, emulated): (&'static str, &'static str, Machine)| {
        let program = cross::build(emulated.target(), ON_TARGET, Profile::Chip)?;
        let mut frames = Vec::new();
        for (line, answer) in lines.iter().zip(&mut answers) {
            let (camera, arguments) = line.split_once(' ').context("a line without arguments")?;
            let arguments: Vec<&str> = arguments.split(' ').collect();
            let (printed, regions) = machine::counted(emulated, &program, &arguments)?;
            let judged = printed.lines().find(|line| line.starts_with("judged ")).context("no answer")?;
            let expected = answer.get_or_insert_with(|| judged.to_owned());
            ensure!(judged == expected, "{camera} on {name}: expected `{expected}`, got `{judged}`");
            frames.push(Frame::new(camera, regions));
        }
        Ok(Processor { name, machine, frames })
    };
    PROCESSORS.into_iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_the_sum_of_its_stages() {
        let region = |label: &str, instructions| Region { label: label.into(), instructions };
        let frame = Frame::new("a", vec![region("rows", 7), region("gate", 5)]);
        assert_eq!((frame.instructions, frame.stage("gate").unwrap()), (12, 5));
        assert!(frame.stage("decide").unwrap_err().to_string().contains("a: the stage decide"));
    }
}
