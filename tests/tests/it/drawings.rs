//! The drawings that programs bring along, against their generator.

use conformance::frames;
use edge_model::drawings::DRAWINGS;
use phantoms::{Label, draw};

#[test]
fn every_built_in_drawing_is_what_the_generator_draws() {
    for drawing in DRAWINGS {
        let phantom = frames::phantoms().into_iter().find(|(name, ..)| name == drawing.name);
        let (name, label, seed, side) = phantom.expect("a golden frame");
        let (again, kept) = (draw(label, seed, side), drawing.picture().expect("it is decoded"));
        assert!(
            again == kept && drawing.ill == (label == Label::Pneumonia),
            "edge-runtime/model/assets/{name}.png is stale; draw it again: cargo run -p phantoms -- DIR --count 1 \
             --seed {seed} --side {side}"
        );
        // The comparison bites: the next child is another.
        assert!(draw(label, seed + 1, side) != kept);
    }
}
