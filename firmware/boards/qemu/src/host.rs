//! The host, by semihosting: its files, the log, the end of the run.

use crate::world::WORLD;
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::str;
use core::sync::atomic::Ordering::Relaxed;
use semihosting::experimental::env;
use semihosting::fs::{File, OpenOptions};
use semihosting::io::{Read, Seek, SeekFrom, Write};
use semihosting::process;

/// Bytes of the longest command line, and of the longest path.
const LINE: usize = 512;

/// How a run ends: QEMU's exit status.
#[derive(Clone, Copy)]
pub enum Ends {
    /// The script has ended.
    Well = 0,
    /// A file of the host cannot be used.
    File = 2,
    /// A line of the script cannot be read.
    Script = 3,
    /// The script took too long.
    Late = 4,
    /// The script cut the power.
    PowerCut = 5,
}

/// Files that are open from the start.
struct Files {
    flash: UnsafeCell<Option<File>>,
    script: UnsafeCell<Option<File>>,
    log: UnsafeCell<Option<File>>,
}

// SAFETY: `open` sets them once, before anything else runs; after that they are only read.
unsafe impl Sync for Files {}

static FILES: Files =
    Files { flash: UnsafeCell::new(None), script: UnsafeCell::new(None), log: UnsafeCell::new(None) };

/// Opens the files that the command line names. Call it once, first.
pub fn open() {
    let Ok(line) = env::args::<LINE>() else { exit(Ends::File) };
    let mut words = (&line).skip(1);
    let mut next = |options: &OpenOptions| match words.next() {
        Some(Ok(path)) => file(path, options),
        _ => exit(Ends::File),
    };
    let mut both = OpenOptions::new();
    both.read(true).write(true);
    let (flash, script) = (next(&both), next(OpenOptions::new().read(true)));
    let mut log = next(&both);
    // What the chip said before a reset stays. QEMU does not append by itself.
    if log.seek(SeekFrom::End(0)).is_err() {
        complain(b"the file of the log", Ends::File);
    }
    // SAFETY: nothing else runs yet.
    unsafe {
        *FILES.flash.get() = Some(flash);
        *FILES.script.get() = Some(script);
        *FILES.log.get() = Some(log);
    }
}

/// Opens a file to read it from its start.
pub fn read(path: &str) -> File {
    file(path, OpenOptions::new().read(true))
}

fn file(path: &str, options: &OpenOptions) -> File {
    let mut ended = [0; LINE];
    if let Some(to) = ended.get_mut(..path.len()) {
        to.copy_from_slice(path.as_bytes());
        if let Ok(Ok(file)) = CStr::from_bytes_until_nul(&ended).map(|path| options.open(path)) {
            return file;
        }
    }
    complain(path.as_bytes(), Ends::File)
}

/// The image of the flash.
pub fn flash() -> &'static File {
    opened(&FILES.flash)
}

/// The script.
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
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..)
        && !rest.is_empty()
        && let Ok(got @ 1..) = file.read(rest)
    {
        filled += got;
    }
    filled
}

/// Takes a message of the log, if somebody listens.
pub fn log(message: &[u8]) -> bool {
    let mut file = opened(&FILES.log);
    WORLD.deaf.load(Relaxed) == 0 && file.write_all(message).is_ok()
}

/// Ends the run, with a text for the person who wrote the script.
pub fn complain(text: &[u8], ends: Ends) -> ! {
    if let Ok(mut to) = semihosting::io::stderr() {
        for part in [b"error: the emulated board cannot use: ", text, b"\n"] {
            let _ = to.write_all(part);
        }
    }
    exit(ends)
}

/// Ends the run.
pub fn exit(ends: Ends) -> ! {
    process::exit(ends as i32)
}
