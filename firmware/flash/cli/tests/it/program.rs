//! The program as an engineer meets it who has no probe: its lines, its exit statuses, its files.

use crate::{flash, text};
use flash::boards_folder;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;
use test_support::BOARD;

/// A probe that nobody has; so no test can write to a board that happens to be connected.
const NO_PROBE: [&str; 2] = ["--probe", "ffff:ffff:none"];

fn shipped() -> PathBuf {
    boards_folder().join("../../models/pneumonia/model.onnx")
}

/// A folder with a board for a fixture, one that is emulated, and the shipped model signed for
/// both.
pub struct Fixture {
    pub folder: TempDir,
    pub bundle: PathBuf,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, chip) in [("desk", "chip = \"nRF52840_xxAA\""), ("emulated", "")] {
            let place = folder.path().join("boards").join(name);
            fs::create_dir_all(&place).unwrap();
            let board = BOARD.replace("name = \"desk\"", &format!("name = {name:?}"));
            fs::write(place.join("board.toml"), board.replace("chip = \"nRF52840_xxAA\"", chip)).unwrap();
        }
        let bundle = folder.path().join("m.bundle");
        let key = boards_folder().join("keys/development.key");
        let (code, _, err) = flash(&["sign", "--key", text(&key), text(&shipped()), "-o", text(&bundle)]);
        assert_eq!(code, Some(0), "{err}");
        assert!(err.starts_with("warning: the development key, which everybody has"), "{err}");
        Self { folder, bundle }
    }

    pub fn run(&self, command: &str, board: &str, more: &[&str]) -> (Option<i32>, String, String) {
        let boards = self.folder.path().join("boards");
        flash(&[&[command, "--boards", text(&boards), "--board", board], more].concat())
    }
}

/// One line on standard error and nothing on standard output.
pub fn ends(got: &(Option<i32>, String, String), status: i32, line: &str) {
    let (code, out, err) = got;
    let last = err.lines().last().unwrap_or_default();
    assert_eq!((*code, out.as_str()), (Some(status), ""), "{err}");
    assert!(last.starts_with("error: ") && last.contains(line), "{err}");
    assert_eq!(err.lines().filter(|line| !line.starts_with("warning: ")).count(), 1, "{err}");
}

#[test]
fn a_key_is_made_and_a_model_signed_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let [key, model, bundle] = ["a.key", "m.onnx", "m.bundle"].map(|name| folder.path().join(name));
    fs::copy(shipped(), &model).unwrap();
    let (code, out, err) = flash(&["sign", "--new-key", text(&key)]);
    assert_eq!(code, Some(0), "{err}");
    let public = out.strip_prefix("public_key = \"").unwrap().strip_suffix("\"\n").unwrap();
    assert_eq!(public.len(), 64);

    let (code, out, err) = flash(&["sign", "--key", text(&key), text(&model), "--json"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let signed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&signed["public_key"], &signed["development_key"]), (&public.into(), &false.into()));
    assert_eq!(signed["bytes"], fs::metadata(&bundle).unwrap().len());

    // For Linux the file itself, with the public half in a file of its own for the devices.
    let linux = folder.path().join("linux.bundle");
    let words = ["sign", "--linux", "--key", text(&key), text(&model), "-o", text(&linux), "--json"];
    let (code, out, err) = flash(&words);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let signed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&signed["target"], &signed["arena_bytes"]), (&"Linux".into(), &Value::Null));
    assert!(fs::read(&linux).unwrap().starts_with(b"PNEUMOSL"));
    assert!(fs::read_to_string(folder.path().join("a.pub")).unwrap().ends_with(&format!("\n{public}\n")));

    ends(&flash(&["sign", "--new-key", text(&key)]), 1, "a key is never written over");
    ends(&flash(&["sign", "--key", text(&model), text(&model)]), 1, "m.onnx");
    ends(&flash(&["sign", "--key", text(&key), text(&key)]), 1, "expected an ONNX model");
    ends(&flash(&["sign", "--key", text(&key), text(&model), "-o", text(&model)]), 1, "is the model itself");
}

#[test]
fn without_a_probe_each_command_ends_with_one_clear_line() {
    let fixture = Fixture::new();
    let bundle = text(&fixture.bundle);
    for got in [
        fixture.run("flash", "desk", &NO_PROBE),
        fixture.run("bring-up", "desk", &NO_PROBE),
        fixture.run("flash-model", "desk", &[&[bundle][..], &NO_PROBE].concat()),
        fixture.run("flash-model", "desk", &[&[bundle, "--dry-run", "--json"][..], &NO_PROBE].concat()),
    ] {
        // On a machine with another probe the line says so.
        let other = got.2.contains("the debug probe of --probe is not connected; connected are: ");
        ends(
            &got,
            3,
            if other { "--probe" } else { "no debug probe is connected: plug one in (CMSIS-DAP 2" },
        );
    }
    // A firmware's form and place are looked at before.
    ends(&fixture.run("flash", "desk", &["--elf", bundle]), 4, "expected the firmware as a 32-bit ELF file");
    ends(
        &fixture.run("bring-up", "desk", &["--elf", bundle]),
        4,
        "expected the firmware as a 32-bit ELF file",
    );
    // Without it the board's package is built, which a board of another folder does not have.
    ends(&fixture.run("flash", "desk", &["--dry-run"]), 1, "boards/desk is not in firmware/boards");
}

#[test]
fn a_board_that_is_not_there_or_is_emulated_is_one_line() {
    let fixture = Fixture::new();
    let bundle = text(&fixture.bundle);
    for (command, more) in [("flash", &[][..]), ("flash-model", &[bundle])] {
        let unknown = fixture.run(command, "nowhere", more);
        ends(&unknown, 1, "/boards; the boards are: desk, emulated");
        let emulated = fixture.run(command, "emulated", more);
        ends(&emulated, 1, "use `cargo xtask emulate --board emulated`");
    }
    ends(&fixture.run("flash", "desk", &["--probe", "here"]), 1, "--probe: expected VID:PID");
}

#[test]
fn a_model_that_the_board_would_not_take_is_refused_before_a_probe_is_looked_for() {
    let fixture = Fixture::new();
    let mut bytes = fs::read(&fixture.bundle).unwrap();
    bytes[5000] ^= 1;
    fs::write(&fixture.bundle, bytes).unwrap();
    ends(&fixture.run("flash-model", "desk", &[text(&fixture.bundle)]), 4, "m.bundle: expected SHA-256");
    ends(
        &fixture.run("flash-model", "desk", &[text(&shipped())]),
        4,
        "expected a signed model, got other bytes",
    );
    ends(&fixture.run("flash-model", "desk", &["nowhere"]), 1, "cannot read nowhere");
}

#[test]
fn a_wrong_command_line_is_told_before_anything_is_done() {
    for (args, told) in [
        (&["sign"][..], "required arguments were not provided"),
        (&["sign", "--key", "k"], "<MODEL>"),
        (&["sign", "--new-key", "k", "m"], "'--new-key <FILE>' cannot be used with '[MODEL]'"),
        (&["flash"], "--board <"),
        (&["flash-model", "--board", "b"], "<FILE>"),
    ] {
        let (code, out, err) = flash(args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.starts_with("error: ") && err.contains(told), "{args:?}: {err}");
    }
}
