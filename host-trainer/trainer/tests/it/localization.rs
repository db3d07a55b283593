//! Where the network looked: engines that look at one part of a picture only, and what the two
//! checks say of them.

use crate::support::{FEATURES, SIDE, fake, options, phantoms};
use edge_model::engine::{Engine, EngineError, EngineKind};
use std::path::Path;
use trainer::evaluate::localization::Localization;
use trainer::evaluate::metrics::Estimate;
use trainer::evaluate::{EvaluationOptions, run, run_with};

/// A part of a picture: left, top, right, bottom, 0..1.
type Part = [f32; 4];
const TOP_RIGHT: Part = [0.875, 0.0, 1.0, 0.125];
const BOTTOM_LEFT: Part = [0.0, 0.875, 0.125, 1.0];
const MIDDLE: Part = [0.375, 0.375, 0.625, 0.625];

/// Judges by the mean grey of one part; its features say that it looked at another.
struct Looks {
    reads: Part,
    claims: Part,
    features: Vec<u8>,
}

/// Which of a square's places lie in the part.
fn inside(part: Part, side: usize) -> impl Iterator<Item = bool> {
    let at = move |place: usize| (place as f32 + 0.5) / side as f32;
    let [left, top, right, bottom] = part;
    (0..side * side)
        .map(move |i| (left..right).contains(&at(i % side)) && (top..bottom).contains(&at(i / side)))
}

impl Engine for Looks {
    fn name(&self) -> &'static str {
        "looks"
    }

    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
        let (side, channels) = FEATURES;
        self.features = inside(self.claims, side).flat_map(|is| vec![u8::from(is); channels]).collect();
        let seen: Vec<f32> = input
            .iter()
            .zip(inside(self.reads, SIDE.into()))
            .filter_map(|(&grey, is)| is.then_some(f32::from(grey)))
            .collect();
        Ok((seen.iter().sum::<f32>() / seen.len() as f32 - 128.0) / 20.0)
    }

    fn features(&self) -> Result<&[u8], EngineError> {
        Ok(&self.features)
    }
}

fn localization(reads: Part, claims: Part) -> Localization {
    let folder = tempfile::tempdir().unwrap();
    let make = || Ok(Box::new(Looks { reads, claims, features: Vec::new() }) as Box<dyn Engine>);
    let found = run_with(&fake(), None, &make, &phantoms(60), folder.path(), &options(48)).unwrap();
    println!("{}", found.localization.as_ref().unwrap());
    found.localization.unwrap()
}

/// Mean change of the score by a part, of both classes, without its sign.
fn moved(found: &Localization, part: &str) -> f64 {
    let of = |ill| found.covered(part, ill).unwrap().score_change.value.unwrap().abs();
    (of(true) + of(false)) / 2.0
}

#[test]
fn a_network_that_looks_at_one_corner_is_told_from_one_that_looks_at_the_chest() {
    for corner in [TOP_RIGHT, BOTTOM_LEFT] {
        let found = localization(corner, corner);
        assert_eq!((found.pictures, found.drawn_from, found.chest_area), (48, 60, 36.0 / 64.0));
        // The same in each resample: nothing tells how far it is from the truth.
        let nothing = Estimate { value: Some(0.0), low: None, high: None };
        assert_eq!(found.heat_in_chest, nothing);
        assert!(found.layout.as_ref().unwrap().difference.high.unwrap() < 0.0);
        assert!(found.place_in_words().contains("looks at the chest less"), "{}", found.place_in_words());
        // The map tells the truth: what it calls hot moves the score, what it calls cold does not.
        assert!(moved(&found, "hottest") > 0.2, "{found}");
        assert!(moved(&found, "hottest") > 5.0 * moved(&found, "coldest"), "{found}");
        assert!(moved(&found, "hottest") > 2.0 * moved(&found, "by lot"), "{found}");
        assert!(found.covered("hottest", true).unwrap().changed_states.value.unwrap() > 0.8, "{found}");
    }
    let found = localization(MIDDLE, MIDDLE);
    assert_eq!(found.heat_in_chest.value, Some(1.0));
    assert!(found.layout.as_ref().unwrap().difference.low.unwrap() > 0.0);
    assert!(found.place_in_words().contains("looks at the chest more"), "{}", found.place_in_words());
    assert!(found.to_string().contains(&found.covering_in_words()));
}

/// Planted: a map that shows another place than the one that the answer hangs on.
#[test]
fn a_map_that_does_not_tell_the_truth_is_noticed() {
    let found = localization(TOP_RIGHT, BOTTOM_LEFT);
    assert!(moved(&found, "hottest") < 0.1, "{found}");
    assert!(moved(&found, "by lot") > moved(&found, "hottest"), "{found}");
}

#[test]
fn every_engine_gives_the_same_figures() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/pneumonia/model.onnx");
    let with = |engine: EngineKind| {
        let folder = tempfile::tempdir().unwrap();
        let options = EvaluationOptions { engine, ..options(8) };
        run(&shipped, &phantoms(12), folder.path(), &options).unwrap().localization.unwrap()
    };
    let found = with(EngineKind::Core);
    assert_eq!(found.pictures, 8);
    assert_eq!(found, with(EngineKind::Tract));
}
