//! What is promised of phantoms: the same bytes everywhere, all usable pictures, ill lungs less
//! clear than healthy ones.

use super::*;
use edge_core::gate::{GateThresholds, QualityMetrics};
use edge_core::preprocess::{PixelStats, Scratch, preprocess};
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The picture as the network would see it at `side` x `side`.
fn input(picture: &Picture, side: u16) -> (Vec<u8>, PixelStats) {
    let n = usize::from(side);
    let (mut row, mut line, mut cells, mut out) = (vec![0; n], vec![0; n], vec![0; n * n], vec![0; n * n]);
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    let stats = preprocess(&picture.frame(), side, scratch, &mut out).unwrap();
    (out, stats)
}

/// Mean of the standardised 32 x 32 picture over the middle of the right and the left lung field.
fn lung_fields(picture: &Picture) -> [f32; 2] {
    let (cells, _) = input(picture, 32);
    [7..12, 21..26].map(|columns| {
        let field = (11..22).flat_map(|row| columns.clone().map(move |column| row * 32 + column));
        field.clone().map(|at| f32::from(cells[at])).sum::<f32>() / field.count() as f32
    })
}

/// Fails when any of the arithmetic depends on the machine, and when the drawing changes: then look
/// at the contact sheet that the program `phantoms` makes, set the new values here and make the
/// golden frames anew.
#[test]
fn the_same_bytes_on_every_machine() {
    let hashes = [
        (Label::Normal, 0, 224, "20e0dcc9d235d015934b49d46b87e85b64adf8337217f75404c8f2c0fc753f2a"),
        (Label::Pneumonia, 0, 224, "5dbaaacbaeb57950627dbe9cc0681c7a6f8d441a50b74053f7d3672ba5f08503"),
        (Label::Pneumonia, u64::MAX, 97, "d45472f79ddab87527ef53c4dccfef0f4e89ea96d30e75806fd12bb7c02af081"),
    ];
    let got = hashes.map(|(label, seed, side, _)| sha256(draw(label, seed, side).bytes()));
    assert_eq!(got.each_ref().map(String::as_str), hashes.map(|(.., hash)| hash));
}

#[test]
fn label_and_seed_both_matter() {
    let of = |label, seed| sha256(draw(label, seed, 64).bytes());
    assert_eq!(of(Label::Normal, 1), of(Label::Normal, 1));
    assert_ne!(of(Label::Normal, 1), of(Label::Normal, 2));
    assert_ne!(of(Label::Pneumonia, 1), of(Label::Pneumonia, 2));
    assert_ne!(of(Label::Normal, 1), of(Label::Pneumonia, 1));
}

#[test]
fn every_side_works() {
    for (side, expected) in [(0, 32), (32, 32), (33, 33), (150, 150), (1024, 1024)] {
        let picture = draw(Label::Pneumonia, 3, side);
        assert_eq!((picture.geometry().width(), picture.geometry().height()), (expected, expected));
        assert_eq!(picture.bytes().len(), usize::from(expected) * usize::from(expected));
    }
}

/// A larger picture is the same child with finer detail, not another one.
#[test]
fn the_side_does_not_change_the_child() {
    let [small, large] = [224, 560].map(|side| input(&draw(Label::Normal, 4, side), 56).0);
    let difference: u32 = small.iter().zip(&large).map(|(&a, &b)| u32::from(a.abs_diff(b))).sum();
    let mean = f64::from(difference) / small.len() as f64;
    assert!(mean < 3.0, "mean difference {mean:.2} of 255 between the sizes");
}

#[test]
fn the_gate_takes_all() {
    let limits: GateThresholds<&[i8]> = GateThresholds {
        min_mean: 12_000,
        max_mean: 50_000,
        min_deviation: 6_000,
        max_elongation_permille: 1_500,
        ..GateThresholds::open()
    };
    for seed in 0..40 {
        for label in [Label::Normal, Label::Pneumonia] {
            let picture = draw(label, seed, 128);
            let (input, stats) = input(&picture, 128);
            let figures = QualityMetrics::of(picture.geometry(), &stats, &input, &limits);
            assert_eq!(figures.judge(&limits), Ok(()), "{label:?} {seed}");
        }
    }
}

#[test]
fn ill_lungs_are_less_clear() {
    let mean = |label| {
        (0..32).map(|seed| lung_fields(&draw(label, seed, 96)).iter().sum::<f32>() / 2.0).sum::<f32>() / 32.0
    };
    let (clear, ill) = (mean(Label::Normal), mean(Label::Pneumonia));
    assert!(ill > clear + 12.0, "lung fields: {clear:.1} when clear, {ill:.1} when ill, of 255");
}

#[test]
fn a_lobe_is_on_its_side() {
    let excess = |pattern| {
        let fields = (0..16).map(|seed| lung_fields(&picture(96, develop(pattern, seed, 96))));
        fields.map(|[right, left]| right - left).sum::<f32>() / 16.0
    };
    let (right, clear, left) =
        (excess(Pattern::RightLobe), excess(Pattern::Clear), excess(Pattern::LeftLobe));
    assert!(
        right > clear + 8.0 && left < clear - 8.0,
        "right minus left: {right:.1}, {clear:.1} clear, {left:.1}"
    );
}
