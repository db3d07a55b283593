//! A source that is ffmpeg: the pictures that it writes are the pictures that are judged.

use crate::support::{self, classifier, film, process, shipped};
use edge_model::decode;
use edge_model::engine::EngineKind;
use edge_runtime::capture::{CaptureOptions, Encoding, Exec, Source, SourceSpec};
use phantoms::Label;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// ffmpeg with these words between input and output.
fn ffmpeg(input: &[&str], output: &[&str]) -> Vec<String> {
    let words = [&["ffmpeg", "-nostdin", "-loglevel", "error"], input, output, &["-"]].concat();
    words.into_iter().map(str::to_owned).collect()
}

/// One picture again and again, ten times a second.
fn still(file: &Path, output: &[&str]) -> Vec<String> {
    ffmpeg(&["-re", "-framerate", "10", "-loop", "1", "-i", file.to_str().unwrap()], output)
}

fn exec(command: Vec<String>, more: CaptureOptions) -> Exec {
    let options =
        CaptureOptions { source: SourceSpec::Exec(Vec::new()), command, restart_after_ms: 60_000, ..more };
    Exec::new(&options).unwrap()
}

fn rows(source: &mut Exec) -> Vec<u8> {
    source.next(PATIENCE).unwrap().frame.rows().flatten().copied().collect()
}

#[test]
#[ignore = "needs ffmpeg: `cargo xtask test` installs it and runs this test"]
fn ffmpeg_gives_the_very_pixels_raw_and_as_y4m() {
    let folder = tempfile::tempdir().unwrap();
    film(folder.path(), Label::Pneumonia, 1);
    let file = folder.path().join("001.png");
    let picture = decode::open(&file).unwrap();
    assert_eq!(picture.frame().rows().map(<[u8]>::len).sum::<usize>(), 224 * 224, "grey");
    let raw = CaptureOptions {
        width: Some(224),
        height: Some(224),
        format: Some(Encoding::Grey),
        ..Default::default()
    };
    let mut source = exec(still(&file, &["-pix_fmt", "gray", "-f", "rawvideo"]), raw);
    for _ in 0..3 {
        assert_eq!(rows(&mut source), picture.bytes());
    }
    film(folder.path(), Label::Normal, 2);
    let other = decode::open(folder.path().join("002.png")).unwrap();
    assert_ne!(rows(&mut source), other.bytes(), "a planted picture is told apart");
    let y4m = &["-pix_fmt", "yuvj420p", "-strict", "-1", "-f", "yuv4mpegpipe"];
    let mut source = exec(still(&file, y4m), CaptureOptions::default());
    let got = rows(&mut source);
    let differ = got.iter().zip(picture.bytes()).map(|(a, b)| a.abs_diff(*b)).max();
    assert_eq!((got.len(), differ.is_some_and(|most| most <= 1)), (224 * 224, true), "{differ:?}");
}

#[test]
#[ignore = "needs ffmpeg: `cargo xtask test` installs it and runs this test"]
fn ffmpegs_colour_formats_have_their_luminance_where_it_is_looked_for() {
    let bars = &["-re", "-f", "lavfi", "-i", "smptebars=size=322x242:rate=10"];
    let grey = |output: &[&str], format| {
        let options = CaptureOptions {
            width: Some(322),
            height: Some(242),
            format: Some(format),
            ..Default::default()
        };
        let mut source = exec(ffmpeg(bars, output), options);
        let shot = source.next(PATIENCE).unwrap();
        let luminance = |row: &[u8]| {
            row.chunks(shot.frame.geometry().format().bytes_per_pixel())
                .map(|p| shot.frame.geometry().format().luminance(p))
                .collect::<Vec<_>>()
        };
        shot.frame.rows().flat_map(luminance).collect::<Vec<u16>>()
    };
    let planes = grey(&["-pix_fmt", "yuv420p", "-f", "rawvideo"], Encoding::Yu12);
    assert!(planes.len() == 322 * 242 && planes.iter().max() > planes.iter().min());
    assert_eq!(grey(&["-pix_fmt", "nv12", "-f", "rawvideo"], Encoding::Nv12), planes);
    assert_eq!(grey(&["-pix_fmt", "yuyv422", "-f", "rawvideo"], Encoding::Yuyv), planes);
    assert_eq!(grey(&["-pix_fmt", "uyvy422", "-f", "rawvideo"], Encoding::Uyvy), planes);
    for colour in ["yuv420p", "yuv422p", "yuv444p", "yuv411p"] {
        let command = ffmpeg(bars, &["-pix_fmt", colour, "-strict", "-1", "-f", "yuv4mpegpipe"]);
        let got = rows(&mut exec(command, CaptureOptions::default()));
        assert!(got.iter().map(|&byte| u16::from(byte) * 257).eq(planes.iter().copied()), "{colour}");
    }
}

#[test]
#[ignore = "needs ffmpeg: `cargo xtask test` installs it and runs this test"]
fn what_ffmpeg_says_is_told() {
    let mut source =
        exec(ffmpeg(&["-i", "/nowhere/film.mp4"], &["-f", "yuv4mpegpipe"]), CaptureOptions::default());
    let error = source.next(PATIENCE).map(|_| ()).unwrap_err().to_string();
    support::assert_contains(
        &error,
        &["exec:ffmpeg: the program ended by itself", "/nowhere/film.mp4: No such file"],
    );
    let ten_bits = ffmpeg(
        &["-f", "lavfi", "-i", "smptebars"],
        &["-pix_fmt", "yuv420p10", "-strict", "-1", "-f", "yuv4mpegpipe"],
    );
    let error = exec(ten_bits, CaptureOptions::default()).next(PATIENCE).map(|_| ()).unwrap_err().to_string();
    support::assert_contains(
        &error,
        &["expected 8-bit planes in the Y4M header", "(ffmpeg: -pix_fmt yuv420p)"],
    );
}

/// The whole device before ffmpeg: it answers as `classify` does, and its log tells nothing of the
/// program's words.
#[test]
#[ignore = "needs ffmpeg: `cargo xtask test` installs it and runs this test"]
fn a_device_before_ffmpeg_answers_as_for_the_file() {
    let folder = tempfile::tempdir().unwrap();
    film(folder.path(), Label::Pneumonia, 1);
    let file = folder.path().join("001.png");
    let alone =
        classifier(EngineKind::Core, &shipped()).classify(&decode::open(&file).unwrap().frame()).unwrap();
    let words: Vec<_> = still(&file, &["-pix_fmt", "gray", "-f", "rawvideo"])
        .iter()
        .map(|word| format!("{word:?}"))
        .collect();
    let config = folder.path().join("device.toml");
    let text = format!(
        "[capture]\nsource = \"exec:\"\ncommand = [{}]\nwidth = 224\nheight = 224\nformat = \"GREY\"\n\
         [model]\nengine = \"core\"\n[decision]\nstale_after_ms = 60000\n[log]\nfile = \"log.jsonl\"\n",
        words.join(", ")
    );
    fs::write(&config, text).unwrap();
    let output =
        process().args(["run", "--json", "--frames", "4", "--config"]).arg(&config).output().unwrap();
    let (said, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line["state"] == alone.decision.state.name()), "{said}");
    assert_eq!(lines[3]["shown"], alone.decision.state.name(), "three agree");
    let log = fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
    assert!(log.contains("\"exec:ffmpeg\"") && !log.contains("001.png"), "{log}");
}
