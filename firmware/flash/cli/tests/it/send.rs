//! `send` over a real pair of terminals: at the other end is the firmware's own decoder and queue,
//! on a line that can be bad.

use crate::{flash, text};
use edge_core::ports::{FrameSource, SourceEvent};
use edge_model::decode::{self, Picture};
use firmware::rows::RowPipe;
use firmware::serial::{Decoder, LONGEST_PAYLOAD, LONGEST_ROW, READY, TAKEN};
use flash::send::fit;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use phantoms::{Label, draw};
use serialport::{SerialPort, TTYPort};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// How long after a request the board asks again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// One byte of the first frame is another.
    OnceDamaged,
    /// A byte of every frame is.
    AlwaysDamaged,
    Silent,
}

/// A board at the end of a line; what it took is what [`Board::ends`] returns.
struct Board {
    port: String,
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Vec<u8>>>,
    /// Keeps the line up while nobody uses it; without the lock of a port.
    _line: File,
}

impl Board {
    fn new(fault: Fault) -> Self {
        let (master, slave) = TTYPort::pair().unwrap();
        let port = slave.name().unwrap();
        let line = File::open(&port).unwrap();
        drop(slave);
        let over = Arc::new(AtomicBool::new(false));
        let told = over.clone();
        Self { port, over, thread: spawn(move || run(master, fault, &told)), _line: line }
    }

    fn send(&self, more: &[&str]) -> (Option<i32>, String, String) {
        flash(&[&["send", "--port", &self.port], more].concat())
    }

    fn ends(self) -> Vec<Vec<u8>> {
        self.over.store(true, Relaxed);
        self.thread.join().unwrap()
    }
}

/// What a board's task and loop do, with the line's fault: the rows of each whole frame.
fn run(mut port: TTYPort, fault: Fault, over: &AtomicBool) -> Vec<Vec<u8>> {
    let mut pipe = RowPipe::<LONGEST_ROW, 8>::new();
    let (mut sender, mut receiver) = pipe.split();
    let mut decoder = Box::new(Decoder::<LONGEST_PAYLOAD>::new());
    port.set_timeout(Duration::from_millis(5)).unwrap();
    let (mut frames, mut rows, mut count) = (Vec::new(), Vec::new(), 0_usize);
    let mut asked: Option<Instant> = None;
    receiver.request();
    while !over.load(Relaxed) {
        if !sender.is_wanted() {
            asked = None;
        } else if fault != Fault::Silent && asked.is_none_or(|asked| asked.elapsed() > ASK_AGAIN) {
            // Twice, as a board does that nobody listened to for a while.
            port.write_all(&[READY, READY]).unwrap();
            asked = Some(Instant::now());
        }
        let mut bytes = [0; 64];
        let length = match port.read(&mut bytes) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::TimedOut => 0,
            Err(error) => panic!("{error}"),
        };
        for byte in &mut bytes[..length] {
            count += 1;
            let bad = match fault {
                Fault::OnceDamaged => count == 2000,
                Fault::AlwaysDamaged => count % 2000 == 0,
                _ => false,
            };
            *byte ^= u8::from(bad);
        }
        let mut rest = &bytes[..length];
        while !rest.is_empty() {
            rest = &rest[decoder.take(rest, &mut sender)..];
            if decoder.taken() {
                port.write_all(&[TAKEN]).unwrap();
            }
            loop {
                match receiver.poll() {
                    Ok(SourceEvent::Quiet) => break,
                    Ok(SourceEvent::Begin(..)) => rows.clear(),
                    Ok(SourceEvent::Row(row)) => rows.extend_from_slice(row),
                    Ok(SourceEvent::End) => {
                        frames.push(std::mem::take(&mut rows));
                        receiver.request();
                    }
                    Err(_) => {
                        receiver.request();
                        break;
                    }
                }
            }
        }
    }
    frames
}

fn file(folder: &Path, name: &str, side: u16) -> PathBuf {
    let (path, picture) = (folder.join(name), draw(Label::Normal, 3, side));
    let (width, height) = (picture.geometry().width(), picture.geometry().height());
    let encoder = PngEncoder::new(File::create(&path).unwrap());
    encoder.write_image(picture.bytes(), width.into(), height.into(), ExtendedColorType::L8).unwrap();
    path
}

#[test]
fn a_board_has_the_very_rows_of_each_picture_as_often_as_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let [small, wide] =
        [("small.png", 96), ("wide.png", 1100)].map(|(name, side)| file(folder.path(), name, side));
    let board = Board::new(Fault::None);
    let (code, out, err) = board.send(&["--frames", "2", text(&small), text(&wide)]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("small.png: the board has 2 frames of 96 x 96 Gray8; what it says"), "{out}");
    assert!(out.contains("2 frames of 366 x 366 Gray8, made grey and smaller from 1100 x 1100;"), "{out}");
    let [small, wide]: [Picture; 2] = [small, wide].map(|path| fit(decode::open(path).unwrap()).unwrap());
    let expected = [&small, &small, &wide, &wide].map(|picture| picture.bytes().to_vec());
    assert_eq!(board.ends(), expected);
}

/// A board cannot know what a file says.
#[test]
fn a_picture_that_must_not_be_judged_by_its_file_never_reaches_the_board() {
    let folder = tempfile::tempdir().unwrap();
    let (hidden, fine) = (folder.path().join("hidden.png"), file(folder.path(), "fine.png", 96));
    let encoder = PngEncoder::new(File::create(&hidden).unwrap());
    encoder.write_image(&[90, 0].repeat(96 * 96), 96, 96, ExtendedColorType::La8).unwrap();
    let board = Board::new(Fault::None);
    let (code, _, err) = board.send(&["--frames", "1", text(&hidden), text(&fine)]);
    assert_eq!(code, Some(1));
    assert!(err.contains("hidden.png: every pixel is transparent; "), "{err}");
    assert_eq!(board.ends(), [decode::open(fine).unwrap().bytes()]);
}

#[test]
fn a_frame_that_was_damaged_on_the_way_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.png", 96);
    let board = Board::new(Fault::OnceDamaged);
    let (code, out, err) = board.send(&["--json", "--frames", "1", text(&path)]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let sent: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&sent["frames"], &sent["width"], &sent["shrunk"]), (&1.into(), &96.into(), &false.into()));
    assert_eq!(board.ends(), [decode::open(path).unwrap().bytes()]);
}

#[test]
fn what_never_comes_whole_and_a_board_that_is_silent_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.png", 96);
    for (fault, line) in [
        (Fault::AlwaysDamaged, "the frame did not come whole in 5 tries"),
        (Fault::Silent, "the board did not ask for a frame within 1 s"),
    ] {
        let board = Board::new(fault);
        let (code, out, err) = board.send(&["--timeout", "1", text(&path)]);
        assert_eq!((code, out.as_str(), err.lines().count()), (Some(1), "", 1), "{err}");
        assert!(err.starts_with("error: /dev/") && err.contains(line), "{err}");
        assert!(board.ends().is_empty());
    }
    let (code, _, err) = flash(&["send", "--port", "/dev/nowhere", text(&path)]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("error: cannot open the serial port /dev/nowhere; "), "{err}");
}

#[test]
fn a_file_that_is_no_picture_is_told_and_the_others_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = [file(folder.path(), "a.png", 96), folder.path().join("b.png")];
    fs::write(&other, "no picture").unwrap();
    let board = Board::new(Fault::None);
    let (code, out, err) = board.send(&["--frames", "1", text(&other), text(&path)]);
    assert_eq!((code, out.lines().count()), (Some(1), 1), "{err}");
    assert!(err.contains("b.png: expected a picture (JPEG, PNG"), "{err}");
    assert!(err.ends_with("error: 1 of the files are no pictures that may be sent\n"), "{err}");
    assert_eq!(board.ends().len(), 1);
}
