//! The command lines of `sign`, `flash`, `flash-model`, `uf2`, `dfu`, `hex`, `bring-up` and
//! `send`.

mod loader;

pub use loader::{DfuOptions, FileOptions, HexOptions, Loader, SlotName, Uf2Options};

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Puts firmware and models on a board, and sends it pictures.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Sign(SignOptions),
    Flash(FlashOptions),
    FlashModel(FlashModelOptions),
    Uf2(Uf2Options),
    Dfu(DfuOptions),
    Hex(HexOptions),
    BringUp(BringUpOptions),
    Send(SendOptions),
}

/// Sign a model, so that boards and devices with Linux which know the key take it; or make a key.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask sign --new-key clinic.key          make a key and clinic.pub, show what goes into board.toml
  cargo xtask sign --key clinic.key model.onnx   write model.bundle, for flash-model
  cargo xtask sign --linux --key clinic.key model.onnx   for `edge-runtime model install`
  cargo xtask sign --key clinic.key model.onnx -o new.bundle --json

A key file is text: lines that begin with # are comments, the one other line is the private half, an ed25519 \
seed as 64 hexadecimal digits. Whoever has it can make models that the devices take. For a board on a desk \
there is firmware/boards/keys/development.key, which everybody has.

Exit status: 0 when the file was written, 1 when not, 2 for a wrong command line.")]
pub struct SignOptions {
    /// Make a key, write it to FILE (which must not be there yet; mode 0600) and its public half
    /// beside it, ending in .pub, and print that.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "model", "out"])]
    pub new_key: Option<PathBuf>,
    /// The key to sign with.
    #[arg(long, value_name = "FILE", required_unless_present = "new_key")]
    pub key: Option<PathBuf>,
    /// Sign the model file itself, for a device with Linux, in place of a packed model for boards.
    #[arg(long, conflicts_with = "new_key")]
    pub linux: bool,
    /// An ONNX model; for a board a packed one too.
    #[arg(value_name = "MODEL", required_unless_present = "new_key")]
    pub model: Option<PathBuf>,
    /// Where to write the signed model. [default: beside MODEL, ending in .bundle]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Which board, by which probe.
#[derive(Args, Debug)]
pub struct BoardOptions {
    /// The board: the name in its board.toml.
    #[arg(long, value_name = "NAME")]
    pub board: String,
    /// The debug probe, where several are connected.
    #[arg(long, value_name = "VID:PID[:SERIAL]")]
    pub probe: Option<String>,
    /// Folder of the boards. [default: firmware/boards of the source]
    #[arg(long, value_name = "DIR")]
    pub boards: Option<PathBuf>,
}

/// Build a board's firmware and write it through a debug probe. Models and records on the board
/// stay.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask flash --board stm32h7                     build, write, read back, start
  cargo xtask flash --board stm32h7 --dry-run           build and check; needs no board
  cargo xtask flash --board rp2350 --probe 2e8a:000c    by that probe
  cargo xtask flash --board nrf52840 --unlock           a new nRF52840-DK, whose chip is locked

To see the log: `cargo run --profile chip` in the board's folder flashes too and stays connected (probe-rs run).

Exit status:
  0  the board was started with it
  1  anything else went wrong; the last line says what
  2  the command line is wrong
  3  no debug probe is connected
  4  the firmware is not for this board, which was left as it was")]
pub struct FlashOptions {
    #[command(flatten)]
    pub board: BoardOptions,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Where the chip is locked against debug probes, unlock it: that erases all that is on it,
    /// models and records too. A chip that is not locked is written as without it.
    #[arg(long)]
    pub unlock: bool,
    /// Write this built firmware instead of building it.
    #[arg(long, value_name = "FILE")]
    pub elf: Option<PathBuf>,
}

/// Write a signed model to the slot of a board that does not run, and start it. The firmware stays.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask flash-model --board stm32h7 model.bundle            check, write, read back, start
  cargo xtask flash-model --board stm32h7 model.bundle --dry-run  which slot would it be?

The file is checked as the board will check it: form, checksum, signature, size, working memory, version. \
The board then runs the model's self-test before it takes it, and goes on with the old one if that fails; its \
log says so (`probe-rs attach` shows it).

Exit status:
  0  the board was started with it, or runs it already
  1  anything else went wrong; the last line says what
  2  the command line is wrong
  3  no debug probe is connected
  4  the model is not for this board, which was left as it was")]
pub struct FlashModelOptions {
    #[command(flatten)]
    pub board: BoardOptions,
    /// The signed model, as `cargo xtask sign` makes it.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Look at the board, say what would be written, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Write one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Flash the checklist of a board's first start in place of its firmware, and show what it says.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask bring-up --board rp2350                   flash the checklist, go through it, print its table
  cargo xtask bring-up --board rp2350 --json            one JSON object
  cargo xtask bring-up --board rp2350 --picture a.png   keep the camera's picture

Watch the lamps meanwhile, and press the button once when you are asked to. Models and records on the board stay. \
Afterwards `cargo xtask flash` puts the firmware back. docs/BRING-UP.md has the wiring.

Exit status:
  0  every check passed, or had nothing to check
  1  anything else went wrong; the last line says what
  2  the command line is wrong
  3  no debug probe is connected
  4  the program is not for this board, which was left as it was
  5  a check failed")]
pub struct BringUpOptions {
    #[command(flatten)]
    pub board: BoardOptions,
    /// Flash this built checklist instead of building it.
    #[arg(long, value_name = "FILE")]
    pub elf: Option<PathBuf>,
    /// Where to write the picture of the camera, as PNG.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// How long the board may be silent.
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// Write one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Send pictures to a board that takes its frames over a serial line (nrf52840), in place of a
/// camera.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask send --port /dev/ttyACM0 chest.png        three frames, as many as must agree
  cargo xtask send --port /dev/ttyACM0 --json *.png     one object a picture

A picture of more than 256 kB, or with rows of more than 1024 bytes, would be stale before the board has judged it: it is made grey and \
smaller, and the line says so. A board with a button asks for a frame after a press. What the board says of a picture is on its lights and in its log.

Exit status: 0 when the board has taken every frame whole, 1 when not, 2 for a wrong command line.")]
pub struct SendOptions {
    /// The board's serial port.
    #[arg(long, value_name = "PORT")]
    pub port: String,
    /// How often each picture is sent.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub frames: u32,
    /// How long the board may be silent.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// Write one JSON object a picture instead of text.
    #[arg(long)]
    pub json: bool,
    /// JPEG or PNG files.
    #[arg(required = true, value_name = "PICTURE")]
    pub pictures: Vec<PathBuf>,
}
