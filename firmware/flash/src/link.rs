//! What is at the other end: a board's memory, read and written. A debug probe is one (the package
//! `flash-cli`), the tests have another.

pub trait Link {
    /// Fills `bytes` with the board's memory from `address` on.
    fn read(&mut self, address: u32, bytes: &mut [u8]) -> anyhow::Result<()>;

    /// Writes a word of the board's memory, not of its flash.
    fn store(&mut self, address: u32, word: u32) -> anyhow::Result<()>;

    /// Erases the sectors of flash that `pieces` lie in, and writes the pieces. `progress` is told
    /// now and then. Where it fails any part may have been written.
    fn write(&mut self, pieces: &[Piece], progress: &mut dyn FnMut(Progress)) -> anyhow::Result<()>;

    fn reset(&mut self) -> anyhow::Result<()>;
}

/// Bytes for one place in flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub address: u32,
    /// The bytes; they end before the address space does.
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Read,
    Erase,
    Write,
    Verify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub step: Step,
    /// Bytes that are done.
    pub done: u64,
    /// Bytes that are to be done.
    pub total: u64,
}

/// Bytes that are read at a time: a few round trips of a slow probe.
const CHUNK: usize = 4096;

pub fn read(
    link: &mut dyn Link,
    address: u32,
    bytes: &mut [u8],
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<()> {
    let total = bytes.len() as u64;
    let mut done = 0;
    for chunk in bytes.chunks_mut(CHUNK) {
        link.read(address + done, chunk)?;
        done += chunk.len() as u32;
        progress(Progress { step: Step::Read, done: done.into(), total });
    }
    Ok(())
}

/// Writes `pieces` and reads back every byte; an error where the flash holds something else.
pub fn write_and_verify(
    link: &mut dyn Link,
    pieces: &[Piece],
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<()> {
    link.write(pieces, progress)?;
    let total = pieces.iter().map(|piece| piece.bytes.len() as u64).sum();
    let mut done = 0;
    for piece in pieces {
        let mut address = piece.address;
        for expected in piece.bytes.chunks(CHUNK) {
            let mut got = vec![0; expected.len()];
            link.read(address, &mut got)?;
            if let Some(at) = got.iter().zip(expected).position(|(got, expected)| got != expected) {
                anyhow::bail!(
                    "the flash holds {:#04x} at {:#010x} where {:#04x} was written: do it again; if it stays, the flash is worn out",
                    got[at],
                    address + at as u32,
                    expected[at],
                );
            }
            address += expected.len() as u32;
            done += expected.len() as u64;
            progress(Progress { step: Step::Verify, done, total });
        }
    }
    Ok(())
}
