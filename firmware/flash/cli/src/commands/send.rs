//! `cargo xtask send`: pictures to a board, over its serial port.

use super::output::tell;
use crate::cli::SendOptions;
use anyhow::{Context, ensure};
use edge_core::PixelFormat;
use edge_model::decode;
use flash::progress::Sending;
use flash::send::{Line, fit};
use serde::Serialize;
use serialport::{ClearBuffer, SerialPort, SerialPortType};
use std::path::Path;
use std::time::Duration;

/// How long one read or write waits: short, because the wait for a board is longer and counted
/// elsewhere.
const WAIT: Duration = Duration::from_millis(20);

/// The line's speed, where it has one; USB has its own.
const BAUD: u32 = 115_200;

#[derive(Serialize)]
struct Sent<'a> {
    path: &'a Path,
    port: &'a str,
    width: u16,
    height: u16,
    /// The picture was made grey and smaller.
    shrunk: bool,
    /// Those that the board has whole.
    frames: u32,
}

pub fn run(options: &SendOptions) -> anyhow::Result<()> {
    let mut line = Line::new(open(&options.port)?, Duration::from_secs(options.timeout));
    let mut bar = Sending::default();
    let mut unusable = 0;
    for path in &options.pictures {
        let read = decode::open(path).map_err(|error| error.to_string());
        // A board sees the pixels alone: what must not be judged by what its file says never gets there.
        let judged = read.and_then(|picture| match picture.refused() {
            Some(reason) => Err(reason.to_string()),
            None => Ok(picture),
        });
        let picture = match judged {
            Ok(picture) => picture,
            Err(why) => {
                unusable += 1;
                eprintln!("error: {}: {why}", path.display());
                continue;
            }
        };
        let before = picture.geometry();
        let picture = fit(picture).with_context(|| path.display().to_string())?;
        let after = picture.geometry();
        for frame in 0..options.frames {
            line.send(&picture.frame(), &mut |done, all| {
                bar.show(path, frame, options.frames, done as u64, all as u64)
            })
            .with_context(|| options.port.clone())?;
        }
        bar.finish();
        let sent = Sent {
            path,
            port: &options.port,
            width: after.width(),
            height: after.height(),
            shrunk: after != before,
            frames: options.frames,
        };
        tell(options.json, &sent, || told(&sent, (before.width(), before.height()), after.format()))?;
    }
    ensure!(unusable == 0, "{unusable} of the files are no pictures that may be sent");
    Ok(())
}

fn told(sent: &Sent, (width, height): (u16, u16), format: PixelFormat) -> String {
    let smaller =
        if sent.shrunk { format!(", made grey and smaller from {width} x {height}") } else { String::new() };
    let frames = if sent.frames == 1 { "1 frame".to_owned() } else { format!("{} frames", sent.frames) };
    format!(
        "{}: the board has {frames} of {} x {} {format:?}{smaller}; what it says of them is on its lights",
        sent.path.display(),
        sent.width,
        sent.height
    )
}

/// The port, with nothing left in it of what was said before.
fn open(name: &str) -> anyhow::Result<Box<dyn SerialPort>> {
    let port = serialport::new(name, BAUD).timeout(WAIT).open();
    let port = port.with_context(|| format!("cannot open the serial port {name}; {}", ports()))?;
    port.clear(ClearBuffer::Input).with_context(|| format!("cannot use the serial port {name}"))?;
    Ok(port)
}

fn ports() -> String {
    let names: Vec<String> = serialport::available_ports()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|port| match port.port_type {
            SerialPortType::UsbPort(usb) => Some(format!(
                "{} ({:04x}:{:04x} {})",
                port.port_name,
                usb.vid,
                usb.pid,
                usb.product.unwrap_or_default()
            )),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        "no USB serial port is connected".into()
    } else {
        format!("USB serial ports: {}", names.join("; "))
    }
}
