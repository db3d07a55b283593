//! Two checksums: one of the whole file, for damage on its way; one of its execution plan, for
//! damage in memory behind the check.

use super::format::header;

/// CRC-32 as in Ethernet, zip and PNG.
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// The checksum of the whole file.
pub(super) fn of_file(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes.get(header::COVERED..).unwrap_or(&[])) // no file is as short
}

/// The checksum of an execution plan, of whole words: FNV-1a, a word at a time.
///
/// It is taken at the beginning and at the end of every inference, which a CRC in software would
/// make slower by percents. Both of its operations can be undone, so damage within one word, which
/// is any damage of one field, is found for certain, and any other but for one in 2^32.
pub(super) fn of_plan(plan: &[u8]) -> u32 {
    let words = plan.get(header::PLAN_COVERED..).unwrap_or(&[]).as_chunks::<4>().0; // a shorter one has no tables
    words.iter().fold(0x811C_9DC5, |hash, word| (hash ^ u32::from_le_bytes(*word)).wrapping_mul(0x0100_0193))
}

/// Puts both checksums of a packed model right: the last step of whoever writes or changes one.
/// Bytes that are too short, or say a length of their plan that they do not have, are left with the
/// file's checksum alone.
pub fn seal(bytes: &mut [u8]) {
    let number =
        |bytes: &[u8], at| bytes.get(at..).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b));
    let put = |at: usize, sum: u32, bytes: &mut [u8]| {
        if let Some(to) = bytes.get_mut(at..at + 4) {
            to.copy_from_slice(&sum.to_le_bytes());
        }
    };
    let length = number(bytes, header::PLAN_LENGTH).map(|length| length as usize);
    if let Some(plan) = length.and_then(|length| bytes.get(..length)) {
        put(header::PLAN_CHECKSUM, of_plan(plan), bytes);
    }
    put(header::CHECKSUM, of_file(bytes), bytes);
}
