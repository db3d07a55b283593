//! What the STM32H743's board writes into registers that its driver does not know, or not rightly:
//! as plain numbers, so that the host's tests hold each bit against the reference manual RM0433.

/// The camera's interface, DCMI, and the DMA behind it.
pub mod dcmi {
    /// CR: capture.
    pub const CAPTURE: u32 = 1 << 0;
    /// CR: one frame a request.
    const SNAPSHOT: u32 = 1 << 1;
    /// CR: a byte is taken at the rising edge of PCLK.
    const RISING_PCLK: u32 = 1 << 5;
    /// CR: VSYNC is high between frames. That HREF is low between rows is HSPOL's zero.
    const HIGH_VSYNC_IS_BLANK: u32 = 1 << 7;
    /// CR: the interface is on.
    pub const ENABLE: u32 = 1 << 14;

    /// CR at rest: eight lines, as the OV7725 sends, no crop, no JPEG, every frame.
    pub const AT_REST: u32 = SNAPSHOT | RISING_PCLK | HIGH_VSYNC_IS_BLANK;
    /// CR while it captures.
    pub const AT_WORK: u32 = AT_REST | ENABLE | CAPTURE;

    /// Its number at the multiplexer of DMA's requests.
    pub const DMA_REQUEST: u8 = 75;
    /// Rows of DMA's ring, which reports every half.
    pub const RING_ROWS: usize = 8;
}

/// The flash's controller.
pub mod flash {
    /// CCR: clears every flag of an error, in a bank. A flag that stands makes the driver take the
    /// next write for failed; it clears none, because it writes SR.
    pub const CLEAR_ERRORS: u32 =
        WRPERR | PGSERR | STRBERR | INCERR | OPERR | RDPERR | RDSERR | SNECCERR | CLEAR_DAMAGED | CRCRDERR;
    /// CCR: clears the flag of a word that was read and is damaged beyond correction, DBECCERR.
    pub const CLEAR_DAMAGED: u32 = 1 << 26;

    const WRPERR: u32 = 1 << 17;
    const PGSERR: u32 = 1 << 18;
    const STRBERR: u32 = 1 << 19;
    const INCERR: u32 = 1 << 21;
    const OPERR: u32 = 1 << 22;
    const RDPERR: u32 = 1 << 23;
    const RDSERR: u32 = 1 << 24;
    const SNECCERR: u32 = 1 << 25;
    const CRCRDERR: u32 = 1 << 28;
}

/// The bus between the processor and its larger memory.
pub mod axi {
    /// Address of AXI_TARG7_FN_MOD, for the memory at 0x24000000.
    pub const SRAM_FUNCTION: u32 = 0x5100_8108;
    /// One read at a time. With more, revision Y may read wrong bytes (errata sheet ES0392, 2.2.9);
    /// the others lose nothing by it.
    pub const READ_ISSUING_OF_ONE: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::ov7725::{FORMAT, WIDTH};

    /// Fields of a register, each with its lowest bit, its bits and what must stand there; every
    /// other bit is zero.
    type Table = [(&'static str, u32, u32, u32)];

    /// RM0433, DCMI control register (DCMI_CR).
    const CONTROL: [(&str, u32, u32, u32); 11] = [
        ("CAPTURE", 0, 1, 0),
        ("CM: snapshot", 1, 1, 1),
        ("CROP: the full frame", 2, 1, 0),
        ("JPEG: uncompressed", 3, 1, 0),
        ("ESS: by HSYNC and VSYNC", 4, 1, 0),
        ("PCKPOL: rising edge", 5, 1, 1),
        ("HSPOL: active low, invalid while low", 6, 1, 0),
        ("VSPOL: invalid while high", 7, 1, 1),
        ("FCRC: all frames", 8, 2, 0),
        ("EDM: 8 bits a clock", 10, 2, 0),
        ("ENABLE", 14, 1, 0),
    ];

    /// RM0433, FLASH clear control register (FLASH_CCR1, FLASH_CCR2).
    const CLEAR: [(&str, u32, u32, u32); 13] = [
        ("CLR_EOP: no error", 16, 1, 0),
        ("CLR_WRPERR", 17, 1, 1),
        ("CLR_PGSERR", 18, 1, 1),
        ("CLR_STRBERR", 19, 1, 1),
        ("reserved", 20, 1, 0),
        ("CLR_INCERR", 21, 1, 1),
        ("CLR_OPERR", 22, 1, 1),
        ("CLR_RDPERR", 23, 1, 1),
        ("CLR_RDSERR", 24, 1, 1),
        ("CLR_SNECCERR", 25, 1, 1),
        ("CLR_DBECCERR", 26, 1, 1),
        ("CLR_CRCEND: no error", 27, 1, 0),
        ("CLR_CRCRDERR", 28, 1, 1),
    ];

    /// The first field that differs; none is right.
    fn wrong(table: &Table, value: u32) -> Option<&'static str> {
        let bits = |low: &u32, width: &u32| ((1 << width) - 1) << low;
        let differs =
            |(_, low, width, expected): &&(_, u32, u32, u32)| value & bits(low, width) != expected << low;
        let known = table.iter().fold(0, |known, (_, low, width, _)| known | bits(low, width));
        let rest = (value & !known != 0).then_some("a bit that is in no field");
        table.iter().find(differs).map(|(name, ..)| *name).or(rest)
    }

    #[test]
    fn the_cameras_interface_is_set_bit_by_bit_as_the_manual_says() {
        assert_eq!(wrong(&CONTROL, dcmi::AT_REST), None);
        assert_eq!(dcmi::AT_WORK, dcmi::AT_REST | 0x4001, "and ENABLE and CAPTURE beside it");
        assert_eq!(dcmi::DMA_REQUEST, 75, "RM0433, DMAMUX1: dcmi_dma");
        // Each wrong bit is found, and named.
        for bit in 0..32 {
            assert!(wrong(&CONTROL, dcmi::AT_REST ^ 1 << bit).is_some(), "bit {bit}");
        }
        assert_eq!(wrong(&CONTROL, dcmi::AT_REST ^ 0x40), Some("HSPOL: active low, invalid while low"));
    }

    #[test]
    fn dmas_ring_fits_its_counter_and_the_caches_lines() {
        let row = usize::from(WIDTH) * FORMAT.bytes_per_pixel();
        let ring = row * dcmi::RING_ROWS;
        assert_eq!((row % 4, ring % (2 * row)), (0, 0), "whole words, and whole rows a half");
        assert!(ring / 4 <= 0xFFFF, "RM0433, DMA_SxNDTR: 16 bits");
        assert_eq!(ring % 32, 0, "the ring's lines of the data cache are its own");
    }

    #[test]
    fn every_flag_of_an_error_is_cleared_and_nothing_else() {
        assert_eq!(wrong(&CLEAR, flash::CLEAR_ERRORS), None);
        for bit in 0..32 {
            assert!(wrong(&CLEAR, flash::CLEAR_ERRORS ^ 1 << bit).is_some(), "bit {bit}");
        }
        assert_eq!(wrong(&CLEAR, flash::CLEAR_ERRORS ^ 1 << 25), Some("CLR_SNECCERR"));
        assert_eq!(flash::CLEAR_DAMAGED, 1 << 26, "CLR_DBECCERR");
    }

    #[test]
    fn the_memorys_reads_are_issued_one_by_one() {
        // RM0433, AXI interconnect: base, and offset 0x1108 + 0x1000 * x of AXI_TARGx_FN_MOD;
        // target 7 is the AXI SRAM. Bit 0 is READ_ISS_OVERRIDE.
        assert_eq!(axi::SRAM_FUNCTION, 0x5100_0000 + 0x1108 + 0x1000 * 7);
        assert_eq!(axi::READ_ISSUING_OF_ONE, 1);
    }
}
