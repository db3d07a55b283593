//! `board peers`: whom the screen and the delivery talk to. A broker (MQTT 3.1.1) that confirms and
//! keeps every message, a page that listens, and somebody who goes from page to page.

use anyhow::{Context, ensure};
use arm64_protocol::{BROKER_PORT, DELIVERED, FLOOD, LOOKED, SCREEN_PORT};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread::{scope, sleep};
use std::time::Duration;

use crate::hands::now;

/// Between one look at a page and the next, and before somebody tries again who got no answer.
const PAUSE: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_millis(100);

pub fn run() -> anyhow::Result<ExitCode> {
    let broker = TcpListener::bind((Ipv4Addr::LOCALHOST, BROKER_PORT)).context("no port for the broker")?;
    let (delivered, looked) = (&Kept::at(DELIVERED)?, &Kept::at(LOOKED)?);
    scope(|threads| {
        threads.spawn(move || listen(looked));
        threads.spawn(move || look(looked));
        for connection in broker.incoming().flatten() {
            // One that breaks has said what it had to say.
            threads.spawn(move || serve(connection, delivered));
        }
    });
    Ok(ExitCode::SUCCESS)
}

/// A file of what came, a line each.
struct Kept(Mutex<File>);

impl Kept {
    fn at(path: &str) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Ok(Self(Mutex::new(file.with_context(|| format!("cannot open {path}"))?)))
    }

    fn line(&self, parts: &[&[u8]]) -> io::Result<()> {
        let line = [&parts.join(&b' '), &b"\n"[..]].concat();
        self.0.lock().map_err(|_| io::Error::other("a thread died"))?.write_all(&line)
    }
}

/// One client of the broker: MQTT 3.1.1's packets that a publisher sends, confirmed after they were
/// kept.
fn serve(connection: TcpStream, delivered: &Kept) -> anyhow::Result<()> {
    connection.set_nodelay(true)?;
    let mut packets = BufReader::new(connection.try_clone()?);
    let mut replies = connection;
    loop {
        let (kind, body) = packet(&mut packets)?;
        match kind >> 4 {
            1 => replies.write_all(&[0x20, 2, 0, 0])?,
            3 => {
                let (topic, rest) = text(&body)?;
                let confirmed = kind & 0b110 != 0;
                let (number, payload) =
                    rest.split_at_checked(if confirmed { 2 } else { 0 }).context("short")?;
                delivered.line(&[topic, payload])?;
                if confirmed {
                    replies.write_all(&[0x40, 2, number[0], number[1]])?;
                }
            }
            12 => replies.write_all(&[0xd0, 0])?,
            _ => return Ok(()),
        }
    }
}

/// A packet's first byte, and what follows its length.
fn packet(from: &mut impl Read) -> anyhow::Result<(u8, Vec<u8>)> {
    let (mut kind, mut digit, mut length) = ([0], [0], 0);
    from.read_exact(&mut kind)?;
    for shift in [0, 7, 14, 21] {
        from.read_exact(&mut digit)?;
        length |= usize::from(digit[0] & 0x7f) << shift;
        if digit[0] & 0x80 == 0 {
            break;
        }
    }
    ensure!(length < 1 << 20, "a packet of {length} bytes");
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((kind[0], body))
}

/// A text with its length before it, and what follows.
fn text(bytes: &[u8]) -> anyhow::Result<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(2).context("no length")?;
    rest.split_at_checked(usize::from(u16::from_be_bytes([length[0], length[1]]))).context("a short text")
}

/// A page that is kept up to date for as long as the screen lives.
fn listen(looked: &Kept) {
    let events = || -> anyhow::Result<()> {
        let mut connection = ask("/events?page=now")?;
        let (mut part, mut text) = ([0; 1 << 14], String::new());
        loop {
            let length = connection.read(&mut part)?;
            if length == 0 {
                return Ok(());
            }
            text.push_str(&String::from_utf8_lossy(&part[..length]));
            while let Some(end) = text.find("\n\n") {
                let event: String = text.drain(..end + 2).collect();
                match state(&event) {
                    Some(state) => {
                        looked.line(&[b"200", b"/events", state.as_bytes(), now().to_string().as_bytes()])?;
                    }
                    None => looked.line(&[b"200", b"/events"])?,
                }
            }
        }
    };
    loop {
        // The screen is gone, or not there yet.
        let _ = events();
        sleep(AGAIN);
    }
}

/// The state of a page's part, the largest word on it.
fn state(event: &str) -> Option<&str> {
    Some(event.split_once("data-state=\"")?.1.split_once('"')?.0)
}

/// From page to page, with their pictures.
fn look(looked: &Kept) {
    let page = |path: &str| -> anyhow::Result<String> {
        let mut answer = Vec::new();
        ask(path)?.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).context("no status")?;
        looked.line(&[status.as_bytes(), path.split('?').next().unwrap_or(path).as_bytes()])?;
        Ok(answer)
    };
    loop {
        for path in ["/", "/aim", "/today", "/figures"] {
            let pause = match page(path) {
                Ok(text) => {
                    for picture in pictures(&text) {
                        let _ = page(&picture);
                    }
                    PAUSE
                }
                Err(_) => AGAIN,
            };
            if !Path::new(FLOOD).exists() {
                sleep(pause);
            }
        }
    }
}

/// The addresses of the pictures in a page.
fn pictures(page: &str) -> Vec<String> {
    let texts = page.split('"').filter(|text| text.starts_with("/picture/") || text.starts_with("/heat/"));
    texts.map(|text| text.replace("&amp;", "&")).collect()
}

fn ask(path: &str) -> io::Result<TcpStream> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, SCREEN_PORT))?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{SCREEN_PORT}\r\nConnection: close\r\n\r\n")?;
    Ok(connection)
}
