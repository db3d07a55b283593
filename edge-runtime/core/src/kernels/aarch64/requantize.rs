//! From accumulators to 8-bit outputs, the same bytes as [`crate::kernels::requantize`]: FCVTNS
//! rounds ties to even and saturates, and every narrowing step after it saturates.

use crate::kernels::RequantParams;
use core::arch::aarch64::*;

/// Multipliers of `4 * Q` channels and the output's zero point. `RELU` is for a zero point of 0, as
/// layers have whose negative outputs are cut off: FCVTNU cuts them off too, and nothing is added.
/// `SHORT` is for those of them whose steps [`are_short`].
#[derive(Clone, Copy)]
pub(super) struct Requantize<const Q: usize, const RELU: bool, const SHORT: bool> {
    multiplier: [float32x4_t; Q],
    zero: int16x8_t,
}

impl<const Q: usize, const RELU: bool, const SHORT: bool> Requantize<Q, RELU, SHORT> {
    /// # Safety
    /// `multiplier` points to `4 * Q` numbers, `zero` is 0 where `RELU` says so, and steps are as
    /// `SHORT` says.
    #[inline]
    #[target_feature(enable = "neon")]
    pub unsafe fn new(multiplier: *const f32, zero: u8) -> Self {
        let mut all = [vdupq_n_f32(0.0); Q];
        for (q, four) in all.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *four = unsafe { vld1q_f32(multiplier.add(4 * q)) };
        }
        Self { multiplier: all, zero: vdupq_n_s16(i16::from(zero)) }
    }

    /// Four accumulators in steps of the output, not rounded yet.
    #[inline]
    #[target_feature(enable = "neon")]
    fn steps(&self, acc: &[int32x4_t; Q], q: usize) -> float32x4_t {
        vmulq_f32(vcvtq_f32_s32(acc[q]), self.multiplier[q])
    }

    /// Eight outputs, to be narrowed once more.
    #[inline]
    #[target_feature(enable = "neon")]
    fn eight(&self, acc: &[int32x4_t; Q], q: usize) -> int16x8_t {
        let (low, high) = (self.steps(acc, q), self.steps(acc, q + 1));
        if SHORT {
            let [low, high] = [low, high].map(|four| vreinterpretq_s16_s32(vcvtnq_s32_f32(four)));
            vuzp1q_s16(low, high)
        } else if RELU {
            let low = vqmovn_u32(vcvtnq_u32_f32(low));
            vreinterpretq_s16_u16(vqmovn_high_u32(low, vcvtnq_u32_f32(high)))
        } else {
            let low = vqmovn_s32(vcvtnq_s32_f32(low));
            vqaddq_s16(vqmovn_high_s32(low, vcvtnq_s32_f32(high)), self.zero)
        }
    }

    /// Writes the outputs of one pixel.
    ///
    /// # Safety
    /// `y` points to `4 * Q` bytes; `Q` is 2 or 4.
    #[inline]
    #[target_feature(enable = "neon")]
    pub unsafe fn store(&self, acc: &[int32x4_t; Q], y: *mut u8) {
        let first = self.eight(acc, 0);
        let unsigned = RELU && !SHORT;
        let low = if unsigned { vqmovn_u16(vreinterpretq_u16_s16(first)) } else { vqmovun_s16(first) };
        if Q == 2 {
            // SAFETY: the caller's promise.
            unsafe { vst1_u8(y, low) };
            return;
        }
        let last = self.eight(acc, 2);
        let all = if unsigned {
            vqmovn_high_u16(low, vreinterpretq_u16_s16(last))
        } else {
            vqmovun_high_s16(low, last)
        };
        // SAFETY: the caller's promise.
        unsafe { vst1q_u8(y, all) };
    }
}

/// Whether no output can be more than 16 bits' worth of steps away from the zero point, for sums
/// over `depth` inputs read as signed: then halves of 32 bits are dropped instead of saturated.
pub(super) fn are_short(channels: &RequantParams, depth: usize) -> bool {
    // There is a channel, so both have a largest; 0 would stand for none.
    let bias = channels.signed_bias().iter().map(|b| b.unsigned_abs()).max().unwrap_or(0);
    // Numbers of one sign are in the order of their bits; any negative one comes out as the largest.
    let multiplier = f32::from_bits(channels.multiplier().iter().map(|m| m.to_bits()).max().unwrap_or(0));
    let bound = (depth as f32 * (128.0 * 128.0) + bias as f32) * multiplier;
    // Below 2^15 by more than the roundings of the bound itself.
    multiplier.is_sign_positive() && bound < 32000.0
}
