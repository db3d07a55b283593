//! What the tests ask of the agent inside the board, and how that goes over the line between them:
//! one JSON object a line, and after it as many raw bytes as the line announces. The host's side
//! compiles this file too.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};

/// Largest payload that is taken; a longer one is a line that got out of step.
const LONGEST: usize = 64 << 20;

/// What the agent is to do. Every request is answered by one [`Reply`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    Now,
    /// Put the payload on the camera's input as a picture, and keep it there.
    Show {
        /// Four characters that name the pixel format.
        fourcc: String,
        width: u32,
        height: u32,
    },
    /// Take the picture away and close the driver's output.
    Hide,
    Control {
        id: u32,
        value: i32,
    },
    /// Set a control to 1 again and again, as fast as frames come, until told otherwise.
    Often {
        /// Its number; none ends it.
        id: Option<u32>,
    },
    /// Bind a device to its driver, or take it away, as plugging and unplugging does.
    Driver {
        /// Folder of the driver below `/sys/bus`, such as `platform/drivers/vivid`.
        driver: String,
        device: String,
        bound: bool,
    },
    /// Take a GPIO line as another program would.
    Hold {
        chip: String,
        line: u32,
    },
    Release,
    /// Write the payload to a file.
    Write {
        path: String,
    },
    /// Send a file's bytes back as payload; none where there is no such file.
    Read {
        path: String,
        /// The first byte wanted.
        offset: u64,
    },
    /// Remove a file, or a folder with all in it; nothing happens where there is none.
    Remove {
        path: String,
    },
    /// Write a file until its disk is full.
    Fill {
        path: String,
    },
    /// Have the kernel find an error on the log's disk and set it read-only.
    ReadOnly,
    /// Take the log's disk out and put it in again, as after a repair.
    Remount,
    /// Set the clock that people read.
    SetClock {
        /// Seconds since 1970.
        seconds: i64,
    },
    /// Set the folder that a screen reads read-only, or writable again.
    ScreenFolder {
        writable: bool,
    },
    /// Start a program in the background under this name; its output goes to [`output`].
    Start {
        name: String,
        command: Vec<String>,
    },
    /// Signal a program that was started.
    Signal {
        name: String,
        signal: i32,
    },
    /// Wait until a program that was started has ended, but not longer; the reply's `code` is its
    /// exit status, or none.
    Wait {
        name: String,
        ms: u64,
    },
    /// Run a program to its end; the reply's `code` is its exit status, the payload its standard
    /// output and error.
    Run {
        command: Vec<String>,
    },
    /// What the kernel recorded of its GPIO lines since the last such request.
    Lights,
    Sleep {
        ms: u64,
    },
    /// Write everything to the disk and switch the board off.
    PowerOff,
}

/// Where the output of the program that was started under this name is found.
pub fn output(name: &str) -> String {
    format!("/run/output-{name}")
}

/// Where a screen reads what the device shows; a disk of its own, in memory.
pub const SCREEN_FOLDER: &str = "/run/pneumoscope";

/// Where the broker on the board listens, and where it keeps the messages that it got: a topic and a
/// payload a line.
pub const BROKER_PORT: u16 = 1883;
pub const DELIVERED: &str = "/run/delivered";

/// Where the screen serves its pages, and where those who look at them keep what they got: a status
/// and a path a line; with an event of a live page its state, and the board's time in microseconds.
pub const SCREEN_PORT: u16 = 8080;
pub const LOOKED: &str = "/run/looked";

/// While this file is there, the pages are asked for without a pause.
pub const FLOOD: &str = "/run/flood";

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reply {
    /// The board's monotonic clock when the request came, in microseconds.
    pub from: u64,
    /// The same when it was done.
    pub to: u64,
    /// Exit status of a program, where one was waited for and ended; 128 + the signal where one
    /// ended it.
    pub code: Option<i32>,
    pub error: Option<String>,
}

pub fn send<T: Serialize>(to: &mut impl Write, message: &T, payload: &[u8]) -> io::Result<()> {
    let mut line = serde_json::to_vec(&(message, payload.len()))?;
    line.push(b'\n');
    line.extend_from_slice(payload);
    to.write_all(&line)?;
    to.flush()
}

pub fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<(T, Vec<u8>)> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let (message, length): (T, usize) = serde_json::from_str(&line)?;
    if length > LONGEST {
        return Err(io::Error::other(format!("a payload of {length} bytes, at most {LONGEST}")));
    }
    let mut payload = vec![0; length];
    from.read_exact(&mut payload)?;
    Ok((message, payload))
}
