//! Two slots on a flash that fails: whatever happens at whatever write or erase, the old model runs
//! or the new one.

use crate::signed::Recipe;
use crate::signed::boots::{Boot, boot, boot_with, golden, hang, inactive, update};
use crate::signed::flash::{Cut, SECTOR, SLOT, Sim, Tear, regions};
use crate::signed::verifier;
use firmware::bundle::{self, Bundle, BundleId, HEADER, Version};
use firmware::self_test::SelfTestError;
use firmware::slots::Slot;
use firmware::slots::{self, ImageState, Records, RecordsError, Refusal, WriteError};

fn model(version: &str) -> Vec<u8> {
    Recipe::of(version).sign()
}

/// A device whose model in slot A runs.
fn running<const WORD: usize>(bytes: &[u8]) -> Sim<WORD> {
    let mut flash = Sim::default();
    assert_eq!(update(&mut flash, bytes), Ok(Slot::A));
    assert_eq!(boot(&mut flash).id(), Some(bundle::id(bytes)));
    flash
}

/// A device whose model in slot A, 1.0.0, runs, and 1.1.0 lies in slot B; the flash and the two
/// models.
fn updated() -> (Sim<8>, Vec<u8>, Vec<u8>) {
    let (old, new) = (model("1.0.0"), model("1.1.0"));
    let mut flash = running(&old);
    assert_eq!(update(&mut flash, &new), Ok(Slot::B));
    (flash, old, new)
}

#[test]
fn a_new_model_takes_over_once_and_the_old_one_waits() {
    let (mut flash, _, new) = updated();
    let first = boot(&mut flash);
    assert_eq!(first.runs, Some(Ok((Slot::B, bundle::id(&new)))));
    assert_eq!(first.state.minimum_version, Version::parse("1.1.0").unwrap());
    assert_eq!((first.tried, first.taken), (vec![Slot::B], vec![Slot::B]), "the log says so");
    flash.power_on();
    let second = boot(&mut flash);
    assert_eq!(second.runs, first.runs);
    assert_eq!(second.why(Slot::A), Some("superseded"));
    assert_eq!((&second.tried, &second.taken), (&vec![], &vec![]), "but of a new one alone");
    assert_eq!(flash.operations, 0, "nothing to note, nothing is written");
    assert_eq!(inactive(&mut flash), Slot::A);
}

#[test]
fn models_of_one_version_do_not_take_turns_but_one_can_be_gone_back_to() {
    let (old, new) = (model("1.0.0"), Recipe { seed: 2, ..Recipe::of("1.0.0") }.sign());
    let mut flash = running::<8>(&old);
    update(&mut flash, &new).unwrap();
    for _ in 0..4 {
        assert_eq!(boot(&mut flash).id(), Some(bundle::id(&new)));
    }
    update(&mut flash, &old).unwrap();
    for _ in 0..4 {
        assert_eq!(boot(&mut flash).id(), Some(bundle::id(&old)));
    }
}

fn hang_unless(id: BundleId) -> impl FnMut(&Bundle) -> Result<(), SelfTestError> {
    move |bundle| if bundle.id == id { golden(bundle) } else { hang(bundle) }
}

#[test]
fn a_self_test_that_hangs_is_not_begun_again_while_another_model_runs() {
    let (mut flash, old, new) = updated();
    let (old_id, new_id) = (bundle::id(&old), bundle::id(&new));
    let mut hang_on_new = hang_unless(old_id);
    let hung = boot_with(&mut flash, &verifier(), &mut hang_on_new);
    assert_eq!((hung.runs, hung.tried, hung.taken), (None, vec![Slot::B], vec![]));
    for _ in 0..3 {
        let later = boot_with(&mut flash, &verifier(), &mut hang_on_new);
        assert_eq!(later.id(), Some(old_id));
        assert_eq!(later.why(Slot::B), Some("self-test-unfinished"));
    }
    // It was the power: flashed again it is tried again.
    assert_eq!(update(&mut flash, &new), Ok(Slot::B));
    assert_eq!(boot(&mut flash).id(), Some(new_id));
}

/// The only model of a device: that its first self-test was cut short must not leave the device
/// without one.
#[test]
fn where_nothing_else_runs_a_rejected_model_is_tried_again() {
    let only = model("1.0.0");
    let mut flash = Sim::<8>::default();
    update(&mut flash, &only).unwrap();
    assert_eq!(boot_with(&mut flash, &verifier(), &mut hang).runs, None);
    let later = boot(&mut flash);
    assert_eq!(later.id(), Some(bundle::id(&only)));
    assert_eq!(later.state.images, [None; 2]);
}

#[test]
fn of_two_models_on_a_new_device_the_one_that_does_not_hang_runs() {
    let (good, bad) = (model("1.0.0"), model("1.1.0"));
    let mut flash = Sim::<8>::default();
    slots::write(&mut flash, &regions(), Slot::A, &good, &mut |_| ()).unwrap();
    slots::write(&mut flash, &regions(), Slot::B, &bad, &mut |_| ()).unwrap();
    let mut hang_on_bad = hang_unless(bundle::id(&good));
    assert_eq!(boot_with(&mut flash, &verifier(), &mut hang_on_bad).runs, None);
    assert_eq!(inactive(&mut flash), Slot::B, "A runs from the next start on");
    for _ in 0..3 {
        let later = boot_with(&mut flash, &verifier(), &mut hang_on_bad);
        assert_eq!(later.id(), Some(bundle::id(&good)));
        assert_eq!(later.why(Slot::B), Some("self-test-unfinished"));
    }
}

/// A host may look before the first start, and its model must not replace what would run then.
#[test]
fn without_records_too_a_new_model_goes_where_none_will_run() {
    let on_a_new_device = |versions: [&str; 2]| {
        let mut flash = Sim::<8>::default();
        for (slot, (version, seed)) in Slot::ALL.into_iter().zip(versions.into_iter().zip(1..)) {
            let bytes = Recipe { seed, ..Recipe::of(version) }.sign();
            slots::write(&mut flash, &regions(), slot, &bytes, &mut |_| ()).unwrap();
        }
        flash
    };
    let check = |flash: &mut Sim<8>| {
        let free = inactive(flash);
        let (runs, _) = boot(flash).runs.unwrap().unwrap();
        assert_eq!((runs, inactive(flash)), (free.other(), free));
    };
    check(&mut on_a_new_device(["1.0.0", "1.1.0"]));
    check(&mut on_a_new_device(["1.1.0", "1.0.0"]));
    // Of two of one version the second takes over from the first, but not where both hung before.
    let mut flash = on_a_new_device(["1.1.0", "1.1.0"]);
    let mut hung = flash.clone();
    check(&mut flash);
    (0..2).for_each(|_| assert_eq!(boot_with(&mut hung, &verifier(), &mut hang).runs, None));
    check(&mut hung);
}

#[test]
fn a_model_fills_its_slot_at_most_and_each_step_is_told() {
    let mut flash = Sim::<32>::default();
    let (bytes, mut told) = (vec![7; SLOT], vec![]);
    slots::write(&mut flash, &regions(), Slot::A, &bytes, &mut |written| told.push(written)).unwrap();
    assert_eq!(flash.slots()[0], bytes);
    // The body, then the header.
    assert!(told.iter().copied().eq((1..=SLOT / HEADER).map(|chunk| chunk * HEADER)), "{told:?}");
    for got in [HEADER - 1, SLOT + 1] {
        let refused = slots::write(&mut flash, &regions(), Slot::A, &vec![8; got], &mut |_| ());
        assert_eq!(refused, Err(WriteError::Size { got, slot: SLOT }));
        assert_eq!(flash.slots()[0], bytes, "nothing is erased");
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(&format!("of 256 to {SLOT} bytes, got {got}; take another")), "{said}");
    }
    flash.worn_out = true;
    let refused = slots::write(&mut flash, &regions(), Slot::A, &bytes, &mut |_| ()).unwrap_err();
    assert!(refused.to_string().contains("the slot cannot be written"), "{refused}");
}

#[test]
fn records_that_cannot_be_written_leave_the_old_model_running() {
    let (mut flash, old, new) = updated();
    flash.worn_out = true;
    for _ in 0..2 {
        let Boot { runs, refused, .. } = boot(&mut flash);
        assert_eq!(runs, Some(Ok((Slot::A, bundle::id(&old)))));
        assert!(matches!(refused[..], [(Slot::B, Refusal::Records(RecordsError::Flash(_)))]), "{refused:?}");
    }
    flash.worn_out = false;
    assert_eq!(boot(&mut flash).id(), Some(bundle::id(&new)));

    // On a new device a model without a record is better than none.
    let mut flash = Sim::<8>::default();
    update(&mut flash, &old).unwrap();
    flash.worn_out = true;
    let first = boot(&mut flash);
    assert_eq!(first.id(), Some(bundle::id(&old)));
    assert!(!first.failed.is_empty());
}

#[test]
fn without_records_the_greatest_version_runs_and_is_the_floor_again() {
    let (mut flash, _, new) = updated();
    assert_eq!(boot(&mut flash).id(), Some(bundle::id(&new)));
    for noise in [0x00, 0x5A, 0xFF] {
        flash.poke(regions().records).fill(noise);
        let later = boot(&mut flash);
        assert_eq!(later.id(), Some(bundle::id(&new)), "{noise:#x}");
        assert_eq!((later.tried.as_slice(), later.why(Slot::A)), (&[Slot::B][..], Some("older")));
        assert_eq!(later.state.minimum_version, Version::parse("1.1.0").unwrap());
        assert_eq!(boot(&mut flash).id(), Some(bundle::id(&new)));
    }
}

/// Any content of the records is read as a state, and a model runs.
#[test]
fn any_records_leave_a_device_that_runs() {
    let (mut flash, old, new) = updated();
    boot(&mut flash);
    let mut rng = 1;
    for _ in 0..300 {
        let mut other = flash.clone();
        for byte in other.poke(regions().records).iter_mut() {
            if crate::signed::random(&mut rng).is_multiple_of(40) {
                *byte = crate::signed::random(&mut rng) as u8;
            }
        }
        let first = boot(&mut other);
        assert!([&old, &new].map(|bytes| Some(bundle::id(bytes))).contains(&first.id()), "{first:?}");
        assert_eq!(boot(&mut other).runs, first.runs);
    }
}

/// One update on a device, the power of which fails at each of its flash operations in turn.
#[derive(Default)]
struct Sweep {
    fill: usize,
    corrects_errors: bool,
    erases_wrong_sector: bool,
    /// The new model was tried before and hung: its verdict is forgotten first.
    hung_before: bool,
    /// Planted: the model is written over the one that runs.
    over_the_active: bool,
}

impl Sweep {
    fn before<const WORD: usize>(&self, [old, new]: [&[u8]; 2]) -> Sim<WORD> {
        let mut flash = running::<WORD>(old);
        if self.hung_before {
            update(&mut flash, new).unwrap();
            assert_eq!(boot_with(&mut flash, &verifier(), &mut hang_unless(bundle::id(old))).runs, None);
        }
        let mut records = Records::open(&mut flash, regions().records);
        let state = *records.state();
        (0..self.fill).for_each(|_| records.save(state).unwrap());
        flash.corrects_errors = self.corrects_errors;
        flash.erases_wrong_sector = self.erases_wrong_sector;
        flash.power_on();
        flash
    }

    /// Writes the new model and starts, as far as the power lasts.
    fn update<const WORD: usize>(&self, flash: &mut Sim<WORD>, new: &[u8]) {
        let slot = if self.over_the_active { inactive(flash).other() } else { inactive(flash) };
        if slots::write(flash, &regions(), slot, new, &mut |_| ()).is_ok() {
            boot(flash);
        }
    }

    /// How many points of failure were tried, or the first at which something was not as it must
    /// be.
    fn run<const WORD: usize>(&self) -> Result<usize, String> {
        let (old, new) = (model("1.0.0"), model("1.1.0"));
        let before = self.before::<WORD>([&old, &new]);
        let mut whole = before.clone();
        self.update(&mut whole, &new);
        let mut points = 0;
        for at in 0..whole.operations {
            for (tear, seed) in [(Tear::Nothing, 0), (Tear::Prefix, 1), (Tear::Bits, 2), (Tear::Bits, 3)] {
                let mut flash = before.clone();
                flash.cut = Some(Cut { at, tear, seed: seed + 10 * at as u64 });
                self.update(&mut flash, &new);
                // And once more, at each operation of the next start.
                let mut next = flash.clone();
                next.power_on();
                boot(&mut next);
                for again in (0..next.operations).map(Some).chain([None]) {
                    let mut flash = flash.clone();
                    flash.power_on();
                    flash.cut = again.map(|at| Cut { at, tear, seed });
                    boot(&mut flash);
                    check_after(&mut flash, [&old, &new]).map_err(|what| {
                        let Self { fill, .. } = self;
                        format!(
                            "words of {WORD}, {fill} records, operation {at}, {tear:?}, then {again:?}: {what}"
                        )
                    })?;
                    points += 1;
                }
            }
        }
        Ok(points)
    }
}

fn check_after<const WORD: usize>(flash: &mut Sim<WORD>, [old, new]: [&[u8]; 2]) -> Result<(), String> {
    let [old_id, new_id]: [BundleId; 2] = [bundle::id(old), bundle::id(new)];
    let must = |holds: bool, what: &str, boot: &Boot| {
        if holds { Ok(()) } else { Err(format!("{what}: {boot:?}")) }
    };
    flash.power_on();
    let state = *Records::open(flash, regions().records).state();
    if state.active.is_none() || state.minimum_version < Version::parse("1.0.0").unwrap() {
        return Err(format!("the records are lost: {state:?}"));
    }
    let first = boot(flash);
    must(first.id() == Some(old_id) || first.id() == Some(new_id), "neither model runs", &first)?;
    let runs = first.runs.and_then(Result::ok).map(|(slot, _)| slot);
    must(first.state.active == runs, "the records do not say what runs", &first)?;
    flash.power_on();
    let second = boot(flash);
    must(second.runs == first.runs, "the next start runs another model", &second)?;
    must(flash.operations == 0, "a start that changes nothing writes", &second)?;

    update(flash, new).map_err(|error| format!("the update cannot be tried again: {error}"))?;
    let third = boot(flash);
    must(third.id() == Some(new_id), "the update does not succeed when tried again", &third)?;
    let slot = update(flash, &model("1.0.1")).map_err(|error| error.to_string())?;
    let fourth = boot(flash);
    must(fourth.id() == Some(new_id), "a downgrade is taken", &fourth)?;
    must(fourth.why(slot) == Some("older"), "a downgrade is refused for another reason", &fourth)?;
    must(flash.written_twice == 0, "a word is written twice", &fourth)
}

/// Records that fill a sector up to `left` places, where a running device has left two.
fn fill<const WORD: usize>(left: usize) -> usize {
    SECTOR / WORD.max(32) - 2 - left
}

#[test]
fn power_may_fail_at_every_write_and_erase_of_an_update() {
    let mut points = 0;
    for left in 0..4 {
        let sweep = |fill| Sweep { fill, ..Sweep::default() };
        points += sweep(fill::<4>(left)).run::<4>().unwrap();
        points += sweep(fill::<8>(left)).run::<8>().unwrap();
        points += sweep(fill::<32>(left)).run::<32>().unwrap();
        points += sweep(fill::<256>(left)).run::<256>().unwrap();
        let corrects_errors = Sweep { corrects_errors: true, ..sweep(fill::<32>(left)) };
        points += corrects_errors.run::<32>().unwrap();
        points += Sweep { hung_before: true, ..sweep(fill::<8>(left + 1)) }.run::<8>().unwrap();
    }
    println!("{points} points of failure");
    assert!(points >= 200, "only {points} points of failure");
}

#[test]
fn a_planted_erase_of_the_wrong_sector_is_seen() {
    let planted = Sweep { fill: fill::<32>(1), erases_wrong_sector: true, ..Sweep::default() };
    let seen = planted.run::<32>();
    assert!(seen.as_ref().is_err_and(|what| what.contains("records are lost")), "{seen:?}");
}

#[test]
fn a_planted_update_over_the_running_model_is_seen() {
    let seen = Sweep { over_the_active: true, ..Sweep::default() }.run::<32>();
    assert!(seen.as_ref().is_err_and(|what| what.contains("neither model runs")), "{seen:?}");
}

#[test]
fn a_verdict_is_of_one_model_in_one_slot() {
    let mut flash = running::<8>(&model("1.0.0"));
    let bad = Recipe { wrong_bits: 1, ..Recipe::of("1.1.0") }.sign();
    update(&mut flash, &bad).unwrap();
    let first = boot(&mut flash);
    assert!(matches!(first.refused[..], [(Slot::B, Refusal::SelfTest(_))]), "{first:?}");
    let state = first.state;
    assert_eq!(state.image_state(Slot::B, &bundle::id(&bad)), Some(ImageState::RejectedLogit));
    assert_eq!(state.image_state(Slot::A, &bundle::id(&bad)), None);
    let second = boot(&mut flash);
    assert!(
        matches!(second.refused[..], [(Slot::B, Refusal::Before(ImageState::RejectedLogit))]),
        "{second:?}"
    );
    // The same model with the right logit is another bundle, however it gets there.
    let good = model("1.1.0");
    let [_, place] = regions().slots;
    flash.poke(place)[..good.len()].copy_from_slice(&good);
    assert_eq!(boot(&mut flash).id(), Some(bundle::id(&good)));
}
