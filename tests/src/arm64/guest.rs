//! A running board: QEMU, the line to the agent in it, and what is seen of it from outside.

use anyhow::{Context, bail, ensure};
use std::fs;
use std::io::{BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::lights::{Change, Watch};
use super::picture::Picture;
use arm64_protocol::{Reply, Request, receive, send};

/// Longest time, of this machine, for anything that the board is asked.
const PATIENCE: Duration = Duration::from_secs(300);

/// A board that is switched on. Dropping it is a power cut.
pub struct Guest {
    qemu: Child,
    folder: tempfile::TempDir,
    line: BufReader<UnixStream>,
    watch: Watch,
    /// The board's clock when the last request began and ended, in microseconds.
    pub last: (u64, u64),
}

pub struct Answer {
    /// Exit status of a program that ended.
    pub code: Option<i32>,
    pub bytes: Vec<u8>,
}

impl Guest {
    /// Switches a board on, with what `cargo xtask test arm64` has put into the folder, and a disk
    /// for the log; without one the log is on a disk in the board's memory. The programs beside the
    /// device are on it where `neighbours` says so.
    pub fn boot(files: &Path, disk: Option<&Path>, neighbours: bool) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let console = fs::File::create(path("console"))?;
        let mut command = Command::new("qemu-system-aarch64");
        // One instruction a nanosecond by the board's own clock, and no waiting where nothing is to be
        // done: what the board measures does not depend on how busy this machine is.
        // Half of what the first file system leaves is what may be unpacked of it.
        let megabytes = if neighbours { "1024" } else { "512" };
        command.args(["-M", "virt", "-cpu", "cortex-a72", "-smp", "1", "-m", megabytes]);
        command.args(["-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]);
        command.args(["-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio"]);
        let initramfs = if neighbours { "initramfs-with-neighbours" } else { "initramfs" };
        command.arg("-kernel").arg(files.join("kernel")).arg("-initrd").arg(files.join(initramfs));
        command.args(["-append", "console=ttyAMA0 loglevel=4 panic=-1 rdinit=/init"]);
        command.args(["-device", "virtio-serial-device"]);
        command.args(["-device", "virtserialport,chardev=agent,name=agent"]);
        let socket = format!("socket,id=agent,server=on,wait=off,path={}", path("agent").display());
        command.args(["-chardev", &socket]);
        if let Some(disk) = disk {
            command.arg("-drive").arg(format!("if=none,id=log,format=raw,file={}", disk.display()));
            command.args(["-device", "virtio-blk-device,drive=log"]);
        }
        let monitor = format!("unix:{},server=on,wait=off", path("monitor").display());
        command.args(["-monitor", &monitor]);
        command.args(["-trace", "pl061_set_output", "-D"]).arg(path("lights"));
        command.stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console);
        let mut qemu = command.spawn().context("cannot run qemu-system-aarch64")?;
        let line = connect(&mut qemu, &path("agent"));
        let line = line.with_context(|| format!("the board's console:\n{}", said(&path("console"))))?;
        let watch = Watch::new(path("lights"));
        let mut guest = Self { qemu, folder, line: BufReader::new(line), watch, last: (0, 0) };
        guest.ask(Request::Now, &[])?;
        Ok(guest)
    }

    pub fn ask(&mut self, request: Request, payload: &[u8]) -> anyhow::Result<Answer> {
        let doing = format!("{request:?}");
        let exchange = send(self.line.get_mut(), &request, payload).and_then(|()| receive(&mut self.line));
        let (reply, bytes): (Reply, _) = exchange.with_context(|| {
            format!("{doing}: the board does not answer; its console:\n{}", self.console())
        })?;
        self.last = (reply.from, reply.to);
        match reply.error {
            Some(error) => bail!("{doing}: {error}"),
            None => Ok(Answer { code: reply.code, bytes }),
        }
    }

    /// The board's clock, in microseconds.
    pub fn now(&mut self) -> anyhow::Result<u64> {
        self.ask(Request::Now, &[])?;
        Ok(self.last.1)
    }

    /// Presses the machine's power button, which closes line 3 of the lights' chip for a tenth of a
    /// second.
    pub fn press(&mut self) -> anyhow::Result<()> {
        let mut monitor = UnixStream::connect(self.folder.path().join("monitor"))?;
        monitor.set_read_timeout(Some(PATIENCE))?;
        monitor.write_all(b"system_powerdown\n")?;
        // It has been done once the monitor asks for the next command.
        let (mut said, mut byte) = (Vec::new(), [0]);
        while !said.ends_with(b"\n(qemu) ") || !String::from_utf8_lossy(&said).contains("powerdown") {
            monitor.read_exact(&mut byte).context("QEMU's monitor does not answer")?;
            said.extend_from_slice(&byte);
        }
        Ok(())
    }

    pub fn show(&mut self, picture: &Picture) -> anyhow::Result<()> {
        let (width, height) = (picture.width, picture.height);
        let request = Request::Show { fourcc: picture.fourcc.into(), width, height };
        self.ask(request, &picture.bytes).map(drop)
    }

    pub fn write(&mut self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.ask(Request::Write { path: path.into() }, bytes).map(drop)
    }

    /// Every change of a light so far, as it was seen from outside, with the board's time.
    /// An error where what the board recorded is not what was seen from outside.
    pub fn lights(&mut self) -> anyhow::Result<&[Change]> {
        let records = self.ask(Request::Lights, &[])?.bytes;
        self.watch.take(&String::from_utf8_lossy(&records))
    }

    /// When the program last wrote a lamp, as far as [`Guest::lights`] has seen, in the board's
    /// microseconds.
    pub fn written(&self) -> u64 {
        self.watch.written()
    }

    pub fn console(&self) -> String {
        said(&self.folder.path().join("console"))
    }

    /// Cuts the power: nothing that the board has not handed to its disk is kept.
    pub fn cut(mut self) -> anyhow::Result<()> {
        self.qemu.kill()?;
        self.qemu.wait()?;
        Ok(())
    }

    pub fn power_off(mut self) -> anyhow::Result<()> {
        send(self.line.get_mut(), &Request::PowerOff, &[])?;
        let status = self.qemu.wait()?;
        ensure!(status.success(), "QEMU ended with {status}; the board's console:\n{}", self.console());
        Ok(())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to do.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

fn said(console: &Path) -> String {
    String::from_utf8_lossy(&fs::read(console).unwrap_or_default()).into_owned()
}

/// Connects to the agent's line once QEMU has opened it; what is sent before the agent listens is
/// kept for it.
fn connect(qemu: &mut Child, path: &Path) -> anyhow::Result<UnixStream> {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        match UnixStream::connect(path) {
            Ok(line) => {
                line.set_read_timeout(Some(PATIENCE))?;
                line.set_write_timeout(Some(PATIENCE))?;
                return Ok(line);
            }
            Err(error) if Instant::now() > limit => bail!("QEMU opened no line to the agent: {error}"),
            Err(_) => sleep(Duration::from_millis(20)),
        }
        if let Some(status) = qemu.try_wait()? {
            bail!("QEMU ended with {status}");
        }
    }
}
