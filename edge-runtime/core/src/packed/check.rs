//! What is checked once when a packed model is opened: every layer against its numbers, every place
//! in the arena, the head.

use super::format::{layer, u16_at};
use super::numbers::{self, Form};
use super::plan::{Step, is_sound};
use super::view::{convolution_rows, window};
use super::{ALIGNMENT, ExecutionPlan, MAX_LAYERS, Operator, PackedError, Value};
use crate::gate::FEATURE_CELLS;
use crate::kernels::convolution::Convolution;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::single_channel::SingleChannelConv;
use crate::kernels::{Shape, WeightBits, Window};
use heapless::Vec;

impl ExecutionPlan<'_> {
    /// Everything but the bytes as a whole.
    pub(super) fn check(&self) -> Result<(), PackedError> {
        let form = |what| PackedError::Form { what };
        let mut values: Vec<(usize, usize), { MAX_LAYERS + 1 }> = Vec::new();
        let mut scratch: Vec<(usize, usize), { MAX_LAYERS + 1 }> = Vec::new();
        let mut steps: Vec<Step, MAX_LAYERS> = Vec::new();
        let many = |_| form("the number of layers");
        for number in 0..=self.layers() {
            let value = self.value(number)?;
            self.name(number)?;
            values.push((value.place, value.shape.bytes())).map_err(many)?;
        }
        let metadata = self.metadata()?;
        metadata.check()?;
        let side = metadata.input_side;
        let weights = FEATURE_CELLS * self.features()?.shape.channels;
        for detector in [metadata.gate.features, metadata.gate.familiar] {
            if ![0, weights].contains(&detector.weights.len()) {
                return Err(form("the gate's weights of the features"));
            }
        }
        if self.value(0)?.shape != (Shape { height: side.into(), width: side.into(), channels: 1 }) {
            return Err(form("the input's size"));
        }
        let preprocess = self.preprocess_range()?;
        if !preprocess.start.is_multiple_of(ALIGNMENT) {
            return Err(form("the place of preprocessing's memory"));
        }
        scratch.push((preprocess.start, preprocess.len())).map_err(many)?;
        for number in 0..self.layers() {
            let (step, place) = self.check_layer(number)?;
            scratch.push((place, step.scratch)).map_err(many)?;
            steps.push(step).map_err(|_| form("the number of layers"))?;
        }
        if !is_sound(&values, &scratch, &steps) {
            return Err(form("the plan of the arena"));
        }
        // Rule 7 of the exact form, and that the head fits the last value.
        numbers::check_head(&self.head()?).map_err(form)
    }

    /// What the planner must know of the layer, and where its scratch memory lies.
    fn check_layer(&self, number: usize) -> Result<(Step, usize), PackedError> {
        let wrong = |what| PackedError::Layer { layer: number, what };
        let (record, layer) = (self.record(number)?, self.layer(number)?);
        if layer.input > number {
            return Err(wrong("its input"));
        }
        let (input, output) = (self.value(layer.input)?, self.value(layer.output)?);
        let window = window(record);
        let (made, needed, in_place) = match &layer.operator {
            Operator::SingleChannel(op) => {
                (op.output(), SingleChannelConv::scratch(&input.shape, &window), false)
            }
            Operator::Convolution(op) => {
                let groups = usize::from(u16_at::<{ layer::GROUPS }, _>(record));
                (op.output(), Convolution::scratch(&input.shape, &window, groups), false)
            }
            Operator::Depthwise(op) => {
                let in_place = Depthwise::in_place(&input.shape, &window);
                (op.output(), Depthwise::scratch(&input.shape, &window), in_place)
            }
            Operator::Pointwise(_) => {
                (Shape { channels: output.shape.channels, ..input.shape }, Some(0), false)
            }
            Operator::Add(other) => {
                let second = self.value(*other)?;
                let same = |v: &Value| v.shape == output.shape && v.zero == output.zero;
                if *other > number || !same(&second) || !same(&input) {
                    return Err(wrong("its second input"));
                }
                (output.shape, Some(0), *other != layer.input)
            }
        };
        if made != output.shape || needed.is_none_or(|needed| layer.scratch.len() < needed) {
            return Err(wrong("its output or scratch memory"));
        }
        let outputs = output.shape.channels;
        let form = match &layer.operator {
            Operator::SingleChannel(_) => Some((Form::SingleChannel, window, outputs)),
            Operator::Convolution(_) => {
                let groups = u16_at::<{ layer::GROUPS }, _>(record).into();
                let rows = convolution_rows(record, outputs).ok_or(wrong("its groups"))?;
                Some((Form::Blocks { groups }, window, rows))
            }
            Operator::Depthwise(_) => Some((Form::Taps, window, outputs)),
            Operator::Pointwise(_) => Some((Form::Blocks { groups: 1 }, Window::POINT, outputs)),
            Operator::Add(_) => None,
        };
        if let Some((form, window, rows)) = form {
            let weights = self.weights(record).ok_or(wrong("its weights"))?;
            if self.weight_bits()? == WeightBits::Seven && WeightBits::of(weights) == WeightBits::Eight {
                return Err(wrong("a weight of more than 7 bits, which the header rules out,"));
            }
            let channels = self.channels(record, rows, output.zero).ok_or(wrong("its numbers"))?;
            numbers::check(&form, (&input.shape, input.zero), &window, outputs, weights, &channels)
                .map_err(wrong)?;
        }
        let (output, scratch) = (output.shape.bytes(), layer.scratch.len());
        Ok((Step { inputs: layer.inputs(), output, scratch, in_place }, layer.scratch.start))
    }
}
