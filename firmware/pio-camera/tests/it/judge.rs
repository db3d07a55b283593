//! The same steps on rp2040js, an emulator of the RP2040 that others wrote: its PIO is the
//! RP2350's in what the program uses. It does not join queues and has no synchronizers.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use edge_core::ports::SourceError::{Damaged, Overrun};
use pio_camera::Register;
use serde_json::Value;

use crate::bench::{Bench, CYCLES_A_MS, Planted, Step, World};
use crate::waveform::{Frame, Waveform, picture};

/// What came of a frame: words that were moved, RXSTALL, and the flag of a short row.
#[derive(PartialEq)]
struct Outcome {
    words: Vec<u32>,
    stalled: bool,
    short: bool,
}

impl Outcome {
    /// Says where two of them part, without their thousands of words.
    fn expect(&self, other: &Self) {
        let parts = self.words.iter().zip(&other.words).position(|(a, b)| a != b);
        assert_eq!((self.stalled, self.short), (other.stalled, other.short));
        assert_eq!((self.words.len(), parts), (other.words.len(), None), "words, and which differs first");
    }
}

/// Runs one frame on the model. Gives what came of it, and the steps in the judge's words.
fn on_the_model(script: &[Frame], jitter: u64, gap: u64) -> (Outcome, String) {
    let mut world = World::new(Waveform::new(script, jitter), Planted::Nothing);
    (world.gap, world.steps) = (gap, Some(Vec::new()));
    let mut bench = Bench::new(world);
    match bench.frame() {
        Ok(bytes) => assert!(bytes == picture(0)),
        Err(error) => assert!(matches!(error, Damaged | Overrun), "{error:?}"),
    }
    let mut world = bench.world.borrow_mut();
    let mut lines = String::new();
    for (cycle, step) in world.steps.take().unwrap() {
        let _ = match step {
            Step::Write(offset, value) => writeln!(lines, "{cycle} write {offset} {value}"),
            Step::Levels(levels) => writeln!(lines, "{cycle} levels {levels}"),
            Step::Dma(words) => writeln!(lines, "{cycle} dma {words}"),
        };
    }
    let outcome = Outcome {
        words: std::mem::take(&mut world.moved),
        stalled: world.pio.read(Register::FDEBUG) & 1 != 0,
        short: world.pio.read(Register::IRQ) & 1 != 0,
    };
    (outcome, lines)
}

fn judged(lines: &str) -> Outcome {
    let installed = env::var("PNEUMOSCOPE_PIO_JUDGE").expect("the suite `pio` names the folder");
    let folder = tempfile::tempdir().unwrap();
    let steps = folder.path().join("steps");
    fs::write(&steps, lines).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge/judge.mjs");
    let ran = Command::new("node").arg(script).arg(steps).current_dir(installed).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    Outcome {
        words: said["words"].as_array().unwrap().iter().map(number).collect(),
        stalled: number(&said["fdebug"]) & 1 != 0,
        short: number(&said["irq"]) & 1 != 0,
    }
}

/// Where the program takes a byte.
const IN_PINS: u8 = 10;

#[test]
#[ignore = "needs rp2040js: cargo xtask test pio"]
fn pio_judge_takes_the_same_picture() {
    let (outcome, lines) = on_the_model(&[], 15, 450);
    assert!(!outcome.stalled && !outcome.short && outcome.words.len() == 244 * 81);
    judged(&lines).expect(&outcome);
    // Planted: another instruction for `in pins, 8`, and the pictures differ.
    let with = |word: u16| format!("write {} {word}\n", Register::instruction(IN_PINS).offset());
    let (right, wrong) =
        (with(pio_camera::PROGRAM[IN_PINS as usize]), with(pio_camera::PROGRAM[IN_PINS as usize] - 1));
    assert!(lines.contains(&right));
    assert!(judged(&lines.replace(&right, &wrong)).words != outcome.words);
}

#[test]
#[ignore = "needs rp2040js: cargo xtask test pio"]
fn pio_judge_sees_a_short_row_and_a_late_one() {
    let (short, lines) = on_the_model(&[Frame::ShortRow(2, 300)], 15, 450);
    assert!(short.short && !short.stalled);
    judged(&lines).expect(&short);
    let (late, lines) = on_the_model(&[], 0, 150 * CYCLES_A_MS / 1000);
    assert!(late.stalled);
    // Which bytes are lost depends on a cycle; that some are, does not.
    assert!(judged(&lines).stalled);
}
