//! From an X-ray machine over the network: DCMTK's `storescu` sends over the loopback to what the
//! package installs, as systemd would start it (`systemd-socket-activate`).

use crate::support::log::{assert_sound, decisions};
use crate::support::{Bench, comes, process};
use phantoms::Label;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use test_support::dicom::{element, radiograph};

const RECEIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/dicom-receive");

/// A radiograph of a study of its own.
fn study(bench: &Bench, number: u64, side: u16) -> String {
    let label = if number.is_multiple_of(2) { Label::Normal } else { Label::Pneumonia };
    let drawn = phantoms::draw(label, number, side);
    let samples: Vec<u16> = drawn.bytes().iter().map(|&byte| u16::from(byte) << 4).collect();
    let uid = |last: &str| format!("1.2.826.0.1.3680043.8.498.{number}.{last}");
    let bytes = radiograph(
        side,
        side,
        &samples,
        &[
            element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.1.1"),
            element(8, 0x18, b"UI", uid("1").as_bytes()),
            element(8, 0x60, b"CS", b"DX"),
            element(0x10, 0x10, b"PN", b"Nobody^At All"),
            element(0x10, 0x20, b"LO", number.to_string().as_bytes()),
            element(0x20, 0x0D, b"UI", uid("2").as_bytes()),
            element(0x20, 0x0E, b"UI", uid("3").as_bytes()),
        ],
    );
    bench.file(&format!("study-{number}.dcm"), bytes)
}

/// What the package's units start, without them.
struct Receiver {
    child: Child,
    port: u16,
    spool: PathBuf,
}

impl Receiver {
    fn start(bench: &Bench, limits: &[(&str, &str)]) -> Self {
        let spool = PathBuf::from(bench.path("spool"));
        fs::create_dir_all(spool.join("inbox")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut listen = Command::new("systemd-socket-activate");
        listen.args(["--accept", "--inetd", "--listen", &format!("127.0.0.1:{port}")]);
        for (name, value) in limits {
            listen.arg(format!("--setenv={name}={value}"));
        }
        listen.args(["--setenv=PATH=/usr/bin:/bin", "--setenv=DICOM_ROOM_MIN=1000", RECEIVE]).arg(&spool);
        let child = listen.arg("PNEUMOSCOPE").stderr(Stdio::null()).spawn().expect("systemd is installed");
        // It listens before it is connected to, which a first connection without a word would end.
        assert!(comes(|| fs::read_to_string("/proc/net/tcp").unwrap().contains(&format!(":{port:04X} "))));
        Self { child, port, spool }
    }

    fn inbox(&self) -> Vec<String> {
        names(&self.spool.join("inbox"))
    }

    fn receiving(&self) -> Vec<String> {
        names(&self.spool.join("receiving"))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn send(port: u16, files: &[String]) -> Output {
    let mut storescu = Command::new("storescu");
    storescu.args(["--aetitle", "XRAY", "--call", "PNEUMOSCOPE", "127.0.0.1", &port.to_string()]).args(files);
    storescu.output().expect("DCMTK is installed")
}

fn device(bench: &Bench) -> Child {
    let config = "[capture]\nsource = \"folder:spool/inbox\"\nexisting = true\nquiet_ms = 50\n\
                  [log]\nfile = \"log.jsonl\"\n";
    let mut run = process();
    run.args(["run", "--json", "--config", &bench.file("device.toml", config)]).stdout(Stdio::null());
    run.spawn().unwrap()
}

#[test]
#[ignore = "needs DCMTK: `cargo xtask test dicom-network` installs it and runs this test"]
fn dicom_network_twenty_studies_are_answered_once_each_though_the_device_is_killed() {
    let bench = Bench::new();
    let receiver = Receiver::start(&bench, &[]);
    let log = PathBuf::from(bench.path("log.jsonl"));
    let answered = || if log.exists() { decisions(&log).len() } else { 0 };
    let studies: Vec<String> = (0..20).map(|number| study(&bench, number, 96)).collect();

    let mut killed = device(&bench);
    assert!(send(receiver.port, &studies[..10]).status.success());
    assert!(comes(|| answered() >= 4), "{} answers", answered());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = answered();
    assert!(send(receiver.port, &studies[10..]).status.success());
    assert!(comes(|| receiver.inbox().len() == 20), "{:?}", receiver.inbox());

    let mut again = device(&bench);
    assert!(comes(|| answered() >= 20), "{} answers, {before} of them before the kill", answered());
    // One more would come within the time that a file must be quiet.
    std::thread::sleep(std::time::Duration::from_secs(2));
    again.kill().unwrap();
    again.wait().unwrap();
    let frames: Vec<String> =
        decisions(&log).iter().filter_map(|line| line.frame_sha256).map(|hash| hash.to_string()).collect();
    assert_eq!((frames.len(), frames.iter().collect::<BTreeSet<_>>().len()), (20, 20), "each once");
    assert_sound(&log);
    assert!(!fs::read_to_string(&log).unwrap().contains("Nobody"), "the patient's name is nowhere");
}

/// Hands `bytes` of what a sender says on, and cuts the connection.
fn cut_after(bytes: usize, to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut sender, _) = listener.accept().unwrap();
        let mut receiver = TcpStream::connect(("127.0.0.1", to)).unwrap();
        let (mut back, mut said) = (receiver.try_clone().unwrap(), sender.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut back, &mut said));
        let _ = std::io::copy(&mut Read::by_ref(&mut sender).take(bytes as u64), &mut receiver);
        let _ = receiver.flush();
        let _ = receiver.shutdown(Shutdown::Both);
        let _ = sender.shutdown(Shutdown::Both);
    });
    port
}

#[test]
#[ignore = "needs DCMTK: `cargo xtask test dicom-network` installs it and runs this test"]
fn dicom_network_half_a_file_is_never_there_and_what_is_sent_again_is_not_new() {
    let bench = Bench::new();
    let receiver = Receiver::start(&bench, &[]);
    let file = study(&bench, 1, 512);
    assert!(!send(cut_after(300_000, receiver.port), std::slice::from_ref(&file)).status.success());
    assert!(comes(|| receiver.receiving().is_empty()), "{:?}", receiver.receiving());
    assert_eq!(receiver.inbox(), Vec::<String>::new());
    for _ in 0..2 {
        assert!(send(receiver.port, std::slice::from_ref(&file)).status.success());
        assert!(comes(|| receiver.receiving().is_empty() && receiver.inbox().len() == 1));
    }
    let there = receiver.spool.join("inbox").join(&receiver.inbox()[0]);
    let read = edge_model::decode::open(there).unwrap();
    assert_eq!(read, edge_model::decode::open(&file).unwrap());
}

#[test]
#[ignore = "needs DCMTK: `cargo xtask test dicom-network` installs it and runs this test"]
fn dicom_network_what_a_killed_connection_left_is_taken_up_and_a_full_inbox_refuses() {
    let bench = Bench::new();
    let receiver = Receiver::start(&bench, &[("DICOM_FILES_MAX", "2")]);
    let left = receiver.spool.join("receiving/killed");
    fs::create_dir_all(&left).unwrap();
    let whole = fs::read(study(&bench, 1, 64)).unwrap();
    fs::write(left.join("DX.whole"), &whole).unwrap();
    fs::write(left.join("DX.half"), &whole[..whole.len() / 2]).unwrap();
    let sent = |number| send(receiver.port, &[study(&bench, number, 64)]).status.success();
    assert!(sent(2));
    assert!(
        comes(|| receiver.inbox().len() == 2 && receiver.receiving().is_empty()),
        "{:?}",
        receiver.inbox()
    );
    assert!(receiver.inbox().contains(&"DX.whole".to_owned()), "{:?}", receiver.inbox());
    assert!(!sent(3), "a sender hears that there is no room");
    assert_eq!(receiver.inbox().len(), 2);
}
