//! How does a file end? What a power cut may do to a log is told apart from what it cannot have
//! done.
//!
//! Only the end is read, so that a device starts as quickly with a large log as with a small one;
//! `log verify` reads all.

use super::chain::Link;
use super::line::{self, Checked};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Room for the last line, the one before, and what was torn.
const WINDOW: u64 = 4 * line::MAX as u64;

#[derive(Debug)]
pub(super) enum Tail {
    Empty,
    Whole(Checked),
    /// Its last line was cut off or never arrived: all from this byte on.
    Torn {
        /// Where the torn line begins.
        from: u64,
    },
    /// Something else is wrong, which no power cut explains.
    Broken {
        why: &'static str,
        /// Where the next line of the chain would stand, as far as the end of the file tells.
        next: Option<Link>,
    },
}

pub(super) fn after(line: &Checked) -> Link {
    Link { seq: line.link.seq.saturating_add(1), prev: line.hash }
}

pub(super) fn read(path: &Path) -> io::Result<Tail> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let start = len.saturating_sub(WINDOW);
    file.seek(SeekFrom::Start(start))?;
    let mut window = Vec::new();
    file.take(WINDOW).read_to_end(&mut window)?;
    Ok(judge(&window, start))
}

/// `window` is the end of a file, from byte `start` on.
fn judge(window: &[u8], start: u64) -> Tail {
    if window.is_empty() {
        return Tail::Empty;
    }
    let mut pieces: Vec<&[u8]> = window.split_inclusive(|&byte| byte == b'\n').collect();
    if start > 0 {
        pieces.remove(0); // the first may be the end of a line; `window` is not empty
    }
    // From the end: at most one piece may be bad.
    let whole = |piece: &[u8]| piece.strip_suffix(b"\n").and_then(|line| line::check(line).ok());
    let last_whole = || pieces.iter().rev().find_map(|piece| whole(piece)).map(|line| after(&line));
    let broken = |why| Tail::Broken { why, next: last_whole() };
    let (last, before) = match pieces.split_last() {
        Some((last, before)) => (*last, before),
        None => return broken("it holds no line that could be one of the log"),
    };
    let torn = whole(last).is_none();
    if torn && last.len() > line::MAX {
        return broken("its last line is longer than any that was written");
    }
    // The last whole line must hold, and follow the one before it.
    let mut ends = if torn { before } else { &pieces[..] }.iter().rev();
    let Some(newest) = ends.next() else {
        let from = start + (window.len() - last.len()) as u64;
        return if start == 0 { Tail::Torn { from } } else { broken("it holds no whole line at its end") };
    };
    let Some(newest) = whole(newest) else {
        return broken("more than its last line is damaged");
    };
    match ends.next().map(|piece| whole(piece)) {
        Some(Some(previous)) if after(&previous) == newest.link => {}
        None => {}
        Some(_) => return broken("its last lines do not follow one another"),
    }
    if torn {
        return Tail::Torn { from: start + (window.len() - last.len()) as u64 };
    }
    Tail::Whole(newest)
}

#[cfg(test)]
mod tests {
    use super::super::line::Body;
    use super::super::record::Event;
    use super::*;

    #[test]
    fn what_lies_partly_before_the_window_is_not_judged() {
        let mut line = Vec::new();
        let event = Event::Stopped { why: "of the test" };
        line::write(&mut line, Link::FIRST, "", Body::Event(&event), false).unwrap();
        let window = [b"the end of a line\n", &line[..]].concat();
        assert!(matches!(judge(&window, 1), Tail::Whole(_)));
        assert!(matches!(judge(&window, 0), Tail::Broken { .. }), "here it is a line of its own");
        let Tail::Broken { why, next: None } = judge(b"the middle of a line", 1) else {
            panic!("not broken")
        };
        assert_eq!(why, "it holds no line that could be one of the log");
    }
}
