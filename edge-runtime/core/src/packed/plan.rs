//! Places in the arena, by lifetimes: values that are never alive at the same time share memory.
//!
//! Time 0 is preprocessing, layer `i` runs at time `i + 1`, the head after the last layer. A value
//! lives from the time that makes it to the last that reads it; scratch memory lives at one time. A
//! depthwise convolution writes over its input and an addition over one of its inputs where that is
//! not read later. Blocks are placed from the largest to the smallest, each at the lowest place
//! that is free during its life (the greedy-by-size strategy of Pisarchyk and Lee 2020).

use super::{ALIGNMENT, MAX_LAYERS};
use crate::kernels::MAX_BYTES;
use heapless::Vec;

/// Most blocks: a value and scratch memory a layer, and those of preprocessing.
const MAX_BLOCKS: usize = 2 * (MAX_LAYERS + 1);

/// A piece of the arena for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Bytes that it takes.
    pub size: usize,
    /// First time at which it holds something.
    pub from: usize,
    /// Last time at which what it holds is read.
    pub to: usize,
    /// Where it begins, in bytes from the arena's.
    pub place: usize,
}

impl Block {
    fn overlaps(&self, other: &Block) -> bool {
        self.from <= other.to
            && other.from <= self.to
            && self.place < other.place.saturating_add(other.size)
            && other.place < self.place.saturating_add(self.size)
    }
}

/// What the planner must know of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Values that it reads; twice the same where there is one.
    pub inputs: [usize; 2],
    /// Bytes of its output.
    pub output: usize,
    /// Bytes of scratch memory.
    pub scratch: usize,
    /// Whether its output may overwrite an input.
    pub in_place: bool,
}

/// Places of all values and scratch memories.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Places of the values, the input first.
    pub values: Vec<usize, { MAX_LAYERS + 1 }>,
    /// Places of the scratch memories: preprocessing, then the layers.
    pub scratch: Vec<usize, { MAX_LAYERS + 1 }>,
    /// Bytes of the whole arena.
    pub arena: usize,
}

/// Plans a network of `steps` over an input of `input` bytes with `preprocess` bytes of scratch
/// memory before it; none where there are too many layers or one reads a value that is not made
/// before it.
pub fn plan(input: usize, preprocess: usize, steps: &[Step]) -> Option<Plan> {
    let mut blocks: Vec<Block, MAX_BLOCKS> = Vec::new();
    // Which block holds each value.
    let mut holder: Vec<usize, { MAX_LAYERS + 1 }> = Vec::new();
    blocks.push(Block { size: input, from: 0, to: 0, place: 0 }).ok()?;
    holder.push(0).ok()?;
    for (time, step) in (1..).zip(steps) {
        let last_use = |value: usize| {
            let reads = (1..).zip(steps).filter(|(_, s)| s.inputs.contains(&value));
            reads.map(|(t, _)| t).max().unwrap_or(time)
        };
        for value in step.inputs {
            let block = blocks.get_mut(*holder.get(value)?)?;
            block.to = block.to.max(time);
        }
        // The second input of an addition is the newer one: it is overwritten where both could be.
        let reusable = step.inputs.iter().rev().find(|&&v| step.in_place && last_use(v) == time);
        let block = match reusable {
            Some(&value) => *holder.get(value)?,
            None => {
                blocks.push(Block { size: 0, from: time, to: time, place: 0 }).ok()?;
                blocks.len() - 1
            }
        };
        let of_output = blocks.get_mut(block)?;
        of_output.size = of_output.size.max(step.output);
        of_output.to = time;
        holder.push(block).ok()?;
    }
    // The head reads the last value, and the class activation map may be asked for after it.
    blocks.get_mut(*holder.last()?)?.to = usize::MAX;
    let first_scratch = blocks.len();
    blocks.push(Block { size: preprocess, from: 0, to: 0, place: 0 }).ok()?;
    for (time, step) in (1..).zip(steps) {
        blocks.push(Block { size: step.scratch, from: time, to: time, place: 0 }).ok()?;
    }
    let arena = place(&mut blocks)?;
    let mut plan = Plan { arena, ..Plan::default() };
    for &block in &holder {
        plan.values.push(blocks.get(block)?.place).ok()?;
    }
    for block in blocks.get(first_scratch..)? {
        plan.scratch.push(block.place).ok()?;
    }
    Some(plan)
}

/// Gives every block its place; returns the bytes of all.
fn place(blocks: &mut [Block]) -> Option<usize> {
    let mut order: Vec<usize, MAX_BLOCKS> = (0..blocks.len()).collect();
    order.sort_unstable_by_key(|&b| (core::cmp::Reverse(blocks.get(b).map(|b| b.size)), b));
    let mut placed: Vec<Block, MAX_BLOCKS> = Vec::new();
    let mut arena = 0;
    for index in order {
        let block = blocks.get_mut(index)?;
        // Candidates are the beginning and the ends of what is placed; the lowest free one is taken.
        let end = |p: &Block| p.place.checked_add(p.size)?.checked_next_multiple_of(ALIGNMENT);
        let ends = placed.iter().filter_map(end);
        let free = |&at: &usize| !placed.iter().any(|p| p.overlaps(&Block { place: at, ..*block }));
        block.place = core::iter::once(0).chain(ends).filter(free).min()?;
        arena = arena.max(block.place.checked_add(block.size)?);
        placed.push(*block).ok()?;
    }
    arena.checked_next_multiple_of(ALIGNMENT).filter(|&bytes| bytes <= MAX_BYTES)
}

/// Whether places keep values whole while they are needed: for each value and scratch memory
/// nothing else is written into it during its life, but for an output that a layer may write over
/// its own input. A check of its own, not the planner's word.
pub fn is_sound(values: &[(usize, usize)], scratch: &[(usize, usize)], steps: &[Step]) -> bool {
    let life = |value: usize| {
        let reads = (1..).zip(steps).filter(|(_, s)| s.inputs.contains(&value)).map(|(t, _)| t);
        let end = if value == steps.len() { usize::MAX } else { reads.max().unwrap_or(value) };
        (value, end)
    };
    let block = |&(place, size): &(usize, usize), from, to| Block { size, from, to, place };
    let scratch_at = |time: usize| scratch.get(time).map(|s| block(s, time, time));
    (0..values.len()).all(|v| {
        let (from, to) = life(v);
        let Some(value) = values.get(v).map(|s| block(s, from, to)) else { return false };
        let apart = (0..v).all(|w| {
            let (from, to) = life(w);
            let Some(other) = values.get(w).map(|s| block(s, from, to)) else { return false };
            // `v` is made at time `v`; an earlier value may end there and be written over.
            let step = v.checked_sub(1).and_then(|i| steps.get(i));
            let in_place = step.is_some_and(|s| s.in_place && s.inputs.contains(&w) && to == v);
            !value.overlaps(&other) || (in_place && value.place == other.place)
        });
        apart && (0..=steps.len()).all(|t| scratch_at(t).is_some_and(|s| s.size == 0 || !value.overlaps(&s)))
    })
}
