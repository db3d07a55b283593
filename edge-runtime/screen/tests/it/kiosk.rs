//! The kiosk unit's own command, on a display in memory: its page fills it.

use crate::support::browser::{Browser, url};
use crate::support::{Screen, Site, alive, camera};
use edge_core::State;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const UNIT: &str = include_str!("../../packaging/examples/pneumoscope-kiosk.service");

/// cage starts for nobody who may become root; where these tests are root's it is nobody's.
const NOBODY: u32 = 65_534;

/// An X server without a screen, ended when dropped. cage's own way to do without a display gives up
/// its frames (wlroots 0.15), and what is seen of it is the first that Chromium drew.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Self {
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]);
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut name = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut name).unwrap();
        Self { server, name: format!(":{}", name.trim()) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What the unit starts, with this page in place of its own, and `more` for Chromium.
fn command(page: &str, more: &[String]) -> Vec<String> {
    let line = UNIT.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let (all, its) = line.rsplit_once(' ').unwrap();
    assert!(its.starts_with("http://127.0.0.1:"), "{its}");
    let words = all.split(' ').map(str::to_owned);
    words.chain(more.iter().cloned()).chain([page.to_owned()]).collect()
}

/// What is seen on the display of `folder`, by its corners: red, green and blue of each. `shot` is kept.
fn corners(folder: &Path, shot: &str) -> [[u8; 3]; 4] {
    let sockets = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let socket = sockets.map(|name| name.into_string().unwrap());
    let socket = socket.into_iter().find(|name| name.starts_with("wayland-") && !name.ends_with("lock"));
    let shot = crate::browser::shots().join(shot);
    let mut grim = Command::new("grim");
    grim.env("XDG_RUNTIME_DIR", folder).env("WAYLAND_DISPLAY", socket.unwrap()).arg(&shot);
    assert!(grim.status().unwrap().success());
    let decoder = png::Decoder::new(BufReader::new(std::fs::File::open(shot).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (right, bottom) = (info.width as usize - 1, info.height as usize - 1);
    let samples = info.color_type.samples();
    [(0, 0), (right, 0), (0, bottom), (right, bottom)].map(|(x, y)| {
        let at = y * info.line_size + x * samples;
        pixels[at..at + 3].try_into().unwrap()
    })
}

/// Whether all corners of the display are of the page, which is nowhere black.
fn fills(folder: &Path, shot: &str) -> bool {
    (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(200));
        corners(folder, shot).iter().all(|corner| *corner != [0; 3])
    })
}

#[test]
#[ignore = "needs cage, Chromium, Node, Xvfb, Xwayland and grim: cargo xtask test screen"]
fn browser_kiosk_fills_the_display() {
    let site = Site::new();
    site.pictures(1);
    let (_screen, client) = Screen::on_loopback(&site);
    let display = Display::start();
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let path = home.path().display();
    let mut all: Vec<String> = Vec::new();
    if rustix::process::getuid().is_root() {
        chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        all.extend(["setpriv".into(), user, group, "--clear-groups".into()]);
    }
    let (display, runtime) = (format!("DISPLAY={}", display.name), format!("XDG_RUNTIME_DIR={path}"));
    let backend = ["WLR_BACKENDS=x11", "WLR_RENDERER=pixman"].map(str::to_owned);
    all.extend(["env".into(), format!("HOME={path}"), runtime, display]);
    all.extend(backend);
    let more = ["--no-sandbox", "--remote-debugging-port=0"].map(str::to_owned);
    let more = [&more[..], &[format!("--user-data-dir={path}/profile")]].concat();
    all.extend(command(&url(client.port, "/"), &more));
    alive(
        &site,
        || camera(State::Positive),
        || {
            let mut browser = Browser::of(&all);
            browser.shows(State::Positive).unwrap();
            let shot = "kiosk.png";
            assert!(fills(home.path(), shot), "the corners: {:?}", corners(home.path(), shot));
            // wlroots' window on an X server, and the page that fills it.
            let size = "[innerWidth, innerHeight, screen.width, screen.height]";
            assert_eq!(browser.ask(size), json!([1024, 768, 1024, 768]));
            // A planted fault: a page that is no larger than a part of it.
            browser.ask(
                "{ document.documentElement.style.background = '#000';
                   document.body.style.cssText = 'width: 532px; height: 129px; min-height: 0; overflow: hidden'; }",
            );
            assert!(!fills(home.path(), "kiosk-planted.png"));
        },
    );
}
