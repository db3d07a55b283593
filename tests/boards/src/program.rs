//! What runs on every target: the same arguments and files give the same lines, whatever the machine.
//!
//! Lines are `tensor NAME HASH` (the first 16 bytes of the SHA-256, as in `models/pneumonia/golden.json`) and others that name
//! themselves. `region INDEX NAME` says what a counted region is; the plugin knows only its index.

use core::fmt;

use edge_core::kernels::Set;
use edge_core::kernels::suite::{self, OPERATORS};
use edge_core::{Frame, Geometry, PixelFormat, Scratch, kernels, preprocess};
use sha2::{Digest, Sha256};

use crate::machine::{Error, Machine, Memory};
use crate::marker;

/// The modes and their arguments.
pub const USAGE: &str = "usage: boards known ROUNDS | unpaired | suite CASES | planted CASES | \
                         preprocess PICTURE WIDTH HEIGHT SIDE";

/// Runs the mode that the arguments name.
pub fn run(arguments: &[&str], machine: &mut impl Machine, memory: &mut Memory) -> Result<(), Error> {
    match *arguments {
        #[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
        ["known", rounds] => {
            marker::known(number(rounds)?);
            Ok(write!(machine, "region 0 outer\nregion 1 loop\nregion 2 empty\n")?)
        }
        // A mistake on purpose, to show that it is found.
        ["unpaired"] => {
            marker::stop();
            marker::start();
            Ok(writeln!(machine, "region 0 never ended")?)
        }
        ["suite", cases] => every_set(machine, &mut memory.suite.memory(), number(cases)?),
        ["planted", cases] => planted(machine, &mut memory.suite.memory(), number(cases)?),
        ["preprocess", picture, width, height, side] => {
            picture_in(machine, memory, picture, (number(width)?, number(height)?), number(side)?)
        }
        _ => Err(Error::Usage),
    }
}

fn number<T: core::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::Usage)
}

/// Runs the suite over every kernel set that this machine can run, and names them.
fn every_set(machine: &mut impl Machine, memory: &mut suite::Memory, cases: u64) -> Result<(), Error> {
    for kernels in kernels::ALL.iter().filter_map(Set::kernels) {
        match suite::run(&kernels, 0, cases, memory) {
            Ok(()) => writeln!(machine, "suite {} passed", kernels.name())?,
            Err(failure) => writeln!(machine, "suite {} failed: {failure}", kernels.name())?,
        }
    }
    Ok(())
}

/// The suite bites on this machine too: each operator that is made wrong is found.
fn planted(machine: &mut impl Machine, memory: &mut suite::Memory, cases: u64) -> Result<(), Error> {
    for operator in OPERATORS {
        match suite::run_operator(operator, &suite::planted(operator), 0, cases, memory) {
            Err(failure) => writeln!(machine, "found {}", failure.operator)?,
            Ok(()) => writeln!(machine, "missed {operator}")?,
        }
    }
    Ok(())
}

/// Preprocesses a grey picture of one byte a pixel, and says what the network would see and what the gate would.
fn picture_in(
    machine: &mut impl Machine,
    memory: &mut Memory,
    path: &str,
    (width, height): (u32, u32),
    side: u16,
) -> Result<(), Error> {
    let length = machine.read(path, 0, &mut memory.file)?;
    let geometry = Geometry::new(width, height, PixelFormat::Gray8).map_err(|_| Error::Length)?;
    let frame = Frame::packed(geometry, &memory.file[..length]).map_err(|_| Error::Length)?;
    let (mut row, mut line, mut cells) = ([0; SIDE], [0; SIDE], [0; SIDE * SIDE]);
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    let pixels = usize::from(side) * usize::from(side);
    let input = memory.arena.get_mut(..pixels).ok_or(Error::Length)?;
    marker::start();
    let stats = preprocess(&frame, side, scratch, input);
    marker::stop();
    let stats = stats.map_err(|_| Error::Stage("the preprocessing refuses the picture"))?;
    writeln!(machine, "tensor input {}", Hash(input))?;
    let exposure = [stats.mean, stats.deviation, stats.black_permille, stats.white_permille];
    writeln!(machine, "exposure {exposure:?}\nregion 0 preprocess")?;
    Ok(())
}

/// Largest side of the input that this program makes.
const SIDE: usize = 128;

/// The form in which tensors are compared.
struct Hash<'a>(&'a [u8]);

impl fmt::Display for Hash<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Sha256::digest(self.0);
        digest[..16].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}
