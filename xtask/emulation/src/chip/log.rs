//! A chip's defmt log, decoded with the texts that its ELF file keeps: lines of a kind and
//! `key=value`.

use std::fmt;

use anyhow::{Context, bail};
use defmt_decoder::{DecodeError, Table};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Milliseconds since the start, as the chip says.
    pub time: String,
    pub text: String,
}

impl Line {
    /// Its first word, up to an equals sign: `start`, `frame`, `shows` and so on.
    pub fn kind(&self) -> &str {
        self.text.split([' ', '=']).next().unwrap_or_default()
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.text.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// A value that is a number, in digits or, after 0x, hexadecimal ones.
    pub fn number(&self, key: &str) -> Option<u64> {
        let text = self.get(key)?;
        text.strip_prefix("0x")
            .map_or_else(|| text.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:>10} {}", self.time, self.text)
    }
}

pub fn decode(elf: &[u8], log: &[u8]) -> anyhow::Result<Vec<Line>> {
    let table = Table::parse(elf)?.context("the program has no defmt log")?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(log);
    let mut lines = Vec::new();
    loop {
        match decoder.decode() {
            Ok(frame) => lines.push(Line {
                time: frame.display_timestamp().map(|time| time.to_string()).unwrap_or_default(),
                text: frame.display_message().to_string(),
            }),
            Err(DecodeError::UnexpectedEof) => return Ok(lines),
            Err(DecodeError::Malformed) => bail!("the log is damaged after {} lines", lines.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_its_kind_and_values() {
        let line = Line { time: "7".into(), text: "frame=3 state=REFER logit=0xc059a602 at_ms=12".into() };
        assert_eq!((line.kind(), line.get("state")), ("frame", Some("REFER")));
        assert_eq!((line.number("logit"), line.number("frame")), (Some(0xC059_A602), Some(3)));
        assert_eq!((line.number("state"), line.get("stat"), line.get("ms")), (None, None, None));
    }
}
