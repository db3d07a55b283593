//! What one instruction means for the stack and for where the program goes on.

use super::listing::Instruction;

/// Where the program goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    Next,
    Jump(u32),
    /// At an address, or at the next instruction.
    Branch(u32),
    /// In a function, then at the next instruction.
    Call(u32),
    /// In the function that a register names, then at the next instruction.
    CallRegister(usize),
    /// In the function that a register names.
    JumpRegister(usize),
    /// At one of the entries of the table that follows, of one or of two bytes each.
    Table(u32),
    /// At the address that the word behind the instruction says: the linker's way to a function
    /// that a branch does not reach.
    Veneer,
    Return,
    /// Nowhere.
    Trap,
    /// Somewhere that is not understood.
    Unknown,
}

/// What happens to a register or to the stack pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    Number(u32),
    /// It gets the word at a distance from the instruction's address, rounded down to words.
    Near(u32),
    /// It gets the value of a register and a number.
    Sum(usize, i64),
    /// It gets the sum or the difference of two registers.
    Sums(usize, usize, bool),
    /// It gets the word at a distance from where a register points.
    Load(usize, u32),
    Upper(u32),
    /// That many of its lowest bits are cleared, from the value of a register.
    Align(usize, u32),
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub flow: Flow,
    /// What registers get, the stack pointer too, in this order.
    pub writes: Vec<(usize, Write)>,
    pub conditional: bool,
}

pub const SP: usize = 13;
const LR: usize = 14;
const PC: usize = 15;

const CONDITIONS: [&str; 16] =
    ["eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "hs", "lo"];

/// How the names of instructions with two results begin; `vmov` has them where both begin its
/// operands.
const TWO: [&str; 9] = ["ldrd", "ldrexd", "umull", "smull", "umlal", "smlal", "smlsl", "umaal", "vmov"];

/// Instructions with no result in a register of the core.
const NONE: [&str; 13] =
    ["cmp", "cmn", "tst", "teq", "vstr", "vldr", "nop", "it", "dsb", "isb", "dmb", "bkpt", "svc"];

/// What an instruction does. What is not understood is said to be so, never left out.
pub fn of(instruction: &Instruction) -> Effect {
    let (base, conditional) = base(&instruction.mnemonic);
    let operands: Vec<&str> = instruction.operands.iter().map(String::as_str).collect();
    let first = operands.first().copied();
    let target = |index: usize| operands.get(index).and_then(|text| u32::from_str_radix(text, 16).ok());
    let to = |flow: fn(u32) -> Flow, index: usize| target(index).map_or(Flow::Unknown, flow);
    let stack: Vec<&str> = ["sp!"].into_iter().chain(first).collect();
    let mut effect = Effect { flow: Flow::Next, writes: Vec::new(), conditional };
    effect.flow = match base {
        super::listing::UNKNOWN => Flow::Unknown,
        "b" if conditional => to(Flow::Branch, 0),
        "b" => to(Flow::Jump, 0),
        "cbz" | "cbnz" => to(Flow::Branch, 1),
        "bl" => to(Flow::Call, 0),
        "blx" | "blxns" => first.and_then(register).map_or(Flow::Unknown, Flow::CallRegister),
        "bx" | "bxns" => jump(first),
        "tbb" => Flow::Table(1),
        "tbh" => Flow::Table(2),
        "udf" => Flow::Trap,
        "push" | "vpush" => effect.multiple(&stack, -1, false),
        "pop" | "vpop" => effect.multiple(&stack, 1, true),
        "stmdb" | "stmfd" | "vstmdb" => effect.multiple(&operands, -1, false),
        "stmia" | "stm" | "stmea" | "vstmia" => effect.multiple(&operands, 1, false),
        "ldmia" | "ldmfd" | "ldm" | "vldmia" => effect.multiple(&operands, 1, true),
        "ldmdb" | "vldmdb" => effect.multiple(&operands, -1, true),
        _ => effect.single(base, &operands),
    };
    effect
}

/// A jump to where a register points: back to the caller where it is the link register.
fn jump(operand: Option<&str>) -> Flow {
    match operand.and_then(register) {
        Some(LR) => Flow::Return,
        Some(register) => Flow::JumpRegister(register),
        None => Flow::Unknown,
    }
}

/// A mnemonic without its condition, and whether it had one.
fn base(mnemonic: &str) -> (&str, bool) {
    // With a type such as `.f32` it works on the float unit.
    let plain = mnemonic.split('.').next().unwrap_or(mnemonic);
    // They end like a condition, and have none.
    if plain == "movs" || NONE.contains(&plain) {
        return (plain, false);
    }
    match plain.len().checked_sub(2).and_then(|at| plain.split_at_checked(at)) {
        Some((base, condition)) if CONDITIONS.contains(&condition) => (base, true),
        // Blocks of more than one: `itte`.
        _ if plain.starts_with("it") => ("it", false),
        _ => (plain, false),
    }
}

impl Effect {
    /// `ldm`, `stm`, `push`, `pop` and those of the float unit: registers of a list are stored or
    /// loaded, and the pointer moves by their bytes where a `!` says so.
    fn multiple(&mut self, operands: &[&str], direction: i64, loads: bool) -> Flow {
        let [base, list] = operands else { return Flow::Unknown };
        let back = base.strip_suffix('!');
        let Some(pointer) = register(back.unwrap_or(base)) else { return Flow::Unknown };
        let Some((registers, bytes)) = self::list(list) else { return Flow::Unknown };
        if back.is_some() {
            self.writes.push((pointer, Write::Sum(pointer, direction * bytes)));
        }
        let mut flow = Flow::Next;
        for register in registers.into_iter().filter(|_| loads) {
            match register {
                PC => flow = if back.is_some() { Flow::Return } else { Flow::Unknown },
                _ => self.writes.push((register, Write::Other)),
            }
        }
        flow
    }

    /// An instruction with at most two results.
    fn single(&mut self, base: &str, operands: &[&str]) -> Flow {
        // The address may be moved: `[sp, #-8]!` or `[sp], #8`.
        if let Some(at) = operands.iter().position(|operand| operand.starts_with('[')) {
            self.moved(operands[at], operands.get(at + 1).copied());
        }
        if base.starts_with("str") && !base.starts_with("strex") || NONE.contains(&base) {
            return Flow::Next;
        }
        // `msr MSP, r0`: another stack; `MSPLIM` is only a limit.
        if base == "msr" {
            let name = operands.first().map(|name| name.to_lowercase());
            if matches!(name.as_deref(), Some("msp" | "psp" | "msp_ns" | "psp_ns" | "sp_ns")) {
                self.writes.push((SP, Write::Other));
            }
            return Flow::Next;
        }
        // What a coprocessor answers: registers stand behind its number and its command.
        if base.starts_with("mrc") || base.starts_with("mrrc") {
            let registers = operands.iter().filter_map(|operand| register(operand));
            self.writes.extend(registers.map(|register| (register, Write::Other)));
            return Flow::Next;
        }
        let results = if TWO.iter().any(|name| base.starts_with(name)) { 2 } else { 1 };
        for (index, operand) in operands.iter().take(results).enumerate() {
            // Both results begin the operands, or there is one.
            let Some(register) = register(operand) else { break };
            if register == PC {
                return match (base, operands.get(1).copied()) {
                    ("mov", from) => jump(from),
                    // `ldr pc, [sp], #4` is how a function returns that saved nothing else.
                    ("ldr", Some("[sp]")) => Flow::Return,
                    ("ldr", Some("[pc]")) => Flow::Veneer,
                    _ => Flow::Unknown,
                };
            }
            let write = if index == 0 { self::write(base, register, operands) } else { Write::Other };
            self.writes.push((register, write));
        }
        Flow::Next
    }

    fn moved(&mut self, address: &str, after: Option<&str>) {
        let inner = address.trim_start_matches('[');
        let (inside, closed) = inner.split_once(']').unwrap_or((inner, ""));
        let mut parts = inside.split(',').map(str::trim);
        let pointer = parts.next().and_then(register);
        let distance = if closed == "!" { parts.next() } else { after };
        if let (Some(pointer), Some(distance)) = (pointer, distance) {
            let write = number(distance).map_or(Write::Other, |n| Write::Sum(pointer, n));
            self.writes.push((pointer, write));
        }
    }
}

fn write(base: &str, to: usize, operands: &[&str]) -> Write {
    let operand = |index: usize| operands.get(index).copied();
    let source = |index: usize| operand(index).and_then(register);
    let value = |index: usize| operand(index).and_then(number);
    let unsigned = |index: usize| value(index).and_then(|n| u32::try_from(n).ok());
    let count = operands.len();
    match (base, count) {
        ("mov" | "movs" | "movw", 2) => match source(1) {
            Some(from) => Write::Sum(from, 0),
            None => unsigned(1).map_or(Write::Other, Write::Number),
        },
        ("movt", 2) => unsigned(1).map_or(Write::Other, Write::Upper),
        ("add" | "adds" | "addw" | "sub" | "subs" | "subw", 2 | 3) => {
            let minus = base.starts_with("sub");
            // `add r0, #4` is short for `add r0, r0, #4`.
            let left = if count == 2 { Some(to) } else { source(1) };
            match (left, source(count - 1), value(count - 1)) {
                (Some(PC), ..) | (_, Some(PC), _) => Write::Other,
                (Some(left), _, Some(number)) => Write::Sum(left, if minus { -number } else { number }),
                (Some(left), Some(right), _) => Write::Sums(left, right, minus),
                _ => Write::Other,
            }
        }
        ("ldr", 2) => {
            let inside = operand(1).and_then(|text| text.strip_prefix('[')?.strip_suffix(']'));
            let mut parts = inside.unwrap_or_default().split(',').map(str::trim);
            let pointer = parts.next().and_then(register);
            let distance = parts.next().map_or(Some(0), number).and_then(|n| u32::try_from(n).ok());
            match (pointer, distance, parts.next()) {
                (Some(PC), Some(distance), None) => Write::Near(distance),
                (Some(pointer), Some(distance), None) => Write::Load(pointer, distance),
                _ => Write::Other,
            }
        }
        ("bfc", 3) if value(1) == Some(0) => unsigned(2).map_or(Write::Other, |bits| Write::Align(to, bits)),
        ("bic", 3) => match (source(1), unsigned(2)) {
            (Some(from), Some(mask)) if mask.trailing_ones() + mask.leading_zeros() == 32 => {
                Write::Align(from, mask.trailing_ones())
            }
            _ => Write::Other,
        },
        _ => Write::Other,
    }
}

/// The number of a register of the core.
fn register(name: &str) -> Option<usize> {
    match name {
        "sl" => Some(10),
        "fp" => Some(11),
        "ip" => Some(12),
        "sp" => Some(SP),
        "lr" => Some(LR),
        "pc" => Some(PC),
        _ => name.strip_prefix('r')?.parse().ok().filter(|&number| number < PC),
    }
}

/// A number as instructions have it: `#-8`.
fn number(text: &str) -> Option<i64> {
    text.strip_prefix('#')?.parse().ok()
}

/// The core's registers of a list, and the bytes of all in it: `{r4, lr}`, `{d8-d15}`.
fn list(text: &str) -> Option<(Vec<usize>, i64)> {
    let (mut registers, mut bytes) = (Vec::new(), 0);
    for item in text.strip_prefix('{')?.strip_suffix('}')?.split(',').map(str::trim) {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        if let (Some(first), Some(last)) = (register(first), register(last)) {
            registers.extend(first..=last);
            bytes += 4 * i64::try_from((first..=last).count()).ok()?;
            continue;
        }
        let width = if first.starts_with('d') { 8 } else { 4 };
        let number = |name: &str| name.strip_prefix(['d', 's'])?.parse::<i64>().ok();
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => bytes += width * (last - first + 1),
            // The secure state's `VPR` takes a word.
            _ if item == "vpr" => bytes += 4,
            _ => return None,
        }
    }
    Some((registers, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(text: &str) -> Effect {
        let line = text.replacen(' ', "\t", 1);
        let found = super::super::listing::parse(&format!("   100:\t0000 0000 \t{line}\n")).unwrap();
        of(&found[&0x100])
    }

    #[test]
    fn every_way_to_move_the_stack_pointer_is_understood() {
        for (text, by) in [
            ("push {r4, r5, r7, lr}", -16),
            ("vpush {d8-d15}", -64),
            ("vpush {s16}", -4),
            ("stmdb sp!, {r8, r9, sl, fp}", -16),
            ("sub sp, #260 @ 0x104", -260),
            ("sub.w sp, sp, #4096", -4096),
            ("subw sp, sp, #4092", -4092),
            ("add.w sp, sp, #4096", 4096),
            ("str.w fp, [sp, #-4]!", -4),
            ("strd r4, r5, [sp, #-16]!", -16),
            ("pop {r4, r5, r7, pc}", 16),
            ("vpop {d8, d9}", 16),
            ("ldmia.w sp!, {r8, r9, sl}", 12),
            ("ldr.w fp, [sp], #4", 4),
        ] {
            let writes = effect(text).writes;
            assert_eq!(writes.iter().find(|(to, _)| *to == SP), Some(&(SP, Write::Sum(SP, by))), "{text}");
        }
        for text in ["and.w sp, r4, r5", "msr MSP, r0"] {
            assert_eq!(effect(text).writes, [(SP, Write::Other)], "{text}");
        }
        for text in
            ["str r0, [sp, #4]", "cmp sp, r0", "stmia.w sp, {r0, r1}", "vstr s0, [sp, #4]", "msr MSPLIM, r0"]
        {
            assert_eq!(effect(text).writes, [], "{text}");
        }
        assert_eq!(effect("sub.w sp, sp, r1").writes, [(SP, Write::Sums(SP, 1, true))]);
        assert_eq!(effect("mov sp, r4").writes, [(SP, Write::Sum(4, 0))]);
        assert_eq!(effect("bic.w r4, r4, #7").writes, [(4, Write::Align(4, 3))]);
        assert_eq!(effect("bfc r4, #0, #5").writes, [(4, Write::Align(4, 5))]);
    }

    #[test]
    fn every_way_on_is_understood() {
        for (text, flow, conditional) in [
            ("bl 681e <f>", Flow::Call(0x681e), false),
            ("b.w 681e <f>", Flow::Jump(0x681e), false),
            ("ble.n 681e <f+0x2>", Flow::Branch(0x681e), true),
            ("bls.w 681e", Flow::Branch(0x681e), true),
            ("cbnz r0, 186a <f+0x14a>", Flow::Branch(0x186a), false),
            ("blx r9", Flow::CallRegister(9), false),
            ("bx r3", Flow::JumpRegister(3), false),
            ("bx lr", Flow::Return, false),
            ("bxeq lr", Flow::Return, true),
            ("popne {r4, pc}", Flow::Return, true),
            ("ldmia.w sp!, {r4, pc}", Flow::Return, false),
            ("ldr.w pc, [sp], #4", Flow::Return, false),
            ("ldr.w pc, [r0, r1, lsl #2]", Flow::Unknown, false),
            ("mov pc, r0", Flow::JumpRegister(0), false),
            ("tbb [pc, r0]", Flow::Table(1), false),
            ("tbh [pc, r0, lsl #1]", Flow::Table(2), false),
            ("udf #254", Flow::Trap, false),
            ("itte ne", Flow::Next, false),
            ("bkpt 0x00ab", Flow::Next, false),
        ] {
            let found = effect(text);
            assert_eq!((found.flow, found.conditional), (flow, conditional), "{text}");
        }
    }

    #[test]
    fn a_register_that_is_written_is_not_believed_any_longer() {
        assert_eq!(effect("eor.w r4, r5, r6").writes, [(4, Write::Other)]);
        assert_eq!(effect("umull r0, r1, r2, r3").writes, [(0, Write::Other), (1, Write::Other)]);
        assert_eq!(effect("vmov ip, lr, s12, s13").writes, [(12, Write::Other), (14, Write::Other)]);
        assert_eq!(effect("smlalbb r0, r1, r2, r3").writes, [(0, Write::Other), (1, Write::Other)]);
        assert_eq!(effect("mrc 0, 0, r3, cr1, cr0, {0}").writes, [(3, Write::Other)]);
        assert_eq!(effect("vmov s9, r1").writes, []);
        assert_eq!(effect("ldrd r0, r1, [r5]").writes, [(0, Write::Other), (1, Write::Other)]);
        assert_eq!(effect("ldr.w r3, [r1], #4").writes, [(1, Write::Sum(1, 4)), (3, Write::Other)]);
        assert_eq!(effect("ldmia r2!, {r3}").writes, [(2, Write::Sum(2, 4)), (3, Write::Other)]);
        assert_eq!(effect("stmia r0!, {r2}").writes, [(0, Write::Sum(0, 4))]);
        assert_eq!(effect("movw r2, #64508").writes, [(2, Write::Number(64508))]);
        assert_eq!(effect("ldr r0, [pc, #56]").writes, [(0, Write::Near(56))]);
        assert_eq!(effect("ldr r0, [r5, #28]").writes, [(0, Write::Load(5, 28))]);
    }
}
