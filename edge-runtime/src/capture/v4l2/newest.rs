//! Which of a driver's frames is looked at: the newest, and none that waited while the driver had no
//! buffer left to put a newer one into.

use super::buffers::{Filled, Stream};
use std::io;

#[derive(Debug)]
pub enum Taken {
    Nothing,
    /// The newest frame; those before it went back to the driver.
    Frame(Filled),
    /// A frame, the newest or one before it, is marked as damaged; its number.
    Damaged(u32),
    /// The driver had no buffer left, so that frames were lost and the newest may be old: all went
    /// back.
    Overrun,
}

/// What was asked of the driver, and its answer.
pub type Failed = (&'static str, io::Error);

/// The buffers of a camera that runs.
pub trait Buffers {
    /// How many the driver may fill, or has filled and we have not taken.
    fn queued(&self) -> usize;
    /// Takes the oldest that is full, if there is one. Never waits.
    fn dequeue(&mut self) -> io::Result<Option<Filled>>;
    /// Gives one back to the driver.
    fn queue(&mut self, filled: Filled) -> io::Result<()>;
}

impl Buffers for Stream {
    fn queued(&self) -> usize {
        self.queued()
    }

    fn dequeue(&mut self) -> io::Result<Option<Filled>> {
        self.dequeue()
    }

    fn queue(&mut self, filled: Filled) -> io::Result<()> {
        self.queue(filled)
    }
}

/// The newest of the frames that have come since `judged`, the last one taken, was taken.
pub fn catch_up(buffers: &mut impl Buffers, judged: Option<Filled>) -> Result<Taken, Failed> {
    let free = buffers.queued();
    if let Some(judged) = judged {
        give_back(buffers, judged)?;
    }
    take(buffers, free)
}

/// The newest of the frames that wait. They came just now.
pub fn newest(buffers: &mut impl Buffers) -> Result<Taken, Failed> {
    take(buffers, usize::MAX)
}

/// The newest frame, unless as many wait as `overrun`.
fn take(buffers: &mut impl Buffers, overrun: usize) -> Result<Taken, Failed> {
    let (queued, mut count) = (buffers.queued(), 0);
    let (mut newest, mut damaged) = (None, None);
    while count < queued {
        let Some(filled) = buffers.dequeue().map_err(|error| ("VIDIOC_DQBUF", error))? else { break };
        count += 1;
        if filled.damaged {
            damaged = Some(filled.sequence);
        }
        if let Some(older) = newest.replace(filled) {
            give_back(buffers, older)?;
        }
    }
    let Some(filled) = newest else { return Ok(Taken::Nothing) };
    if let Some(sequence) = damaged {
        give_back(buffers, filled)?;
        return Ok(Taken::Damaged(sequence));
    }
    if count >= overrun {
        give_back(buffers, filled)?;
        return Ok(Taken::Overrun);
    }
    Ok(Taken::Frame(filled))
}

fn give_back(buffers: &mut impl Buffers, filled: Filled) -> Result<(), Failed> {
    buffers.queue(filled).map_err(|error| ("VIDIOC_QBUF", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A camera that takes a frame whenever it is told to, and loses it where it has no buffer left.
    /// It gives no times: only the number of a frame says how old it is.
    struct Driver {
        free: usize,
        full: VecDeque<Filled>,
        number: u32,
    }

    impl Driver {
        fn new(buffers: usize) -> Self {
            Self { free: buffers, full: VecDeque::new(), number: 0 }
        }

        fn take(&mut self, frames: u32) -> &mut Self {
            for _ in 0..frames {
                self.number += 1;
                if self.free > 0 {
                    self.free -= 1;
                    self.full.push_back(Filled::of_number(self.number));
                }
            }
            self
        }
    }

    impl Buffers for Driver {
        fn queued(&self) -> usize {
            self.free + self.full.len()
        }

        fn dequeue(&mut self) -> io::Result<Option<Filled>> {
            Ok(self.full.pop_front())
        }

        fn queue(&mut self, _: Filled) -> io::Result<()> {
            self.free += 1;
            Ok(())
        }
    }

    fn frame(taken: Result<Taken, Failed>) -> Filled {
        match taken {
            Ok(Taken::Frame(filled)) => filled,
            other => panic!("{other:?} is no frame"),
        }
    }

    #[test]
    fn a_frame_that_waited_while_newer_ones_were_lost_is_never_given() {
        for frames in 0..8 {
            let mut driver = Driver::new(4);
            let judged = frame(newest(driver.take(1)));
            // Three buffers are left for what comes while the first frame is judged.
            let taken = catch_up(driver.take(frames), Some(judged));
            match frames {
                0 => assert!(matches!(taken, Ok(Taken::Nothing)), "{taken:?}"),
                1 | 2 => assert_eq!(frame(taken).sequence, driver.number, "the newest"),
                _ => assert!(matches!(taken, Ok(Taken::Overrun)), "{frames} frames: {taken:?}"),
            }
            if frames >= 3 {
                assert_eq!((driver.free, driver.full.len()), (4, 0), "all went back");
                assert_eq!(frame(newest(driver.take(1))).sequence, driver.number, "then it goes on");
            }
        }
    }

    #[test]
    fn frames_that_came_while_one_was_waited_for_are_new_however_many() {
        let mut driver = Driver::new(4);
        assert_eq!(frame(newest(driver.take(4))).sequence, 4);
        assert_eq!((driver.free, driver.full.len()), (3, 0), "those before it went back");
    }

    #[test]
    fn a_damaged_frame_is_told_whichever_it_was_and_goes_back() {
        for damaged in [0, 1] {
            let mut driver = Driver::new(4);
            driver.take(2).full[damaged].damaged = true;
            let number = damaged as u32 + 1;
            let taken = newest(&mut driver);
            assert!(matches!(taken, Ok(Taken::Damaged(n)) if n == number), "{taken:?}");
            assert_eq!((driver.free, driver.full.len()), (4, 0));
        }
    }
}
