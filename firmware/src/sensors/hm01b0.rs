//! Himax HM01B0: grey, a few milliwatts; here its window of 324 x 244, a byte a pixel over eight
//! lines.
//!
//! VSYNC is high while a frame comes, HREF while a row comes, and a byte is to be taken at the
//! rising edge of PCLK. Its pixel clock is an eighth of its clock: 12.5 MHz give 12 frames a
//! second, and 113 microseconds between two rows.

mod pattern;

pub use pattern::show_pattern;

use super::{POWER_ON_MS, RESET_MS, SensorError, patiently};
use edge_core::PixelFormat;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

/// Pixels of a row: the window, and two at each side.
pub const WIDTH: u16 = 324;
/// Rows of a frame.
pub const HEIGHT: u16 = 244;
/// Its pixel clock, in hertz: an eighth of a clock of 12.5 MHz.
pub const PIXEL_HZ: u32 = 12_500_000 / 8;
/// How a pixel comes.
pub const FORMAT: PixelFormat = PixelFormat::Gray8;

const ADDRESS: u8 = 0x24;
/// MODEL_ID, two bytes.
const MODEL: u16 = 0x0000;
/// The product number that it says.
pub const IDENTITY: u16 = 0x01B0;
/// MODE_SELECT.
const MODE: u16 = 0x0100;
const STANDBY: u8 = 0;
const STREAMING: u8 = 1;
const SOFTWARE_RESET: u16 = 0x0103;
/// What was written before takes effect at the next frame.
const HOLD: u16 = 0x0104;

/// Columns between two starts of rows, read and blank: the blank ones are the time in which DMA is
/// set up for the next row. Other drivers have 376, the least.
pub const LINE: u16 = 500;
/// Rows between two starts of frames, read and blank.
pub const FRAME: u16 = 260;
/// Rows for which its own exposure may gather light: with more it skips frames.
const MOST_INTEGRATION: u16 = FRAME - 2;
/// Rows with which it begins.
const INTEGRATION: u16 = 188;

const SETTINGS: [(u16, u8); 16] = [
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
    (0x0202, INTEGRATION.to_be_bytes()[0]), // INTEGRATION: where its own exposure begins
    (0x0203, INTEGRATION.to_be_bytes()[1]),
    (0x2105, MOST_INTEGRATION.to_be_bytes()[0]), // MAX_INTG
    (0x2106, MOST_INTEGRATION.to_be_bytes()[1]),
    (0x2100, 0x01), // AE_CTRL: its own exposure
    (HOLD, 0x01),
];

/// Makes sure that it is this camera, sets it back, and has it send frames from now on. A camera
/// that has just got its supply, or is in its reset, is given time; a second or so, at most.
pub fn configure<B: I2c>(bus: &mut B, delay: &mut impl DelayNs) -> Result<(), SensorError<B::Error>> {
    patiently(delay, POWER_ON_MS, || check(bus))?;
    write(bus, SOFTWARE_RESET, 1)?;
    delay.delay_ms(2);
    patiently(delay, RESET_MS, || match read(bus, MODE)? {
        STANDBY => Ok(()),
        got => Err(SensorError::Reset { expected: STANDBY, got }),
    })?;
    for (register, value) in SETTINGS {
        write(bus, register, value)?;
    }
    write(bus, MODE, STREAMING)?;
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
    use super::super::testing::{Chip, Manner, Time, complaints, differences};
    use super::*;
    use embedded_hal::i2c::ErrorKind;
    use std::string::ToString;

    /// The registers as other drivers have them: OpenMV's `drivers/sensors/hm01b0.c`, Zephyr's
    /// `drivers/video/hm01b0.c`, Himax's driver for the Pico (`hm01b0-library-for-pico`).
    const TABLE: [(u16, u8, &str); 18] = [
        (0x0103, 0x01, "SW_RESET: HIMAX_RESET"),
        (0x0100, 0x01, "MODE_SELECT: HIMAX_MODE_STREAMING"),
        (0x0104, 0x01, "GRP_PARAM_HOLD: OpenMV, Zephyr"),
        (0x0202, 0x00, "INTEGRATION: Zephyr's HIMAX_LINE_LEN_PCK_QVGA / 2 = 0x178 / 2 = 188 lines"),
        (0x0203, 0xBC, "the same"),
        (0x0340, 0x01, "FRAME_LEN_LINES: HIMAX_FRAME_LENGTH_QVGA = 0x104"),
        (0x0341, 0x04, "the same"),
        (0x0342, 0x01, "LINE_LEN_PCK: 500; at least their 0x178, for a gap of 113 us"),
        (0x0343, 0xF4, "the same"),
        (0x0383, 0x01, "READOUT_X: QVGA_regs, no subsampling"),
        (0x0387, 0x01, "READOUT_Y: QVGA_regs, no subsampling"),
        (0x0390, 0x00, "BINNING_MODE: QVGA_regs"),
        (0x2100, 0x01, "AE_CTRL: automatic exposure"),
        (0x2105, 0x01, "MAX_INTG: HIMAX_FRAME_LENGTH_QVGA - 2 = 0x102"),
        (0x2106, 0x02, "the same"),
        (0x3010, 0x01, "QVGA_WIN_EN: QVGA_regs"),
        (0x3059, 0x02, "BIT_CONTROL: Zephyr's HM01B0_CTRL_VAL(8)"),
        (0x3060, 0x08, "OSC_CLK_DIV: vt_reg_div 1, clock / 8 (Zephyr's HM01B0_5_OR_8_FPS)"),
    ];

    fn chip(manners: [Manner; 2]) -> Chip<2> {
        let mut chip = Chip::new(ADDRESS, (SOFTWARE_RESET, 1), manners);
        chip.registers.extend([(MODEL, 0x01), (MODEL + 1, 0xB0)]);
        chip
    }

    fn ready() -> Chip<2> {
        chip([Manner::After(0); 2])
    }

    #[test]
    fn its_registers_are_those_of_the_table_and_it_streams_last() {
        let mut chip = ready();
        configure(&mut chip, &mut Time::default()).unwrap();
        assert_eq!(differences(&chip.writes, &TABLE), [""; 0]);
        assert_eq!(chip.writes[0], (SOFTWARE_RESET, 1));
        assert_eq!(chip.writes.last(), Some(&(MODE, STREAMING)));
        // Planted: the exposure's limit as it is after a reset, a line too short, a register more.
        for (register, value) in [(0x2105, 0x01), (0x2106, 0x54), (0x0343, 0x78), (0x3011, 0x70)] {
            let mut writes = chip.writes.clone();
            writes.push((register, value));
            let wrong = usize::from(chip.last(register) != Some(value));
            assert_eq!(differences(&writes, &TABLE).len(), wrong, "{register:#06x}");
        }
    }

    #[test]
    fn its_times_are_those_of_its_clock() {
        let frames_a_second = PIXEL_HZ / (u32::from(LINE) * u32::from(FRAME));
        let gap_us = u32::from(LINE - WIDTH) * 1_000_000 / PIXEL_HZ;
        assert_eq!((frames_a_second, gap_us), (12, 112));
        const { assert!(FRAME > HEIGHT && INTEGRATION <= MOST_INTEGRATION) };
    }

    #[test]
    fn one_that_answers_late_is_waited_for_and_one_that_never_does_ends_in_time() {
        assert_eq!(complaints(chip, configure), [""; 0]);
        // Planted: no time at power on, and the mode is read in the very moment of the reset.
        let impatient = |chip: &mut Chip<2>, time: &mut Time| {
            check(chip)?;
            write(chip, SOFTWARE_RESET, 1)?;
            while read(chip, MODE)? != STANDBY {
                time.delay_ms(10);
            }
            Ok(())
        };
        let found = complaints(chip, impatient);
        let named = |case| found.iter().any(|line| line.starts_with(case));
        assert!(named("After(0) at power on, After(5) after the reset: expected Ok"), "{found:#?}");
        assert!(named("After(5) at power on, After(0) after the reset: expected Ok"), "{found:#?}");
        // Planted: a line that is held down is asked again and again.
        let stubborn = |chip: &mut Chip<2>, time: &mut Time| {
            (0..20).find_map(|_| configure(chip, time).ok()).ok_or(SensorError::Bus(ErrorKind::Other))
        };
        assert!(complaints(chip, stubborn).iter().any(|line| line.contains("took 20")));
    }

    #[test]
    fn another_chip_and_one_that_stays_in_its_reset_are_errors_that_say_what_came() {
        let mut other = ready();
        other.registers.insert(MODEL + 1, 0xB1);
        let error = configure(&mut other, &mut Time::default()).unwrap_err();
        assert_eq!(error, SensorError::Identity { expected: 0x01B0, got: 0x01B1 });
        assert!(other.writes.is_empty());
        assert!(error.to_string().starts_with("expected the camera 0x01b0, got 0x01b1"));
        let mut stuck = ready();
        stuck.registers.insert(MODE, 3);
        let mut time = stuck.time.clone();
        let error = configure(&mut stuck, &mut time).unwrap_err();
        assert_eq!(error, SensorError::Reset { expected: 0, got: 3 });
        assert_eq!((stuck.last(MODE), time.ms()), (None, 1002));
        assert!(error.to_string().contains("1000 ms after a reset, got 0x03"), "{error}");
        let mut absent = chip([Manner::Absent; 2]);
        let error = configure(&mut absent, &mut Time::default()).unwrap_err();
        assert!(error.to_string().starts_with("expected that the camera answers, got NoAck"), "{error}");
    }
}
