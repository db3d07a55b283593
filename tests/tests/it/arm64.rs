//! The device's program on an emulated board: end to end, through every fault, and through sudden ends.
//!
//! Each file in `tests/arm64/faults` is one test. They need what `cargo xtask test arm64` builds, so they are marked as ignored.

use conformance::arm64::{Fault, ends, picture::FORMS, whole};
use rstest::{Context, rstest};
use std::fs;
use std::path::{Path, PathBuf};

/// How often the program is killed.
const KILLS: u32 = 100;
/// How often the power is cut.
const POWER_CUTS: u32 = 8;

/// The folder of what the board boots.
fn files() -> PathBuf {
    std::env::var_os("PNEUMOSCOPE_ARM64").expect("`cargo xtask test arm64` sets PNEUMOSCOPE_ARM64").into()
}

fn read(path: &Path) -> Fault {
    let fault = toml::from_str(&fs::read_to_string(path).unwrap());
    fault.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

// The two longest have the first names, so that both cores are busy to the end.

#[test]
#[ignore = "needs the emulated board: cargo xtask test arm64"]
fn after_100_kills_the_log_is_sound() {
    ends::kills(&files(), KILLS).unwrap();
}

#[test]
#[ignore = "needs the emulated board: cargo xtask test arm64"]
fn after_power_cuts_the_log_is_sound() {
    ends::power_cuts(&files(), POWER_CUTS).unwrap();
}

#[rstest]
#[ignore = "needs the emulated board: cargo xtask test arm64"]
fn end_to_end(#[values(0, 1, 2, 3, 4, 5)] form: usize) {
    whole::run(&files(), FORMS[form], 224).unwrap_or_else(|error| panic!("{}: {error:#}", FORMS[form]));
}

#[test]
fn every_form_of_picture_goes_end_to_end() {
    assert_eq!(FORMS.len(), 6, "the values of end_to_end");
}

#[rstest]
#[ignore = "needs the emulated board: cargo xtask test arm64"]
fn fault(#[files("arm64/faults/*.toml")] path: PathBuf) {
    let name = path.file_stem().unwrap().to_string_lossy().replace('-', "_");
    read(&path).run(&name, &files()).unwrap_or_else(|error| panic!("{error:#}"));
}

#[rstest]
fn fault_files_can_be_read(#[files("arm64/faults/*.toml")] path: PathBuf) {
    read(&path);
}

/// The suite bites: what must be found in these.
#[rstest]
#[case::no_fault_where_one_is_expected(
    r#"["start", "expect answer", "expect fault"]"#,
    "FAULT or INVALID was not shown"
)]
#[case::an_answer_that_breaks(
    r#"["start", "expect answer", "control signal 1", "wait 1000", "control signal 0", "wait 3000", "expect answer throughout"]"#,
    "the answer did not stay"
)]
#[case::no_passing_fault(r#"["start", "expect answer", "expect passing fault"]"#, "no FAULT was shown")]
#[case::a_line_of_the_log_lost(
    r#"["start", "expect answer", "stop", "lose line"]"#,
    "have changed or are gone"
)]
#[case::no_answer_where_one_is_expected(
    r#"["start", "unplug camera", "expect answer"]"#,
    "the answer was not shown"
)]
#[case::a_wrong_answer(r#"["lights negative", "start", "expect answer"]"#, "NEGATIVE was shown")]
#[case::a_line_of_the_log_changed(r#"["start", "expect answer", "stop", "spoil log"]"#, "does not verify")]
#[ignore = "needs the emulated board: cargo xtask test arm64"]
fn planted(#[context] context: Context, #[case] steps: &str, #[case] says: &str) {
    let fault: Fault = toml::from_str(&format!("about = \"planted\"\nsteps = {steps}")).unwrap();
    let name = format!("planted_{}", context.description.unwrap());
    let error = format!("{:#}", fault.run(&name, &files()).expect_err("a planted fault was not found"));
    assert!(error.contains(says), "expected `{says}` in: {error}");
}
