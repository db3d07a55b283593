//! What a program said last on its standard error: a few lines, whatever it writes there.

use std::collections::VecDeque;

/// Lines that are kept.
const LINES: usize = 4;
/// Bytes of a line that are kept.
const LONGEST: usize = 160;

/// The last lines of a stream of bytes. It holds less than a kilobyte of them.
#[derive(Debug, Default)]
pub struct LastWords {
    lines: VecDeque<String>,
    /// The line that has begun.
    part: Vec<u8>,
}

impl LastWords {
    pub fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            // Programs that show their progress end its lines by a carriage return.
            if byte == b'\n' || byte == b'\r' {
                self.end_line();
            } else if self.part.len() < LONGEST {
                self.part.push(byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = without_passwords(&String::from_utf8_lossy(&self.part));
        self.part.clear();
        // One that repeats itself says nothing more.
        if line.trim().is_empty() || self.lines.back() == Some(&line) {
            return;
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// What was said, in one line of text; none where nothing was.
    pub fn told(&mut self) -> Option<String> {
        self.end_line();
        let escaped = |line: &String| line.trim().chars().flat_map(escape).collect::<String>();
        let lines: Vec<_> = self.lines.iter().map(escaped).collect();
        (!lines.is_empty()).then(|| lines.join(" | "))
    }
}

/// Control characters written out; the text stays as it is otherwise.
fn escape(character: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = match character.is_control() {
        true => (None, Some(character.escape_default())),
        false => (Some(character), None),
    };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

/// The same with `user:password@` of each address replaced.
fn without_passwords(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let end = after.find(|c: char| c.is_whitespace() || "/'\"`".contains(c)).unwrap_or(after.len());
        let (host, behind) = after.split_at(end);
        let host = host.rsplit_once('@').map_or(host.to_owned(), |(_, host)| format!("***@{host}"));
        told.extend([before, "://", &host]);
        rest = behind;
    }
    told + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        let mut words = LastWords::default();
        // Byte by byte: how it comes does not matter.
        text.bytes().for_each(|byte| words.push(&[byte]));
        words.told()
    }

    #[test]
    fn the_last_lines_are_told_in_one() {
        assert_eq!(told(""), None);
        assert_eq!(told("\n\r\n  \n"), None);
        assert_eq!(told("one\ntwo").as_deref(), Some("one | two"));
        assert_eq!(told("a\nb\nc\nd\ne\nf\n").as_deref(), Some("c | d | e | f"));
        assert_eq!(told("frame= 1\rframe= 1\rframe= 2\rend").as_deref(), Some("frame= 1 | frame= 2 | end"));
        assert_eq!(told("\u{1b}[31mred\u{1b}[0m").as_deref(), Some("\\u{1b}[31mred\\u{1b}[0m"));
    }

    #[test]
    fn a_flood_is_held_in_a_kilobyte() {
        let mut words = LastWords::default();
        for _ in 0..1000 {
            words.push(&[b'x'; 4096]);
        }
        assert_eq!(words.part.len(), LONGEST);
        for number in 0..10_000 {
            words.push(format!("{number} {}\n", "y".repeat(500)).as_bytes());
        }
        let told = words.told().unwrap();
        assert!(told.len() <= LINES * (LONGEST + 3) && told.contains("9999 y"), "{told}");
    }

    #[test]
    fn passwords_are_not_told() {
        for (said, told_as) in [
            ("rtsp://admin:s@cret@cam:554/1: refused", "rtsp://***@cam:554/1: refused"),
            ("[a] 'http://u:p@x', http://y/z@w", "[a] 'http://***@x', http://y/z@w"),
            ("no address: a@b", "no address: a@b"),
        ] {
            assert_eq!(told(said).as_deref(), Some(told_as));
        }
    }
}
