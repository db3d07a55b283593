//! A screen without a device or a network: a status in memory, folders in memory, and connections that
//! are bytes.

use crate::room;
use base::clock::monotonic_ms;
use edge_core::State;
use screen::config::Config;
use screen::server::{Pages, Plan};
use screen::watch::Seen;
use status::{ACKNOWLEDGED, Status};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;

/// The name of a patient, which nobody who asks knows.
pub const NAME: &str = "A-4711-kV7nQ2xW9";

/// The hash of [`PIN`], of the least memory that there is: each try is to cost little.
const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$m5HpJMS3V7w9Xnt1w8aR1Q$Kv7eyawc3oaPkGRZsGuvfLDq4QKuSRZwbXUlZTKHXoU";
const PIN: &str = "739104";

/// How long a connection is listened to, on a clock that runs only while all wait.
const LISTENED: Duration = Duration::from_secs(6);

/// Most bytes of an answer that are read.
const MOST: u64 = 256 << 10;

/// By which door somebody comes, and whether he has given the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Loopback,
    Stranger,
    SignedIn,
}

/// What a browser was given.
#[derive(Clone, Debug, Default)]
struct Given {
    cookie: String,
    token: String,
}

/// A screen, and what each browser has of it.
pub struct Site {
    folder: TempDir,
    runtime: Runtime,
    pages: Pages,
    status: Status,
    seen: watch::Sender<Seen>,
    given: [Given; 3],
}

thread_local! {
    static SITE: RefCell<Option<Site>> = const { RefCell::new(None) };
}

/// The one site of this run.
pub fn with<T>(body: impl FnOnce(&mut Site) -> T) -> T {
    SITE.with_borrow_mut(|site| body(site.get_or_insert_with(Site::new)))
}

impl Site {
    fn new() -> Self {
        let folder = room();
        for name in ["status", "acknowledged", "access"] {
            std::fs::create_dir(folder.path().join(name)).expect("room for a folder");
        }
        std::fs::write(folder.path().join("access/pin"), HASH).expect("room for a file");
        // An empty log is one of a device that was just started.
        std::fs::write(folder.path().join("log.jsonl"), "").expect("room for a file");
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        let status = status();
        let (seen, receiver) = watch::channel(Seen::Status(Arc::new(status.clone())));
        let pages = pages(&folder, receiver);
        let mut site = Self { folder, runtime, pages, status, seen, given: Default::default() };
        site.greet();
        site
    }

    /// A screen that was just started, and browsers that come to it.
    pub fn anew(&mut self) {
        let _ = std::fs::remove_file(self.folder.path().join("acknowledged").join(ACKNOWLEDGED));
        self.pages = pages(&self.folder, self.seen.subscribe());
        self.greet();
    }

    /// What the device says from now on.
    pub fn show(&mut self, status: Status) {
        self.status = status;
    }

    /// Whether the device was told of an acknowledgement.
    pub fn acknowledged(&self) -> bool {
        self.folder.path().join("acknowledged").join(ACKNOWLEDGED).exists()
    }

    /// The token of the forms that a browser was given.
    pub fn token(&self, door: Door) -> &str {
        &self.given[door as usize].token
    }

    /// `request` with what the browser of this door was given in place of `{cookie}` and `{token}`.
    pub fn filled(&self, door: Door, request: &[u8]) -> Vec<u8> {
        let Given { cookie, token } = &self.given[door as usize];
        let filled = replaced(request, b"{cookie}", cookie.as_bytes());
        replaced(&filled, b"{token}", token.as_bytes())
    }

    /// What is answered to the bytes of a connection.
    pub fn ask(&self, door: Door, bytes: &[u8]) -> Vec<u8> {
        // Said just now: an old one would be FAULT on every page.
        let status = Status { monotonic_ms: monotonic_ms(), ..self.status.clone() };
        self.seen.send_replace(Seen::Status(Arc::new(status)));
        let (mut browser, screen) = duplex(64 << 10);
        let mut answer = Vec::new();
        let browse = async {
            // Who is not read to the end is not answered either.
            let _ = browser.write_all(bytes).await;
            let _ = (&mut browser).take(MOST).read_to_end(&mut answer).await;
        };
        self.runtime.block_on(async {
            let both = async { tokio::join!(self.pages.converse(screen, door != Door::Loopback), browse) };
            let _ = timeout(LISTENED, both).await;
        });
        answer
    }

    fn greet(&mut self) {
        for door in [Door::Loopback, Door::Stranger, Door::SignedIn] {
            let path = if door == Door::Loopback { "/" } else { "/login" };
            let hello = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            self.remember(door, &hello);
        }
        let Given { cookie, token } = &self.given[Door::SignedIn as usize];
        let form = format!("pin={PIN}&token={token}");
        let enter = format!(
            "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: pneumoscope={cookie}\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        self.remember(Door::SignedIn, &enter);
        let cookie = &self.given[Door::SignedIn as usize].cookie;
        let page = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: pneumoscope={cookie}\r\n\r\n"
        );
        self.remember(Door::SignedIn, &page);
        assert!(
            self.given.iter().all(|given| given.cookie.len() == 32 && given.token.len() == 64),
            "no page"
        );
    }

    /// Keeps what an answer gives to a browser.
    fn remember(&mut self, door: Door, request: &str) {
        let answer = String::from_utf8_lossy(&self.ask(door, request.as_bytes())).into_owned();
        let given = &mut self.given[door as usize];
        let behind = |mark: &str| answer.split_once(mark).map(|(_, rest)| rest);
        if let Some(rest) = behind("set-cookie: pneumoscope=") {
            given.cookie = rest.chars().take(32).collect();
        }
        if let Some(rest) = behind("name=\"token\" value=\"") {
            given.token = rest.chars().take(64).collect();
        }
    }
}

fn pages(folder: &TempDir, seen: watch::Receiver<Seen>) -> Pages {
    let path = |name: &str| folder.path().join(name);
    let mut config = Config::default();
    config.server.listen = vec![([192, 0, 2, 1], 80).into()];
    config.server.plain = true;
    config.device.status = path("status");
    config.device.acknowledged = path("acknowledged");
    config.device.log = path("log.jsonl");
    config.access.folder = path("access");
    Pages::new(Plan::new(config).expect("a PIN"), seen).expect("random numbers")
}

fn replaced(bytes: &[u8], mark: &[u8], by: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(by);
        rest = &rest[at + mark.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// A device that watches a folder: a case of this name has its turn, and may be acknowledged.
pub fn status() -> Status {
    let mut status = test_support::status::folder(State::Positive, monotonic_ms());
    let list = status.worklist.as_mut().expect("of a folder");
    let turn = list.cases.iter_mut().find(|case| Some(case.number) == list.turn);
    turn.expect("one has it").name = NAME.into();
    status
}
