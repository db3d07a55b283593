//! Files for boot loaders: models for the slots of the real boards, and every kind of file as other
//! people's readers see it.

use anyhow::{Context, ensure};
use board_config::Board;
use edge_model::aligned::AlignedBytes;
use firmware::slots::Slot;
use flash::content::Content;
use flash::{boards_folder, dfu, hex, key, sign, uf2};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

/// The shipped model, signed for the boards as they come.
static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let model = fs::read(boards_folder().join("../../models/pneumonia/model.packed")).unwrap();
    let key = key::read(&boards_folder().join("keys/development.key")).unwrap();
    sign::sign(&sign::pack(&model).unwrap(), &key).unwrap()
});

fn board(name: &str) -> Board {
    board_config::find(&boards_folder(), name).unwrap().1
}

#[test]
fn a_model_lies_at_the_start_of_its_slot_of_each_board() {
    for name in ["rp2350", "stm32h7", "nrf52840"] {
        let board = board(name);
        for (slot, region) in [(Slot::A, board.flash.slot_a), (Slot::B, board.flash.slot_b)] {
            let content = Content::model(&BUNDLE, &board, slot).unwrap();
            assert_eq!((content.start(), content.region()), (region.start, region), "{name}");
            assert!(content.bytes() == *BUNDLE);
        }
    }
}

#[test]
fn what_the_board_would_not_take_is_refused() {
    let mut board = board("rp2350");
    let mut changed = BUNDLE.clone();
    changed[5000] ^= 1;
    let error = |bytes: &[u8], board: &Board| Content::model(bytes, board, Slot::A).unwrap_err().to_string();
    assert!(error(&changed, &board).contains("damaged"));
    assert!(error(b"no model", &board).contains("header"));
    board.public_key = key::hex(&[3; 32]);
    assert!(error(&BUNDLE, &board).contains("key"));
    // An unsigned model is none either.
    let packed = fs::read(boards_folder().join("../../models/pneumonia/model.packed")).unwrap();
    assert!(Content::firmware(AlignedBytes::copy_of(&packed).as_ref(), &board).is_err());
}

/// Runs another's reader.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().context("it is there: `cargo xtask test loaders` brings it")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A script of Python's with the packages of tests/loaders.txt.
fn python(script: &str, arguments: &[&Path]) -> anyhow::Result<()> {
    run(test_support::python::python().args(["-c", script]).args(arguments))
}

/// Microsoft's own reader, of one family, as Adafruit packs it.
const UF2: &str = "
import sys
from adafruit_uf2 import uf2conv
uf2conv.familyid = int(sys.argv[3], 16)
data = uf2conv.convert_from_uf2(open(sys.argv[1], 'rb').read())
assert data, 'nothing of this family'
open(sys.argv[2], 'wb').write(uf2conv.appstartaddr.to_bytes(4, 'little') + data)
";

const HEX: &str = "
import sys
from intelhex import IntelHex
read = IntelHex(sys.argv[1])
(start, end), = read.segments()
open(sys.argv[2], 'wb').write(start.to_bytes(4, 'little') + read.tobinstr(start=start, end=end - 1))
";

/// What a reader of Python's wrote: the first address and the bytes from there on.
fn read(script: &str, file: &[u8], more: &[&Path]) -> anyhow::Result<(u32, Vec<u8>)> {
    let folder = tempfile::tempdir()?;
    let [from, to] = ["file", "read"].map(|name| folder.path().join(name));
    fs::write(&from, file)?;
    python(script, &[&[from.as_path(), to.as_path()], more].concat())?;
    let read = fs::read(to)?;
    let (start, bytes) = read.split_first_chunk().context("too short")?;
    Ok((u32::from_le_bytes(*start), bytes.to_vec()))
}

#[test]
#[ignore = "needs others' readers: `cargo xtask test loaders` brings them and runs this test"]
fn loaders_uf2_is_what_microsofts_reader_reads() {
    let board = board("rp2350");
    let content = Content::model(&BUNDLE, &board, Slot::B).unwrap();
    let [absolute, arm] = ["e48bff57", "e48bff59"].map(Path::new);
    let expected = |file: &[u8], family| {
        let (start, bytes) = read(UF2, file, &[family])?;
        ensure!(start == content.start() && bytes.starts_with(content.bytes()), "it is another");
        ensure!(bytes.len() < content.bytes().len() + 256, "{} bytes", bytes.len());
        Ok(())
    };
    let model = uf2::model(&content).unwrap();
    expected(&model, absolute).unwrap();
    // Also behind the block of the erratum, which is another family's.
    let firmware = uf2::firmware(&content, &board).unwrap();
    expected(&firmware, arm).unwrap();
    let (start, spare) = read(UF2, &firmware[..uf2::BLOCK], &[absolute]).unwrap();
    assert_eq!((start, spare), (0x10FF_FF00, vec![0xEF; 256]));
    // Planted: another magic, address and family, and half a block.
    for at in [0, 5, 12, 28] {
        let mut changed = model.clone();
        changed[3 * uf2::BLOCK + at] ^= 4;
        assert!(expected(&changed, absolute).is_err(), "{at}");
    }
    assert!(expected(&model[..model.len() - 700], absolute).is_err());
    assert!(expected(&model, arm).is_err());
}

#[test]
#[ignore = "needs others' readers: `cargo xtask test loaders` brings them and runs this test"]
fn loaders_hex_is_what_intelhex_reads() {
    let content = Content::model(&BUNDLE, &board("nrf52840"), Slot::A).unwrap();
    let text = hex::text(&content);
    let (start, bytes) = read(HEX, text.as_bytes(), &[]).unwrap();
    assert_eq!(start, content.start());
    assert!(bytes == content.bytes());
    // Planted: a digit of the second line, and a file without its end.
    let mut changed = text.clone().into_bytes();
    changed[40] = if changed[40] == b'0' { b'1' } else { b'0' };
    assert!(read(HEX, &changed, &[]).is_err());
}

#[test]
#[ignore = "needs others' readers: `cargo xtask test loaders` brings them and runs this test"]
fn loaders_dfu_has_the_suffix_that_dfu_suffix_checks() {
    let board = board("stm32h7");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.dfu");
    let check = |file: &[u8]| {
        fs::write(&path, file)?;
        run(Command::new("dfu-suffix").arg("-c").arg(&path))
    };
    let file = dfu::dfuse(&Content::model(&BUNDLE, &board, Slot::A).unwrap()).unwrap();
    check(&file).unwrap();
    // Planted: a byte of the model, of the numbers, of the signature and of the sum.
    for from_end in [1000, 14, 8, 1] {
        let mut changed = file.clone();
        let at = changed.len() - from_end;
        changed[at] ^= 1;
        assert!(check(&changed).is_err(), "{from_end}");
    }
}
