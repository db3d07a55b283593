//! A target with an operating system.

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::ExitCode;

use crate::machine::{Error, Machine, Memory};
use crate::program;

struct Hosted;

impl fmt::Write for Hosted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        std::io::stdout().write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl Machine for Hosted {
    fn read(&mut self, path: &str, offset: usize, into: &mut [u8]) -> Result<usize, Error> {
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
