//! Himax HM01B0: grey, a few milliwatts; here its window of 324 x 244, a byte a pixel over eight
//! lines.
//!
//! VSYNC is high while a frame comes, HREF while a row comes, and a byte is to be taken at the
//! rising edge of PCLK. Its pixel clock is an eighth of its clock: 12.5 MHz give 16 frames a
//! second, and 33 microseconds between two rows.

mod pattern;

pub use pattern::show_pattern;

use super::SensorError;
use edge_core::PixelFormat;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Pixels of a row: the window, and two at each side.
pub const WIDTH: u16 = 324;
/// Rows of a frame.
pub const HEIGHT: u16 = 244;
/// How a pixel comes.
pub const FORMAT: PixelFormat = PixelFormat::Gray8;

const ADDRESS: u8 = 0x24;
/// MODEL_ID, two bytes.
const MODEL: u16 = 0x0000;
/// The product number that it says.
pub const IDENTITY: u16 = 0x01B0;
/// MODE_SELECT: 0 is standby, 1 is streaming.
const MODE: u16 = 0x0100;
const SOFTWARE_RESET: u16 = 0x0103;
/// What was written before takes effect at the next frame.
const HOLD: u16 = 0x0104;

/// Columns between two starts of rows, read and blank.
const LINE: u16 = 376;
/// The same in rows.
const FRAME: u16 = 260;

const SETTINGS: [(u16, u8); 14] = [
    (0x3059, 0x02),                   // BIT_CONTROL: eight lines
    (0x3060, 0x08),                   // OSC_CLK_DIV: an eighth of the clock, PCLK always runs
    (0x0383, 0x01),                   // READOUT_X: every column
    (0x0387, 0x01),                   // READOUT_Y: every row
    (0x0390, 0x00),                   // BINNING_MODE: none
    (0x3010, 0x01),                   // QVGA_WIN_EN: the window
    (0x0340, FRAME.to_be_bytes()[0]), // FRAME_LENGTH_LINES
    (0x0341, FRAME.to_be_bytes()[1]),
    (0x0342, LINE.to_be_bytes()[0]), // LINE_LENGTH_PCK
    (0x0343, LINE.to_be_bytes()[1]),
    (0x0202, (LINE / 2).to_be_bytes()[0]), // INTEGRATION: where its own exposure begins
    (0x0203, (LINE / 2).to_be_bytes()[1]),
    (0x2100, 0x01), // AE_CTRL: its own exposure
    (HOLD, 0x01),
];

/// Makes sure that it is this camera, sets it back, and has it send frames from now on.
pub fn configure<B: I2c>(bus: &mut B, delay: &mut impl DelayNs) -> Result<(), SensorError<B::Error>> {
    check(bus)?;
    write(bus, SOFTWARE_RESET, 1)?;
    let mut tries = 0;
    while read(bus, MODE)? != 0 {
        if tries == 10 {
            return Err(SensorError::Reset);
        }
        tries += 1;
        delay.delay_ms(10);
    }
    for (register, value) in SETTINGS {
        write(bus, register, value)?;
    }
    write(bus, MODE, 1)?;
    Ok(())
}

/// Whether it still answers.
pub fn check<B: I2c>(bus: &mut B) -> Result<(), SensorError<B::Error>> {
    let got = u16::from_be_bytes([read(bus, MODEL)?, read(bus, MODEL + 1)?]);
    if got == IDENTITY { Ok(()) } else { Err(SensorError::Identity { expected: IDENTITY, got }) }
}

fn write<B: I2c>(bus: &mut B, register: u16, value: u8) -> Result<(), B::Error> {
    let [high, low] = register.to_be_bytes();
    bus.write(ADDRESS, &[high, low, value])
}

fn read<B: I2c>(bus: &mut B, register: u16) -> Result<u8, B::Error> {
    let mut value = [0];
    bus.write_read(ADDRESS, &register.to_be_bytes(), &mut value)?;
    Ok(value[0])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Chip, Waited};
    use super::*;

    fn chip() -> Chip<2> {
        let mut chip = Chip::new(ADDRESS);
        chip.registers[..2].copy_from_slice(&IDENTITY.to_be_bytes());
        chip
    }

    #[test]
    fn it_streams_last_and_on_eight_lines() {
        let mut chip = chip();
        configure(&mut chip, &mut Waited::default()).unwrap();
        assert_eq!(chip.writes[0], (SOFTWARE_RESET, 1));
        assert_eq!(chip.writes.last(), Some(&(MODE, 1)));
        assert_eq!(chip.last(0x3059), Some(0x02));
        assert_eq!(chip.last(0x0342).zip(chip.last(0x0343)), Some((1, 0x78)));
    }

    #[test]
    fn another_chip_and_one_that_stays_in_its_reset_are_errors() {
        let mut other = chip();
        other.registers[1] = 0xB1;
        let error = configure(&mut other, &mut Waited::default()).unwrap_err();
        assert_eq!(error, SensorError::Identity { expected: 0x01B0, got: 0x01B1 });
        assert!(other.writes.is_empty());
        let mut stuck = chip();
        stuck.registers[usize::from(MODE)] = 1;
        assert_eq!(configure(&mut stuck, &mut Waited::default()), Err(SensorError::Reset));
        assert_eq!(stuck.last(MODE), None);
    }
}
