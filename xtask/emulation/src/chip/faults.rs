//! The emulated chips against their faults: one file a fault in `firmware/boards/qemu/faults`,
//! found by listing the folder.
//!
//! Each says what happens to the board (`script`, in the words of the board's own, where `normal`,
//! `pneumonia` and `noise` are drawn pictures), and what must be shown (`shows`, states with their
//! reasons' codes, over all starts). The lamps are held to it from outside, millisecond by
//! millisecond.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use super::inputs::{Inputs, inputs};
use super::lamps::boots;
use super::script;
use super::{CHIPS, Chip, Line, Run};
use toolbox::root;

const FOLDER: &str = "firmware/boards/qemu/faults";
const POWER_CUT: i32 = 5;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    about: String,
    script: Vec<String>,
    /// What happens after the script has cut the power.
    again: Option<Vec<String>>,
    /// What is done to slot A before the start: `flip BYTE`, `zero BYTE COUNT`, `erase`.
    #[serde(default)]
    flash: Vec<String>,
    /// States and codes of their reasons in the order in which they are shown.
    shows: Vec<String>,
    /// Texts that stand in the log in this order.
    #[serde(default)]
    log: Vec<String>,
    /// Lines of the log that are lost.
    #[serde(default)]
    lost: u64,
    /// Every chip meets it, because the processor has a part in it.
    #[serde(default)]
    everywhere: bool,
    /// Each start but the last ends in a hang.
    #[serde(default)]
    hangs: bool,
    /// A lamp whose line is broken: it cannot be held to what is shown.
    broken: Option<String>,
}

/// Runs one fault on one chip; an error says what was not as it must be.
fn meet(chip: &Chip, inputs: &Inputs, fault: &Fault) -> anyhow::Result<()> {
    let mut flash = chip.flash(&inputs.bundle)?;
    let slot = (chip.board.flash.slot_a.start - chip.board.flash.records.start) as usize;
    for damage in &fault.flash {
        match damage.split(' ').collect::<Vec<_>>()[..] {
            ["flip", at] => flash[slot + at.parse::<usize>()?] ^= 1,
            ["zero", at, count] => {
                let at = slot + at.parse::<usize>()?;
                flash[at..at + count.parse::<usize>()?].fill(0);
            }
            ["erase"] => flash.fill(0xFF),
            _ => bail!("there is no damage `{damage}`"),
        }
    }
    let mut run = chip.run(&inputs.folder, &flash, &script(&fault.script, inputs))?;
    if let Some(again) = &fault.again {
        ensure!(run.status == POWER_CUT, "the power was not cut: status {}", run.status);
        let kept = fs::read(root().join(&inputs.folder).join(format!("{}.flash.bin", chip.board.name)))?;
        ensure!(kept != flash, "the flash was not written before the power was cut");
        run = chip.run(&inputs.folder, &kept, &script(again, inputs))?;
    }
    judge(&run, fault).with_context(|| {
        let lines: Vec<_> = run.log.iter().map(|line| format!("  {line}")).collect();
        format!("with this log:\n{}", lines.join("\n"))
    })
}

fn judge(run: &Run, fault: &Fault) -> anyhow::Result<()> {
    ensure!(run.status == 0, "the board ended with status {}: {}", run.status, run.complaint);
    let of = |line: &Line| match (line.get("state"), line.get("reason")) {
        (Some(state), Some(reason)) => format!("{state} {reason}"),
        (state, _) => state.unwrap_or_default().to_owned(),
    };
    let shown: Vec<_> = run.lines("shows").map(of).collect();
    ensure!(shown == fault.shows, "expected {:?}, the log says {shown:?}", fault.shows);
    let mut rest = &run.log[..];
    for text in &fault.log {
        let place = rest.iter().position(|line| line.text.contains(text));
        let place = place.with_context(|| format!("expected {text:?} in the log, in its place"))?;
        rest = &rest[place + 1..];
    }
    let counts = run.lines("counts").last().context("the log has no counts")?;
    ensure!(counts.number("log_lost") == Some(fault.lost), "expected {} lost lines: {counts}", fault.lost);

    let mut starts: Vec<Vec<&Line>> = Vec::new();
    for line in &run.log {
        match line.kind() {
            "start" => starts.push(Vec::new()),
            "shows" => starts.last_mut().context("a line before the start")?.push(line),
            _ => {}
        }
    }
    let boots = boots(&run.trace)?;
    let (seen, said) = (boots.len(), starts.len());
    ensure!(seen == said, "{seen} resets were seen, the log has {said} starts");
    for (number, (boot, shows)) in boots.iter().zip(&starts).enumerate() {
        if fault.broken.is_none() && fault.lost == 0 {
            let hangs = fault.hangs && number + 1 < said;
            boot.check(shows, hangs).with_context(|| format!("after start {}", number + 1))?;
        }
    }
    Ok(())
}

/// Every fault of the folder, by the name of its file.
fn faults() -> anyhow::Result<Vec<(String, Fault)>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join(FOLDER))?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    paths.sort();
    let read = |path: PathBuf| {
        let fault =
            toml::from_str(&fs::read_to_string(&path)?).with_context(|| format!("in {}", path.display()))?;
        Ok((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), fault))
    };
    paths.into_iter().map(read).collect()
}

#[test]
#[ignore = "needs the emulators: `cargo xtask test tools` runs it"]
fn every_fault_ends_as_it_must() {
    let _in_use = super::IN_USE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let inputs = inputs(&[]).unwrap();
    let faults = faults().unwrap();
    let mut wrong = Vec::new();
    for name in CHIPS {
        let chip = Chip::build(name).unwrap();
        for (file, fault) in faults.iter().filter(|(_, fault)| fault.everywhere || name == CHIPS[0]) {
            let began = std::time::Instant::now();
            match meet(&chip, &inputs, fault) {
                Ok(()) => println!("{name} {file} ({:.1} s): {}", began.elapsed().as_secs_f32(), fault.about),
                Err(error) => wrong.push(format!("{name} {file}: {error:#}")),
            }
        }
    }
    assert!(faults.len() >= 20, "the folder of faults has lost some: {}", faults.len());
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "needs the emulators: `cargo xtask test tools` runs it"]
fn a_wrong_expectation_is_found() {
    let _in_use = super::IN_USE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (inputs, chip) = (inputs(&[]).unwrap(), Chip::build(CHIPS[0]).unwrap());
    let (_, fault) = faults().unwrap().into_iter().find(|(name, _)| name == "camera-lost").unwrap();
    type Change = fn(&mut Fault);
    let changes: [(Change, &str); 6] = [
        (|fault| fault.shows[2] = "FAULT 34".into(), "\"FAULT 34\""),
        (|fault| fault.shows.truncate(4), "the log says"),
        (|fault| fault.log = vec!["died".into()], "expected \"died\" in the log, in its place"),
        (|fault| fault.lost = 1, "expected 1 lost lines"),
        (|fault| fault.script[1] = "no-such-word 5".into(), "no-such-word"),
        (|fault| fault.flash = vec!["flip 40000".into()], "refused slot=A why=checksum"),
    ];
    for (change, says) in changes {
        let mut changed = fault.clone();
        change(&mut changed);
        let error = format!("{:#}", meet(&chip, &inputs, &changed).unwrap_err());
        assert!(error.contains(says), "expected `{says}` in: {error}");
    }
    // The lamps too: the run is right, what QEMU saw of it is not.
    let flash = chip.flash(&inputs.bundle).unwrap();
    let mut run = chip.run(&inputs.folder, &flash, &script(&fault.script, &inputs)).unwrap();
    judge(&run, &fault).unwrap();
    let amber = "offset 0x4 data 0x2 size 4";
    assert!(run.trace.contains(amber));
    run.trace = run.trace.replace(amber, "offset 0x4 data 0x4 size 4");
    let error = format!("{:#}", judge(&run, &fault).unwrap_err());
    assert!(error.contains("the lamps are"), "{error}");
}
