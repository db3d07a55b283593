//! The firmware on an emulated chip: a script of what happens to it goes in, its log and what its
//! lamps showed come out.
//!
//! The chip is a board of `firmware/boards/qemu`; QEMU's machine has the board's name after
//! `mps2-`.

#[cfg(test)]
mod faults;
mod inputs;
#[cfg(test)]
mod lamps;
mod log;

pub use inputs::{Input, Inputs, inputs, script};
pub use log::{Line, decode};

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use board_config::Board;

use debian_packages::{self as debian, Tool};
use toolbox::{firmware, process, root};

use crate::{instructions, machine};

/// The emulated chips. The first meets every fault, the others those that are said to be met
/// everywhere.
pub const CHIPS: [&str; 3] = ["an386", "an500", "an505"];

const QEMU: &str = "qemu-system-arm";

/// The emulated chips share a folder of inputs and one of programs: a test takes this before it
/// uses them.
pub static IN_USE: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Two to the power of this are the nanoseconds that an instruction takes: 31 million a second,
/// about what such a chip does.
const INSTRUCTION_NS_SHIFT: u32 = 5;
/// Longest run; a chip that starts again for ever is ended and said so.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Chip {
    pub board: Board,
    elf: PathBuf,
    /// QEMU's plugin that counts instructions, where they are asked for: it makes a run slower.
    plugin: Option<PathBuf>,
}

/// One run, from power on to the end of its script.
pub struct Run {
    /// How the board ended it; the program's `host::Ends`.
    pub status: i32,
    /// What it wrote to standard error.
    pub complaint: String,
    pub log: Vec<Line>,
    /// Lamps, resets and counts of instructions, as QEMU saw them.
    pub trace: String,
}

impl Chip {
    pub fn build(name: &str) -> anyhow::Result<Self> {
        Self::of(name, firmware::build)
    }

    /// The chip with the checklist of a first start in the device's place.
    pub fn bring_up(name: &str) -> anyhow::Result<Self> {
        Self::of(name, firmware::build_bring_up)
    }

    fn of(name: &str, build: fn(&Path, &Board) -> anyhow::Result<PathBuf>) -> anyhow::Result<Self> {
        debian::ensure_tools(&[Tool { ask: &[QEMU, "--version"], package: "qemu-system-arm" }])?;
        let (folder, board) = firmware::boards(Some(name))?.pop().context("there is no such board")?;
        if let Some(chip) = &board.chip {
            bail!("{name} is no emulated board but a {chip}: see `cargo xtask flash --board {name}`");
        }
        let elf = build(&folder, &board)?;
        Ok(Self { board, elf, plugin: None })
    }

    pub fn counting(self) -> anyhow::Result<Self> {
        Ok(Self { plugin: Some(instructions::plugin(QEMU)?), ..self })
    }

    /// The image of a flash whose slot A holds `bundle`.
    pub fn flash(&self, bundle: &[u8]) -> anyhow::Result<Vec<u8>> {
        let flash = &self.board.flash;
        let (start, end) = (flash.records.range().start, flash.slot_b.range().end);
        let mut image = vec![0xFF; (end - start) as usize];
        let at = (flash.slot_a.start - start) as usize;
        ensure!(bundle.len() <= flash.slot_a.size as usize, "the model is larger than the board's slot");
        image[at..at + bundle.len()].copy_from_slice(bundle);
        Ok(image)
    }

    /// Runs a script in `folder`, which lies in the workspace's; the flash is left there as
    /// `flash.bin`.
    pub fn run(&self, folder: &Path, flash: &[u8], script: &str) -> anyhow::Result<Run> {
        let file = |name: &str| folder.join(format!("{}.{name}", self.board.name));
        let [image, text, log, trace, errors] =
            ["flash.bin", "script", "defmt.bin", "trace", "errors"].map(file);
        fs::write(root().join(&image), flash)?;
        fs::write(root().join(&text), script)?;
        fs::write(root().join(&log), [])?;
        let named = |path| machine::path(path, &[' ', ',']);
        let arguments = ["enable=on,target=native,arg=qemu", named(&image)?, named(&text)?, named(&log)?];
        let mut qemu = process::command(QEMU);
        qemu.arg("-M").arg(format!("mps2-{}", self.board.name));
        qemu.args(machine::BARE).arg("-icount").arg(format!("shift={INSTRUCTION_NS_SHIFT}"));
        for event in ["mps2_scc_reset", "mps2_scc_write", "systick_timer_tick"] {
            qemu.args(["-trace", event]);
        }
        if let Some(plugin) = &self.plugin {
            qemu.arg("-plugin").arg(plugin).args(["-d", "plugin"]);
        }
        qemu.arg("-D").arg(&trace);
        qemu.args(["-semihosting-config", &arguments.join(",arg="), "-kernel"]).arg(&self.elf);
        let line = process::line(&qemu);
        let child = qemu.stdin(Stdio::null()).stderr(File::create(root().join(&errors))?).spawn();
        let status = machine::end(&mut child.with_context(|| format!("cannot run {QEMU}"))?, &line, LIMIT)?;
        let status = status.code().with_context(|| format!("`{line}` died: {status}"))?;
        let read = |path: &Path| {
            fs::read(root().join(path)).with_context(|| format!("cannot read {}", path.display()))
        };
        let words = |path: &Path| Ok::<_, anyhow::Error>(String::from_utf8_lossy(&read(path)?).into_owned());
        let log = decode(&fs::read(&self.elf)?, &read(&log)?)?;
        Ok(Run { status, complaint: words(&errors)?.trim().into(), log, trace: words(&trace)? })
    }
}

impl Run {
    pub fn lines<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r Line> {
        self.log.iter().filter(move |line| line.kind() == kind)
    }

    /// Instructions of each frame, rows and all, in the order of the frames.
    pub fn instructions(&self) -> anyhow::Result<Vec<u64>> {
        let mut counts = Vec::new();
        for line in self.trace.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["region", _, count] => counts.push(count.parse()?),
                ["fault", ..] => bail!("the instructions cannot be counted: {line}"),
                _ => {}
            }
        }
        Ok(counts)
    }
}
