//! OmniVision OV7725: VGA, colour; here its luminance at 320 x 240, as YUYV over eight lines.
//!
//! The sensor reads all of its 640 x 480 pixels and scales them to a quarter: the mean of four is
//! quieter than every fourth. Its clock drives it directly, without its multiplier: 12 MHz give 15
//! frames a second. VSYNC is high between frames, HREF is high while a row comes, and a byte is to
//! be taken at the rising edge of PCLK.

mod pattern;

pub use pattern::show_pattern;

use super::SensorError;
use edge_core::PixelFormat;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Pixels of a row.
pub const WIDTH: u16 = 320;
/// Rows of a frame.
pub const HEIGHT: u16 = 240;
/// How a pixel comes.
pub const FORMAT: PixelFormat = PixelFormat::Yuyv;
/// Its clock, in hertz.
pub const CLOCK_HZ: u32 = 12_000_000;

const ADDRESS: u8 = 0x21;
/// Product number and version, registers 0x0A and 0x0B.
const PRODUCT: u8 = 0x0A;
const VERSION: u8 = 0x0B;
/// The product number that it says.
pub const IDENTITY: u16 = 0x7721;

/// COM7: what the sensor gives; its top bit sets every register back.
const COM7: u8 = 0x12;
const RESET: u8 = 0x80;

const SETTINGS: [(u8, u8); 17] = [
    (COM7, 0x00), // VGA readout, YUV
    (0x0C, 0x10), // COM3: luminance first in each pair of bytes
    (0x0D, 0x01), // COM4: no multiplied clock; exposure weighs the whole picture
    (0x11, 0xC0), // CLKRC: the clock as it comes
    (0x15, 0x00), // COM10: VSYNC and HREF positive
    (0x17, 0x23), // HSTART: first column, in fours
    (0x18, 0xA0), // HSIZE: 640 columns, in fours
    (0x19, 0x07), // VSTART: first row, in twos
    (0x1A, 0xF0), // VSIZE: 480 rows, in twos
    (0x32, 0x00), // HREF: the low bits of these four
    (0x29, 0x50), // HOUTSIZE: 320 columns leave, in fours
    (0x2C, 0x78), // VOUTSIZE: 240 rows leave, in twos
    (0x2A, 0x00), // EXHCH: their low bits, and no longer rows
    (0x64, 0xFF), // DSP_CTRL1: the whole chain of corrections, and its memory, which scaling needs
    (0x65, 0x0F), // DSP_CTRL2: scale down, both ways
    (0x67, 0x00), // DSP_CTRL4: YUV leaves the chain
    (0xAC, 0xFF), // DSPAUTO: its corrections follow exposure and scale by themselves
];

/// Makes sure that it is this camera, sets it back, and has it send frames from now on.
pub fn configure<B: I2c>(bus: &mut B, delay: &mut impl DelayNs) -> Result<(), SensorError<B::Error>> {
    let got = u16::from_be_bytes([read(bus, PRODUCT)?, read(bus, VERSION)?]);
    if got != IDENTITY {
        return Err(SensorError::Identity { expected: IDENTITY, got });
    }
    bus.write(ADDRESS, &[COM7, RESET])?;
    delay.delay_ms(10);
    for (register, value) in SETTINGS {
        bus.write(ADDRESS, &[register, value])?;
    }
    // Until its exposure has found its place the frames are too dark or too bright, which the gate
    // says by itself.
    delay.delay_ms(10);
    Ok(())
}

/// Whether it still answers.
pub fn check<B: I2c>(bus: &mut B) -> Result<(), SensorError<B::Error>> {
    let got = u16::from_be_bytes([read(bus, PRODUCT)?, read(bus, VERSION)?]);
    if got == IDENTITY { Ok(()) } else { Err(SensorError::Identity { expected: IDENTITY, got }) }
}

/// A register. Its bus knows no repeated start: writing the name and reading are two transfers.
fn read<B: I2c>(bus: &mut B, register: u8) -> Result<u8, B::Error> {
    let mut value = [0];
    bus.write(ADDRESS, &[register])?;
    bus.read(ADDRESS, &mut value)?;
    Ok(value[0])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Chip, Waited};
    use super::*;

    fn chip() -> Chip<1> {
        let mut chip = Chip::new(ADDRESS);
        chip.registers[usize::from(PRODUCT)] = 0x77;
        chip.registers[usize::from(VERSION)] = 0x21;
        chip
    }

    #[test]
    fn it_is_reset_before_anything_is_set_and_sends_a_quarter_of_its_pixels() {
        let (mut chip, mut waited) = (chip(), Waited::default());
        configure(&mut chip, &mut waited).unwrap();
        assert_eq!(chip.writes[0], (u16::from(COM7), RESET));
        assert!(waited.0 >= 10_000_000, "{} ns after the reset", waited.0);
        assert_eq!(chip.last(0x29).map(|value| u16::from(value) * 4), Some(WIDTH));
        assert_eq!(chip.last(0x2C).map(|value| u16::from(value) * 2), Some(HEIGHT));
        assert_eq!(chip.last(0x12), Some(0), "reset bit cleared, YUV");
    }

    #[test]
    fn another_chip_is_not_written_to_and_none_is_an_error() {
        let mut other = chip();
        other.registers[usize::from(PRODUCT)] = 0x26;
        let error = configure(&mut other, &mut Waited::default()).unwrap_err();
        assert_eq!(error, SensorError::Identity { expected: 0x7721, got: 0x2621 });
        assert!(other.writes.is_empty());
        assert!(matches!(
            configure(&mut Chip::<1>::new(0x30), &mut Waited::default()),
            Err(SensorError::Bus(_))
        ));
        assert_eq!(check(&mut chip()), Ok(()));
        assert_eq!(check(&mut other), Err(error));
    }
}
