//! What a target gives the program, and why the program may fail.

use core::fmt;

use edge_core::infer::InferError;
use edge_core::kernels::suite;
use edge_core::packed::PackedError;
use edge_core::preprocess::{MAX_OUTPUT_SIDE, PreprocessError};

/// Bytes of the largest file: a golden picture or a packed model.
pub const FILE: usize = 512 * 1024;
/// Bytes of the largest input that a network may have.
pub const FRAME: usize = MAX_OUTPUT_SIDE as usize * MAX_OUTPUT_SIDE as usize;
/// Bytes that the stages may work in, by the design's bound.
pub const ARENA: usize = 192 * 1024;

/// A target: files come in, lines go out.
pub trait Machine: fmt::Write {
    /// Reads `into.len()` bytes of a file from `offset` on, or what is left of it; says how many.
    fn read(&mut self, path: &str, offset: usize, into: &mut [u8]) -> Result<usize, Error>;

    /// Memory behind whose end nothing can be read; none where the machine has no pages.
    fn guarded(&mut self, _length: usize) -> Option<&'static mut [u8]> {
        None
    }
}

/// The memory that the program works in; nothing is allocated.
#[repr(align(64))]
pub struct Memory {
    /// A packed model, or a picture. First, so that it lies at an address that a packed model must
    /// have.
    pub file: [u8; FILE],
    pub frame: [u8; FRAME],
    pub arena: [u8; ARENA],
    pub suite: Suite,
}

pub struct Suite {
    values: [[u8; suite::Memory::VALUE]; 4],
    weights: [[i8; suite::Memory::WEIGHTS]; 2],
    biases: [[i32; suite::Memory::CHANNELS]; 3],
    multipliers: [f32; suite::Memory::CHANNELS],
    sums: [u32; suite::Memory::CHANNELS],
}

impl Memory {
    pub const fn new() -> Self {
        let suite = Suite {
            values: [[0; suite::Memory::VALUE]; 4],
            weights: [[0; suite::Memory::WEIGHTS]; 2],
            biases: [[0; suite::Memory::CHANNELS]; 3],
            multipliers: [0.0; suite::Memory::CHANNELS],
            sums: [0; suite::Memory::CHANNELS],
        };
        Self { file: [0; FILE], frame: [0; FRAME], arena: [0; ARENA], suite }
    }
}

impl Suite {
    pub fn memory(&mut self) -> suite::Memory<'_> {
        let [x, y, expected, scratch] = &mut self.values;
        let [onnx, packed] = &mut self.weights;
        let [b0, b1, b2] = &mut self.biases;
        suite::Memory {
            x,
            y,
            expected,
            scratch,
            onnx,
            packed,
            biases: [b0, b1, b2],
            multipliers: &mut self.multipliers,
            sums: &mut self.sums,
        }
    }
}

#[derive(Debug)]
pub enum Error {
    Usage,
    Read,
    /// A file is larger than the memory for it, or shorter than what it should hold.
    Length,
    /// This machine cannot run kernels of that name, or there are none.
    Kernels,
    Model(PackedError),
    Infer(InferError),
    Preprocess(PreprocessError),
    Write,
}

impl From<fmt::Error> for Error {
    fn from(_: fmt::Error) -> Self {
        Error::Write
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage => write!(out, "{}", crate::program::USAGE),
            Error::Read => write!(out, "the file cannot be read"),
            Error::Length => write!(out, "the file is too large for this machine, or cut short"),
            Error::Kernels => write!(out, "this machine cannot run kernels of that name, or there are none"),
            Error::Model(error) => error.fmt(out),
            Error::Infer(error) => error.fmt(out),
            Error::Preprocess(error) => error.fmt(out),
            Error::Write => write!(out, "standard output cannot be written"),
        }
    }
}
