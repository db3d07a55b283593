//! Where each number of a packed model lies: the one place that knows offsets. Reader and writer both go through it.

use core::ops::Range;

/// A field of a record: where, from its beginning.
pub(super) type Field = Range<usize>;

pub(super) mod header {
    use super::Field;
    pub const MAGIC: Field = 0..8;
    pub const VERSION: Field = 8..12;
    pub const LENGTH: Field = 12..16;
    pub const CHECKSUM: Field = 16..20;
    /// What the checksum covers begins here.
    pub const COVERED: usize = 20;
    pub const ARENA: Field = 20..24;
    pub const ONNX_SHA256: Field = 24..56;
    pub const VALUES: Field = 56..60;
    pub const LAYERS: Field = 60..64;
    pub const LAYER_COUNT: Field = 64..68;
    pub const PROPERTIES: Field = 68..72;
    pub const PROPERTIES_LENGTH: Field = 72..76;
    pub const NAMES: Field = 76..80;
    pub const NAMES_LENGTH: Field = 80..84;
    pub const HEAD_WEIGHTS: Field = 84..88;
    pub const HEAD_STEP: Field = 88..92;
    pub const HEAD_SCALE: Field = 92..96;
    pub const HEAD_BIAS: Field = 96..100;
    pub const PREPROCESS: Field = 100..104;
    pub const SIZE: usize = 112;
}

pub(super) mod value {
    use super::Field;
    pub const HEIGHT: Field = 0..2;
    pub const WIDTH: Field = 2..4;
    pub const CHANNELS: Field = 4..6;
    pub const ZERO: Field = 6..8;
    pub const PLACE: Field = 8..12;
    pub const SCALE: Field = 12..16;
    pub const NAME: Field = 16..20;
    pub const NAME_LENGTH: Field = 20..24;
    pub const SIZE: usize = 24;
}

pub(super) mod layer {
    use super::Field;
    pub const KIND: Field = 0..2;
    pub const INPUT: Field = 2..4;
    pub const OTHER: Field = 4..6;
    pub const GROUPS: Field = 6..8;
    pub const WINDOW: Field = 8..28; // ten numbers of two bytes: kernel, stride, dilation, before, after
    pub const WEIGHTS: Field = 28..32;
    pub const WEIGHTS_LENGTH: Field = 32..36;
    pub const BIAS: Field = 36..40;
    pub const SIGNED_BIAS: Field = 40..44;
    pub const MULTIPLIER: Field = 44..48;
    pub const SCRATCH: Field = 48..52;
    pub const SCRATCH_LENGTH: Field = 52..56;
    pub const SIZE: usize = 56;
}

/// Numbers of [`layer::KIND`].
pub(super) mod kind {
    pub const FIRST: u16 = 1;
    pub const CONVOLUTION: u16 = 2;
    pub const DEPTHWISE: u16 = 3;
    pub const POINTWISE: u16 = 4;
    pub const ADD: u16 = 5;
}

/// Two bytes of a record as a number; 0 where they are not there.
pub(super) fn u16_at(record: &[u8], field: Field) -> u16 {
    match record.get(field) {
        Some(&[a, b]) => u16::from_le_bytes([a, b]),
        _ => 0,
    }
}

/// Four bytes of a record as a number; 0 where they are not there.
pub(super) fn u32_at(record: &[u8], field: Field) -> u32 {
    match record.get(field) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

pub(super) fn usize_at(record: &[u8], field: Field) -> usize {
    u32_at(record, field) as usize
}

pub(super) fn f32_at(record: &[u8], field: Field) -> f32 {
    f32::from_bits(u32_at(record, field))
}
