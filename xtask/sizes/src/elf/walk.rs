//! One function, walked along all its ways: how deep its stack gets, and whom it calls at which
//! depth.
//!
//! Depths count bytes down from where the stack pointer was at the function's first instruction.
//! Where two ways meet, the deeper one counts. Registers are followed as far as they hold numbers
//! or places on the stack: frame pointers, buffers of a constant size, and functions that are
//! called through a register which can hold only one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::effect::{self, Effect, Flow, SP, Write};
use super::image::Image;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The greatest depth that its own instructions reach, in bytes.
    pub frame: u32,
    pub calls: Vec<Call>,
    /// Whether it comes back to its caller by an instruction of its own.
    pub returns: bool,
    /// Why it is not understood: the instruction and what about it.
    pub unclear: Option<String>,
}

/// A call, also one that does not come back to here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// How deep the stack is there, in bytes.
    pub depth: u32,
    /// Whether it does not come back to here: a jump into another function, which then returns to
    /// the caller.
    pub jump: bool,
    /// Where it goes; none where only the running program knows.
    pub target: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Unknown,
    Number(u32),
    /// A place on the stack, as a depth.
    Stack(i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    depth: i64,
    registers: [Value; 15],
}

/// Ways that meet at other depths are no loop; this often, they are.
const VISITS: u32 = 1000;

/// Walks over the function that holds `entry`, from there.
pub fn walk(image: &Image, entry: u32) -> Walk {
    let Some((start, function)) = image.function(entry) else {
        return Walk { unclear: Some(format!("there is no function at {entry:#x}")), ..Walk::default() };
    };
    let mut walker = Walker {
        image,
        inside: start..function.end,
        states: BTreeMap::new(),
        visits: BTreeMap::new(),
        open: BTreeSet::new(),
        walk: Walk::default(),
        calls: BTreeMap::new(),
    };
    walker.arrive(entry, State { depth: 0, registers: [Value::Unknown; 15] });
    while let Some(address) = walker.open.pop_first() {
        if let Err(why) = walker.step(address) {
            let text = image.code.get(&address).map(|i| i.text()).unwrap_or_default();
            walker.walk.unclear = Some(format!("{address:#x} `{text}`: {why}"));
            break;
        }
    }
    let calls = walker.calls.into_iter().map(|((target, jump), depth)| Call { depth, jump, target });
    Walk { calls: calls.collect(), ..walker.walk }
}

/// Whom a function calls by its instructions alone, whether or not they are understood: for
/// functions whose stack is declared.
pub fn calls(image: &Image, entry: u32) -> Vec<Call> {
    let Some((start, function)) = image.function(entry) else { return Vec::new() };
    let outside = |target: u32| !(start..function.end).contains(&target);
    let mut calls = Vec::new();
    for (_, instruction) in image.code.range(start..function.end) {
        let (target, jump) = match effect::of(instruction).flow {
            Flow::Call(target) => (Some(target), false),
            Flow::Jump(target) | Flow::Branch(target) if outside(target) => (Some(target), true),
            Flow::CallRegister(_) => (None, false),
            Flow::JumpRegister(_) => (None, true),
            _ => continue,
        };
        calls.push(Call { depth: 0, jump, target });
    }
    calls
}

struct Walker<'a> {
    image: &'a Image,
    inside: Range<u32>,
    states: BTreeMap<u32, State>,
    visits: BTreeMap<u32, u32>,
    open: BTreeSet<u32>,
    walk: Walk,
    /// The greatest depth of the calls to a function, or of the jumps.
    calls: BTreeMap<(Option<u32>, bool), u32>,
}

impl Walker<'_> {
    /// Takes the state to `address` and opens it where that says something new.
    fn arrive(&mut self, address: u32, mut state: State) {
        if let Some(old) = self.states.get(&address) {
            state.depth = state.depth.max(old.depth);
            for (new, old) in state.registers.iter_mut().zip(old.registers) {
                if *new != old {
                    *new = Value::Unknown;
                }
            }
        }
        if self.states.get(&address) != Some(&state) {
            self.states.insert(address, state);
            self.open.insert(address);
        }
    }

    /// Notes a call, or a jump into another function.
    fn call(&mut self, target: Option<u32>, at_depth: i64, jump: bool) -> Result<(), String> {
        let deepest = self.calls.entry((target, jump)).or_insert(0);
        *deepest = (*deepest).max(depth(at_depth)?);
        Ok(())
    }

    fn step(&mut self, address: u32) -> Result<(), String> {
        let visits = self.visits.entry(address).or_insert(0);
        *visits += 1;
        if *visits > VISITS {
            return Err("the stack grows with every round of a loop".into());
        }
        let before = self.states[&address].clone();
        let Some(instruction) = self.image.code.get(&address) else {
            return Err("expected an instruction".into());
        };
        let effect = effect::of(instruction);
        let after = self.apply(address, &before, &effect)?;
        self.walk.frame = self.walk.frame.max(depth(before.depth.max(after.depth))?);
        let next = address + instruction.size;
        let flow = &effect.flow;
        let goes_on = effect.conditional
            || matches!(flow, Flow::Next | Flow::Branch(_) | Flow::Call(_) | Flow::CallRegister(_));
        let mut ways = Vec::new();
        match *flow {
            Flow::Next | Flow::Trap => {}
            Flow::Jump(target) | Flow::Branch(target) => ways.push(target),
            Flow::Call(target) => self.call(Some(target), after.depth, false)?,
            Flow::CallRegister(register) => self.call(function(&before, register), after.depth, false)?,
            Flow::JumpRegister(register) => match function(&before, register) {
                Some(target) => ways.push(target),
                None => self.call(None, after.depth, true)?,
            },
            Flow::Veneer => {
                let word = self.image.constant(next).ok_or("cannot read where it goes on")?;
                ways.push(u32::from_le_bytes(word) & !1);
            }
            Flow::Table(width) => ways = self.table(next, width)?,
            Flow::Return => self.walk.returns = true,
            Flow::Unknown => return Err("cannot tell where it goes on".into()),
        }
        for way in ways {
            if self.inside.contains(&way) {
                self.arrive(way, after.clone());
            } else {
                self.call(Some(way), after.depth, true)?;
            }
        }
        if goes_on {
            // The end of a function that does not return: behind its last call lies nothing, or a table.
            let ends = next >= self.inside.end || !self.image.code.contains_key(&next);
            let over = ends && self.behind_call(address, &effect);
            if !over && next < self.inside.end {
                self.arrive(next, after);
            } else if !over {
                // Assembly that runs on into the next function.
                self.call(Some(next), after.depth, true)?;
            }
        }
        Ok(())
    }

    /// Whether an instruction calls, or fills the space behind one that does.
    fn behind_call(&self, address: u32, effect: &Effect) -> bool {
        let calls = |effect: &Effect| matches!(effect.flow, Flow::Call(_) | Flow::CallRegister(_));
        let fills = self.image.code.get(&address).is_some_and(|instruction| instruction.mnemonic == "nop");
        let before = self.image.code.range(self.inside.start..address).next_back();
        calls(effect) || fills && before.is_some_and(|(_, instruction)| calls(&effect::of(instruction)))
    }

    fn apply(&self, address: u32, before: &State, effect: &Effect) -> Result<State, String> {
        let mut state = before.clone();
        if matches!(effect.flow, Flow::Call(_) | Flow::CallRegister(_)) {
            // What a callee may change.
            for register in [0, 1, 2, 3, 12, 14] {
                state.registers[register] = Value::Unknown;
            }
        }
        for (to, write) in &effect.writes {
            let value = self.value(address, &state, write, *to);
            if *to == SP {
                let Value::Stack(depth) = value else {
                    return Err("cannot tell how far the stack pointer moves".into());
                };
                // One that may be skipped moves it down for certain, and up never.
                state.depth = if effect.conditional { depth.max(state.depth) } else { depth };
            } else {
                state.registers[*to] = if effect.conditional { Value::Unknown } else { value };
            }
        }
        Ok(state)
    }

    fn value(&self, address: u32, state: &State, write: &Write, to: usize) -> Value {
        let get = |register: usize| match register {
            SP => Value::Stack(state.depth),
            _ => state.registers.get(register).copied().unwrap_or(Value::Unknown),
        };
        let word = |at: u32| {
            let bytes = self.image.constant::<4>(at);
            bytes.map_or(Value::Unknown, |bytes| Value::Number(u32::from_le_bytes(bytes)))
        };
        match *write {
            Write::Number(number) => Value::Number(number),
            Write::Near(distance) => word(((address + 4) & !3).wrapping_add(distance)),
            Write::Sum(register, by) => sum(get(register), by),
            Write::Sums(left, right, minus) => match (get(left), get(right)) {
                (left, Value::Number(right)) if minus => sum(left, -i64::from(right)),
                (left, Value::Number(right)) => sum(left, i64::from(right)),
                (Value::Number(left), right) if !minus => sum(right, i64::from(left)),
                _ => Value::Unknown,
            },
            Write::Load(register, distance) => match get(register) {
                Value::Number(start) => word(start.wrapping_add(distance)),
                _ => Value::Unknown,
            },
            Write::Upper(high) => match get(to) {
                Value::Number(low) => Value::Number(high << 16 | low & 0xffff),
                _ => Value::Unknown,
            },
            // The stack pointer is a multiple of four; clearing bits moves it down by what they were at most.
            Write::Align(register, bits) => match get(register) {
                Value::Stack(depth) if bits < 32 => Value::Stack(depth + ((1i64 << bits) - 4).max(0)),
                Value::Number(number) if bits < 32 => Value::Number(number & !((1 << bits) - 1)),
                _ => Value::Unknown,
            },
            Write::Other => Value::Unknown,
        }
    }

    /// Where a table of jumps leads: it lies between its jump and the next instructions.
    fn table(&self, start: u32, width: u32) -> Result<Vec<u32>, String> {
        let end = self.image.code.range(start..self.inside.end).next().map_or(self.inside.end, |(&at, _)| at);
        let mut ways = Vec::new();
        for at in (start..end).step_by(width as usize) {
            let byte = || self.image.constant::<1>(at).map(|[byte]| u32::from(byte));
            let half = || self.image.constant(at).map(|bytes| u32::from(u16::from_le_bytes(bytes)));
            let entry = if width == 1 { byte() } else { half() };
            let entry = entry.ok_or("cannot read its table")?;
            // A table of an odd length is filled up with a zero, which leads into the table itself.
            ways.extend(Some(start + 2 * entry).filter(|way| self.image.code.contains_key(way)));
        }
        if ways.is_empty() { Err("its table leads nowhere".into()) } else { Ok(ways) }
    }
}

/// The function whose address a register is known to hold.
fn function(state: &State, register: usize) -> Option<u32> {
    match state.registers.get(register) {
        Some(Value::Number(number)) => Some(number & !1),
        _ => None,
    }
}

fn sum(value: Value, by: i64) -> Value {
    match value {
        Value::Stack(depth) => Value::Stack(depth - by),
        // As the processor adds.
        Value::Number(number) => Value::Number((i64::from(number) + by) as u32),
        Value::Unknown => Value::Unknown,
    }
}

fn depth(depth: i64) -> Result<u32, String> {
    // Above the caller's lie arguments, which are no stack of this function.
    u32::try_from(depth.max(0)).map_err(|_| "the stack is deeper than any memory".into())
}
