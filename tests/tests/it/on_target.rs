//! Every emulated board against the golden vectors and the kernels' suite, on what `cargo xtask
//! test` had it print.

use conformance::golden::{Golden, tensor_hash};
use conformance::on_target::{PICTURE, first_difference, picture};
use conformance::pictures;
use edge_core::kernels::{self, Kernels, suite::OPERATORS};
use edge_core::{Pipeline, Scratch, preprocess};
use edge_model::aligned::AlignedBytes;
use edge_model::classify::Classifier;
use edge_model::decode::Picture;
use edge_model::infer_core::CoreEngine;
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use std::path::PathBuf;

/// The machines, and the kernel sets that each must have run.
const BOARDS: [(&str, &[&str]); 5] = [
    ("cortex-a53", &["smlal", "scalar"]),
    ("cortex-a76", &["sdot", "smlal", "scalar"]),
    ("cortex-m4", &["dsp", "scalar"]),
    ("cortex-m7", &["dsp", "scalar"]),
    ("cortex-m33", &["dsp", "scalar"]),
];

fn answer(board: &str) -> String {
    let folder =
        std::env::var_os("PNEUMOSCOPE_ON_TARGET").expect("`cargo xtask test` sets PNEUMOSCOPE_ON_TARGET");
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
    for (board, sets) in BOARDS {
        let answer = answer(board);
        assert_eq!(lines(&answer, "found"), OPERATORS, "{board}: {:?}", lines(&answer, "missed"));
        let expected: Vec<String> = sets.iter().map(|set| format!("{set} passed")).collect();
        assert_eq!(lines(&answer, "label"), expected, "{board}");
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

/// What the host answers for each picture: by the program's own way, and by the pipeline in one
/// arena with the scalar kernels.
fn judged() -> Vec<String> {
    let model = ModelFile::load(conformance::shipped_model()).expect("the shipped model");
    let core = CoreEngine::load(&model, kernels::best()).expect("the shipped model fits the core engine");
    let mut classifier = Classifier::new(&model, core);
    let packed = pack(&model).expect("the shipped model can be packed");
    let mut arena = AlignedBytes::zeroed(packed.arena_bytes());
    let pipeline = Pipeline::new(packed, Kernels::SCALAR);
    let pictures = pictures::all().expect("pictures of allowed sizes");
    let line = |(index, picture): (usize, &Picture)| {
        let classified = classifier.classify(&picture.frame()).expect("an answer");
        let line = pictures::line(&classified.decision, &classified.figures);
        let geometry = picture.geometry();
        let mut incoming = pipeline.begin(geometry, arena.as_mut()).expect("the model's own arena");
        picture.frame().rows().for_each(|row| incoming.row(row).expect("a whole row"));
        let stats = incoming.finish().expect("all rows");
        let streamed = pipeline.judge(geometry, &stats, arena.as_mut(), &mut |_| ()).expect("an answer");
        assert_eq!(pictures::line(&streamed.decision, &streamed.figures), line, "picture {index}");
        format!("{index} {line}")
    };
    pictures.iter().enumerate().map(line).collect()
}

/// The pictures are worth judging: every state that one frame can have, every reason of the gate
/// that a whole picture can give.
#[test]
fn the_pictures_show_what_a_frame_can_be() {
    let judged = judged();
    for state in ["POSITIVE", "NEGATIVE", "REFER", "INVALID"] {
        assert!(judged.iter().any(|line| line.contains(state)), "no picture is {state}: {judged:#?}");
    }
    for reason in [1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 17, 18] {
        let code = reason.to_string();
        let has = |line: &String| line.split(' ').nth(2) == Some(code.as_str());
        assert!(judged.iter().any(has), "no picture has reason {reason}: {judged:#?}");
    }
}

#[test]
#[ignore = "needs the emulators: `cargo xtask test` runs it"]
fn every_picture_is_judged_alike_on_every_board() {
    let expected = judged();
    for (board, _) in BOARDS {
        assert_eq!(first_other_answer(&answer(board), &expected), None, "{board}");
    }
}

/// The first answer that is not the expected one, as text.
fn first_other_answer(answer: &str, expected: &[String]) -> Option<String> {
    let got = lines(answer, "judged");
    (0..got.len().max(expected.len())).find_map(|at| {
        let (got, expected) = (got.get(at).copied(), expected.get(at).map(String::as_str));
        (got != expected).then(|| format!("expected {expected:?}, got {got:?}"))
    })
}

/// The comparison of answers bites: another score, an answer missing, one too many.
#[test]
fn planted_other_answers_are_found() {
    let expected = ["0 POSITIVE 1 None 3e95e555".to_owned(), "1 INVALID 17 None none".to_owned()];
    let good = "suite a passed\njudged 0 POSITIVE 1 None 3e95e555\njudged 1 INVALID 17 None none\n";
    assert_eq!(first_other_answer(good, &expected), None);
    let found = |answer: &str| first_other_answer(answer, &expected).unwrap_or_default();
    assert!(found(&good.replace("e555", "e556")).contains("got Some(\"0 POSITIVE 1 None 3e95e556\")"));
    assert!(found(&good.replace("judged 1", "lost 1")).contains("got None"));
    assert!(found(&format!("{good}judged 2 FAULT\n")).contains("expected None"));
}

/// The comparison bites: a changed tensor, a changed logit, a missing frame, a missing set, a line
/// too many.
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
