//! The constants of a packet, for both ends of the line.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

pub const MAGIC: [u8; 2] = *b"PN";
pub const BEGIN: u8 = 1;
pub const ROW: u8 = 2;
pub const END: u8 = 3;

pub static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);
