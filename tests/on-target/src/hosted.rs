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
    fn read(&mut self, path: &str, offset: usize, mut into: &mut [u8]) -> Result<usize, Error> {
        let mut file = File::open(path).map_err(|_| Error::Read)?;
        file.seek(SeekFrom::Start(offset as u64)).map_err(|_| Error::Read)?;
        let read = std::io::copy(&mut file.take(into.len() as u64), &mut into).map_err(|_| Error::Read)?;
        Ok(read as usize)
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
