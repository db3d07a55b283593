//! The form of a packed model: what it begins with, its limits, and where each number lies. The one
//! place that knows offsets: reader and writer both go through it.

#[cfg(target_endian = "big")]
compile_error!(
    "packed models are read in place as little-endian numbers: big-endian machines are not supported"
);

/// What a packed model begins with.
pub const MAGIC: [u8; 8] = *b"PNEUMOPK";
/// Version of the form that this code reads and writes.
pub const VERSION: u32 = 3;
/// Sections, and values in the arena, begin at multiples of this.
pub const ALIGNMENT: usize = 16;
/// Packed model and arena lie in memory at multiples of this.
pub const ADDRESS_ALIGNMENT: usize = 8;
/// Most layers of a model.
pub const MAX_LAYERS: usize = 96;
/// Most channels that the head may read: their sums are on the stack.
pub const MAX_FEATURES: usize = 256;

/// The header; the tables follow it without gaps: values, layers, metadata, head weights.
pub(super) mod header {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 8;
    pub const LENGTH: usize = 12;
    /// CRC-32 of the whole file from [`COVERED`] on.
    pub const CHECKSUM: usize = 16;
    pub const COVERED: usize = 20;
    /// Checksum of the execution plan: of header and tables from [`PLAN_COVERED`] on.
    pub const PLAN_CHECKSUM: usize = 20;
    pub const PLAN_COVERED: usize = 24;
    /// Bytes of header and tables.
    pub const PLAN_LENGTH: usize = 24;
    pub const ARENA: usize = 28;
    pub const ONNX_SHA256: usize = 32;
    pub const LAYER_COUNT: usize = 64;
    pub const PREPROCESS: usize = 68;
    pub const HEAD_STEP: usize = 72;
    pub const HEAD_SCALE: usize = 76;
    pub const HEAD_BIAS: usize = 80;
    pub const NAMES: usize = 84;
    pub const NAMES_LENGTH: usize = 88;
    /// What holds of the model as a whole: [`NARROW_WEIGHTS`] or nothing.
    pub const FLAGS: usize = 92;
    /// No weight of a convolution has more than 7 bits, which lets kernels add products in 16 bits.
    pub const NARROW_WEIGHTS: u32 = 1;
    pub const SIZE: usize = 96;
}

pub(super) mod value {
    pub const HEIGHT: usize = 0;
    pub const WIDTH: usize = 2;
    pub const CHANNELS: usize = 4;
    pub const ZERO: usize = 6;
    pub const PLACE: usize = 8;
    pub const SCALE: usize = 12;
    pub const NAME: usize = 16;
    pub const NAME_LENGTH: usize = 20;
    pub const SIZE: usize = 24;
}

pub(super) mod layer {
    pub const KIND: usize = 0;
    pub const INPUT: usize = 2;
    pub const OTHER: usize = 4;
    pub const GROUPS: usize = 6;
    // Pairs, vertical and horizontal.
    pub const KERNEL: usize = 8;
    pub const STRIDE: usize = 12;
    pub const DILATION: usize = 16;
    pub const BEFORE: usize = 20;
    pub const AFTER: usize = 24;
    pub const WEIGHTS: usize = 28;
    pub const WEIGHTS_LENGTH: usize = 32;
    pub const BIAS: usize = 36;
    pub const SIGNED_BIAS: usize = 40;
    pub const MULTIPLIER: usize = 44;
    pub const SCRATCH: usize = 48;
    pub const SCRATCH_LENGTH: usize = 52;
    pub const SIZE: usize = 56;
}

pub(super) mod metadata {
    /// Place and length of each text: those of the view, then the name of the preprocessing.
    pub const TEXTS: usize = 0;
    pub const TEXT_COUNT: usize = 12;
    pub const DECILES: usize = 96;
    pub const TEMPERATURE: usize = 132;
    pub const BIAS: usize = 136;
    pub const NEGATIVE_BELOW: usize = 140;
    pub const POSITIVE_ABOVE: usize = 144;
    pub const MAX_ELONGATION: usize = 148;
    pub const MIN_LAYOUT: usize = 152;
    pub const MIN_FEATURES: usize = 156;
    pub const LAYOUT: usize = 160;
    pub const LAYOUT_COUNT: usize = 164;
    pub const FEATURES: usize = 168;
    pub const FEATURE_COUNT: usize = 172;
    pub const MIN_FAMILIAR: usize = 176;
    pub const FAMILIAR: usize = 180;
    pub const FAMILIAR_COUNT: usize = 184;
    pub const INPUT_SIDE: usize = 188;
    pub const MIN_MEAN: usize = 190;
    pub const MAX_MEAN: usize = 192;
    pub const MIN_DEVIATION: usize = 194;
    pub const MAX_BLACK: usize = 196;
    pub const MAX_WHITE: usize = 198;
    pub const MIN_SHARPNESS: usize = 200;
    pub const SIZE: usize = 208;
}

/// What [`layer::KIND`] may be.
pub(super) mod kind {
    pub const SINGLE_CHANNEL: u16 = 1;
    pub const CONVOLUTION: u16 = 2;
    pub const DEPTHWISE: u16 = 3;
    pub const POINTWISE: u16 = 4;
    pub const ADD: u16 = 5;
}

/// The bytes at `AT` of a record. A field that does not lie within its record does not compile, so
/// reading is total.
pub(super) fn bytes_at<const AT: usize, const LENGTH: usize, const SIZE: usize>(
    record: &[u8; SIZE],
) -> [u8; LENGTH] {
    const { assert!(AT + LENGTH <= SIZE) };
    let mut field = [0; LENGTH];
    field.copy_from_slice(&record[AT..AT + LENGTH]);
    field
}

pub(super) fn u16_at<const AT: usize, const SIZE: usize>(record: &[u8; SIZE]) -> u16 {
    u16::from_le_bytes(bytes_at::<AT, 2, SIZE>(record))
}

/// Two numbers of two bytes.
pub(super) fn pair_at<const AT: usize, const SIZE: usize>(record: &[u8; SIZE]) -> [usize; 2] {
    let [a, b, c, d] = bytes_at::<AT, 4, SIZE>(record);
    [u16::from_le_bytes([a, b]).into(), u16::from_le_bytes([c, d]).into()]
}

pub(super) fn u32_at<const AT: usize, const SIZE: usize>(record: &[u8; SIZE]) -> u32 {
    u32::from_le_bytes(bytes_at::<AT, 4, SIZE>(record))
}

pub(super) fn usize_at<const AT: usize, const SIZE: usize>(record: &[u8; SIZE]) -> usize {
    u32_at::<AT, SIZE>(record) as usize
}

pub(super) fn f32_at<const AT: usize, const SIZE: usize>(record: &[u8; SIZE]) -> f32 {
    f32::from_bits(u32_at::<AT, SIZE>(record))
}
