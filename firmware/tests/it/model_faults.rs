//! Models that must not run: one file a fault, found in `tests/faults/models`.
//!
//! In each, version 1.0.0 runs in slot A and a candidate lies in slot B. The file says what the
//! candidate is, how it and the old one are damaged, and then what runs and why the others do not,
//! at the next start and at the one after it.

use crate::signed::boots::{Boot, boot, boot_with, golden, hang, update};
use crate::signed::flash::{Sim, regions};
use crate::signed::{ARENA, OTHER_SECRET, PUBLIC, Recipe, SECRET, seal};
use firmware::bundle::{self, Bundle, BundleVerifier};
use firmware::self_test::SelfTestError;
use firmware::slots::Slot;
use serde::Deserialize;

type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    /// In words; nobody reads it but people.
    #[serde(rename = "about")]
    _about: String,
    #[serde(default = "Recipe::newer")]
    candidate: Recipe,
    /// What is done to the candidate, and to the old model, once they lie there.
    #[serde(default)]
    damage: Vec<String>,
    #[serde(default)]
    old_damage: Vec<String>,
    #[serde(default)]
    records: Records,
    #[serde(default)]
    self_test: SelfTest,
    #[serde(default)]
    arena: Arena,
    #[serde(default)]
    runs: Runs,
    /// Why the candidate does not run, and why the old one does not.
    refused: Option<String>,
    old_refused: Option<String>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Records {
    #[default]
    Kept,
    Lost,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum SelfTest {
    #[default]
    Golden,
    Hangs,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
enum Arena {
    #[default]
    #[serde(rename = "large")]
    Large,
    #[serde(rename = "of the old model")]
    OfTheOldModel,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Runs {
    #[default]
    Old,
    New,
    None,
}

fn damage(slot: &mut [u8], length: usize, how: &str) -> Result<(), Failure> {
    let bytes = slot.get_mut(..length).ok_or("larger than a slot")?;
    let words: Vec<_> = how.split(' ').collect();
    match words[..] {
        ["keep", count] => bytes.get_mut(count.parse()?..).ok_or("keeps too much")?.fill(0xFF),
        ["flip", at, bits] => {
            let at: isize = at.parse()?;
            let at = if at < 0 { bytes.len().wrapping_add_signed(at) } else { at.unsigned_abs() };
            let bits = u8::from_str_radix(bits.trim_start_matches("0x"), 16)?;
            *bytes.get_mut(at).ok_or("flips nothing")? ^= bits;
        }
        ["unsign"] => bytes[192..256].fill(0),
        ["seal"] => seal(bytes, &SECRET),
        ["seal", "with", "the", "other", "key"] => seal(bytes, &OTHER_SECRET),
        _ => return Err(format!("unknown damage {how:?}").into()),
    }
    Ok(())
}

type Test = dyn FnMut(&Bundle) -> Result<(), SelfTestError>;

/// Plays a fault with the given self-test and compares what comes of it.
fn play(fault: &Fault, test: &mut Test) -> Result<(), Failure> {
    let old = Recipe::of("1.0.0").sign();
    let new = fault.candidate.sign();

    let mut flash = Sim::<8>::default();
    update(&mut flash, &old)?;
    if boot(&mut flash).runs != Some(Ok((Slot::A, bundle::id(&old)))) {
        return Err("the old model does not run to begin with".into());
    }
    update(&mut flash, &new)?;
    let [a, b] = regions().slots;
    for (place, length, how) in [(a, old.len(), &fault.old_damage), (b, new.len(), &fault.damage)] {
        let bytes = flash.poke(place);
        how.iter().try_for_each(|how| damage(bytes, length, how))?;
    }
    if fault.records == Records::Lost {
        flash.poke(regions().records).fill(0x5A);
    }
    let of_the_old = Bundle::open(&old, &BundleVerifier { key: &PUBLIC, arena_bytes: ARENA })
        .map(|bundle| bundle.model.arena_bytes())?;
    let arena = if fault.arena == Arena::Large { ARENA } else { of_the_old };
    let verifier = BundleVerifier { key: &PUBLIC, arena_bytes: arena };

    let first = boot_with(&mut flash, &verifier, test);
    let second = boot_with(&mut flash, &verifier, test);
    let hung = fault.self_test == SelfTest::Hangs;
    if hung != first.runs.is_none() {
        return Err(format!("the first start: {first:?}").into());
    }
    let starts: &[_] = if hung { &[second] } else { &[first, second] };
    starts.iter().try_for_each(|start| compare(fault, start, [&old, &new]))
}

fn compare(fault: &Fault, start: &Boot, [old, new]: [&[u8]; 2]) -> Result<(), Failure> {
    let expected = match fault.runs {
        Runs::Old => Some(bundle::id(old)),
        Runs::New => Some(bundle::id(new)),
        Runs::None => None,
    };
    if start.id() != expected {
        return Err(format!("expected {:?} to run: {start:?}", fault.runs).into());
    }
    // What ran until another took over says so at the starts after it; that is no fault.
    let old_refused = start.why(Slot::A).filter(|why| *why != "superseded");
    let (got, expected) =
        ([start.why(Slot::B), old_refused], [fault.refused.as_deref(), fault.old_refused.as_deref()]);
    if got != expected {
        return Err(format!("expected refusals {expected:?}, got {got:?}: {start:?}").into());
    }
    Ok(())
}

fn self_test(fault: &Fault) -> Box<Test> {
    let hangs = fault.self_test == SelfTest::Hangs;
    let old = bundle::id(&Recipe::of("1.0.0").sign());
    Box::new(move |bundle| if hangs && bundle.id != old { hang(bundle) } else { golden(bundle) })
}

#[test]
fn every_fault_of_the_folder_ends_as_its_file_says() {
    let faults = crate::faults::<Fault>("models");
    assert!(faults.len() >= 20, "{:?}", faults.keys());
    let played = faults.iter().map(|(name, fault)| (name, play(fault, &mut self_test(fault))));
    let failures: Vec<_> =
        played.filter_map(|(name, played)| Some(format!("{name}: {}", played.err()?))).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_device_that_takes_a_model_without_testing_it_is_found() {
    let fault = crate::faults("models").remove("self-test-fails.toml").unwrap();
    let error = play(&fault, &mut |_| Ok(())).unwrap_err().to_string();
    assert!(error.starts_with("expected Old to run"), "{error}");
}

#[test]
fn a_refusal_for_another_reason_than_the_file_says_is_found() {
    let mut fault: Fault = crate::faults("models").remove("signed-with-another-key.toml").unwrap();
    fault.refused = Some("no such reason".into());
    let error = play(&fault, &mut self_test(&fault)).unwrap_err().to_string();
    assert!(error.starts_with("expected refusals [Some(\"no such reason\")"), "{error}");
}
