//! The core engine: a packed model, a kernel set, an arena that the caller gives. No allocation, no panic.

use crate::kernels::depthwise::Places;
use crate::kernels::{Kernels, Misfit, add, pool};
use crate::packed::{Layer, MAX_FEATURES, Operator, Packed};
use core::fmt;
use core::ops::Range;

/// A model and the kernels that compute it; `B` holds the model's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Engine<B> {
    model: Packed<B>,
    kernels: Kernels,
}

impl<B: AsRef<[u8]>> Engine<B> {
    /// The engine of a checked model.
    pub fn new(model: Packed<B>, kernels: Kernels) -> Self {
        Self { model, kernels }
    }

    /// The model.
    pub fn model(&self) -> &Packed<B> {
        &self.model
    }

    /// The kernels.
    pub fn kernels(&self) -> &Kernels {
        &self.kernels
    }

    /// Computes the logit of `input`, the `side * side` bytes that preprocessing wrote. `arena` has at least
    /// [`Packed::arena_bytes`]; what it holds before does not matter.
    pub fn step(&self, arena: &mut [u8], input: &[u8]) -> Result<f32, InferError> {
        self.step_observed(arena, input, &mut |_, _| ())
    }

    /// As [`Engine::step`]; `observe` sees every layer's output (NHWC) right after it was computed, by the layer's number.
    pub fn step_observed(
        &self,
        arena: &mut [u8],
        input: &[u8],
        observe: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<f32, InferError> {
        let place = self.model.value(0).range();
        let expected = place.len();
        match self.arena(arena)?.get_mut(place) {
            Some(to) if to.len() == input.len() => to.copy_from_slice(input),
            _ => return Err(InferError::Input { expected, got: input.len() }),
        }
        self.step_in_place(arena, observe)
    }

    /// As [`Engine::step_observed`] on an input that lies in the arena already, where [`Packed::value`] 0 has its place.
    pub fn step_in_place(
        &self,
        arena: &mut [u8],
        observe: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<f32, InferError> {
        let arena = self.arena(arena)?;
        for number in 0..self.model.layers() {
            let layer = self.model.layer(number).ok_or(Misfit { what: "a layer" })?;
            self.run(&layer, arena)?;
            observe(number, arena.get(self.model.value(layer.output).range()).unwrap_or(&[]));
        }
        let mut sums = [0; MAX_FEATURES];
        let features = self.features(arena)?;
        let channels = self.model.features().shape.channels;
        let sums = sums.get_mut(..channels).ok_or(Misfit { what: "the head" })?;
        pool::sums(&self.kernels, features, sums)?;
        Ok(self.model.head_operator().logit(sums))
    }

    fn arena<'m>(&self, arena: &'m mut [u8]) -> Result<&'m mut [u8], InferError> {
        let (expected, got) = (self.model.arena_bytes(), arena.len());
        arena.get_mut(..expected).ok_or(InferError::Arena { expected, got })
    }

    /// The class activation map of the last [`Engine::step`] over the same arena: each position's share of the logit without
    /// its bias, rows from the top, as many as the last value has positions.
    pub fn map(&self, arena: &[u8], map: &mut [f32]) -> Result<(), InferError> {
        Ok(self.model.head_operator().map(self.features(arena)?, map)?)
    }

    /// What the head read in the last [`Engine::step`] over the same arena, height x width x channels; the gate looks at it.
    pub fn features<'m>(&self, arena: &'m [u8]) -> Result<&'m [u8], Misfit> {
        arena.get(self.model.features().range()).ok_or(Misfit { what: "the features" })
    }

    fn run(&self, layer: &Layer, arena: &mut [u8]) -> Result<(), Misfit> {
        let (x, y) = (self.model.value(layer.input).range(), self.model.value(layer.output).range());
        let (kernels, scratch) = (&self.kernels, layer.scratch.clone());
        match &layer.operator {
            Operator::First(op) => {
                let [x, y, scratch] = split(arena, [x, y, scratch])?;
                op.run(kernels, x, y, scratch)
            }
            Operator::Convolution(op) => {
                let [x, y, scratch] = split(arena, [x, y, scratch])?;
                op.run(kernels, x, y, scratch)
            }
            Operator::Pointwise(op) => {
                let (depth, outputs) = (
                    self.model.value(layer.input).shape.channels,
                    self.model.value(layer.output).shape.channels,
                );
                let [x, y] = split(arena, [x, y])?;
                op.run(kernels, x, depth, y, outputs)
            }
            Operator::Depthwise(op) if x.start == y.start => {
                let both = x.start..x.end.max(y.end);
                let [both, scratch] = split(arena, [both, scratch])?;
                op.run(kernels, Places::Same(both), scratch)
            }
            Operator::Depthwise(op) => {
                let [x, y, scratch] = split(arena, [x, y, scratch])?;
                op.run(kernels, Places::Apart(x, y), scratch)
            }
            Operator::Add(other) => {
                let (zero, other) = (self.model.value(layer.output).zero, self.model.value(*other).range());
                // The sum may lie where one of its inputs does; the other is then added to it.
                let from = if x.start == y.start {
                    other
                } else {
                    if other.start != y.start {
                        let [other, y] = split(arena, [other, y.clone()])?;
                        y.iter_mut().zip(&*other).for_each(|(y, &other)| *y = other);
                    }
                    x
                };
                let [from, y] = split(arena, [from, y])?;
                add::add(kernels, from, y, zero)
            }
        }
    }
}

/// Parts of the arena that do not overlap.
pub(crate) fn split<const N: usize>(
    arena: &mut [u8],
    parts: [Range<usize>; N],
) -> Result<[&mut [u8]; N], Misfit> {
    arena.get_disjoint_mut(parts).map_err(|_| Misfit { what: "places in the arena" })
}

/// Why there is no logit. All are mistakes of the caller: the model was checked when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InferError {
    /// The arena is too small.
    Arena {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// The input has another size than the model's.
    Input {
        /// Bytes.
        expected: usize,
        /// Bytes.
        got: usize,
    },
    /// A layer does not fit its numbers.
    Misfit(Misfit),
}

impl fmt::Display for InferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arena { expected, got } => write!(f, "expected an arena of {expected} bytes, got {got}"),
            Self::Input { expected, got } => {
                write!(f, "expected a preprocessed picture of {expected} bytes, got {got}")
            }
            Self::Misfit(misfit) => misfit.fmt(f),
        }
    }
}

impl core::error::Error for InferError {}

impl From<Misfit> for InferError {
    fn from(misfit: Misfit) -> Self {
        Self::Misfit(misfit)
    }
}
