//! Every kernel set of this build against the suite: one test a set and operator, found from
//! `kernels::ALL`, not listed here. A set that this machine cannot run shows as ignored.

use edge_core::kernels::suite::{self, Memory, OPERATORS};
use edge_core::kernels::{self, Kernels};
use libtest_mimic::{Arguments, Failed, Trial};

/// Cases of each operator; miri, which is some thousand times slower, gets a few.
const CASES: u64 = if cfg!(miri) { 3 } else { 600 };

fn main() {
    let mut trials = vec![
        Trial::test("a_planted_fault_is_found", a_planted_fault_is_found),
        Trial::test("sets_are_found_by_name", sets_are_found_by_name),
        Trial::test("weights_that_are_too_large_for_their_label_are_found", mislabelled_weights_are_found),
    ];
    for set in kernels::ALL {
        for operator in OPERATORS {
            let kernels = set.kernels();
            let trial = Trial::test(format!("{}::{operator}", set.name()), move || {
                let kernels = kernels.ok_or("this machine cannot run it")?;
                with_memory(|m| suite::run_operator(operator, &kernels, 0, CASES, m))
                    .map_err(|failure| Failed::from(failure.to_string()))
            });
            trials.push(match kernels {
                Some(_) => trial,
                None => trial.with_kind("this machine cannot run it").with_ignored_flag(true),
            });
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Runs `f` with memory in which every slice is an allocation of its own, so that an address
/// sanitizer sees its end.
fn with_memory<T>(f: impl FnOnce(&mut Memory) -> T) -> T {
    let bytes = || vec![0u8; Memory::VALUE].into_boxed_slice();
    let (mut x, mut y, mut expected, mut scratch) = (bytes(), bytes(), bytes(), bytes());
    let (mut onnx, mut packed) = (vec![0; Memory::WEIGHTS], vec![0; Memory::WEIGHTS]);
    let [mut b0, mut b1, mut b2] = [(); 3].map(|()| vec![0; Memory::CHANNELS]);
    let (mut multipliers, mut sums) = (vec![0.0; Memory::CHANNELS], vec![0; Memory::CHANNELS]);
    f(&mut Memory {
        x: &mut x,
        y: &mut y,
        expected: &mut expected,
        scratch: &mut scratch,
        onnx: &mut onnx,
        packed: &mut packed,
        biases: [&mut b0, &mut b1, &mut b2],
        multipliers: &mut multipliers,
        sums: &mut sums,
    })
}

/// The suite bites: an operator that is wrong in its outputs is found, under its name.
fn a_planted_fault_is_found() -> Result<(), Failed> {
    for operator in OPERATORS {
        let planted: Kernels = suite::planted(operator);
        let found = with_memory(|m| suite::run_operator(operator, &planted, 0, 20, m));
        if found.map_err(|failure| failure.operator) != Err(operator) {
            return Err(format!("a wrong {operator} was not found").into());
        }
    }
    Ok(())
}

/// The suite's weights reach the limits of 7 and of 8 bits, and the kernels go by the label: what
/// adds in 16 bits is wrong by a label that is, and nothing else is.
fn mislabelled_weights_are_found() -> Result<(), Failed> {
    for kernels in kernels::ALL.iter().filter_map(|set| set.kernels()) {
        with_memory(|m| suite::run_mislabelled(&kernels, 0, 20, m))
            .map_err(|operator| format!("{}: {operator}", kernels.name()))?;
    }
    Ok(())
}

fn sets_are_found_by_name() -> Result<(), Failed> {
    assert_eq!(kernels::ALL.last().map(|set| set.name()), Some("scalar"));
    assert_eq!(kernels::by_name("scalar").map(|k| k.name()), Some("scalar"));
    assert!(kernels::by_name("no such set").is_none());
    assert!(kernels::ALL.iter().any(|set| set.name() == kernels::best().name()));
    Ok(())
}
