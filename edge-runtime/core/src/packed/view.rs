//! The checked view: bytes in, and behind [`Packed::new`] nothing that can fail to fit.

use super::record::{f32_at, header, kind, layer, u16_at, u32_at, usize_at, value};
use super::{ADDRESS_ALIGNMENT, CRC, MAGIC, PackedError, VERSION};
use crate::kernels::convolution::Convolution;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::first::First;
use crate::kernels::layout::{self, DEPTH};
use crate::kernels::pointwise::Pointwise;
use crate::kernels::pool::Head;
use crate::kernels::{Channels, Shape, Window};
use crate::model::Metadata;
use crate::preprocess;
use core::ops::Range;

/// A packed model whose every number was checked; `B` holds its bytes, such as `&[u8]`, and always gives the same ones.
#[derive(Clone, Copy, Debug)]
pub struct Packed<B> {
    bytes: B,
}

/// One value of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value<'a> {
    /// Its name in the ONNX graph.
    pub name: &'a str,
    /// Its size.
    pub shape: Shape,
    /// Real units a step.
    pub scale: f32,
    /// The step that stands for 0.
    pub zero: u8,
    /// Where it lies in the arena.
    pub place: usize,
}

impl Value<'_> {
    /// The bytes of the arena that hold it.
    pub fn range(&self) -> Range<usize> {
        self.place..self.place + self.shape.bytes()
    }
}

/// One layer: what it computes, on which values, in which scratch memory.
#[derive(Clone, Debug)]
pub struct Layer<'a> {
    /// What it computes.
    pub operator: Operator<'a>,
    /// Number of the value that it reads.
    pub input: usize,
    /// Number of the value that it makes.
    pub output: usize,
    /// Its scratch memory in the arena.
    pub scratch: Range<usize>,
}

impl Layer<'_> {
    /// Numbers of the values that it reads, twice the same where there is one.
    pub fn inputs(&self) -> [usize; 2] {
        match self.operator {
            Operator::Add(other) => [self.input, other],
            _ => [self.input; 2],
        }
    }
}

/// What a layer computes.
#[derive(Clone, Copy, Debug)]
pub enum Operator<'a> {
    /// Convolution over one channel.
    First(First<'a>),
    /// Convolution of any window.
    Convolution(Convolution<'a>),
    /// Depthwise convolution.
    Depthwise(Depthwise<'a>),
    /// Pointwise convolution.
    Pointwise(Pointwise<'a>),
    /// Sum with the value of that number.
    Add(usize),
}

impl Operator<'_> {
    /// Its name in tables.
    pub fn name(&self) -> &'static str {
        match self {
            Operator::First(_) => "first",
            Operator::Convolution(_) => "convolution",
            Operator::Depthwise(_) => "depthwise",
            Operator::Pointwise(_) => "pointwise",
            Operator::Add(_) => "add",
        }
    }
}

impl<B: AsRef<[u8]>> Packed<B> {
    /// Checks everything once: form, checksum, metadata, every layer's numbers, every place in the arena.
    ///
    /// # Errors
    /// [`PackedError`]; any bytes give a value or an error.
    pub fn new(bytes: B) -> Result<Self, PackedError> {
        Self::check_bytes(bytes.as_ref())?;
        let model = Self { bytes };
        model.check()?;
        Ok(model)
    }

    fn check_bytes(bytes: &[u8]) -> Result<(), PackedError> {
        let short = PackedError::Length { expected: header::SIZE, got: bytes.len() };
        if bytes.get(header::MAGIC).ok_or(short)? != MAGIC {
            return Err(PackedError::Magic);
        }
        let head = bytes.get(..header::SIZE).ok_or(short)?;
        let version = u32_at(head, header::VERSION);
        if version != VERSION {
            return Err(PackedError::Version { got: version });
        }
        let length = usize_at(head, header::LENGTH);
        if length != bytes.len() {
            return Err(PackedError::Length { expected: length, got: bytes.len() });
        }
        if !bytes.as_ptr().addr().is_multiple_of(ADDRESS_ALIGNMENT) {
            return Err(PackedError::Alignment);
        }
        let expected = u32_at(head, header::CHECKSUM);
        let got = CRC.checksum(bytes.get(header::COVERED..).unwrap_or(&[]));
        if expected != got {
            return Err(PackedError::Checksum { expected, got });
        }
        Ok(())
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// SHA-256 of the ONNX file that was packed.
    pub fn onnx_sha256(&self) -> [u8; 32] {
        self.bytes().get(header::ONNX_SHA256).and_then(|b| b.try_into().ok()).unwrap_or([0; 32])
    }

    /// Bytes of working memory that preprocessing and network need, the frame apart.
    pub fn arena_bytes(&self) -> usize {
        usize_at(self.head(), header::ARENA)
    }

    /// Where preprocessing's scratch memory lies in the arena.
    pub fn preprocess_range(&self) -> Range<usize> {
        let place = usize_at(self.head(), header::PREPROCESS);
        place..place + preprocess::scratch_bytes(self.value(0).shape.width as u16)
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        usize_at(self.head(), header::LAYER_COUNT)
    }

    /// Layer `number`, from 0; none beyond the last.
    pub fn layer(&self, number: usize) -> Option<Layer<'_>> {
        if number < self.layers() { self.try_layer(number) } else { None }
    }

    /// The window of convolution `number`; a pointwise one for an addition.
    pub fn window(&self, number: usize) -> Window {
        self.record(header::LAYERS, number, layer::SIZE).map_or(Window::POINT, window)
    }

    /// Weights of one output of layer `number`: kernel rows times columns times input channels of a group; 0 for an addition.
    pub fn fan_in(&self, number: usize) -> usize {
        let record = self.record(header::LAYERS, number, layer::SIZE).unwrap_or(&[]);
        let (kind, [rows, columns]) = (u16_at(record, layer::KIND), window(record).kernel);
        let input = self.value(usize::from(u16_at(record, layer::INPUT))).shape.channels;
        let groups = usize::from(u16_at(record, layer::GROUPS)).max(1);
        if kind == kind::ADD { 0 } else { rows * columns * (input / groups) }
    }

    /// Value `number`, 0 is the input, layer `i` makes value `i + 1`; an empty one beyond the last.
    pub fn value(&self, number: usize) -> Value<'_> {
        let empty = Shape { height: 0, width: 0, channels: 0 };
        self.try_value(number).unwrap_or(Value { name: "", shape: empty, scale: 1.0, zero: 0, place: 0 })
    }

    /// The last value: what the head reads.
    pub fn features(&self) -> Value<'_> {
        self.value(self.layers())
    }

    /// The head.
    pub fn head_operator(&self) -> Head<'_> {
        let nothing = Head { weights: &[], positions: 1, step: 1.0, scale: 1.0, bias: 0.0 };
        self.try_head_operator().unwrap_or(nothing)
    }

    /// What the model says of itself.
    ///
    /// # Errors
    /// [`PackedError::Metadata`]; not after [`Packed::new`].
    pub fn metadata(&self) -> Result<Metadata, PackedError> {
        let mut metadata = Metadata::EMPTY;
        self.read_metadata(&mut metadata)?;
        Ok(metadata)
    }

    /// As [`Packed::metadata`], into this place; see [`Metadata::read`].
    #[inline(never)]
    pub fn read_metadata(&self, to: &mut Metadata) -> Result<(), PackedError> {
        Ok(to.read(|key| self.property(key))?)
    }

    /// One property of the metadata.
    pub fn property(&self, key: &str) -> Option<&str> {
        let (at, length) = (header::PROPERTIES, header::PROPERTIES_LENGTH);
        let mut rest = self.section(usize_at(self.head(), at), usize_at(self.head(), length))?;
        loop {
            let (name, after) = text(rest)?;
            let (value, after) = text(after)?;
            if name == key {
                return Some(value);
            }
            rest = after;
        }
    }

    pub(super) fn head(&self) -> &[u8] {
        self.bytes().get(..header::SIZE).unwrap_or(&[])
    }

    fn section(&self, from: usize, length: usize) -> Option<&[u8]> {
        self.bytes().get(from..from.checked_add(length)?)
    }

    /// Record `number` of the table that a header's field points to.
    pub(super) fn record(&self, table: super::record::Field, number: usize, size: usize) -> Option<&[u8]> {
        let from = usize_at(self.head(), table).checked_add(number.checked_mul(size)?)?;
        self.section(from, size)
    }

    /// `count` numbers of four bytes.
    fn numbers<T: bytemuck::AnyBitPattern>(&self, from: usize, count: usize) -> Option<&[T]> {
        let bytes = self.section(from, count.checked_mul(size_of::<T>())?)?;
        bytemuck::try_cast_slice(bytes).ok()
    }

    pub(super) fn try_value(&self, number: usize) -> Option<Value<'_>> {
        let record = self.record(header::VALUES, number, value::SIZE)?;
        let size = |field| usize::from(u16_at(record, field));
        let names =
            self.section(usize_at(self.head(), header::NAMES), usize_at(self.head(), header::NAMES_LENGTH))?;
        let name = usize_at(record, value::NAME);
        let name = names.get(name..name.checked_add(usize_at(record, value::NAME_LENGTH))?)?;
        Some(Value {
            name: core::str::from_utf8(name).ok()?,
            shape: Shape {
                height: size(value::HEIGHT),
                width: size(value::WIDTH),
                channels: size(value::CHANNELS),
            },
            scale: f32_at(record, value::SCALE),
            zero: u16_at(record, value::ZERO) as u8,
            place: usize_at(record, value::PLACE),
        })
    }

    pub(super) fn weights(&self, record: &[u8]) -> Option<&[i8]> {
        self.numbers(usize_at(record, layer::WEIGHTS), usize_at(record, layer::WEIGHTS_LENGTH))
    }

    pub(super) fn channels(&self, record: &[u8], rows: usize, zero: u8) -> Option<Channels<'_>> {
        let count = layout::padded(rows);
        let bias = self.numbers(usize_at(record, layer::BIAS), count)?;
        let signed = self.numbers(usize_at(record, layer::SIGNED_BIAS), count)?;
        let multiplier = self.numbers(usize_at(record, layer::MULTIPLIER), count)?;
        Channels::new(rows, bias, signed, multiplier, zero).ok()
    }

    pub(super) fn try_layer(&self, number: usize) -> Option<Layer<'_>> {
        let record = self.record(header::LAYERS, number, layer::SIZE)?;
        let input = usize::from(u16_at(record, layer::INPUT));
        let (x, y) = (self.try_value(input)?, self.try_value(number + 1)?);
        let (window, outputs) = (window(record), y.shape.channels);
        let groups = usize::from(u16_at(record, layer::GROUPS));
        let weights = || self.weights(record);
        let channels = |rows| self.channels(record, rows, y.zero);
        let operator = match u16_at(record, layer::KIND) {
            kind::FIRST => Operator::First(
                First::new(x.shape, window, outputs, weights()?, channels(outputs)?, x.zero).ok()?,
            ),
            kind::CONVOLUTION => {
                let rows = Convolution::padded_outputs(outputs, groups.max(1));
                let numbers = channels(rows)?;
                Operator::Convolution(
                    Convolution::new(x.shape, window, outputs, groups, weights()?, numbers, x.zero).ok()?,
                )
            }
            kind::DEPTHWISE => Operator::Depthwise(
                Depthwise::new(x.shape, window, weights()?, channels(outputs)?, x.zero).ok()?,
            ),
            kind::POINTWISE => Operator::Pointwise(
                Pointwise::new(x.shape.channels, outputs, weights()?, channels(outputs)?).ok()?,
            ),
            kind::ADD => Operator::Add(usize::from(u16_at(record, layer::OTHER))),
            _ => return None,
        };
        let scratch = usize_at(record, layer::SCRATCH);
        let end = scratch.checked_add(usize_at(record, layer::SCRATCH_LENGTH))?;
        Some(Layer { operator, input, output: number + 1, scratch: scratch..end })
    }

    pub(super) fn try_head_operator(&self) -> Option<Head<'_>> {
        let (features, head) = (self.try_value(self.layers())?, self.head());
        Some(Head {
            weights: self.numbers(usize_at(head, header::HEAD_WEIGHTS), features.shape.channels)?,
            positions: u32::try_from(features.shape.positions()).ok()?,
            step: f32_at(head, header::HEAD_STEP),
            scale: f32_at(head, header::HEAD_SCALE),
            bias: f32_at(head, header::HEAD_BIAS),
        })
    }
}

/// A text with its length before it, and what follows.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let length = usize::from(u16::from_le_bytes([*bytes.first()?, *bytes.get(1)?]));
    let (text, rest) = bytes.get(2..)?.split_at_checked(length)?;
    Some((core::str::from_utf8(text).ok()?, rest))
}

pub(super) fn window(record: &[u8]) -> Window {
    let numbers = record.get(layer::WINDOW).unwrap_or(&[]);
    let pair = |at: usize| {
        let number = |at| usize::from(u16_at(numbers, at..at + 2));
        [number(at * 4), number(at * 4 + 2)]
    };
    Window { kernel: pair(0), stride: pair(1), dilation: pair(2), before: pair(3), after: pair(4) }
}

// The kinds of the first convolution assume that a step holds a kernel row.
const _: () = assert!(DEPTH == 4);
