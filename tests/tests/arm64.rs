//! The device's program on an emulated board: end to end, through every fault, and through sudden
//! ends.
//!
//! Each file in `tests/arm64/faults` is one test. They need what `cargo xtask test arm64` builds,
//! so they are marked as ignored; that command, and `cargo xtask test`, run them.

use conformance::arm64::beside::{self, Planted, Way};
use conformance::arm64::{Fault, ends, page, picture::FORMS, whole};
use conformance::root;
use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const KILLS: u32 = 100;
const POWER_CUTS: u32 = 8;
const WAYS: [Way; 4] = [Way::Beside, Way::Killed, Way::Paused, Way::Flooded];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> anyhow::Result<Vec<Trial>> {
    let mut trials = Vec::new();
    // The longest first, so that both cores are busy to the end.
    trials.push(on_board("killed_at_random_moments".into(), |files| ends::kills(files, KILLS)));
    trials.push(on_board("power_cuts".into(), |files| ends::power_cuts(files, POWER_CUTS)));
    trials.push(on_board("beside_the_same_frames".into(), |files| beside::same_frames(files, &WAYS, None)));
    for form in FORMS {
        trials.push(on_board(format!("end_to_end_{}", form.to_lowercase()), move |files| {
            whole::run(files, form, 224)
        }));
    }
    trials
        .push(on_board("the_page_follows_the_lights".into(), |files| page::follows_the_lights(files, false)));
    for path in faults()? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_");
        trials.push(on_board(format!("fault_{name}"), move |files| read(&path)?.run(&name, files)));
    }
    for (name, steps, says) in PLANTED {
        let text = format!("about = \"planted\"\nsteps = {steps}");
        trials.push(on_board(format!("planted_{name}"), move |files| {
            let fault: Fault = toml::from_str(&text)?;
            bites(fault.run(name, files), says)
        }));
    }
    trials.push(on_board("planted_a_page_that_lags".into(), |files| {
        bites(page::follows_the_lights(files, true), "not on the page within 300 ms")
    }));
    trials.push(on_board("planted_another_frame_beside".into(), |files| {
        bites(beside::same_frames(files, &[Way::Beside], Some(Planted::OtherFilm)), "a line differs")
    }));
    trials.push(on_board("planted_a_neighbour_that_burns".into(), |files| {
        bites(beside::same_frames(files, &[Way::Burning], None), "longer than alone")
    }));
    trials.push(Trial::test("every_fault_file_is_read", || {
        let found = faults().map_err(failed)?;
        for path in &found {
            read(path).map_err(failed)?;
        }
        if found.is_empty() { Err("there are no faults in tests/arm64/faults".into()) } else { Ok(()) }
    }));
    Ok(trials)
}

/// The suite bites: what must be found in these.
const PLANTED: [(&str, &str, &str); 7] = [
    (
        "no_fault_where_one_is_expected",
        r#"["start", "expect answer", "expect fault"]"#,
        "FAULT or INVALID was not shown",
    ),
    (
        "an_answer_that_breaks",
        r#"["start", "expect answer", "control signal 1", "wait 1000", "control signal 0", "wait 3000", "expect answer throughout"]"#,
        "the answer did not stay",
    ),
    (
        "no_passing_fault",
        r#"["start", "expect answer", "wait 100", "expect passing fault"]"#,
        "no FAULT was shown",
    ),
    (
        "a_line_of_the_log_lost",
        r#"["start", "expect answer", "stop", "lose line"]"#,
        "have changed or are gone",
    ),
    (
        "no_answer_where_one_is_expected",
        r#"["start", "unplug camera", "expect answer"]"#,
        "the answer was not shown",
    ),
    ("a_wrong_answer", r#"["lights negative", "start", "expect answer"]"#, "NEGATIVE was shown"),
    ("a_line_of_the_log_changed", r#"["start", "expect answer", "stop", "spoil log"]"#, "does not verify"),
];

/// Something was planted, and this must have been said of it.
fn bites(found: anyhow::Result<()>, says: &str) -> anyhow::Result<()> {
    let error = match found {
        Ok(()) => anyhow::bail!("a planted fault was not found"),
        Err(error) => format!("{error:#}"),
    };
    anyhow::ensure!(error.contains(says), "expected `{says}` in: {error}");
    Ok(())
}

fn on_board(name: String, test: impl FnOnce(&Path) -> anyhow::Result<()> + Send + 'static) -> Trial {
    let run = move || {
        let files =
            std::env::var_os("PNEUMOSCOPE_ARM64").ok_or("`cargo xtask test arm64` sets PNEUMOSCOPE_ARM64")?;
        test(Path::new(&files)).map_err(failed)
    };
    Trial::test(name, run).with_ignored_flag(true)
}

fn failed(error: anyhow::Error) -> Failed {
    format!("{error:#}").into()
}

fn faults() -> anyhow::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root().join("tests/arm64/faults"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> anyhow::Result<Fault> {
    let text = fs::read_to_string(path)?;
    toml::from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}
