//! A board behind a debug probe, by probe-rs. Nothing is decided here; what is written where comes
//! from [`flash::program`] and [`flash::model`].

use anyhow::{Context, bail, ensure};
use flash::link::{Link, Piece, Progress, Step};
use flash::outcome::NoProbe;
use probe_rs::flashing::{DownloadOptions, FlashProgress, ProgressEvent, ProgressOperation};
use probe_rs::probe::DebugProbeInfo;
use probe_rs::probe::list::{Accessibility, Lister, ProbeListItem};
use probe_rs::{MemoryInterface, Permissions, Session, Target};

pub use probe_rs::probe::DebugProbeSelector as Selector;

pub struct Probe {
    session: Session,
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
    pub fn connect(target: Target, selector: Option<&Selector>) -> anyhow::Result<Self> {
        let info = find(selector)?;
        let name = target.name.clone();
        let open = info.open().with_context(|| format!("cannot open the debug probe {info}"))?;
        // Without the permission to erase everything: a locked chip is refused, not emptied of its
        // models.
        let session = open.attach(target, Permissions::default()).with_context(|| {
            format!("no {name} answers behind the debug probe {info}: check power, wiring and --board")
        })?;
        Ok(Self { session })
    }
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
    use std::time::Duration;

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
