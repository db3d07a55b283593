//! From accumulators to 8-bit outputs, the same bytes as [`crate::kernels::requantize`]: FCVTNS
//! rounds ties to even and saturates, and every narrowing step after it saturates or need not.

use core::arch::aarch64::*;

/// Multipliers of `4 * Q` channels and the output's zero point. `SHORT` is for steps that fit 16 bits
/// ([`RequantParams::short`](crate::kernels::RequantParams)): halves of 32 bits are dropped instead
/// of saturated. `RELU` is for a zero point of 0, as layers have whose negative outputs are cut off:
/// nothing is added.
#[derive(Clone, Copy)]
pub(super) struct Requantize<const Q: usize, const SHORT: bool, const RELU: bool> {
    multiplier: [float32x4_t; Q],
    zero: int16x8_t,
}

impl<const Q: usize, const SHORT: bool, const RELU: bool> Requantize<Q, SHORT, RELU> {
    /// # Safety
    /// `multiplier` points to `4 * Q` numbers; steps are as `SHORT` says, and `zero` as `RELU` does.
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

    /// Four accumulators in whole steps of the output.
    #[inline]
    #[target_feature(enable = "neon")]
    fn steps(&self, acc: &[int32x4_t; Q], q: usize) -> int32x4_t {
        vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc[q]), self.multiplier[q]))
    }

    /// Eight outputs, to be narrowed once more.
    #[inline]
    #[target_feature(enable = "neon")]
    fn eight(&self, acc: &[int32x4_t; Q], q: usize) -> int16x8_t {
        let (low, high) = (self.steps(acc, q), self.steps(acc, q + 1));
        let steps = if SHORT {
            vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high))
        } else {
            vqmovn_high_s32(vqmovn_s32(low), high)
        };
        if RELU { steps } else { vqaddq_s16(steps, self.zero) }
    }

    /// Writes the outputs of one pixel.
    ///
    /// # Safety
    /// `y` points to `4 * Q` bytes; `Q` is 2 or 4.
    #[inline]
    #[target_feature(enable = "neon")]
    pub unsafe fn store(&self, acc: &[int32x4_t; Q], y: *mut u8) {
        let low = vqmovun_s16(self.eight(acc, 0));
        // SAFETY: the caller's promise.
        unsafe {
            if Q == 2 {
                vst1_u8(y, low);
            } else {
                vst1q_u8(y, vqmovun_high_s16(low, self.eight(acc, 2)));
            }
        }
    }
}
