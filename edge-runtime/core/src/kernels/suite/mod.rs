//! One suite for every kernel set and every machine: each operator on random shapes, strides,
//! channel counts that fit no block and extreme values, against a plain computation in ONNX's own
//! terms.
//!
//! It runs in memory that the caller gives, so that it runs on a microcontroller as well. Inputs,
//! weights and scratch memory end where the caller's memory ends, so that an address sanitizer, or a
//! page that nobody may touch, finds whoever reads on.

mod cases;
mod memory;
mod reference;
mod rng;

pub use memory::Memory;

use super::Kernels;
use super::call::{AddCall, PointwiseCall, RowCall, SumsCall};
use cases::Subject;
use core::fmt;
use rng::Rng;

/// The operators, in the order in which they are tested.
pub const OPERATORS: [&str; 6] = ["pointwise", "single_channel", "convolution", "depthwise", "add", "pool"];

/// A kernel that gave another byte than the plain computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Which operator, one of [`OPERATORS`].
    pub operator: &'static str,
    /// The case's number: the same number gives the same case.
    pub case: u64,
    /// Where in the output.
    pub at: usize,
    /// The byte, or the sum, of the plain computation.
    pub expected: i64,
    /// That of the kernel.
    pub got: i64,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operator, case, at, expected, got } = self;
        write!(f, "{operator}, case {case}: expected {expected} at {at}, got {got}")
    }
}

/// Runs cases `first_case..first_case + cases` of every operator.
///
/// # Errors
/// The first difference; at -1 stands for a refused call.
pub fn run(kernels: &Kernels, first_case: u64, cases: u64, memory: &mut Memory) -> Result<(), Failure> {
    OPERATORS.iter().try_for_each(|operator| run_operator(operator, kernels, first_case, cases, memory))
}

/// Runs every operator with all weights said to have 7 bits, the limits of 8 among them: a planted
/// fault. Kernels that add products in 16 bits must be found wrong, and no others.
///
/// # Errors
/// The first operator of which that does not hold: its kernel does not go by the label, or does and
/// should not.
pub fn run_mislabelled(
    kernels: &Kernels,
    first_case: u64,
    cases: u64,
    memory: &mut Memory,
) -> Result<(), &'static str> {
    let subject = Subject { kernels: *kernels, mislabelled: true };
    OPERATORS.iter().try_for_each(|operator| {
        let wrong = run_subject(operator, &subject, first_case, cases, memory).is_err();
        if wrong == adds_in_16_bits(kernels.name, operator) { Ok(()) } else { Err(*operator) }
    })
}

/// Whether a set adds an operator's products in 16 bits where weights have 7.
fn adds_in_16_bits(set: &str, operator: &str) -> bool {
    match set {
        "avx2" | "smlal" => ["pointwise", "single_channel", "convolution", "depthwise"].contains(&operator),
        _ => false,
    }
}

/// Runs cases of one of [`OPERATORS`].
pub fn run_operator(
    operator: &'static str,
    kernels: &Kernels,
    first_case: u64,
    cases: u64,
    memory: &mut Memory,
) -> Result<(), Failure> {
    let subject = Subject { kernels: *kernels, mislabelled: false };
    run_subject(operator, &subject, first_case, cases, memory)
}

fn run_subject(
    operator: &'static str,
    subject: &Subject,
    first_case: u64,
    cases: u64,
    memory: &mut Memory,
) -> Result<(), Failure> {
    for case in first_case..first_case.saturating_add(cases) {
        let mut rng = Rng::new(case);
        let outcome = match operator {
            "pointwise" => cases::pointwise(subject, &mut rng, memory),
            "single_channel" => cases::single_channel(subject, &mut rng, memory),
            "convolution" => cases::convolution(subject, &mut rng, memory),
            "depthwise" => cases::depthwise(subject, &mut rng, memory),
            "add" => cases::add(subject, &mut rng, memory),
            _ => cases::pool(subject, &mut rng, memory),
        };
        outcome.map_err(|(at, expected, got)| Failure { operator, case, at, expected, got })?;
    }
    Ok(())
}

/// The scalar kernels with one operator that is wrong in its last output alone: the suite must find
/// it.
pub fn planted(operator: &str) -> Kernels {
    fn flip(y: &mut [u8]) {
        if let Some(last) = y.last_mut() {
            *last ^= 1;
        }
    }
    fn pointwise(mut call: PointwiseCall) {
        flip(call.slices().1);
    }
    fn single_channel(mut call: RowCall) {
        flip(call.slices().1);
    }
    fn depthwise(mut call: RowCall) {
        flip(call.slices().1);
    }
    fn add(mut call: AddCall) {
        flip(call.slices().1);
    }
    fn sums(mut call: SumsCall) {
        if let Some(last) = call.slices().1.last_mut() {
            *last ^= 1;
        }
    }
    let mut kernels = Kernels { name: "planted", ..Kernels::SCALAR };
    match operator {
        "pointwise" | "convolution" => kernels.pointwise = pointwise,
        "single_channel" => kernels.single_channel = single_channel,
        "depthwise" => kernels.depthwise = depthwise,
        "add" => kernels.add = add,
        _ => kernels.sums = sums,
    }
    kernels
}
