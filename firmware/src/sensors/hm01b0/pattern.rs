//! Its test pattern: one bit that walks over the data lines.

use super::{HOLD, write};
use embedded_hal::i2c::I2c;

/// What Himax's driver writes for it (HM01B0_Walking1s_01.h, as in TensorFlow's and SparkFun's
/// copies): nothing that changes a pixel's value, then the pattern.
const WALKING_ONES: [(u16, u8); 8] = [
    (0x2100, 0x00), // AE_CTRL: no own exposure
    (0x1000, 0x00), // BLC_CFG: no black level
    (0x1008, 0x00), // DPC_CTRL: no defect pixels
    (0x0205, 0x00), // ANALOG_GAIN: 1
    (0x020E, 0x01), // DIGITAL_GAIN: 1
    (0x020F, 0x00),
    (0x0601, 0x11), // TEST_PATTERN_MODE: enabled, walking ones
    (HOLD, 0x01),
];

/// Shows the pattern from the next frame on, until [`configure`](super::configure).
///
/// # Errors
/// The bus's.
pub fn show_pattern<B: I2c>(bus: &mut B) -> Result<(), B::Error> {
    WALKING_ONES.into_iter().try_for_each(|(register, value)| write(bus, register, value))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{Chip, Manner};
    use super::super::SOFTWARE_RESET;
    use super::*;

    #[test]
    fn the_pattern_is_walking_ones_and_is_taken_over_last() {
        let mut chip = Chip::<2>::new(super::super::ADDRESS, (SOFTWARE_RESET, 1), [Manner::After(0); 2]);
        show_pattern(&mut chip).unwrap();
        assert_eq!(chip.last(0x0601), Some(0x11));
        assert_eq!(chip.writes.last(), Some(&(HOLD, 1)));
    }
}
