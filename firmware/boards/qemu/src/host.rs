//! The host, by semihosting: its files, the log, the end of the run.

use crate::world::WORLD;
use core::cell::UnsafeCell;
use core::ffi::{CStr, FromBytesUntilNulError};
use core::str;
use core::sync::atomic::Ordering::Relaxed;
use semihosting::experimental::env;
use semihosting::fd::RawFd;
use semihosting::fs::{File, OpenOptions};
use semihosting::io::Read;
use semihosting::process;
use semihosting::sys::arm_compat::syscall::{
    OperationNumber, ParamRegR, ParamRegW, syscall, syscall_readonly,
};

/// Bytes of the longest command line, and of the longest path.
const LINE: usize = 512;

/// How a run ends: QEMU's exit status.
#[derive(Clone, Copy)]
pub enum Ends {
    Well = 0,
    File = 2,
    Script = 3,
    Late = 4,
    PowerCut = 5,
}

struct Files {
    flash: UnsafeCell<Option<File>>,
    script: UnsafeCell<Option<File>>,
    log: UnsafeCell<Option<Open>>,
}

// SAFETY: `open` sets them once, before anything else runs; after that they are only read.
unsafe impl Sync for Files {}

static FILES: Files =
    Files { flash: UnsafeCell::new(None), script: UnsafeCell::new(None), log: UnsafeCell::new(None) };

/// Opens the files that the command line names. Call it once, first.
pub fn open() {
    let Ok(line) = env::args::<LINE>() else { exit(Ends::File) };
    let mut words = (&line).skip(1);
    let mut next = || match words.next() {
        Some(Ok(path)) => path,
        _ => exit(Ends::File),
    };
    let flash = file(next(), OpenOptions::new().read(true).write(true));
    let script = file(next(), OpenOptions::new().read(true));
    let log = Open::at_its_end(next());
    // SAFETY: nothing else runs yet.
    unsafe {
        *FILES.flash.get() = Some(flash);
        *FILES.script.get() = Some(script);
        *FILES.log.get() = Some(log);
    }
}

fn file(path: &str, options: &OpenOptions) -> File {
    let mut ended = [0; LINE];
    if let Ok(Ok(file)) = ended_by_nul(path, &mut ended).map(|path| options.open(path)) {
        return file;
    }
    complain(path.as_bytes(), Ends::File)
}

fn ended_by_nul<'e>(path: &str, ended: &'e mut [u8; LINE]) -> Result<&'e CStr, FromBytesUntilNulError> {
    if let Some(to) = ended.get_mut(..path.len()) {
        to.iter_mut().zip(path.as_bytes()).for_each(|(to, &from)| *to = from);
    }
    CStr::from_bytes_until_nul(ended)
}

/// A file that the loop uses. The crate's own asserts its handle at every call, which would be a
/// panic in the loop.
pub struct Open(RawFd);

#[derive(Clone, Copy)]
enum Mode {
    Read = 1,
    Both = 3,
    /// To write at its end, which of all files only the console does: to standard error.
    Append = 9,
}

impl Open {
    pub fn rows(path: &str) -> Self {
        Self::path(path, Mode::Read)
    }

    /// A file to go on writing: what the chip said before a reset stays.
    fn at_its_end(path: &str) -> Self {
        let file = Self::path(path, Mode::Both);
        // SAFETY: the block is as SYS_FLEN has it.
        let length = unsafe {
            syscall_readonly(OperationNumber::SYS_FLEN, ParamRegR::block(&[ParamRegR::raw_fd(file.0)]))
        };
        let block = [ParamRegR::raw_fd(file.0), ParamRegR::usize(length.usize())];
        // SAFETY: the block is as SYS_SEEK has it; a length that was none makes it fail.
        let sought = unsafe { syscall_readonly(OperationNumber::SYS_SEEK, ParamRegR::block(&block)) };
        if sought.usize() == 0 { file } else { complain(path.as_bytes(), Ends::File) }
    }

    fn path(path: &str, mode: Mode) -> Self {
        let mut ended = [0; LINE];
        let opened = ended_by_nul(path, &mut ended).ok().and_then(|name| Self::new(name, mode));
        opened.unwrap_or_else(|| complain(path.as_bytes(), Ends::File))
    }

    fn new(name: &CStr, mode: Mode) -> Option<Self> {
        let block = [ParamRegR::c_str(name), ParamRegR::usize(mode as usize), ParamRegR::c_str_len(name)];
        // SAFETY: the block is as SYS_OPEN has it, and the name outlives the call.
        let opened = unsafe { syscall_readonly(OperationNumber::SYS_OPEN, ParamRegR::block(&block)) };
        opened.raw_fd().map(Self)
    }

    /// Whether as many bytes came as `bytes` has places.
    pub fn fill(&self, bytes: &mut [u8]) -> bool {
        let length = bytes.len();
        let mut block = [ParamRegW::raw_fd(self.0), ParamRegW::buf(bytes), ParamRegW::usize(length)];
        // SAFETY: the block is as SYS_READ has it, and the bytes may be written.
        let missing = unsafe { syscall(OperationNumber::SYS_READ, ParamRegW::block(&mut block)) };
        missing.usize() == 0
    }

    /// Whether all of `bytes` were written.
    fn write(&self, bytes: &[u8]) -> bool {
        let block = [ParamRegR::raw_fd(self.0), ParamRegR::buf(bytes), ParamRegR::usize(bytes.len())];
        // SAFETY: the block is as SYS_WRITE has it.
        let missing = unsafe { syscall_readonly(OperationNumber::SYS_WRITE, ParamRegR::block(&block)) };
        missing.usize() == 0
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let block = [ParamRegR::raw_fd(self.0)];
        // SAFETY: the handle is open, and nobody has it after this.
        unsafe { syscall_readonly(OperationNumber::SYS_CLOSE, ParamRegR::block(&block)) };
    }
}

pub fn flash() -> &'static File {
    opened(&FILES.flash)
}

pub fn script() -> &'static File {
    opened(&FILES.script)
}

fn opened(file: &'static UnsafeCell<Option<File>>) -> &'static File {
    // SAFETY: not set any more; see `Files`.
    match unsafe { &*file.get() } {
        Some(file) => file,
        None => exit(Ends::File),
    }
}

/// Fills `bytes` from a file, or says how many it had.
pub fn fill(mut file: &File, bytes: &mut [u8]) -> usize {
    let mut filled = 0_usize;
    while let Some(rest) = bytes.get_mut(filled..)
        && !rest.is_empty()
        && let Ok(got @ 1..) = file.read(rest)
    {
        filled = filled.saturating_add(got);
    }
    filled
}

/// Takes a message of the log, if somebody listens.
pub fn log(message: &[u8]) -> bool {
    // SAFETY: not set any more; see `Files`.
    let file = unsafe { &*FILES.log.get() };
    WORLD.deaf.load(Relaxed) == 0 && file.as_ref().is_some_and(|file| file.write(message))
}

/// Ends the run, with a text for the person who wrote the script.
pub fn complain(text: &[u8], ends: Ends) -> ! {
    if let Some(to) = Open::new(c":tt", Mode::Append) {
        for part in [b"error: the emulated board cannot use: ", text, b"\n"] {
            to.write(part);
        }
    }
    exit(ends)
}

pub fn exit(ends: Ends) -> ! {
    process::exit(ends as i32)
}
