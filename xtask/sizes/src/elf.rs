//! What a linked program of a microcontroller is made of: its memory, its functions' stack, who
//! calls whom, what can be reached.
//!
//! Everything is read from the linked file and its disassembly, so that inlining, outlining and the
//! linker's work are in it, whichever compiler made it. [`image`] is the file, [`listing`] its
//! instructions, [`walk`] one function, [`graph`] all of them, [`stack`] the bound and [`reach`]
//! what may be called at all; [`table`] is what no disassembly can say.

pub mod effect;
pub mod graph;
pub mod image;
pub mod listing;
pub mod reach;
pub mod stack;
pub mod table;
pub mod walk;

#[cfg(test)]
mod known;
#[cfg(test)]
mod tests;
