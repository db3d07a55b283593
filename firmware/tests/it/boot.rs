//! A whole start: records and slots of a flash, self-test, the model that runs, and what is shown
//! where none does.

use crate::signed::Recipe;
use crate::signed::flash::{Sim, regions};
use crate::simulated::camera::Camera;
use crate::simulated::world::World;
use crate::simulated::{Part, arena, parts, retained_ram};
use edge_core::kernels;
use firmware::boot::{Models, start_from_slots};
use firmware::device::Settings;
use firmware::slots::Slot;
use firmware::slots::write;
use std::rc::Rc;

/// Starts a device whose slot A holds `bundle`, lets it run for a while on a chest's pictures, and
/// says what happened.
fn run(bundle: Option<&[u8]>) -> Rc<World> {
    let mut flash = Sim::<4>::default();
    if let Some(bundle) = bundle {
        write(&mut flash, &regions(), Slot::A, bundle, &mut |_| ()).unwrap();
    }
    let [a, b] = flash.slots().map(|slot| crate::signed::aligned(&slot));
    let world = Rc::new(World::default());
    let parts = parts(Camera::new(&world, &["normal 4"]), Part(world.clone()));
    let models = Models {
        slots: [a, b],
        records: regions().records,
        key: &crate::signed::PUBLIC,
        kernels: kernels::best(),
    };
    let mut device =
        start_from_slots(parts, Settings::CONTINUOUS, retained_ram(), arena(), &mut flash, models);
    while !world.ended.get() && world.now_ms() < 3000 {
        device.poll();
    }
    world
}

#[test]
fn a_signed_model_runs_and_the_log_names_it() {
    let world = run(Some(&Recipe::of("1.2.0").sign()));
    let notes = world.notes.borrow();
    assert!(
        notes.iter().any(|note| note.contains("Model { slot: A") && note.contains("\"1.2.0\"")),
        "{notes:?}"
    );
    assert_eq!(world.answers.borrow().len(), 4, "each frame is judged");
}

#[test]
fn without_a_model_that_holds_the_device_shows_fault_and_says_why() {
    let mut damaged = Recipe::of("1.2.0").sign();
    damaged[600] ^= 1;
    let other = Recipe { secret: crate::signed::OTHER_SECRET, ..Recipe::of("1.2.0") }.sign();
    let wrong = Recipe { wrong_bits: 1, ..Recipe::of("1.2.0") }.sign();
    for (bundle, why) in
        [(None, "Empty"), (Some(damaged), "Checksum"), (Some(other), "Key"), (Some(wrong), "SelfTest")]
    {
        let world = run(bundle.as_deref());
        let notes = world.notes.borrow();
        assert!(
            notes.iter().any(|note| note.contains("Refused { slot: A") && note.contains(why)),
            "{why}: {notes:?}"
        );
        assert!(!world.noted("Model {"), "{notes:?}");
        assert_eq!(world.shown(), ["FAULT 41"], "{why}");
        assert!(world.answers.borrow().is_empty() && world.fed.get() > 0);
    }
}
