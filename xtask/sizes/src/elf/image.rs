//! A linked file: sections with where they lie and where they are loaded from, functions, statics.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, ensure};
use object::read::elf::{ElfFile32, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind, elf};

use super::listing::{self, Instruction};

#[derive(Debug, Default)]
pub struct Image {
    /// What takes memory while it runs.
    pub sections: Vec<Section>,
    pub functions: BTreeMap<u32, Function>,
    pub statics: Vec<Static>,
    pub code: BTreeMap<u32, Instruction>,
    /// Readable names of all symbols, also of those that are not defined.
    pub names: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Section {
    pub name: String,
    /// The address where the program has it.
    pub address: u32,
    /// The address from which it is loaded: the same, or in flash.
    pub load: u32,
    /// Its bytes in memory.
    pub size: u32,
    /// What it is loaded with; empty where the start clears it or leaves it alone.
    pub bytes: Vec<u8>,
    /// Whether the program cannot change it.
    pub constant: bool,
    pub code: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    pub end: u32,
    pub names: Vec<String>,
}

#[derive(Debug)]
pub struct Static {
    pub name: String,
    pub address: u32,
    pub size: u32,
}

impl Section {
    pub fn range(&self) -> Range<u32> {
        self.address..self.address.saturating_add(self.size)
    }
}

impl Image {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut image =
            Self::parse(&data).with_context(|| format!("{} is no program for a Cortex-M", path.display()))?;
        image.code = listing::disassemble(path)?;
        ensure!(!image.code.is_empty(), "{} has no instructions", path.display());
        Ok(image)
    }

    /// A linked file without its instructions.
    fn parse(data: &[u8]) -> anyhow::Result<Self> {
        let file = ElfFile32::<Endianness>::parse(data)?;
        let endian = file.endian();
        let machine = file.elf_header().e_machine(endian);
        ensure!(machine == elf::EM_ARM, "expected machine {} (Arm), got {machine}", elf::EM_ARM);
        let mut image = Self::default();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
            let (address, size) = (u32::try_from(section.address())?, u32::try_from(section.size())?);
            let has = |flag| sh_flags & flag == flag;
            if !has(elf::SHF_ALLOC) || size == 0 {
                continue;
            }
            let load = file.elf_program_headers().iter().find_map(|header| {
                let start = header.p_vaddr(endian);
                let inside = address >= start && address - start < header.p_memsz(endian);
                (header.p_type(endian) == elf::PT_LOAD && inside)
                    .then(|| header.p_paddr(endian) + (address - start))
            });
            image.sections.push(Section {
                name: section.name()?.to_string(),
                address,
                load: load.unwrap_or(address),
                size,
                bytes: section.data()?.to_vec(),
                constant: !has(elf::SHF_WRITE),
                code: has(elf::SHF_EXECINSTR),
            });
        }
        image.symbols(&file)?;
        Ok(image)
    }

    /// Takes over the symbols. A function has a size, or ends where the next begins.
    fn symbols(&mut self, file: &ElfFile32<'_, Endianness>) -> anyhow::Result<()> {
        let mut labels = BTreeMap::<u32, Vec<String>>::new();
        for symbol in file.symbols() {
            let name = symbol.name()?;
            // `$t`, `$d`: where instructions and data begin. The disassembler has used them.
            if name.is_empty() || name.starts_with('$') {
                continue;
            }
            let name = format!("{:#}", rustc_demangle::demangle(name));
            self.names.push(name.clone());
            let (address, size) = (u32::try_from(symbol.address())?, u32::try_from(symbol.size())?);
            let code = self.at(address & !1).is_some_and(|section| section.code);
            match symbol.kind() {
                SymbolKind::Text if code && size > 0 => {
                    let address = address & !1;
                    let function = self.functions.entry(address).or_default();
                    function.end = function.end.max(address + size);
                    function.names.push(name);
                }
                SymbolKind::Text | SymbolKind::Unknown | SymbolKind::Label if code => {
                    labels.entry(address & !1).or_default().push(name);
                }
                SymbolKind::Data => self.statics.push(Static { name, address, size }),
                _ => {}
            }
        }
        // Labels of assembly: a function of their own where they are in no other.
        let starts: Vec<u32> = labels.keys().chain(self.functions.keys()).copied().collect();
        for (address, names) in labels {
            if let Some(function) = self.functions.get_mut(&address) {
                function.names.extend(names);
            } else if self.function(address).is_none() {
                let next = starts.iter().copied().filter(|&start| start > address).min();
                let section = self.at(address).map_or(address, |section| section.range().end);
                let end = next.unwrap_or(section).min(section);
                self.functions.insert(address, Function { end, names });
            }
        }
        Ok(())
    }

    fn at(&self, address: u32) -> Option<&Section> {
        self.sections.iter().find(|section| section.range().contains(&address))
    }

    /// The function that holds an address, and where it begins.
    pub fn function(&self, address: u32) -> Option<(u32, &Function)> {
        let (&start, function) = self.functions.range(..=address).next_back()?;
        (address < function.end).then_some((start, function))
    }

    /// A function's readable name, with the distance where `address` is not its first.
    pub fn name(&self, address: u32) -> String {
        let Some((start, function)) = self.function(address) else { return format!("{address:#x}") };
        let name = function.names.first().map_or("", String::as_str);
        if start == address { name.to_string() } else { format!("{name}+{:#x}", address - start) }
    }

    /// Bytes of what the program cannot change; none elsewhere.
    pub fn constant<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let section = self.at(address).filter(|section| section.constant)?;
        let offset = usize::try_from(address - section.address).ok()?;
        section.bytes.get(offset..)?.first_chunk().copied()
    }

    /// The words at the addresses of `section`.
    fn words(section: &Section) -> impl Iterator<Item = (u32, u32)> {
        let skip = section.address.wrapping_neg() % 4;
        let words = section.bytes.get(skip as usize..).unwrap_or_default().as_chunks().0;
        let addresses = (section.address + skip..).step_by(4);
        addresses.zip(words.iter().map(|word| u32::from_le_bytes(*word)))
    }

    /// Functions whose address is somewhere in the program, other than in its vector table: those
    /// that an indirect call may reach.
    pub fn address_taken(&self) -> Vec<u32> {
        let mut taken = Vec::new();
        let mut take = |value: u32| {
            if value & 1 == 1 && self.functions.contains_key(&(value & !1)) {
                taken.push(value & !1);
            }
        };
        for section in self.sections.iter().filter(|section| section.name != VECTORS) {
            for (address, word) in Self::words(section) {
                let before = address.checked_sub(2);
                let instruction = self.code.contains_key(&address)
                    || before.and_then(|at| self.code.get(&at)).is_some_and(|i| i.size == 4);
                if !instruction {
                    take(word);
                }
            }
        }
        // Addresses that are put together from two halves.
        let mut halves = BTreeMap::<&str, u32>::new();
        for Instruction { mnemonic, operands, .. } in self.code.values() {
            let [register, number] = &operands[..] else { continue };
            let Some(Ok(number)) = number.strip_prefix('#').map(str::parse) else { continue };
            if mnemonic.starts_with("movw") {
                halves.insert(register, number);
            } else if let Some(low) = halves.get(register.as_str()).filter(|_| mnemonic.starts_with("movt")) {
                take(number << 16 | low);
            }
        }
        taken.sort_unstable();
        taken.dedup();
        taken
    }

    /// The handlers in the vector table, the reset's first; how many vectors lead to each of the
    /// others.
    pub fn vectors(&self) -> anyhow::Result<(u32, BTreeMap<u32, u32>)> {
        let section = self.sections.iter().find(|section| section.name == VECTORS);
        let mut words = section.into_iter().flat_map(Self::words).map(|(_, word)| word & !1).skip(1);
        let reset = words.next().with_context(|| format!("there is no vector table (section {VECTORS})"))?;
        let mut handlers = BTreeMap::new();
        for word in words.filter(|&word| word != 0) {
            let known = self.functions.contains_key(&word);
            ensure!(known, "the vector table names {word:#x}, which is no function");
            *handlers.entry(word).or_insert(0) += 1;
        }
        Ok((reset, handlers))
    }
}

/// The section of the vector table, as cortex-m-rt names it.
pub const VECTORS: &str = ".vector_table";
