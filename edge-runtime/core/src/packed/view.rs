//! The checked view: bytes in, and behind [`Packed::new`] an execution plan that is the checked
//! one, bit for bit, or an error.

use super::format::{
    bytes_at, f32_at, header, kind, layer, metadata, pair_at, u16_at, u32_at, usize_at, value,
};
use super::{ADDRESS_ALIGNMENT, MAGIC, MAX_LAYERS, PackedError, VERSION, checksum};
use crate::kernels::convolution::Convolution;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::layout::{self, DEPTH};
use crate::kernels::pointwise::Pointwise;
use crate::kernels::pool::ClassifierHead;
use crate::kernels::single_channel::SingleChannelConv;
use crate::kernels::{RequantParams, Shape, WeightBits, Weights, Window};
use crate::preprocess;
use core::ops::Range;

/// A packed model whose every number was checked; `B` holds its bytes, such as `&[u8]`.
///
/// ```
/// use edge_core::packed::{Packed, PackedError};
///
/// # #[repr(align(8))]
/// # struct Aligned<T: ?Sized>(T);
/// # const MODEL: &Aligned<[u8]> =
/// #     &Aligned(*include_bytes!("../../../../models/pneumonia/model.packed"));
/// let model = Packed::new(&MODEL.0)?;
/// let plan = model.plan()?; // as it was checked, or an error
/// assert_eq!((plan.input_side()?, plan.metadata()?.label_positive), (128, "PNEUMONIA"));
/// for number in 0..plan.layers() {
///     let layer = plan.layer(number)?;
///     println!("{:<14} {:?}", layer.operator.name(), plan.value(layer.output)?.shape);
/// }
///
/// assert_eq!(Packed::new(&MODEL.0[8..]).unwrap_err(), PackedError::Magic);
/// # Ok::<(), PackedError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Packed<B> {
    bytes: B,
    arena_bytes: usize,
}

/// One value of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Value {
    /// Rows, columns, channels (NHWC, tight).
    pub shape: Shape,
    /// Real units a step.
    pub scale: f32,
    /// The step that stands for 0.
    pub zero: u8,
    /// Where it lies in the arena.
    pub place: usize,
}

impl Value {
    /// The bytes of the arena that hold it.
    pub fn range(&self) -> Range<usize> {
        self.place..self.place + self.shape.bytes()
    }
}

/// One layer: what it computes, on which values, in which scratch memory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Layer<'a> {
    /// The operator with its numbers.
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
#[non_exhaustive]
pub enum Operator<'a> {
    /// Convolution over one channel.
    SingleChannel(SingleChannelConv<'a>),
    /// Convolution of any window.
    Convolution(Convolution<'a>),
    /// Convolution with a kernel of its own for each channel.
    Depthwise(Depthwise<'a>),
    /// Convolution of one pixel: a matrix.
    Pointwise(Pointwise<'a>),
    /// Sum with the value of that number.
    Add(usize),
}

impl Operator<'_> {
    /// Its name in tables.
    pub fn name(&self) -> &'static str {
        match self {
            Operator::SingleChannel(_) => "single_channel",
            Operator::Convolution(_) => "convolution",
            Operator::Depthwise(_) => "depthwise",
            Operator::Pointwise(_) => "pointwise",
            Operator::Add(_) => "add",
        }
    }
}

impl<B: AsRef<[u8]>> Packed<B> {
    /// Checks everything once: form, checksums, metadata, every layer's numbers, every place in the
    /// arena.
    ///
    /// # Errors
    /// [`PackedError`]; any bytes give a value or an error.
    pub fn new(bytes: B) -> Result<Self, PackedError> {
        let all = bytes.as_ref();
        check_bytes(all)?;
        let plan = ExecutionPlan::read(all)?;
        plan.check()?;
        let arena_bytes = plan.arena_bytes();
        Ok(Self { bytes, arena_bytes })
    }

    /// The bytes of the whole file.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Bytes of working memory that preprocessing and network need, the frame apart.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// The execution plan, whose checksum is verified by this call.
    ///
    /// # Errors
    /// [`PackedError::Damaged`] where it has changed in memory since [`Packed::new`].
    pub fn plan(&self) -> Result<ExecutionPlan<'_>, PackedError> {
        ExecutionPlan::read(self.bytes())
    }
}

/// What holds of the bytes as a whole.
fn check_bytes(bytes: &[u8]) -> Result<(), PackedError> {
    let short = PackedError::Length { expected: header::SIZE, got: bytes.len() };
    if bytes.first_chunk().ok_or(short)? != &MAGIC {
        return Err(PackedError::Magic);
    }
    let head = bytes.first_chunk::<{ header::SIZE }>().ok_or(short)?;
    let version = u32_at::<{ header::VERSION }, _>(head);
    if version != VERSION {
        return Err(PackedError::Version { got: version });
    }
    let length = usize_at::<{ header::LENGTH }, _>(head);
    if length != bytes.len() {
        return Err(PackedError::Length { expected: length, got: bytes.len() });
    }
    if !bytes.as_ptr().addr().is_multiple_of(ADDRESS_ALIGNMENT) {
        return Err(PackedError::Alignment);
    }
    let (expected, got) = (u32_at::<{ header::CHECKSUM }, _>(head), checksum::of_file(bytes));
    if expected == got { Ok(()) } else { Err(PackedError::Checksum { expected, got }) }
}

type LayerRecord = [u8; layer::SIZE];
type MetadataRecord = [u8; metadata::SIZE];

/// Header and tables of a packed model, read in place: offsets, shapes, zero points, scales, kinds,
/// windows, the head, and the metadata's numbers: calibration, thresholds, limits of the gate.
///
/// [`Packed::new`] has checked each of these numbers, and whoever gets a plan has just verified
/// that they are still the same. So none of the errors below can come of a model that was opened;
/// they are errors all the same, and no default stands in for a number. The checksum does not cover
/// what only the weights' own checksum in the file does: weights, biases and multipliers, texts and
/// the gate's weights.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionPlan<'a> {
    bytes: &'a [u8],
    header: &'a [u8; header::SIZE],
    values: &'a [[u8; value::SIZE]],
    layers: &'a [LayerRecord],
    metadata: &'a MetadataRecord,
    head_weights: &'a [u8],
}

impl<'a> ExecutionPlan<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, PackedError> {
        let form = PackedError::Form { what: "the execution plan" };
        let header = bytes.first_chunk::<{ header::SIZE }>().ok_or(form)?;
        let plan = bytes.get(..usize_at::<{ header::PLAN_LENGTH }, _>(header)).ok_or(form)?;
        let (expected, got) = (u32_at::<{ header::PLAN_CHECKSUM }, _>(header), checksum::of_plan(plan));
        if expected != got || !plan.len().is_multiple_of(4) {
            return Err(PackedError::Damaged { expected, got });
        }
        let layers = usize_at::<{ header::LAYER_COUNT }, _>(header);
        if layers == 0 || layers > MAX_LAYERS {
            return Err(PackedError::Form { what: "the number of layers" });
        }
        let rest = plan.get(header::SIZE..).ok_or(form)?;
        let (values, rest) = rest.split_at_checked((layers + 1) * value::SIZE).ok_or(form)?;
        let (layers, rest) = rest.split_at_checked(layers * layer::SIZE).ok_or(form)?;
        let (metadata, head_weights) = rest.split_first_chunk().ok_or(form)?;
        let (values, layers) = (values.as_chunks().0, layers.as_chunks().0);
        Ok(Self { bytes, header, values, layers, metadata, head_weights })
    }

    /// SHA-256 of the ONNX file that was packed.
    pub fn onnx_sha256(&self) -> [u8; 32] {
        bytes_at::<{ header::ONNX_SHA256 }, 32, _>(self.header)
    }

    /// Bytes of working memory that preprocessing and network need, the frame apart.
    pub fn arena_bytes(&self) -> usize {
        usize_at::<{ header::ARENA }, _>(self.header)
    }

    /// Side of the network's square input, in pixels.
    ///
    /// # Errors
    /// As [`ExecutionPlan::value`].
    pub fn input_side(&self) -> Result<u16, PackedError> {
        u16::try_from(self.value(0)?.shape.width).map_err(|_| PackedError::Form { what: "the input's size" })
    }

    /// Where preprocessing's scratch memory lies in the arena.
    ///
    /// # Errors
    /// [`PackedError::Form`] where it does not lie in it.
    pub fn preprocess_range(&self) -> Result<Range<usize>, PackedError> {
        let length = preprocess::scratch_bytes(self.input_side()?);
        let within = self.within_arena(usize_at::<{ header::PREPROCESS }, _>(self.header), length);
        within.ok_or(PackedError::Form { what: "the place of preprocessing's memory" })
    }

    /// Bits that no weight of a convolution exceeds.
    ///
    /// # Errors
    /// [`PackedError::Form`] where a flag is set that this version does not know.
    pub fn weight_bits(&self) -> Result<WeightBits, PackedError> {
        match u32_at::<{ header::FLAGS }, _>(self.header) {
            0 => Ok(WeightBits::Eight),
            header::NARROW_WEIGHTS => Ok(WeightBits::Seven),
            _ => Err(PackedError::Form { what: "a flag" }),
        }
    }

    /// Number of layers, 1..=[`MAX_LAYERS`].
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Value `number`: 0 is the input, layer `i` makes value `i + 1`.
    ///
    /// # Errors
    /// [`PackedError::Form`] where there is none, or it does not lie in the arena.
    pub fn value(&self, number: usize) -> Result<Value, PackedError> {
        let record = self.values.get(number).ok_or(PackedError::Form { what: "a value's number" })?;
        let [height, width] = pair_at::<{ value::HEIGHT }, _>(record);
        let shape = Shape { height, width, channels: u16_at::<{ value::CHANNELS }, _>(record).into() };
        let place = usize_at::<{ value::PLACE }, _>(record);
        let within = shape.checked_bytes().and_then(|bytes| self.within_arena(place, bytes));
        within.ok_or(PackedError::Form { what: "the place of a value" })?;
        let zero = u8::try_from(u16_at::<{ value::ZERO }, _>(record))
            .map_err(|_| PackedError::Form { what: "the zero point of a value" })?;
        Ok(Value { shape, scale: f32_at::<{ value::SCALE }, _>(record), zero, place })
    }

    /// Name of value `number` in the ONNX graph.
    ///
    /// # Errors
    /// [`PackedError::Form`] where it has none.
    pub fn name(&self, number: usize) -> Result<&'a str, PackedError> {
        let find = || {
            let record = self.values.get(number)?;
            let names = self.section(
                usize_at::<{ header::NAMES }, _>(self.header),
                usize_at::<{ header::NAMES_LENGTH }, _>(self.header),
            )?;
            let from = usize_at::<{ value::NAME }, _>(record);
            let name = names.get(from..)?.get(..usize_at::<{ value::NAME_LENGTH }, _>(record))?;
            core::str::from_utf8(name).ok()
        };
        find().ok_or(PackedError::Form { what: "the name of a value" })
    }

    /// The last value: what the head reads.
    ///
    /// # Errors
    /// As [`ExecutionPlan::value`].
    pub fn features(&self) -> Result<Value, PackedError> {
        self.value(self.layers.len())
    }

    /// The head.
    ///
    /// # Errors
    /// [`PackedError::Form`] where it does not fit the last value.
    pub fn head(&self) -> Result<ClassifierHead<'a>, PackedError> {
        let form = PackedError::Form { what: "the head" };
        let shape = self.features()?.shape;
        Ok(ClassifierHead {
            weights: bytemuck::cast_slice(self.head_weights.get(..shape.channels).ok_or(form)?),
            positions: u32::try_from(shape.positions()).map_err(|_| form)?,
            step: f32_at::<{ header::HEAD_STEP }, _>(self.header),
            scale: f32_at::<{ header::HEAD_SCALE }, _>(self.header),
            bias: f32_at::<{ header::HEAD_BIAS }, _>(self.header),
        })
    }

    /// The window of layer `number`, a pointwise one for an addition.
    ///
    /// # Errors
    /// [`PackedError::Layer`] where there is no such layer.
    pub fn window(&self, number: usize) -> Result<Window, PackedError> {
        Ok(window(self.record(number)?))
    }

    /// Weights of one output of layer `number`: kernel rows times columns times input channels of a
    /// group; 0 for an addition.
    ///
    /// # Errors
    /// [`PackedError::Layer`] where there is no such layer.
    pub fn fan_in(&self, number: usize) -> Result<usize, PackedError> {
        let record = self.record(number)?;
        if u16_at::<{ layer::KIND }, _>(record) == kind::ADD {
            return Ok(0);
        }
        let channels = self.value(u16_at::<{ layer::INPUT }, _>(record).into())?.shape.channels;
        let groups = u16_at::<{ layer::GROUPS }, _>(record);
        let of_group = channels.checked_div(groups.into());
        let of_group = of_group.ok_or(PackedError::Layer { layer: number, what: "its groups" })?;
        let [rows, columns] = window(record).kernel;
        Ok(rows * columns * of_group)
    }

    /// Layer `number`, from 0.
    ///
    /// # Errors
    /// [`PackedError`] where there is none, or it does not fit its numbers.
    pub fn layer(&self, number: usize) -> Result<Layer<'a>, PackedError> {
        let wrong = |what| PackedError::Layer { layer: number, what };
        let record = self.record(number)?;
        let input = usize::from(u16_at::<{ layer::INPUT }, _>(record));
        let (x, y) = (self.value(input)?, self.value(number + 1)?);
        let (window, outputs) = (window(record), y.shape.channels);
        let groups = usize::from(u16_at::<{ layer::GROUPS }, _>(record));
        let numbers = || wrong("its numbers");
        let bits = self.weight_bits()?;
        let weights = || {
            let values = self.weights(record).ok_or(wrong("its weights"))?;
            Ok::<_, PackedError>(Weights { values, bits })
        };
        let channels = |rows| self.channels(record, rows, y.zero).ok_or_else(numbers);
        let operator = match u16_at::<{ layer::KIND }, _>(record) {
            kind::SINGLE_CHANNEL => {
                SingleChannelConv::new(x.shape, window, outputs, weights()?, channels(outputs)?, x.zero)
                    .map(Operator::SingleChannel)
            }
            kind::CONVOLUTION => {
                let numbers = channels(convolution_rows(record, outputs).ok_or_else(numbers)?)?;
                Convolution::new(x.shape, window, outputs, groups, weights()?, numbers, x.zero)
                    .map(Operator::Convolution)
            }
            kind::DEPTHWISE => Depthwise::new(x.shape, window, weights()?, channels(outputs)?, x.zero)
                .map(Operator::Depthwise),
            kind::POINTWISE => Pointwise::new(x.shape.channels, outputs, weights()?, channels(outputs)?)
                .map(Operator::Pointwise),
            kind::ADD => Ok(Operator::Add(u16_at::<{ layer::OTHER }, _>(record).into())),
            _ => return Err(wrong("its kind")),
        };
        let operator = operator.map_err(|misfit| wrong(misfit.what))?;
        let (at, length) =
            (usize_at::<{ layer::SCRATCH }, _>(record), usize_at::<{ layer::SCRATCH_LENGTH }, _>(record));
        let scratch = self.within_arena(at, length).ok_or(wrong("its scratch memory"))?;
        Ok(Layer { operator, input, output: number + 1, scratch })
    }

    pub(super) fn metadata_record(&self) -> &'a MetadataRecord {
        self.metadata
    }

    pub(super) fn record(&self, number: usize) -> Result<&'a LayerRecord, PackedError> {
        self.layers.get(number).ok_or(PackedError::Layer { layer: number, what: "its number" })
    }

    pub(super) fn within_arena(&self, place: usize, length: usize) -> Option<Range<usize>> {
        let end = place.checked_add(length)?;
        (end <= self.arena_bytes()).then_some(place..end)
    }

    pub(super) fn section(&self, from: usize, length: usize) -> Option<&'a [u8]> {
        self.bytes.get(from..)?.get(..length)
    }

    /// `count` numbers of type `T`.
    pub(super) fn numbers<T: bytemuck::AnyBitPattern>(&self, from: usize, count: usize) -> Option<&'a [T]> {
        bytemuck::try_cast_slice(self.section(from, count.checked_mul(size_of::<T>())?)?).ok()
    }

    pub(super) fn weights(&self, record: &LayerRecord) -> Option<&'a [i8]> {
        let (at, length) =
            (usize_at::<{ layer::WEIGHTS }, _>(record), usize_at::<{ layer::WEIGHTS_LENGTH }, _>(record));
        self.numbers(at, length)
    }

    pub(super) fn channels(&self, record: &LayerRecord, rows: usize, zero: u8) -> Option<RequantParams<'a>> {
        let count = layout::padded(rows);
        let bias = self.numbers(usize_at::<{ layer::BIAS }, _>(record), count)?;
        let signed = self.numbers(usize_at::<{ layer::SIGNED_BIAS }, _>(record), count)?;
        let multiplier = self.numbers(usize_at::<{ layer::MULTIPLIER }, _>(record), count)?;
        RequantParams::new(rows, bias, signed, multiplier, zero).ok()
    }
}

/// Rows of a convolution's packed matrix; none where it has no groups.
pub(super) fn convolution_rows(record: &LayerRecord, outputs: usize) -> Option<usize> {
    let groups = usize::from(u16_at::<{ layer::GROUPS }, _>(record));
    (groups > 0).then(|| Convolution::padded_outputs(outputs, groups))
}

pub(super) fn window(record: &LayerRecord) -> Window {
    Window {
        kernel: pair_at::<{ layer::KERNEL }, _>(record),
        stride: pair_at::<{ layer::STRIDE }, _>(record),
        dilation: pair_at::<{ layer::DILATION }, _>(record),
        before: pair_at::<{ layer::BEFORE }, _>(record),
        after: pair_at::<{ layer::AFTER }, _>(record),
    }
}

// The kinds of the first convolution assume that a step holds a kernel row.
const _: () = assert!(DEPTH == 4);
