//! The core engine allocates nothing after it was made; tract's runs are counted beside it, which
//! shows that the counter counts.

use allocation_counter::measure;
use edge_model::decode::decode;
use edge_model::engine::EngineKind;
use test_support::loaded::{classifier, engine, shipped, small};
use test_support::picture;

#[test]
fn core_allocates_nothing_from_picture_to_decision() {
    let model = shipped();
    let picture = decode(&picture::png(300, 200)).unwrap();
    let count = |kind: EngineKind| {
        let mut classifier = classifier(kind, &model);
        // The very first frame counts too: nothing is put off until it comes.
        let first = measure(|| assert!(classifier.classify(&picture.frame()).is_ok()));
        let later = measure(|| assert!(classifier.classify(&picture.frame()).is_ok()));
        (first.count_total, later.count_total)
    };
    assert_eq!(count(EngineKind::Core), (0, 0));
    let (first, later) = count(EngineKind::Tract);
    assert!(first > 0 && later > 0, "the counter sees tract's allocations");
    println!("allocations a frame: core 0, tract {later}");
}

#[test]
fn a_small_model_too() {
    let mut engine = engine(EngineKind::Core, &small(1));
    let input = [7; 32 * 32];
    assert_eq!(measure(|| assert!(engine.infer(&input).is_ok())).count_total, 0);
}
