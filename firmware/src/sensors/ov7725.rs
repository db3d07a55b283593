//! OmniVision OV7725: VGA, colour; here its luminance at 320 x 240, as YUYV over eight lines.
//!
//! The sensor reads all of its 640 x 480 pixels and scales them to a quarter: the mean of four is
//! quieter than every fourth. Its clock drives it directly, without its multiplier: 12.5 MHz give
//! nearly 16 frames a second. VSYNC is high between frames, HREF is high while a row comes, and a byte is to
//! be taken at the rising edge of PCLK.

mod pattern;

pub use pattern::show_pattern;

use super::{POWER_ON_MS, RESET_MS, SensorError, patiently};
use edge_core::PixelFormat;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Pixels of a row.
pub const WIDTH: u16 = 320;
/// Rows of a frame.
pub const HEIGHT: u16 = 240;
/// How a pixel comes.
pub const FORMAT: PixelFormat = PixelFormat::Yuyv;
/// Its clock, in hertz; 10 to 48 MHz by its data sheet. A sixteenth of 200 MHz, so that a timer
/// makes it exactly.
pub const CLOCK_HZ: u32 = 12_500_000;

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

/// Makes sure that it is this camera, sets it back, and has it send frames from now on. A camera
/// that has just got its supply, or is in its reset, is given time; a second or so, at most.
pub fn configure<B: I2c>(bus: &mut B, delay: &mut impl DelayNs) -> Result<(), SensorError<B::Error>> {
    patiently(delay, POWER_ON_MS, || check(bus))?;
    bus.write(ADDRESS, &[COM7, RESET])?;
    delay.delay_ms(10);
    patiently(delay, RESET_MS, || check(bus))?;
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
    use super::super::testing::{Chip, Manner, Time, complaints, differences};
    use super::*;

    /// The registers as espressif's esp32-camera has them (`sensors/ov7725.c`, `ov7725_regs.h`),
    /// and its data sheet (version 1.31, register table); the window is the whole VGA, where that
    /// driver takes the quarter that the sensor itself makes.
    const TABLE: [(u16, u8, &str); 17] = [
        (0x12, 0x00, "COM7: COM7_RES_VGA | COM7_FMT_YUV"),
        (0x0C, 0x10, "COM3: COM3_SWAP_YUV"),
        (0x0D, 0x01, "COM4: bypass PLL"),
        (0x11, 0xC0, "CLKRC: bypass the prescaler"),
        (
            0x15,
            0x00,
            "COM10, data sheet: bits 1 and 3 clear, VSYNC and HREF positive; bit 4 clear, rising PCLK",
        ),
        (0x17, 0x23, "HSTART: data sheet's VGA"),
        (0x18, 0xA0, "HSIZE: 640 / 4"),
        (0x19, 0x07, "VSTART: data sheet's VGA"),
        (0x1A, 0xF0, "VSIZE: 480 / 2"),
        (0x32, 0x00, "HREF"),
        (0x29, 0x50, "HOUTSIZE: 320 / 4"),
        (0x2C, 0x78, "VOUTSIZE: 240 / 2"),
        (0x2A, 0x00, "EXHCH"),
        (0x64, 0xFF, "DSP_CTRL1"),
        (0x65, 0x0F, "DSP_CTRL2: VDCW, HDCW, VZOOM and HZOOM enabled"),
        (0x67, 0x00, "DSP_CTRL4"),
        (0xAC, 0xFF, "DSPAUTO"),
    ];

    fn chip(manners: [Manner; 2]) -> Chip<1> {
        let mut chip = Chip::new(ADDRESS, (COM7.into(), RESET), manners);
        chip.registers.extend([(PRODUCT.into(), 0x77), (VERSION.into(), 0x21)]);
        chip
    }

    fn ready() -> Chip<1> {
        chip([Manner::After(0); 2])
    }

    #[test]
    fn it_is_reset_before_anything_is_set_and_its_registers_are_those_of_the_table() {
        let mut chip = ready();
        let mut time = chip.time.clone();
        configure(&mut chip, &mut time).unwrap();
        assert_eq!(chip.writes[0], (COM7.into(), RESET));
        assert!(time.ms() >= 10, "{} ms after the reset", time.ms());
        assert_eq!(differences(&chip.writes, &TABLE), [""; 0]);
        assert_eq!(chip.last(0x29).map(|value| u16::from(value) * 4), Some(WIDTH));
        assert_eq!(chip.last(0x2C).map(|value| u16::from(value) * 2), Some(HEIGHT));
        // Planted: a negative VSYNC.
        let mut writes = chip.writes.clone();
        writes.push((0x15, 0x02));
        assert_eq!(differences(&writes, &TABLE), ["0x0015: expected Some(00), got Some(02)"]);
    }

    #[test]
    fn one_that_answers_late_is_waited_for_and_one_that_never_does_ends_in_time() {
        assert_eq!(complaints(chip, configure), [""; 0]);
        // Planted: a pause of fixed length, and no question, after the reset.
        let hurried = |chip: &mut Chip<1>, time: &mut Time| {
            patiently(time, POWER_ON_MS, || check(chip))?;
            chip.write(ADDRESS, &[COM7, RESET])?;
            time.delay_ms(10);
            Ok(chip.write(ADDRESS, &[0x0C, 0x10])?)
        };
        let found = complaints(chip, hurried);
        let named = |case| found.iter().any(|line| line.starts_with(case));
        assert!(named("After(0) at power on, After(50) after the reset: expected Ok"), "{found:#?}");
        assert!(!named("After(0) at power on, After(5) after the reset"), "{found:#?}");
    }

    #[test]
    fn another_chip_is_not_written_to() {
        let mut other = ready();
        other.registers.insert(PRODUCT.into(), 0x26);
        let error = configure(&mut other, &mut Time::default()).unwrap_err();
        assert_eq!(error, SensorError::Identity { expected: 0x7721, got: 0x2621 });
        assert!(other.writes.is_empty());
        assert_eq!(check(&mut ready()), Ok(()));
        assert_eq!(check(&mut other), Err(error));
    }
}
