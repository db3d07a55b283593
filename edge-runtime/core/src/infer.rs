//! The core engine: a packed model, a kernel set, an arena that the caller gives. No allocation, no
//! panic.

use crate::kernels::depthwise::Places;
use crate::kernels::{Kernels, ShapeMismatch, add, pool};
use crate::packed::{ExecutionPlan, Layer, MAX_FEATURES, Operator, Packed, PackedError, Value};
use crate::preprocess::PreprocessError;
use core::fmt;
use core::ops::Range;

/// A model and the kernels that compute it; `B` holds the model's bytes.
///
/// ```
/// use edge_core::infer::{Engine, InferError};
/// use edge_core::{Packed, kernels};
///
/// # #[repr(align(8))]
/// # struct Aligned<T: ?Sized>(T);
/// # const MODEL: &Aligned<[u8]> =
/// #     &Aligned(*include_bytes!("../../../models/pneumonia/model.packed"));
/// let engine = Engine::new(Packed::new(&MODEL.0)?, kernels::best());
/// let mut arena = vec![0; engine.model().arena_bytes()];
/// let mut layers = 0;
/// let input = vec![128; 128 * 128];
/// let logit = engine.infer_observed(&mut arena, &input, &mut |_layer, _output| layers += 1)?;
/// assert_eq!(layers, engine.model().plan()?.layers());
///
/// // The class activation map says where the logit comes from: its mean is the logit without bias.
/// let mut map = [0.0; 8 * 8];
/// engine.map(&arena, &mut map)?;
/// let mean = map.iter().sum::<f32>() / 64.0;
/// assert!((mean + engine.model().plan()?.head()?.bias - logit).abs() < 1e-4);
///
/// let refused = engine.infer(&mut arena, &input[1..]);
/// assert_eq!(refused, Err(InferError::Input { expected: 16_384, got: 16_383 }));
/// # Ok::<(), InferError>(())
/// ```
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

    /// The model that it computes.
    pub fn model(&self) -> &Packed<B> {
        &self.model
    }

    /// The kernels that compute it.
    pub fn kernels(&self) -> &Kernels {
        &self.kernels
    }

    /// Computes the logit of `input`, the `side * side` bytes that preprocessing wrote. `arena` has
    /// at least [`Packed::arena_bytes`]; what it holds before does not matter.
    ///
    /// # Errors
    /// As [`Engine::infer_in_place`], and [`InferError::Input`].
    pub fn infer(&self, arena: &mut [u8], input: &[u8]) -> Result<f32, InferError> {
        self.infer_observed(arena, input, &mut |_, _| ())
    }

    /// As [`Engine::infer`]; `observe` sees every layer's output (NHWC) right after it was
    /// computed, by the layer's number.
    ///
    /// # Errors
    /// As [`Engine::infer`].
    pub fn infer_observed(
        &self,
        arena: &mut [u8],
        input: &[u8],
        observe: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<f32, InferError> {
        let plan = self.model.plan()?;
        let place = plan.value(0)?.range();
        let expected = place.len();
        match in_arena(&plan, arena)?.get_mut(place) {
            Some(to) if to.len() == input.len() => to.copy_from_slice(input),
            _ => return Err(InferError::Input { expected, got: input.len() }),
        }
        self.run(&plan, arena, observe)
    }

    /// As [`Engine::infer_observed`] on an input that lies in the arena already, where value 0 has
    /// its place.
    ///
    /// # Errors
    /// [`InferError::Arena`], and [`InferError::Model`] where the execution plan is not the one
    /// that was checked: it is verified before the first layer and, for damage that comes while
    /// the layers run, again before the logit.
    pub fn infer_in_place(
        &self,
        arena: &mut [u8],
        observe: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<f32, InferError> {
        self.run(&self.model.plan()?, arena, observe)
    }

    fn run(
        &self,
        plan: &ExecutionPlan,
        arena: &mut [u8],
        observe: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<f32, InferError> {
        let arena = in_arena(plan, arena)?;
        for number in 0..plan.layers() {
            let layer = plan.layer(number)?;
            let (x, y) = (plan.value(layer.input)?, plan.value(layer.output)?);
            self.run_layer(plan, &layer, (&x, &y), arena)?;
            observe(number, part(arena, y.range())?);
        }
        let head = plan.head()?;
        let mut sums = [0; MAX_FEATURES];
        let sums = sums.get_mut(..head.weights.len()).ok_or(ShapeMismatch { what: "the head" })?;
        pool::sums(&self.kernels, part(arena, plan.features()?.range())?, sums)?;
        let logit = head.logit(sums)?;
        self.model.plan()?;
        Ok(logit)
    }

    /// The class activation map of the last [`Engine::infer`] over the same arena: each position's
    /// share of the logit without its bias, rows from the top, as many as the last value has
    /// positions.
    ///
    /// # Errors
    /// [`InferError`] where `map` has another length, and as [`Engine::features`].
    pub fn map(&self, arena: &[u8], map: &mut [f32]) -> Result<(), InferError> {
        Ok(self.model.plan()?.head()?.map(self.features(arena)?, map)?)
    }

    /// What the head read in the last [`Engine::infer`] over the same arena, height x width x
    /// channels; the gate looks at it.
    ///
    /// # Errors
    /// [`InferError::Model`] as [`Packed::plan`], [`InferError::ShapeMismatch`] where the arena is
    /// too small.
    pub fn features<'m>(&self, arena: &'m [u8]) -> Result<&'m [u8], InferError> {
        Ok(part(arena, self.model.plan()?.features()?.range())?)
    }

    fn run_layer(
        &self,
        plan: &ExecutionPlan,
        layer: &Layer,
        (input, output): (&Value, &Value),
        arena: &mut [u8],
    ) -> Result<(), InferError> {
        let (x, y) = (input.range(), output.range());
        let (kernels, scratch) = (&self.kernels, layer.scratch.clone());
        match &layer.operator {
            Operator::SingleChannel(op) => {
                let [x, y, scratch] = split(arena, [x, y, scratch])?;
                op.run(kernels, x, y, scratch)?;
            }
            Operator::Convolution(op) => {
                let [x, y, scratch] = split(arena, [x, y, scratch])?;
                op.run(kernels, x, y, scratch)?;
            }
            Operator::Pointwise(op) => {
                let [x, y] = split(arena, [x, y])?;
                op.run(kernels, x, input.shape.channels, y, output.shape.channels)?;
            }
            Operator::Depthwise(op) if x.start == y.start => {
                let both = x.start..x.end.max(y.end);
                let [both, scratch] = split(arena, [both, scratch])?;
                op.run(kernels, Places::Same(both), scratch)?;
            }
            Operator::Depthwise(op) => {
                let [x, y, scratch] = split(arena, [x, y, scratch])?;
                op.run(kernels, Places::Apart(x, y), scratch)?;
            }
            Operator::Add(other) => {
                let other = plan.value(*other)?.range();
                // The sum may lie where one of its inputs does; the other is then added to it.
                let from = if x.start == y.start {
                    other
                } else {
                    if other.start != y.start {
                        let [other, y] = split(arena, [other, y.clone()])?;
                        if other.len() != y.len() {
                            return Err(ShapeMismatch { what: "both inputs of an addition" }.into());
                        }
                        y.copy_from_slice(other);
                    }
                    x
                };
                let [from, y] = split(arena, [from, y])?;
                add::add(kernels, from, y, output.zero)?;
            }
        }
        Ok(())
    }
}

/// As much of the caller's memory as the plan needs.
fn in_arena<'m>(plan: &ExecutionPlan, memory: &'m mut [u8]) -> Result<&'m mut [u8], InferError> {
    let (expected, got) = (plan.arena_bytes(), memory.len());
    memory.get_mut(..expected).ok_or(InferError::Arena { expected, got })
}

/// A part of the arena to be read.
pub(crate) fn part(arena: &[u8], range: Range<usize>) -> Result<&[u8], ShapeMismatch> {
    arena.get(range).ok_or(ShapeMismatch { what: "a place in the arena" })
}

/// Parts of the arena that do not overlap.
pub(crate) fn split<const N: usize>(
    arena: &mut [u8],
    parts: [Range<usize>; N],
) -> Result<[&mut [u8]; N], ShapeMismatch> {
    arena.get_disjoint_mut(parts).map_err(|_| ShapeMismatch { what: "places in the arena" })
}

/// Why there is no logit: a mistake of the caller, or a machine that has changed what was checked.
/// Never the picture's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // fields: the variant says what they are
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum InferError {
    /// The arena has fewer bytes than it must.
    Arena { expected: usize, got: usize },
    /// The input has another number of bytes than the model's.
    Input { expected: usize, got: usize },
    /// A layer does not fit its numbers.
    ShapeMismatch(ShapeMismatch),
    /// The model is not any more what was checked when it was opened.
    Model(PackedError),
    /// Preprocessing has no place in the arena, or not for this input.
    Preprocess(PreprocessError),
}

impl fmt::Display for InferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arena { expected, got } => write!(f, "expected an arena of {expected} bytes, got {got}"),
            Self::Input { expected, got } => {
                write!(f, "expected a preprocessed picture of {expected} bytes, got {got}")
            }
            Self::ShapeMismatch(misfit) => misfit.fmt(f),
            Self::Model(error) => error.fmt(f),
            Self::Preprocess(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for InferError {}

impl From<ShapeMismatch> for InferError {
    fn from(misfit: ShapeMismatch) -> Self {
        Self::ShapeMismatch(misfit)
    }
}

impl From<PackedError> for InferError {
    fn from(error: PackedError) -> Self {
        Self::Model(error)
    }
}

impl From<PreprocessError> for InferError {
    fn from(error: PreprocessError) -> Self {
        Self::Preprocess(error)
    }
}
