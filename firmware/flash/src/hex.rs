//! Intel HEX files, which the J-Link on Nordic's boards takes as a drive, and every programmer.
//! After Intel's "Hexadecimal Object File Format Specification", revision A of 1988.

use crate::content::Content;
use std::fmt::Write as _;

/// Bytes of a line.
const LINE: usize = 16;
/// Kinds of lines.
const DATA: u8 = 0;
const END: u8 = 1;
const UPPER_ADDRESS: u8 = 4;

/// The file's text.
pub fn text(content: &Content) -> String {
    let mut text = String::new();
    let (mut address, mut bytes, mut upper) = (content.start(), content.bytes(), None);
    while !bytes.is_empty() {
        let half = (address >> 16) as u16;
        if upper.replace(half) != Some(half) {
            line(&mut text, 0, UPPER_ADDRESS, &half.to_be_bytes());
        }
        // Not across the end of what the upper half reaches.
        let room = 0x1_0000 - (address as usize & 0xFFFF);
        let (now, rest) = bytes.split_at(bytes.len().min(LINE).min(room));
        line(&mut text, address as u16, DATA, now);
        address = address.wrapping_add(now.len() as u32);
        bytes = rest;
    }
    line(&mut text, 0, END, &[]);
    text
}

fn line(text: &mut String, address: u16, kind: u8, bytes: &[u8]) {
    let [high, low] = address.to_be_bytes();
    let mut all = vec![bytes.len() as u8, high, low, kind];
    all.extend_from_slice(bytes);
    // All bytes of a line add up to zero.
    all.push(all.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte)));
    text.push(':');
    for byte in all {
        let _ = write!(text, "{byte:02X}");
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::content;
    use std::collections::BTreeMap;

    /// Bytes by address, as any reader takes them.
    fn read(text: &str) -> Result<BTreeMap<u32, u8>, String> {
        let (mut memory, mut upper, mut ended) = (BTreeMap::new(), 0, false);
        for line in text.lines() {
            let digits = line.strip_prefix(':').ok_or("a line without its colon")?;
            let byte = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
            let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
            let bytes = bytes.ok_or("no digits")?;
            let [length, high, low, kind, data @ .., _] = &bytes[..] else { return Err("short".into()) };
            if bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) != 0 {
                return Err(format!("sum of {line}"));
            }
            if ended || data.len() != usize::from(*length) {
                return Err(format!("length of {line}"));
            }
            match kind {
                0 => {
                    let start = upper + u32::from(u16::from_be_bytes([*high, *low]));
                    for (at, byte) in (start..).zip(data) {
                        if memory.insert(at, *byte).is_some() {
                            return Err(format!("{at:08x} comes twice"));
                        }
                    }
                }
                1 => ended = true,
                4 => upper = u32::from(u16::from_be_bytes([data[0], data[1]])) << 16,
                _ => return Err(format!("kind {kind}")),
            }
        }
        if ended { Ok(memory) } else { Err("no end".into()) }
    }

    #[test]
    fn what_is_read_is_what_was_given_also_across_64_kb() {
        for (start, length) in [(0, 1), (0x1234, 100), (0xFFF8, 40), (0x1000_0000, 140_000)] {
            let content = content(start, length);
            let expected = (start..).zip(content.bytes().iter().copied()).collect();
            assert_eq!(read(&text(&content)), Ok(expected));
        }
    }

    #[test]
    fn each_planted_fault_is_found_by_the_reader() {
        let good = text(&content(0x1_0000, 40));
        assert!(good.starts_with(":020000040001F9\r\n:10000000"), "{good}");
        assert!(good.ends_with(":00000001FF\r\n"), "{good}");
        for (from, to, what) in [
            (":020000040001F9", ":020000040001F8", "sum of"),
            (":020000040001F9\r\n:10", ":020000040001F9\r\n:11", "sum of"),
            (":00000001FF\r\n", "", "no end"),
            (":02", "02", "colon"),
        ] {
            let error = read(&good.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(what), "{from}: {error}");
        }
        assert!(read(&(good.clone() + &good)).unwrap_err().contains("length"));
    }
}
