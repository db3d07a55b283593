//! Its test pattern: eight upright bars.

use super::{ADDRESS, read};
use embedded_hal::i2c::I2c;

/// COM3 and DSP_CTRL3, each with its bit for the bars. OpenMV's driver (ov7725.c, `set_colorbar`)
/// sets both.
const BITS: [(u8, u8); 2] = [(0x0C, 0x01), (0x66, 0x20)];

/// Shows the pattern until [`configure`](super::configure).
///
/// # Errors
/// The bus's.
pub fn show_pattern<B: I2c>(bus: &mut B) -> Result<(), B::Error> {
    for (register, bit) in BITS {
        let value = read(bus, register)? | bit;
        bus.write(ADDRESS, &[register, value])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{Chip, Manner};
    use super::*;

    #[test]
    fn both_bits_are_set_and_the_others_stay() {
        let mut chip = Chip::<1>::new(ADDRESS, (0x12, 0x80), [Manner::After(0); 2]);
        chip.registers.insert(0x0C, 0x10);
        show_pattern(&mut chip).unwrap();
        assert_eq!((chip.last(0x0C), chip.last(0x66)), (Some(0x11), Some(0x20)));
    }
}
