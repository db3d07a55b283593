//! A device that is files alone, a screen as a process, and a browser that is a socket.

pub mod browser;
pub mod http;
pub mod relay;
pub mod style;
pub mod tls;

pub use http::{Answer, Client};
pub use test_support::status::{decision, indication, picture};

use base::clock::monotonic_ms;
use edge_core::State;
use rustix::process::{Pid, Signal, kill_process};
use status::{STATUS, Status};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub const PIN: &str = "739104";

/// A device's folders.
pub struct Site {
    pub folder: tempfile::TempDir,
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["status", "acknowledged", "access"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a status as of now.
    pub fn write(&self, status: &Status) {
        self.write_as_it_is(&Status { monotonic_ms: monotonic_ms(), ..status.clone() });
    }

    pub fn write_as_it_is(&self, status: &Status) {
        status::write(&self.path("status").join(STATUS), status).unwrap();
    }

    /// The configuration; `server` is the text of its section.
    pub fn config(&self, server: &str) -> PathBuf {
        let path = |name| self.path(name).display().to_string();
        let text = format!(
            "[server]\n{server}\n[device]\nstatus = {:?}\nacknowledged = {:?}\nlog = {:?}\n[access]\nfolder = {:?}\n",
            path("status"),
            path("acknowledged"),
            path("log.jsonl"),
            path("access")
        );
        let file = self.path("screen.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    pub fn set_pin(&self) {
        screen::pin::Pin::new(PIN).unwrap().write(&self.path("access")).unwrap();
    }

    /// Two small pictures, of the numbers' names.
    pub fn pictures(&self, number: u64) {
        let write = |name: String, color, bytes: Vec<u8>| {
            let file = std::fs::File::create(self.path("status").join(name)).unwrap();
            let mut encoder = png::Encoder::new(file, 256, 256);
            encoder.set_color(color);
            encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
        };
        let cells = || (0..256u32).flat_map(|y| (0..256u32).map(move |x| (x, y)));
        // Two dark ovals on grey, for eyes that look at the screenshots.
        let lung = |x: u32, y: u32, middle: f64| {
            let (dx, dy) = ((f64::from(x) - middle) / 45.0, (f64::from(y) - 125.0) / 90.0);
            (1.0 - (dx * dx + dy * dy)).clamp(0.0, 1.0)
        };
        let grey = cells().map(|(x, y)| {
            let rib = if (y / 14) % 2 == 0 { 14.0 } else { 0.0 };
            (185.0 - 130.0 * lung(x, y, 75.0).max(lung(x, y, 181.0)).sqrt() + rib) as u8
        });
        write(format!("picture-{number}.png"), png::ColorType::Grayscale, grey.collect());
        let heat = cells().flat_map(|(x, y)| {
            let near = (-((f64::from(x) - 175.0).powi(2) + (f64::from(y) - 170.0).powi(2)) / 1800.0).exp();
            [255, 60, 0, (near * 170.0) as u8]
        });
        write(format!("heat-{number}.png"), png::ColorType::Rgba, heat.collect());
    }
}

/// Keeps a status as fresh as a device does, while `body` runs.
pub fn alive<T>(site: &Site, status: impl Fn() -> status::Status + Sync, body: impl FnOnce() -> T) -> T {
    again_and_again(|| site.write(&status()), body)
}

/// Acts as often as a device writes, while `body` runs.
pub fn again_and_again<T>(act: impl Fn() + Sync, body: impl FnOnce() -> T) -> T {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                act();
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        // However the body ends: the thread must not be waited for in vain.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _end = End(&ended);
        body()
    })
}

/// What a device with a camera shows now.
pub fn camera(state: State) -> Status {
    test_support::status::camera(state, monotonic_ms())
}

/// The same with a watched folder: five cases, of which the fourth has its turn.
pub fn folder(state: State) -> Status {
    test_support::status::folder(state, monotonic_ms())
}

/// The shipped program, where the environment names it, else the one of the tests.
pub fn program() -> PathBuf {
    shipped().unwrap_or_else(|| env!("CARGO_BIN_EXE_pneumoscope-screen").into())
}

pub fn shipped() -> Option<PathBuf> {
    std::env::var_os("PNEUMOSCOPE_SCREEN_PROGRAM").map(PathBuf::from)
}

/// The screen as a process, ended when dropped.
pub struct Screen {
    child: Child,
    /// What it said at its start: a line an address, and the fingerprint.
    pub lines: Vec<String>,
    _stdout: BufReader<ChildStdout>,
}

impl Screen {
    pub fn command(config: &Path, command: &str) -> Command {
        let mut screen = Command::new(program());
        // As the unit starts it.
        let unit = include_str!("../../../packaging/pneumoscope-screen.service");
        let environment = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
        screen.envs(environment.flat_map(str::split_whitespace).filter_map(|pair| pair.split_once('=')));
        screen.arg("--config").arg(config).arg(command);
        screen
    }

    /// Starts it with so many addresses to listen on.
    pub fn start(config: &Path, addresses: usize) -> Self {
        let mut command = Self::command(config, "serve");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        while lines.iter().filter(|line: &&String| line.contains("://")).count() < addresses {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "the screen ended: {:?}", child.wait());
            lines.push(line.trim_end().to_owned());
        }
        Self { child, lines, _stdout: stdout }
    }

    /// A started screen of `site`, on the loopback.
    pub fn on_loopback(site: &Site) -> (Self, Client) {
        let screen = Self::start(&site.config("listen = [\"127.0.0.1:0\"]"), 1);
        let client = screen.client(0);
        (screen, client)
    }

    /// Whoever asks at the address of this number, by way of the loopback.
    pub fn client(&self, address: usize) -> Client {
        let mut lines = self.lines.iter().filter(|line| line.contains("://"));
        let line = lines.nth(address).unwrap();
        let port = line.split(" (").next().unwrap().rsplit(':').next().unwrap();
        Client::new(port.parse().unwrap())
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stopped, as a debugger or a machine without memory stops it: its connections stay open.
    pub fn stop(&self) {
        self.send(Signal::STOP);
    }

    pub fn go_on(&self) {
        self.send(Signal::CONT);
    }

    fn send(&self, signal: Signal) {
        let id = Pid::from_raw(self.id().try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
