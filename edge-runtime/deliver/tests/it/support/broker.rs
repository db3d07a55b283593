//! Mosquitto, Debian's broker, and its `mosquitto_sub`, which writes down what arrives.

use super::{Running, comes};
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;

/// A port that is free now, and no other test's: below those that the kernel gives to clients.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let number =
            (std::process::id() as u16).wrapping_mul(64).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + number % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

pub struct Broker {
    pub folder: TempDir,
    pub port: u16,
    child: Option<Child>,
}

impl Broker {
    /// A broker that keeps what waits for subscribers over a restart; `more` goes into its
    /// configuration.
    pub fn new(more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let place = folder.path().display();
        let config = format!(
            "listener {port} 127.0.0.1\npersistence true\npersistence_location {place}/\nmax_queued_messages 0\n\
             user root\nlog_dest file {place}/broker.log\n{more}\n"
        );
        fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let mut broker = Self { folder, port, child: None };
        broker.start();
        broker
    }

    /// One that asks for a client's certificate, and allows each its own topics, `CN` as its user.
    pub fn private(certificates: &Path, list: &str) -> Self {
        let place = certificates.display();
        fs::write(certificates.join("list"), list).unwrap();
        Self::new(&format!(
            "cafile {place}/ca.crt\ncertfile {place}/broker.crt\nkeyfile {place}/broker.key\n\
             require_certificate true\nuse_identity_as_username true\nacl_file {place}/list"
        ))
    }

    /// One that lets everybody in.
    pub fn open() -> Self {
        Self::new("allow_anonymous true")
    }

    pub fn start(&mut self) {
        let mut command = Command::new("/usr/sbin/mosquitto");
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf"));
        self.child = Some(command.stderr(Stdio::null()).spawn().expect("mosquitto is installed"));
        let port = self.port;
        assert!(
            comes(|| listens(port)),
            "{}",
            fs::read_to_string(self.folder.path().join("broker.log")).unwrap_or_default()
        );
    }

    /// Asks it to end, so that it writes down what waits.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            Command::new("kill").arg(child.id().to_string()).status().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn subscribe(&self, arguments: &[&str]) -> Subscriber {
        let file = self.folder.path().join("arrived");
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-c", "-i", "collector"]);
        command.args(["-t", "pneumoscope/#", "-F", "%t %p"]).args(arguments);
        let subscriber = command.stdout(File::create(&file).unwrap()).stderr(Stdio::null()).spawn();
        let running = Running { child: subscriber.expect("mosquitto-clients is installed") };
        let log = self.folder.path().join("broker.log");
        assert!(comes(|| fs::read_to_string(&log).unwrap().contains("as collector")));
        Subscriber { file, _running: running }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

pub struct Subscriber {
    file: PathBuf,
    _running: Running,
}

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub topic: String,
    pub text: String,
    pub json: serde_json::Value,
}

impl Subscriber {
    pub fn arrived(&self) -> Vec<Arrived> {
        read(&self.file)
    }
}

pub fn read(file: &Path) -> Vec<Arrived> {
    let text = fs::read_to_string(file).unwrap();
    // The last may be half written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let line = |line: &str| {
        let mut parts = line.splitn(2, ' ');
        let mut next = || parts.next().unwrap().to_owned();
        let (topic, text) = (next(), next());
        let json = serde_json::from_str(&text).expect(&text);
        Arrived { topic, text, json }
    };
    whole.lines().map(line).collect()
}
