//! What operating systems ask a new device, as far as their sources, their makers' documents and
//! other people's reports tell. Names and numbers of requests: USB 2.0, tables 9-4 and 9-5; CDC PSTN 1.2, table 13.

use crate::bus::{Answer, Board};
use std::collections::BTreeMap;

const DEVICE: u8 = 1;
const CONFIGURATION: u8 = 2;
const STRING: u8 = 3;
const BOS: u8 = 15;

/// Of a device that no other has here.
const ADDRESS: u8 = 23;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Host {
    /// drivers/usb/core/hub.c and config.c: 64 bytes of the device before its address; a BOS
    /// descriptor that is missing is a warning.
    Linux,
    /// Microsoft's USB blog, "USB 2.1, 2.0, 1.1 device enumeration changes in Windows 8": a BOS
    /// descriptor that is missing ends it. The configuration's first 255 bytes at once.
    Windows,
    /// Older versions refuse as Windows does (rust-embedded-community/usb-device, issue 35). Not
    /// from a document: 8 bytes of the device first, and each string's first 2 for its length.
    Macos,
}

/// What a host has seen of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub device: Vec<u8>,
    pub configuration: Vec<u8>,
    /// None where the device does not oblige itself to have one.
    pub bos: Option<Vec<u8>>,
    /// By their indices, those that are there.
    pub strings: BTreeMap<u8, String>,
    /// Its configuration was set.
    pub configured: bool,
    /// The host opened the port, and the board's program knows.
    pub opened: bool,
    /// What went wrong on the way.
    pub trouble: Vec<String>,
}

impl Host {
    pub const ALL: [Self; 3] = [Self::Linux, Self::Windows, Self::Macos];

    /// From plugging in to the open port, as far as it comes.
    pub fn enumerate(self, mut board: Board) -> Seen {
        let mut seen = Seen::default();
        if let Err(trouble) = self.ask(&mut board, &mut seen) {
            seen.trouble.push(trouble);
        }
        seen
    }

    fn ask(self, board: &mut Board, seen: &mut Seen) -> Result<(), String> {
        board.reset();
        let first = descriptor(board, DEVICE, 0, if self == Self::Macos { 8 } else { 64 })?;
        let expected = if self == Self::Macos { 8 } else { 18 };
        expect(first.len() == expected, || format!("of the device came {} bytes first", first.len()))?;
        if self != Self::Macos {
            board.reset();
        }
        accepted(board.control([0x00, 0x05, ADDRESS, 0, 0, 0, 0, 0], &[]), "SET_ADDRESS")?;
        expect(board.address() == ADDRESS, || format!("its address is {}", board.address()))?;
        seen.device = descriptor(board, DEVICE, 0, 18)?;
        // Without the length of its packets nothing further can be read.
        expect(seen.device.len() == 18, || format!("of the device came {} bytes", seen.device.len()))?;

        if u16::from_le_bytes([seen.device[2], seen.device[3]]) > 0x0200 {
            let head = descriptor(board, BOS, 0, 5).unwrap_or_default();
            let bos = match head[..] {
                [_, _, low, high, _] => descriptor(board, BOS, 0, u16::from_le_bytes([low, high]))?,
                _ => head,
            };
            let missing = bos.len() < 5;
            seen.bos = Some(bos);
            expect(self == Self::Linux || !missing, || "the BOS descriptor is missing".into())?;
        }

        let head = descriptor(board, CONFIGURATION, 0, if self == Self::Windows { 255 } else { 9 })?;
        expect(head.len() >= 9, || format!("of the configuration came {} bytes", head.len()))?;
        let total = u16::from_le_bytes([head[2], head[3]]);
        seen.configuration = descriptor(board, CONFIGURATION, 0, total)?;

        let languages = self.string(board, 0, 0)?;
        let language = languages.get(2..4).ok_or("it has no language for its strings")?;
        let language = u16::from_le_bytes([language[0], language[1]]);
        for index in 1..=8 {
            // Where there is none it stalls.
            if let Ok(text) = self.string(board, index, language) {
                seen.strings.insert(index, decoded(&text)?);
            }
        }
        if self == Self::Windows {
            // Microsoft's own string: any answer but silence will do.
            let answer = board.control([0x80, 0x06, 0xEE, STRING, 0, 0, 18, 0], &[]);
            expect(answer != Answer::Silent, || "no answer to the string 0xEE".into())?;
        }

        accepted(
            board.control([0x00, 0x09, seen.configuration[5], 0, 0, 0, 0, 0], &[]),
            "SET_CONFIGURATION",
        )?;
        seen.configured = true;
        let coding = data(board.control([0xA1, 0x21, 0, 0, 0, 0, 7, 0], &[]), "GET_LINE_CODING")?;
        expect(coding.len() == 7, || format!("the line's coding has {} bytes", coding.len()))?;
        accepted(board.control([0x21, 0x20, 0, 0, 0, 0, 7, 0], &coding), "SET_LINE_CODING")?;
        accepted(board.control([0x21, 0x22, 3, 0, 0, 0, 0, 0], &[]), "SET_CONTROL_LINE_STATE")?;
        seen.opened = board.is_open();
        Ok(())
    }

    /// A string's whole descriptor.
    fn string(self, board: &mut Board, index: u8, language: u16) -> Result<Vec<u8>, String> {
        let mut get = |length| {
            let [low, high] = language.to_le_bytes();
            data(board.control([0x80, 0x06, index, STRING, low, high, length, 0], &[]), "a string")
        };
        if self != Self::Macos {
            return get(255);
        }
        let head = get(2)?;
        get(*head.first().ok_or("a string has no length")?)
    }
}

fn descriptor(board: &mut Board, kind: u8, index: u8, length: u16) -> Result<Vec<u8>, String> {
    let [low, high] = length.to_le_bytes();
    let answer =
        data(board.control([0x80, 0x06, index, kind, 0, 0, low, high], &[]), &format!("descriptor {kind}"))?;
    expect(answer.len() <= usize::from(length), || format!("descriptor {kind} is longer than asked for"))?;
    Ok(answer)
}

fn data(answer: Answer, of: &str) -> Result<Vec<u8>, String> {
    match answer {
        Answer::Data(data) => Ok(data),
        other => Err(format!("asked for {of}, it {other:?}")),
    }
}

fn accepted(answer: Answer, request: &str) -> Result<(), String> {
    expect(answer == Answer::Accepted, || format!("{request}: {answer:?}"))
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// UTF-16, after a descriptor's length and type.
fn decoded(string: &[u8]) -> Result<String, String> {
    let wrong = || format!("no string descriptor: {string:02x?}");
    let [length, STRING, text @ ..] = string else { return Err(wrong()) };
    expect(usize::from(*length) == string.len() && text.len() % 2 == 0, wrong)?;
    let units: Vec<u16> = text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    String::from_utf16(&units).map_err(|_| wrong())
}
