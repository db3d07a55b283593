//! `uf2`, `dfu` and `hex`: files without a board or a probe.

use crate::program::{Fixture, ends};
use crate::{flash, text};
use flash::boards_folder;
use serde_json::Value;
use std::fs;

#[test]
fn a_model_becomes_a_file_for_its_slot() {
    let fixture = Fixture::new();
    let (bundle, folder) = (text(&fixture.bundle), fixture.folder.path());
    let length = fs::metadata(bundle).unwrap().len();
    for (command, board, slot, start) in [
        ("uf2", "rp2350", "A", "slot_a"),
        ("uf2", "rp2350", "b", "slot_b"),
        ("dfu", "stm32h7", "B", "slot_b"),
        ("hex", "nrf52840", "A", "slot_a"),
    ] {
        let out = folder.join("out");
        let args = [command, "--board", board, "--model", bundle, "--slot", slot, "-o", text(&out), "--json"];
        let (code, json, err) = flash(&args);
        assert_eq!(code, Some(0), "{err}");
        let written: Value = serde_json::from_str(&json).unwrap();
        let board = board_config::find(&boards_folder(), board).unwrap().1;
        let regions = board.regions();
        let (_, region) = regions.iter().find(|(name, _)| *name == start).unwrap();
        assert_eq!(written["region"], start);
        assert_eq!((&written["start"], &written["length"]), (&region.start.into(), &length.into()));
        assert_eq!(written["bytes"], fs::metadata(out).unwrap().len());
    }
}

#[test]
fn what_does_not_fit_is_one_line_and_writes_nothing() {
    let fixture = Fixture::new();
    let (bundle, out) = (text(&fixture.bundle).to_owned(), fixture.folder.path().join("out"));
    let model = ["--model", &bundle, "--slot", "A", "-o", text(&out)];
    ends(
        &fixture.run("uf2", "desk", &model),
        1,
        "for chips RP235..., and desk has nRF52840_xxAA: use `cargo",
    );
    ends(&fixture.run("dfu", "desk", &model), 1, "for chips STM32..., and desk has nRF52840_xxAA");
    ends(&fixture.run("hex", "emulated", &model), 1, "use `cargo xtask emulate --board emulated`");
    ends(&fixture.run("hex", "nowhere", &model), 1, "the boards are: desk, emulated");
    ends(
        &fixture.run("hex", "desk", &["--elf", &bundle]),
        4,
        "m.bundle: expected the firmware as a 32-bit ELF",
    );
    let openmv = [&["dfu", "--board", "stm32h7", "--loader", "openmv"], &model[..]].concat();
    ends(&flash(&openmv), 4, "OpenMV's boot loader writes from 0x08040000 on, and this begins at 0x08100000");

    let mut bytes = fs::read(&bundle).unwrap();
    bytes[5000] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    ends(&fixture.run("hex", "desk", &model), 4, "m.bundle: expected SHA-256");
    assert!(!out.exists());
    for wrong in [&model[..2], &model[2..4], &["--slot", "C"]] {
        assert_eq!(fixture.run("hex", "desk", wrong).0, Some(2), "{wrong:?}");
    }
}
