//! Instructions as `arm-none-eabi-objdump` prints them: it knows Thumb-2, the float unit and
//! Armv8-M, and tells code from tables.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};

use debian_packages::{self as debian, Tool};
use toolbox::process;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    pub address: u32,
    /// Its bytes: 2 or 4.
    pub size: u32,
    /// What it does, without a suffix for its width.
    pub mnemonic: String,
    /// What it does that with, split at commas outside of brackets, comments and symbols taken
    /// away.
    pub operands: Vec<String>,
}

impl Instruction {
    pub fn text(&self) -> String {
        format!("{} {}", self.mnemonic, self.operands.join(", ")).trim_end().to_string()
    }
}

/// The mnemonic of bytes that the disassembler does not know.
pub const UNKNOWN: &str = "<unknown>";

const OBJDUMP: Tool =
    Tool { ask: &["arm-none-eabi-objdump", "--version"], package: "binutils-arm-none-eabi" };

/// The instructions of a linked program, by address. The disassembler is installed on Debian where
/// it is missing.
pub fn disassemble(program: &Path) -> anyhow::Result<BTreeMap<u32, Instruction>> {
    debian::ensure_tools(&[OBJDUMP])?;
    let mut objdump = process::command(OBJDUMP.ask[0]);
    objdump.args(["--disassemble", "--wide"]).arg(program).env("LC_ALL", "C");
    let output = objdump.output().context("cannot run arm-none-eabi-objdump")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "arm-none-eabi-objdump cannot read {}: {error}", program.display());
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// The instructions of a listing; what it shows as data is left out.
pub fn parse(listing: &str) -> anyhow::Result<BTreeMap<u32, Instruction>> {
    let mut instructions = BTreeMap::new();
    for line in listing.lines() {
        // `     40c:\td001      \tbeq.n\t412 <Reset+0x12>`; other lines have no tab, or none after a second
        // one.
        let mut columns = line.split('\t');
        let (Some(address), Some(code), Some(mnemonic)) = (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let Some(address) = address.trim().strip_suffix(':') else { continue };
        let address = u32::from_str_radix(address, 16).with_context(|| format!("an address: {line:?}"))?;
        if mnemonic.starts_with('.') {
            continue;
        }
        // Bytes that nothing jumps to may be anything; whoever arrives there says so.
        let unknown = line.contains("<UNDEFINED>") || mnemonic.contains("undefined");
        let mnemonic = if unknown { UNKNOWN } else { mnemonic.trim() };
        let digits = code.chars().filter(|c| !c.is_whitespace()).count();
        let size = u32::try_from(digits / 2)?;
        ensure!(size == 2 || size == 4, "expected an instruction of 2 or 4 bytes: {line:?}");
        let mnemonic =
            mnemonic.strip_suffix(".w").or(mnemonic.strip_suffix(".n")).unwrap_or(mnemonic).to_string();
        let operands = operands(columns.next().unwrap_or_default());
        instructions.insert(address, Instruction { address, size, mnemonic, operands });
    }
    Ok(instructions)
}

/// Splits at the commas that are in no bracket.
fn operands(text: &str) -> Vec<String> {
    let text = text.split(['@', ';', '<']).next().unwrap_or_default();
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in text.chars() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_disassembler_become_instructions() {
        let listing = "\n00000400 <Reset>:\n     400:\tf006 fa0d \tbl\t681e <DefaultPreInit>\n     \
                       404:\t480e      \tldr\tr0, [pc, #56]\t@ (440 <Reset+0x40>)\n     40c:\td001      \tbeq.n\t412 \
                       <Reset+0x12>\n     410:\te92d 0f00 \tstmdb\tsp!, {r8, r9, sl, fp}\n     440:\t20000000 \
                       \t.word\t0x20000000\n\t...\n";
        let found = parse(listing).unwrap();
        let text: Vec<_> = found.values().map(|i| (i.address, i.size, i.text())).collect();
        let expected = [
            (0x400, 4, "bl 681e"),
            (0x404, 2, "ldr r0, [pc, #56]"),
            (0x40c, 2, "beq 412"),
            (0x410, 4, "stmdb sp!, {r8, r9, sl, fp}"),
        ];
        assert_eq!(text, expected.map(|(a, s, t)| (a, s, t.to_string())));
    }

    #[test]
    fn bytes_that_are_no_instruction_are_kept_as_such() {
        let found = parse("     400:\tffff ffff \t\t\t@ <UNDEFINED> instruction: 0xffffffff\n").unwrap();
        assert_eq!(found[&0x400].text(), UNKNOWN);
        assert!(parse("     40g:\tffff ffff \tnop\n").is_err());
    }
}
