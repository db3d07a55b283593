//! `cargo xtask bring-up`: the checklist onto a board, and what it says.

use super::board::board;
use crate::checklist::Checklist;
use crate::cli::BringUpOptions;
use crate::probe::{self, Probe, WhenLocked};
use anyhow::{Context, bail};
use board_config::Board;
use emulation::chip;
use flash::link::Link;
use flash::outcome::{ChecksFailed, Refused};
use flash::progress::Bars;
use flash::rtt::Rtt;
use flash::{elf, program};
use std::io::{self, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time between two looks at the log: the ring of the board holds some thirty lines.
const POLL: Duration = Duration::from_millis(5);

pub fn run(options: &BringUpOptions) -> anyhow::Result<()> {
    let (folder, board, target, selector) = board(&options.board)?;
    let path = match &options.elf {
        Some(path) => path.clone(),
        None => {
            // Before minutes of building: is there anything to write to?
            probe::find(selector.as_ref())?;
            toolbox::firmware::build_bring_up(&folder, &board)?
        }
    };
    let file = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let pieces = elf::pieces(&file, &board).map_err(|error| Refused(format!("{error:#}")))?;
    let rtt = Rtt::of(&file).map_err(|error| Refused(format!("{error:#}")))?;
    let mut link = Probe::connect(target, selector.as_ref(), WhenLocked::Refuse)?;
    let mut bars = Bars::default();
    let done = program::put(&mut link, &pieces, &mut |progress| bars.show(progress));
    bars.finish();
    done?;
    eprintln!(
        "watch: red, amber, green, heartbeat and buzzer, each for a second; then press the button once"
    );
    let list = listen(&mut link, &rtt, &file, &board, Duration::from_secs(options.timeout))?;

    if let (Some(path), Some(picture)) = (&options.picture, &list.picture) {
        picture.write(path)?;
        if picture.missing() != 0 {
            eprintln!(
                "warning: {} pixels of {} did not come and are black",
                picture.missing(),
                path.display()
            );
        }
    }
    let text = if options.json { serde_json::to_string(&list)? } else { list.table().to_string() };
    writeln!(io::stdout().lock(), "{text}")?;
    match list.failed() {
        0 => Ok(()),
        failed => bail!(ChecksFailed(failed)),
    }
}

/// Reads the board's log until its last line.
fn listen(
    link: &mut dyn Link,
    rtt: &Rtt,
    elf: &[u8],
    board: &Board,
    patience: Duration,
) -> anyhow::Result<Checklist> {
    let (mut bytes, mut taken, mut list) = (Vec::new(), 0, Checklist::default());
    let mut heard = Instant::now();
    while !list.done {
        // While a chip is being reset its memory may not answer.
        let came = match rtt.read(link) {
            Ok(came) => came,
            Err(_) if heard.elapsed() < patience => Vec::new(),
            Err(error) => return Err(error),
        };
        if came.is_empty() {
            if heard.elapsed() >= patience {
                bail!(
                    "the board said nothing for {} s, after {} checks: is a lamp lit? reset it and try again",
                    patience.as_secs(),
                    list.checks.len()
                );
            }
            sleep(POLL);
            continue;
        }
        heard = Instant::now();
        bytes.extend(came);
        let lines = chip::decode(elf, &bytes)?;
        for line in &lines[taken..] {
            if let Some(check) = list.take(line, board) {
                eprintln!("{}: {}", check.check, check.outcome);
            }
        }
        taken = lines.len();
    }
    Ok(list)
}
