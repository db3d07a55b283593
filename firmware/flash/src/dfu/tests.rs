//! Files as a reader sees them that knows the formats' texts and nothing of the writer.

use super::*;
use crate::content::tests::content;
use std::ops::Range;

/// A file's bytes, taken from its front.
struct Reader<'f>(&'f [u8]);

impl<'f> Reader<'f> {
    fn take(&mut self, length: usize) -> Result<&'f [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("cut short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: usize) -> Result<u32, String> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn expect(&mut self, bytes: &[u8]) -> Result<(), String> {
        let got = self.take(bytes.len())?;
        if got == bytes { Ok(()) } else { Err(format!("expected {bytes:02x?}, got {got:02x?}")) }
    }
}

/// The polynomial of DFU 1.1, appendix B, bit by bit: from all ones, not inverted at its end.
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

/// What is before the suffix, when that is right.
fn body(file: &[u8], form: u16, vendor: u32, product: u32) -> Result<&[u8], String> {
    let (body, suffix) = file.split_last_chunk::<16>().ok_or("cut short")?;
    let mut suffix = Reader(suffix);
    let (_, product_got, vendor_got, form_got) =
        (suffix.number(2)?, suffix.number(2)?, suffix.number(2)?, suffix.number(2)?);
    suffix.expect(b"UFD")?;
    suffix.expect(&[16])?;
    if (product_got, vendor_got, form_got) != (product, vendor, form.into()) {
        return Err(format!("it is for {vendor_got:04x}:{product_got:04x}, form {form_got:04x}"));
    }
    let sum = suffix.number(4)?;
    if sum != crc(&file[..file.len() - 4]) {
        return Err("the CRC is another".into());
    }
    Ok(body)
}

/// Address and bytes of each element, after UM0391; `inside` is where it may write.
fn read(file: &[u8], inside: Range<u32>) -> Result<Vec<(u32, Vec<u8>)>, String> {
    let body = body(file, 0x011A, 0x0483, 0xDF11)?;
    let mut reader = Reader(body);
    reader.expect(b"DfuSe")?;
    reader.expect(&[1])?;
    if reader.number(4)? as usize != body.len() {
        return Err("the image's size is another".into());
    }
    let (targets, mut elements) = (reader.number(1)?, Vec::new());
    for _ in 0..targets {
        reader.expect(b"Target")?;
        reader.expect(&[0, 1, 0, 0, 0])?;
        let name = reader.take(255)?;
        if !name.starts_with(b"Internal Flash\0") {
            return Err("the target has another name".into());
        }
        let (size, count) = (reader.number(4)?, reader.number(4)?);
        let mut target = Reader(reader.take(size as usize)?);
        for _ in 0..count {
            let (address, size) = (target.number(4)?, target.number(4)?);
            if address % 32 != 0 || size % 32 != 0 {
                return Err("no whole words of flash".into());
            }
            if address < inside.start || u64::from(address) + u64::from(size) > u64::from(inside.end) {
                return Err(format!("{address:08x} and {size} bytes are outside"));
            }
            elements.push((address, target.take(size as usize)?.to_vec()));
        }
        if !target.0.is_empty() {
            return Err("the target is longer than its elements".into());
        }
    }
    if reader.0.is_empty() { Ok(elements) } else { Err("something behind the targets".into()) }
}

#[test]
fn what_is_read_is_what_was_given_in_whole_words() {
    for (start, length) in [(0x0804_0000, 1), (0x0804_0000, 64), (0x0804_0010, 70_001)] {
        let content = content(start, length);
        let elements = read(&dfuse(&content).unwrap(), content.region().range()).unwrap();
        let [(address, bytes)] = &elements[..] else { panic!("{elements:?}") };
        let skipped = (start - address) as usize;
        assert!(skipped < 32 && bytes.len() - skipped - length < 32);
        assert_eq!(bytes[skipped..skipped + length], *content.bytes());
        assert!(bytes[..skipped].iter().chain(&bytes[skipped + length..]).all(|byte| *byte == 0xFF));
    }
}

#[test]
fn each_planted_fault_is_found_by_the_reader() {
    let content = content(0x0804_0000, 100);
    let inside = content.region().range();
    let good = dfuse(&content).unwrap();
    let changed = |places: &[usize], mend: bool| {
        let mut file = good.clone();
        for place in places {
            file[*place] ^= 1;
        }
        if mend {
            let end = file.len() - 4;
            let sum = crc(&file[..end]).to_le_bytes();
            file[end..].copy_from_slice(&sum);
        }
        file
    };
    let (target, element, end) = (11, 285, good.len());
    for (what, file) in [
        ("CRC", changed(&[element + 20], false)),
        ("CRC", changed(&[end - 1], false)),
        ("expected", changed(&[0], true)),
        ("expected", changed(&[5], true)),
        ("the image's size", changed(&[6], true)),
        ("behind the targets", changed(&[10], true)),
        ("expected", changed(&[target], true)),
        ("another name", changed(&[target + 11], true)),
        ("cut short", changed(&[target + 267], true)),
        ("longer than its elements", changed(&[target + 270], true)),
        ("whole words", changed(&[element], true)),
        ("outside", changed(&[element + 3], true)),
        ("it is for", changed(&[end - 14], true)),
        ("it is for", changed(&[end - 12], true)),
        ("expected", changed(&[end - 8], true)),
    ] {
        let error = read(&file, inside.clone()).unwrap_err();
        assert!(error.contains(what), "{what}: {error}");
    }
    let error = read(&good, inside.start..inside.start + 127).unwrap_err();
    assert!(error.contains("outside"), "{error}");
}

#[test]
fn openmvs_loader_gets_the_bytes_alone_and_only_for_its_own_place() {
    let content = content(OPENMV_FIRMWARE, 100);
    let file = openmv(&content).unwrap();
    let body = body(&file, 0x0100, 0x37C5, 0x9204).unwrap();
    assert_eq!((body.len(), &body[..100]), (128, content.bytes()));
    for start in [0x0800_0000, 0x0810_0000, OPENMV_FIRMWARE + 32] {
        let error = openmv(&crate::content::tests::content(start, 100)).unwrap_err().to_string();
        assert!(error.contains("writes from 0x08040000 on"), "{error}");
    }
}
