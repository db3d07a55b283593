//! The thread that writes: what the loop has said is in the folder at once where it differs, and
//! else now and then, so that nobody takes the device for gone.

use super::slot::{MOST_TAPS, Slot};
use super::snapshot::Snapshot;
use super::taps::Taps;
use super::writer::Writer;
use std::time::{Duration, Instant};

/// How often the file of acknowledgements is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// After so long the same is written again: within [`status::EVERY`], with what it takes to be told.
const AGAIN: Duration = Duration::from_millis(350);

/// A problem that comes again within this time is not said again, and of different ones no more than
/// so many are said in it: a screen chooses what lies in its file, and must not fill the journal.
const QUIET: Duration = Duration::from_secs(60);
const MOST_PROBLEMS: usize = 8;

/// Writes until the slot says that it is the end, and leaves nothing behind.
pub fn attend(slot: &Slot, mut writer: Writer, mut taps: Option<Taps>) {
    let (mut snapshot, mut written) = (Snapshot::default(), None::<Instant>);
    let mut problems = Problems::default();
    say(slot, problems.hear(writer.clear().map_err(|error| writer.problem(&error))));
    loop {
        let mut content = slot.wait(LOOK);
        let end = content.end;
        let old = written.is_none_or(|written| written.elapsed() >= AGAIN);
        let due = content.urgent || (content.fresh && (old || end));
        if due {
            std::mem::swap(&mut content.snapshot, &mut snapshot);
            (content.fresh, content.urgent) = (false, false);
        }
        drop(content);
        if due {
            written = Some(Instant::now());
            let result = writer.write(&snapshot).map_err(|error| writer.problem(&error));
            say(slot, problems.hear(result));
        }
        match taps.as_mut().map(Taps::look) {
            Some(Ok(new)) if !new.is_empty() => {
                let mut content = slot.content();
                let room = MOST_TAPS.saturating_sub(content.taps.len());
                content.taps.extend(new.into_iter().take(room));
            }
            Some(Err(error)) => say(slot, problems.hear(Err(format!("acknowledgements: {error}")))),
            Some(Ok(_)) | None => {}
        }
        if end {
            break;
        }
    }
    say(slot, problems.hear(writer.clear().map_err(|error| writer.problem(&error))));
}

fn say(slot: &Slot, problem: Option<String>) {
    slot.content().problems.extend(problem);
}

/// What was wrong, so that it is said once.
#[derive(Debug, Default)]
struct Problems(Vec<(String, Instant)>);

impl Problems {
    /// The problem, where it has not been said a moment before.
    fn hear(&mut self, result: Result<(), String>) -> Option<String> {
        let problem = result.err()?;
        self.0.retain(|(_, at)| at.elapsed() < QUIET);
        let known = self.0.iter_mut().find(|(said, _)| *said == problem);
        if let Some((_, at)) = known {
            *at = Instant::now();
            return None;
        }
        if self.0.len() >= MOST_PROBLEMS {
            return None;
        }
        self.0.push((problem.clone(), Instant::now()));
        Some(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_said_once_and_no_more_than_a_few_in_a_row() {
        let mut problems = Problems::default();
        assert_eq!(problems.hear(Ok(())), None);
        for number in 0..100 {
            let problem = format!("problem {number}");
            let said = problems.hear(Err(problem.clone()));
            assert_eq!(said, (number < MOST_PROBLEMS).then_some(problem.clone()));
            assert_eq!(problems.hear(Err(problem)), None);
        }
    }
}
