//! A board behind a debug probe, by probe-rs. Nothing is decided here; what is written where comes
//! from [`flash::program`] and [`flash::model`].

use anyhow::{Context, anyhow, bail, ensure};
use flash::link::{Link, Piece, Progress, Step};
use flash::outcome::NoProbe;
use probe_rs::architecture::arm::ArmError;
use probe_rs::flashing::{DownloadOptions, FlashProgress, ProgressEvent, ProgressOperation};
use probe_rs::probe::DebugProbeInfo;
use probe_rs::probe::list::{Accessibility, Lister, ProbeListItem};
use probe_rs::{MemoryInterface, Permissions, Session, Target};

pub use probe_rs::probe::DebugProbeSelector as Selector;

pub struct Probe {
    session: Session,
}

/// What is done with a chip that is locked against debug probes. Only erasing all of it unlocks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenLocked {
    /// It is refused and left as it is.
    Refuse,
    /// It is emptied of all that is on it, models and records too.
    Erase,
}

/// The only debug probe there is, or the one that is named; [`NoProbe`] where there is none.
pub fn find(selector: Option<&Selector>) -> anyhow::Result<DebugProbeInfo> {
    let lister = Lister::new();
    let found = lister.list_with_access(selector);
    let names = |of: &[ProbeListItem]| of.iter().map(|probe| probe.info.to_string()).collect::<Vec<_>>();
    let probe = match found.as_slice() {
        [probe] => probe,
        [] => {
            let others = selector.map(|_| names(&lister.list_with_access(None)));
            bail!(NoProbe { others: others.unwrap_or_default() })
        }
        several => bail!(
            "several debug probes are connected: choose one with --probe VID:PID[:SERIAL]: {}",
            names(several).join("; ")
        ),
    };
    ensure!(
        probe.accessibility != Accessibility::PermissionDenied,
        "this user may not use the debug probe {}: on Linux it needs udev rules, see https://probe.rs/docs",
        probe.info
    );
    Ok(probe.info.clone())
}

impl Probe {
    /// Connects to the chip `target` behind the probe that [`find`] finds. A chip that runs goes on
    /// running.
    pub fn connect(
        target: Target,
        selector: Option<&Selector>,
        when_locked: WhenLocked,
    ) -> anyhow::Result<Self> {
        let info = find(selector)?;
        let open = info.open().with_context(|| format!("cannot open the debug probe {info}"))?;
        attach(open, &info.to_string(), target, when_locked).map(|session| Self { session })
    }
}

/// Connects to `target` behind the probe that is open and called `name`.
fn attach(
    open: probe_rs::probe::Probe,
    name: &str,
    target: Target,
    when_locked: WhenLocked,
) -> anyhow::Result<Session> {
    let chip = target.name.clone();
    let permissions = match when_locked {
        WhenLocked::Refuse => Permissions::new(),
        WhenLocked::Erase => Permissions::new().allow_erase_all(),
    };
    open.attach(target, permissions).map_err(|error| match error {
        // The one permission that there is: to erase everything, asked for by a locked chip alone.
        probe_rs::Error::Arm(ArmError::MissingPermissions(_)) => anyhow!(
            "the {chip} behind the debug probe {name} is locked against debug probes, as nRF52840s leave the factory: \
             `cargo xtask flash` with --unlock erases all that is on it, which unlocks it, and writes the firmware"
        ),
        error => anyhow!(error).context(format!(
            "no {chip} answers behind the debug probe {name}: check power, wiring and --board"
        )),
    })
}

impl Link for Probe {
    fn read(&mut self, address: u32, bytes: &mut [u8]) -> anyhow::Result<()> {
        let mut core = self.session.core(0)?;
        core.read(address.into(), bytes)
            .with_context(|| format!("cannot read the board's memory at {address:#010x}"))
    }

    fn store(&mut self, address: u32, word: u32) -> anyhow::Result<()> {
        let mut core = self.session.core(0)?;
        core.write_word_32(address.into(), word)
            .with_context(|| format!("cannot write the board's memory at {address:#010x}"))
    }

    fn write(&mut self, pieces: &[Piece], progress: &mut dyn FnMut(Progress)) -> anyhow::Result<()> {
        let mut loader = self.session.target().flash_loader();
        for piece in pieces {
            loader.add_data(piece.address.into(), &piece.bytes)?;
        }
        let mut options = DownloadOptions::new();
        let mut steps = Steps::default();
        options.progress = FlashProgress::new(move |event| steps.take(event, progress));
        // Read back by our own comparison afterwards, which is the tested one.
        options.verify = false;
        loader
            .commit(&mut self.session, options)
            .context("the board's flash was not written to the end: do it again")
    }

    fn reset(&mut self) -> anyhow::Result<()> {
        self.session.core(0)?.reset().context("the board does not start again: press its reset button")
    }
}

/// From probe-rs's events to how far each step is.
#[derive(Default)]
struct Steps {
    erase: (u64, u64),
    write: (u64, u64),
}

impl Steps {
    fn take(&mut self, event: ProgressEvent, progress: &mut dyn FnMut(Progress)) {
        match event {
            ProgressEvent::AddProgressBar { operation, total } => {
                if let Some((_, (_, whole))) = self.step(operation) {
                    // One bar for all banks of flash.
                    *whole += total.unwrap_or(0);
                }
            }
            ProgressEvent::Progress { operation, size, .. } => {
                if let Some((step, (done, total))) = self.step(operation) {
                    *done += size;
                    progress(Progress { step, done: *done, total: *total });
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, operation: ProgressOperation) -> Option<(Step, &mut (u64, u64))> {
        match operation {
            ProgressOperation::Erase => Some((Step::Erase, &mut self.erase)),
            ProgressOperation::Program => Some((Step::Write, &mut self.write)),
            ProgressOperation::Fill | ProgressOperation::Verify => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe_rs::architecture::arm::FullyQualifiedApAddress;
    use probe_rs::config::Registry;
    use probe_rs::integration::{FakeProbe, Operation};
    use std::time::Duration;

    /// What connecting to an nRF52840 ends with that says this of its lock: the answer of its
    /// control access port's register APPROTECTSTATUS, 0 for locked.
    fn attached(approtect_status: u32) -> Result<(), String> {
        let probe = FakeProbe::with_mocked_core();
        let ap = FullyQualifiedApAddress::v1_with_default_dp(1);
        probe.expect_operation(Operation::ReadRawApRegister { ap, address: 0x0C, result: approtect_status });
        let target = Registry::from_builtin_families().get_target_by_name("nRF52840_xxAA").unwrap();
        let session = attach(probe.into_probe(), "of the test", target, WhenLocked::Refuse);
        session.map(|_| ()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_locked_chip_is_refused_and_the_line_says_what_unlocks_it() {
        let expected = "the nRF52840_xxAA behind the debug probe of the test is locked against debug probes";
        let error = attached(0).unwrap_err();
        assert!(
            error.starts_with(expected) && error.contains("`cargo xtask flash` with --unlock"),
            "{error}"
        );
        assert_eq!(attached(1), Ok(()));
    }

    #[test]
    fn the_events_of_two_banks_make_one_bar_a_step() {
        let (mut steps, mut seen) = (Steps::default(), Vec::new());
        let mut take = |event| steps.take(event, &mut |progress| seen.push(progress));
        let (erase, write) = (ProgressOperation::Erase, ProgressOperation::Program);
        for operation in [erase, write, erase, write] {
            take(ProgressEvent::AddProgressBar { operation, total: Some(10) });
        }
        for operation in [erase, write, erase] {
            take(ProgressEvent::Progress { operation, size: 10, time: Duration::ZERO });
        }
        let expected = [(Step::Erase, 10), (Step::Write, 10), (Step::Erase, 20)];
        assert_eq!(seen, expected.map(|(step, done)| Progress { step, done, total: 20 }));
    }
}
