//! A target with an operating system.

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::ExitCode;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};

use crate::machine::{Error, Machine, Memory};
use crate::program;

struct Hosted;

impl fmt::Write for Hosted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        std::io::stdout().write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl Machine for Hosted {
    fn read(&mut self, path: &str, offset: usize, mut into: &mut [u8]) -> Result<usize, Error> {
        let mut file = File::open(path).map_err(|_| Error::Read)?;
        file.seek(SeekFrom::Start(offset as u64)).map_err(|_| Error::Read)?;
        let read = std::io::copy(&mut file.take(into.len() as u64), &mut into).map_err(|_| Error::Read)?;
        Ok(read as usize)
    }

    fn guarded(&mut self, length: usize) -> Option<&'static mut [u8]> {
        let page = rustix::param::page_size();
        let pages = length.next_multiple_of(page);
        let anywhere = std::ptr::null_mut();
        // SAFETY: the mapping is new, and never unmapped; what is handed out ends where its last page
        // begins, which is taken away from everybody.
        unsafe {
            let (both, private) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
            let start = mmap_anonymous(anywhere, pages + page, both, private).ok()?.cast::<u8>();
            mprotect(start.add(pages).cast(), page, MprotectFlags::empty()).ok()?;
            Some(std::slice::from_raw_parts_mut(start.add(pages - length), length))
        }
    }
}

pub fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match program::run(&arguments, &mut Hosted, &mut Box::new(Memory::new())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
