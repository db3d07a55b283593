//! DFU files for an STM32: USB's own form, a suffix behind the bytes (Device Firmware Upgrade 1.1,
//! appendix B), and ST's around it with the addresses (DfuSe, UM0391). `dfu-util -D` writes both.

use crate::content::Content;
use crc::{CRC_32_JAMCRC, Crc};

/// USB numbers of a loader: vendor and product.
type Device = [u16; 2];

/// ST's boot ROM, which a board starts with its pin BOOT0 high.
const ST: Device = [0x0483, 0xDF11];
/// OpenMV's boot loader, which a camera starts before its firmware.
const OPENMV: Device = [0x37C5, 0x9204];
/// Where that one's partition `FIRMWARE` begins, its third (boards/OPENMV4/boot_config.h).
pub const OPENMV_FIRMWARE: u32 = 0x0804_0000;

/// Bytes that an STM32's flash takes at once, at most.
const WORD: u32 = 32;
/// The setting of ST's ROM that is the chip's flash, and the name that is shown with it.
const INTERNAL_FLASH: u8 = 0;
const NAME: &[u8] = b"Internal Flash";
/// Bytes of a target's name.
const NAME_FIELD: usize = 255;
const SUFFIX: u8 = 16;

/// A file for ST's boot ROM: one target with one element, whole words of flash.
///
/// # Errors
/// The region is not whole words of flash.
pub fn dfuse(content: &Content) -> anyhow::Result<Vec<u8>> {
    let content = content.whole(WORD, WORD)?;
    let mut element = Vec::new();
    element.extend(content.start().to_le_bytes());
    element.extend((content.bytes().len() as u32).to_le_bytes());
    element.extend_from_slice(content.bytes());

    let mut name = [0; NAME_FIELD];
    name[..NAME.len()].copy_from_slice(NAME);
    let mut target = b"Target".to_vec();
    target.push(INTERNAL_FLASH);
    target.extend(1_u32.to_le_bytes());
    target.extend(name);
    target.extend((element.len() as u32).to_le_bytes());
    target.extend(1_u32.to_le_bytes());
    target.extend(element);

    const PREFIX: usize = 11;
    let mut file = b"DfuSe\x01".to_vec();
    file.extend(((PREFIX + target.len()) as u32).to_le_bytes());
    file.push(1);
    file.extend(target);
    Ok(suffixed(file, 0x011A, ST))
}

/// A file for OpenMV's boot loader, which has no addresses: the bytes go to the start of a
/// partition.
///
/// # Errors
/// They do not begin at [`OPENMV_FIRMWARE`].
pub fn openmv(content: &Content) -> anyhow::Result<Vec<u8>> {
    let start = content.start();
    anyhow::ensure!(
        start == OPENMV_FIRMWARE,
        "OpenMV's boot loader writes from {OPENMV_FIRMWARE:#010x} on, and this begins at {start:#010x}: \
         use ST's boot ROM (--loader st)"
    );
    Ok(suffixed(content.whole(WORD, WORD)?.bytes().to_vec(), 0x0100, OPENMV))
}

fn suffixed(mut file: Vec<u8>, form: u16, [vendor, product]: Device) -> Vec<u8> {
    // Of any version of the device.
    for half in [0xFFFF, product, vendor, form] {
        file.extend(u16::to_le_bytes(half));
    }
    file.extend(b"UFD");
    file.push(SUFFIX);
    let crc = Crc::<u32>::new(&CRC_32_JAMCRC).checksum(&file);
    file.extend(crc.to_le_bytes());
    file
}

#[cfg(test)]
mod tests;
