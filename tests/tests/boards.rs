//! Every emulated board against the golden vectors and the kernels' suite, on what `cargo xtask test` had it print.

use conformance::boards::{PICTURE, first_difference, picture};
use conformance::golden::{Golden, tensor_hash};
use edge_core::{Scratch, kernels::suite::OPERATORS, preprocess};
use std::path::PathBuf;

/// The machines, and the kernel sets that each must have run.
const BOARDS: [(&str, &[&str]); 3] = [
    ("cortex-a53", &["smlal", "scalar"]),
    ("cortex-a76", &["sdot", "smlal", "scalar"]),
    ("cortex-m4", &["dsp", "scalar"]),
];

/// What a machine printed.
fn answer(board: &str) -> String {
    let folder = std::env::var_os("PNEUMOSCOPE_BOARDS").expect("`cargo xtask test` sets PNEUMOSCOPE_BOARDS");
    let path = PathBuf::from(folder).join(format!("{board}.txt"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines that begin with `word`, without it.
fn lines<'a>(answer: &'a str, word: &str) -> Vec<&'a str> {
    answer.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).collect()
}

#[test]
#[ignore = "needs the emulators: `cargo xtask test` runs it"]
fn every_kernel_set_passes_the_suite_on_every_board() {
    for (board, sets) in BOARDS {
        let expected: Vec<String> = sets.iter().map(|set| format!("{set} passed")).collect();
        assert_eq!(lines(&answer(board), "suite"), expected, "{board}");
    }
}

#[test]
#[ignore = "needs the emulators: `cargo xtask test` runs it"]
fn a_planted_wrong_kernel_is_found_on_every_board() {
    for (board, _) in BOARDS {
        let answer = answer(board);
        assert_eq!(lines(&answer, "found"), OPERATORS, "{board}: {:?}", lines(&answer, "missed"));
    }
}

#[test]
#[ignore = "needs the emulators: `cargo xtask test` runs it"]
fn preprocessing_gives_identical_bytes_on_every_board() {
    let side = usize::from(PICTURE.1);
    let (mut row, mut line, mut cells) = (vec![0; side], vec![0; side], vec![0; side * side]);
    let mut input = vec![0; side * side];
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    let stats = preprocess(&picture().frame(), PICTURE.1, scratch, &mut input).expect("a drawn picture fits");
    let exposure = [stats.mean, stats.deviation, stats.black_permille, stats.white_permille];
    for (board, _) in BOARDS {
        let answer = answer(board);
        assert!(lines(&answer, "tensor").contains(&&*format!("input {}", tensor_hash(&input))), "{board}");
        assert_eq!(lines(&answer, "exposure"), [format!("{exposure:?}")], "{board}");
    }
}

#[test]
#[ignore = "needs the emulators: `cargo xtask test` runs it"]
fn every_kernel_set_gives_identical_tensors_and_logits_on_every_board() {
    let golden = Golden::shipped().expect("the golden vectors are committed");
    for (board, sets) in BOARDS {
        assert_eq!(first_difference(&answer(board), sets, &golden), None, "{board}");
    }
}

/// The comparison bites: a changed tensor, a changed logit, a missing frame, a missing set, a line too many.
#[test]
fn planted_differences_are_found() {
    let mut golden = Golden::shipped().expect("the golden vectors are committed");
    golden.frames.truncate(2);
    golden.tensors.truncate(2);
    let frame = |index: usize| {
        let entry = &golden.frames[index];
        let tensors = golden.tensors.iter().zip(&entry.tensors);
        let tensors: String = tensors.map(|(name, hash)| format!("tensor {name} {hash}\n")).collect();
        format!("frame {index}\n{tensors}logit {}\n", entry.logit_bits)
    };
    let all = format!("suite a passed\nkernels a\n{}{}", frame(0), frame(1));
    let found = |answer: &str| first_difference(answer, &["a"], &golden);
    assert_eq!(found(&all), None);
    let tensor = golden.frames[1].tensors[1].clone();
    let wrong = all.replace(&tensor, &tensor.replace(|c: char| c.is_ascii_digit(), "f"));
    assert!(found(&wrong).is_some_and(|text| text.contains("kernels a, frame 1: expected `tensor")));
    assert!(found(&all.replace(&golden.frames[0].logit_bits, "0")).is_some_and(|t| t.contains("logit")));
    assert!(found(&all.replace(&frame(1), "")).is_some_and(|text| text.contains("got None")));
    assert!(found(&format!("{all}kernels b\n")).is_some_and(|text| text.contains("after the last")));
    assert!(first_difference(&all, &["a", "b"], &golden).is_some_and(|text| text.contains("`kernels b`")));
}
