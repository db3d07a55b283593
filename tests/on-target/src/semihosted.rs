//! A target without an operating system, under an emulator or a debugger that lends its own files
//! (semihosting).

use core::ffi::CStr;
use core::fmt;
use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, entry, exception};
use semihosting::experimental::env;
use semihosting::fs::File;
use semihosting::io::{self, Read, Seek, SeekFrom, Write};
use semihosting::{eprintln, process};

use crate::machine::{Error, Machine, Memory};
use crate::program;

/// Bytes of the longest command line, and of the longest path.
const LINE: usize = 1024;
/// Most arguments that any of the program's modes takes.
const ARGUMENTS: usize = 8;

/// Standard output, a line at a time: each call of the emulator costs far more than a byte.
struct Semihosted {
    out: io::Stdout,
    line: [u8; 256],
    used: usize,
}

impl fmt::Write for Semihosted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            self.line[self.used] = byte;
            self.used += 1;
            if byte == b'\n' || self.used == self.line.len() {
                self.out.write_all(&self.line[..self.used]).map_err(|_| fmt::Error)?;
                self.used = 0;
            }
        }
        Ok(())
    }
}

impl Machine for Semihosted {
    fn read(&mut self, path: &str, offset: usize, into: &mut [u8]) -> Result<usize, Error> {
        let mut ended = [0; LINE];
        ended.get_mut(..path.len()).ok_or(Error::Read)?.copy_from_slice(path.as_bytes());
        let path = CStr::from_bytes_until_nul(&ended).map_err(|_| Error::Read)?;
        let mut file = File::open(path).map_err(|_| Error::Read)?;
        file.seek(SeekFrom::Start(offset as u64)).map_err(|_| Error::Read)?;
        let mut read = 0;
        loop {
            match file.read(&mut into[read..]) {
                Ok(0) => return Ok(read),
                Ok(n) => read += n,
                Err(_) => return Err(Error::Read),
            }
        }
    }
}

#[entry]
fn main() -> ! {
    // The macro makes this a variable that is handed out once.
    static mut MEMORY: Memory = Memory::new();
    match start(MEMORY) {
        Ok(()) => process::exit(0),
        Err(error) => {
            eprintln!("error: {error}");
            process::exit(1)
        }
    }
}

/// Runs the program on the emulator's command line, whose first word is the program's name.
fn start(memory: &mut Memory) -> Result<(), Error> {
    let line = env::args::<LINE>().map_err(|_| Error::Usage)?;
    let mut arguments = [""; ARGUMENTS];
    let mut count = 0;
    for argument in (&line).skip(1) {
        *arguments.get_mut(count).ok_or(Error::Usage)? = argument.map_err(|_| Error::Usage)?;
        count += 1;
    }
    let mut machine = Semihosted { out: io::stdout().map_err(|_| Error::Write)?, line: [0; 256], used: 0 };
    program::run(&arguments[..count], &mut machine, memory)
}

/// A fault ends the run; without this it would hang.
#[exception]
#[allow(unsafe_code)]
// SAFETY: it touches nothing but the emulator and does not return.
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    eprintln!("hard fault at {:#010x}", frame.pc());
    process::exit(1)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{info}");
    process::exit(101)
}
