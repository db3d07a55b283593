//! What is checked once when a packed model is opened: every layer against its numbers, every place in the arena, the head.

use super::numbers::{self, Form};
use super::plan::{Step, is_sound};
use super::record::{header, layer, u16_at, usize_at};
use super::view::window;
use super::{ALIGNMENT, MAX_LAYERS, Operator, Packed, PackedError, Value};
use crate::gate::FEATURE_CELLS;
use crate::kernels::convolution::Convolution;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::first::First;
use crate::kernels::{Shape, Window};
use crate::model::Metadata;
use crate::preprocess;
use heapless::Vec;

impl<B: AsRef<[u8]>> Packed<B> {
    /// Checks the metadata; gives the input's side and the number of the gate's weights of the features. A call of its own, so
    /// that the stack holds its kilobytes for no longer.
    #[inline(never)]
    fn check_metadata(&self) -> Result<(u16, usize), PackedError> {
        let mut metadata = Metadata::EMPTY;
        self.read_metadata(&mut metadata)?;
        Ok((metadata.input_side, metadata.gate.features.weights.len()))
    }

    /// Everything but the bytes as a whole.
    pub(super) fn check(&self) -> Result<(), PackedError> {
        let form = |what| PackedError::Form { what };
        let layers = self.layers();
        if layers == 0 || layers > MAX_LAYERS {
            return Err(form("the number of layers"));
        }
        let mut values: Vec<(usize, usize), { MAX_LAYERS + 1 }> = Vec::new();
        let mut scratch: Vec<(usize, usize), { MAX_LAYERS + 1 }> = Vec::new();
        let mut steps: Vec<Step, MAX_LAYERS> = Vec::new();
        for number in 0..=layers {
            let value = self.try_value(number).ok_or(form("a value"))?;
            let end = value.place.checked_add(value.shape.bytes());
            if value.shape.bytes() == 0 || end.is_none_or(|end| end > self.arena_bytes()) {
                return Err(form("the place of a value"));
            }
            let _ = values.push((value.place, value.shape.bytes()));
        }
        let input = self.try_value(0).ok_or(form("the input"))?;
        let (side, weights) = self.check_metadata()?;
        if ![0, FEATURE_CELLS * self.features().shape.channels].contains(&weights) {
            return Err(form("the gate's weights of the features"));
        }
        if input.shape != (Shape { height: side.into(), width: side.into(), channels: 1 }) {
            return Err(form("the input's size"));
        }
        let preprocess = usize_at(self.head(), header::PREPROCESS);
        let needed = preprocess::scratch_bytes(side);
        let end = preprocess.checked_add(needed);
        if end.is_none_or(|end| end > self.arena_bytes()) || !preprocess.is_multiple_of(ALIGNMENT) {
            return Err(form("the place of preprocessing's memory"));
        }
        let _ = scratch.push((preprocess, needed));
        for number in 0..layers {
            let step = self.check_layer(number).map_err(|what| PackedError::Layer { layer: number, what })?;
            let layer = self.record(header::LAYERS, number, layer::SIZE).unwrap_or(&[]);
            let _ = steps.push(step);
            let _ = scratch.push((usize_at(layer, layer::SCRATCH), usize_at(layer, layer::SCRATCH_LENGTH)));
        }
        if !is_sound(&values, &scratch, &steps) {
            return Err(form("the plan of the arena"));
        }
        self.check_head()
    }

    fn check_layer(&self, number: usize) -> Result<Step, &'static str> {
        let record = self.record(header::LAYERS, number, layer::SIZE).ok_or("its record")?;
        let layer = self.try_layer(number).ok_or("its numbers")?;
        if layer.input > number || layer.scratch.end > self.arena_bytes() {
            return Err("its input or scratch memory");
        }
        let input = self.try_value(layer.input).ok_or("its input")?;
        let output = self.try_value(layer.output).ok_or("its output")?;
        let window = window(record);
        let (made, needed, in_place) = match &layer.operator {
            Operator::First(op) => (op.output(), First::scratch(&input.shape, &window), false),
            Operator::Convolution(op) => {
                let groups = usize::from(u16_at(record, layer::GROUPS));
                (op.output(), Convolution::scratch(&input.shape, &window, groups), false)
            }
            Operator::Depthwise(op) => {
                let in_place = Depthwise::in_place(&input.shape, &window);
                (op.output(), Depthwise::scratch(&input.shape, &window), in_place)
            }
            Operator::Pointwise(_) => (Shape { channels: output.shape.channels, ..input.shape }, 0, false),
            Operator::Add(other) => {
                let second = self.try_value(*other).filter(|_| *other <= number).ok_or("its second input")?;
                let same = |v: &Value| v.shape == output.shape && v.zero == output.zero;
                if !same(&second) || !same(&input) {
                    return Err("its second input");
                }
                (output.shape, 0, *other != layer.input)
            }
        };
        if made != output.shape || layer.scratch.len() < needed {
            return Err("its output or scratch memory");
        }
        let outputs = output.shape.channels;
        let (form, window, rows) = match &layer.operator {
            Operator::First(_) => (Form::First, window, outputs),
            Operator::Convolution(_) => {
                let groups = usize::from(u16_at(record, layer::GROUPS)).max(1);
                (Form::Blocks { groups }, window, Convolution::padded_outputs(outputs, groups))
            }
            Operator::Depthwise(_) => (Form::Taps, window, outputs),
            Operator::Pointwise(_) | Operator::Add(_) => (Form::Blocks { groups: 1 }, Window::POINT, outputs),
        };
        if !matches!(layer.operator, Operator::Add(_)) {
            let weights = self.weights(record).ok_or("its weights")?;
            let channels = self.channels(record, rows, output.zero).ok_or("its numbers")?;
            numbers::check(&form, (&input.shape, input.zero), &window, outputs, weights, &channels)?;
        }
        Ok(Step {
            inputs: layer.inputs(),
            output: output.shape.bytes(),
            scratch: layer.scratch.len(),
            in_place,
        })
    }

    /// Rule 7 of the exact form, and that the head fits the last value.
    fn check_head(&self) -> Result<(), PackedError> {
        let form = |what| Err(PackedError::Form { what });
        let Some(head) = self.try_head_operator() else { return form("the head") };
        numbers::check_head(&head).or_else(form)
    }
}
