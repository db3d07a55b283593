//! Does what the host's side asks, one request after the other.

use anyhow::{Context, bail};
use gpiocdev::Request as Lines;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::system::{RebootCommand, reboot};
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::camera::{self, Often, Screen};
use crate::init;
use crate::program::{self, Programs};
use arm64_protocol::{Reply, Request, receive, send};

/// Answers until the board is switched off; it returns only where the line broke.
pub fn serve(line: File) -> anyhow::Result<ExitCode> {
    let mut requests = BufReader::with_capacity(1 << 16, line.try_clone()?);
    let mut replies = line;
    let mut hands = Hands::new()?;
    loop {
        let (request, payload) = receive(&mut requests).context("the line to the host broke")?;
        let from = now();
        let done = hands.do_it(request, &payload);
        let mut reply = Reply { from, to: now(), ..Reply::default() };
        let payload = match done {
            Ok((code, payload)) => {
                reply.code = code;
                payload
            }
            Err(error) => {
                reply.error = Some(format!("{error:#}"));
                Vec::new()
            }
        };
        send(&mut replies, &reply, &payload).context("the line to the host broke")?;
    }
}

struct Hands {
    screen: Option<Screen>,
    often: Option<Often>,
    programs: Programs,
    held: Option<Lines>,
    lights: File,
}

/// What a request gave: the exit status of a program, and bytes.
type Done = (Option<i32>, Vec<u8>);

impl Hands {
    fn new() -> anyhow::Result<Self> {
        let records = "/sys/kernel/tracing/trace_pipe";
        let lights = openat(CWD, records, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
        let lights = File::from(lights.with_context(|| format!("cannot open {records}"))?);
        Ok(Self { screen: None, often: None, programs: Programs::default(), held: None, lights })
    }

    fn do_it(&mut self, request: Request, payload: &[u8]) -> anyhow::Result<Done> {
        match request {
            Request::Now => {}
            Request::Show { fourcc, width, height } => {
                let form = (fourcc, width, height);
                // The same form goes on without a gap; another needs the driver's output opened anew.
                if self.screen.as_ref().is_none_or(|screen| screen.form() != &form) {
                    self.screen = None;
                    self.screen = Some(Screen::open(form)?);
                }
                self.screen.as_mut().context("no screen")?.show(payload)?;
            }
            Request::Hide => self.screen = None,
            Request::Control { id, value } => camera::control(id, value)?,
            Request::Often { id } => self.often = id.map(Often::begin),
            Request::Driver { driver, device, bound } => {
                let path = format!("/sys/bus/{driver}/{}", if bound { "bind" } else { "unbind" });
                fs::write(&path, device).with_context(|| format!("cannot write to {path}"))?;
            }
            Request::Hold { chip, line } => self.held = Some(hold(&chip, line)?),
            Request::Release => self.held = None,
            Request::Write { path } => write(&path, payload)?,
            Request::Read { path, offset } => return Ok((None, read(&path, offset)?)),
            Request::Remove { path } => remove(Path::new(&path))?,
            Request::Fill { path } => fill(&path)?,
            Request::ReadOnly => init::break_disk()?,
            Request::Remount => init::remount_disk()?,
            Request::SetClock { seconds } => {
                clock_settime(ClockId::Realtime, Timespec { tv_sec: seconds, tv_nsec: 0 })?;
            }
            Request::ScreenFolder { writable } => init::remount_screen_folder(writable)?,
            Request::Start { name, command } => self.programs.start(&name, &command)?,
            Request::Signal { name, signal } => self.programs.signal(&name, signal)?,
            Request::Wait { name, ms } => return Ok((self.programs.wait(&name, ms)?, Vec::new())),
            Request::Run { command } => {
                let (code, output) = program::run(&command)?;
                return Ok((Some(code), output));
            }
            Request::Lights => return Ok((None, self.records()?)),
            Request::Sleep { ms } => std::thread::sleep(Duration::from_millis(ms)),
            Request::PowerOff => {
                rustix::fs::sync();
                reboot(RebootCommand::PowerOff)?;
            }
        }
        Ok((None, Vec::new()))
    }

    /// What the kernel has recorded since the last time.
    fn records(&mut self) -> anyhow::Result<Vec<u8>> {
        let (mut all, mut part) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            match self.lights.read(&mut part) {
                Ok(0) => return Ok(all),
                Ok(length) => all.extend_from_slice(&part[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(all),
                Err(error) => bail!("cannot read the kernel's records: {error}"),
            }
        }
    }
}

/// The board's monotonic clock, in microseconds.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1000
}

fn hold(chip: &str, line: u32) -> anyhow::Result<Lines> {
    for path in gpiocdev::chip::chips()? {
        if gpiocdev::Chip::from_path(&path)?.info()?.label == chip {
            let request =
                Lines::builder().on_chip(&path).with_line(line).as_input().with_consumer("other").request();
            return request.with_context(|| format!("cannot take line {line} of {chip}"));
        }
    }
    bail!("there is no chip labelled {chip}")
}

fn write(path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = Path::new(path).parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {path}"))
}

fn read(path: &str, offset: u64) -> anyhow::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => bail!("cannot open {path}: {error}"),
    };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.read_to_end(&mut bytes).with_context(|| format!("cannot read {path}"))?;
    Ok(bytes)
}

fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            bail!("cannot remove {}: {error}", path.display())
        }
        _ => Ok(()),
    }
}

/// Writes in ever smaller pieces, so that not a single byte is left.
fn fill(path: &str) -> anyhow::Result<()> {
    let mut file = File::create(path)?;
    let piece = vec![0_u8; 1 << 16];
    let mut length = piece.len();
    while length > 0 {
        match file.write(&piece[..length]) {
            Ok(written) if written > 0 => {}
            Ok(_) => length /= 2,
            Err(error) if error.kind() == ErrorKind::StorageFull => length /= 2,
            Err(error) => bail!("cannot fill {path}: {error}"),
        }
    }
    match file.sync_all() {
        Err(error) if error.kind() != ErrorKind::StorageFull => bail!("cannot fill {path}: {error}"),
        _ => Ok(()),
    }
}
