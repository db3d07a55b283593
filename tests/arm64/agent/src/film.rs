//! `board film`: a program that writes the frames in a file to its standard output, ten a second,
//! as Y4M, and does wrong what another file says.

use anyhow::{Context, bail};
use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

/// The bytes of a frame, one a pixel, and the sides in pixels before them: `224 224\n`.
const FRAME: &str = "/run/frame";
/// The file that says what is to be wrong, in one word; no file, nothing wrong.
const FAULT: &str = "/run/film";

pub fn run() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let bytes = fs::read(FRAME).context("no frame to show")?;
    let end = bytes.iter().position(|&byte| byte == b'\n').context("no sides before the frame")?;
    let sides = std::str::from_utf8(&bytes[..end])?;
    let (width, height) = sides.split_once(' ').context("two sides")?;
    match fault().as_str() {
        "no-header" => out.write_all(b"no camera, but words\n")?,
        "other-size" => writeln!(out, "YUV4MPEG2 W{height} H64 Cmono")?,
        _ => writeln!(out, "YUV4MPEG2 W{width} H{height} F10:1 Cmono")?,
    }
    loop {
        // The picture may change, its size does not.
        let bytes = fs::read(FRAME)?;
        let frame = &bytes[end + 1..];
        let fault = fault();
        match fault.as_str() {
            "" | "flood" | "no-header" | "other-size" => {
                out.write_all(b"FRAME\n")?;
                out.write_all(frame)?;
                out.flush()?;
            }
            "end" => bail!("the film has ended"),
            "short" => {
                out.write_all(b"FRAME\n")?;
                out.write_all(&frame[..frame.len() / 2])?;
                out.flush()?;
                return Ok(ExitCode::SUCCESS);
            }
            "hang" => {}
            other => {
                bail!("{FAULT} says {other:?}; it may say end, hang, short, flood, no-header or other-size")
            }
        }
        if fault != "flood" {
            sleep(Duration::from_millis(100));
        }
    }
}

fn fault() -> String {
    fs::read_to_string(FAULT).unwrap_or_default().trim().into()
}
