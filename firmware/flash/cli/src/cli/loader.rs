//! The command lines of `uf2`, `dfu` and `hex`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How each of the three ends.
macro_rules! exit_status {
    () => {
        "\
A file for a slot writes nothing but that slot, one for the firmware nothing but its region; records stay. \
Whether a model is taken is decided by the board at its next start; its log says so.

Exit status:
  0  the file was written
  1  anything else went wrong; the last line says what
  2  the command line is wrong
  4  the firmware or the model is not for this board"
    };
}

/// What goes into the file, and where it goes.
#[derive(Args, Debug)]
pub struct FileOptions {
    /// The board: the name in its board.toml.
    #[arg(long, value_name = "NAME")]
    pub board: String,
    /// Folder of the boards. [default: firmware/boards of the source]
    #[arg(long, value_name = "DIR")]
    pub boards: Option<PathBuf>,
    /// Take this built firmware instead of building it.
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub elf: Option<PathBuf>,
    /// Instead of the firmware, a signed model, as `cargo xtask sign` makes it.
    #[arg(long, value_name = "FILE", requires = "slot")]
    pub model: Option<PathBuf>,
    /// The slot that the model is for.
    #[arg(long, value_name = "SLOT", requires = "model", ignore_case = true)]
    pub slot: Option<SlotName>,
    /// Where to write the file. [default: target/BOARD.KIND, target/BOARD-slot_a.KIND]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// A slot for a model.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SlotName {
    A,
    B,
}

/// Make a UF2 file of a board's firmware or of a model, which the RP2350 takes as a drive: no probe
/// is needed.
#[derive(Args, Debug)]
#[command(after_help = concat!("\
Examples:
  cargo xtask uf2 --board rp2350                                  build, write target/rp2350.uf2
  cargo xtask uf2 --board rp2350 --model model.bundle --slot A    write target/rp2350-slot_a.uf2

Hold BOOTSEL while you plug the board in and copy the file onto the drive RP2350; it restarts by itself.

", exit_status!()))]
pub struct Uf2Options {
    #[command(flatten)]
    pub file: FileOptions,
}

/// Make a DFU file of a board's firmware or of a model, for an STM32's boot loader: no probe is
/// needed.
#[derive(Args, Debug)]
#[command(after_help = concat!("\
Examples:
  cargo xtask dfu --board stm32h7                                 build, write target/stm32h7.dfu, for ST's boot ROM
  cargo xtask dfu --board stm32h7 --loader openmv                 for the boot loader of an OpenMV camera
  cargo xtask dfu --board stm32h7 --model model.bundle --slot B   write target/stm32h7-slot_b.dfu

dfu-util writes them; docs/BRING-UP.md says how.

", exit_status!()))]
pub struct DfuOptions {
    #[command(flatten)]
    pub file: FileOptions,
    /// The boot loader.
    #[arg(long, value_enum, default_value_t = Loader::St)]
    pub loader: Loader,
}

/// Make an Intel HEX file of a board's firmware or of a model, for a programmer or the drive of a
/// J-Link on the board.
#[derive(Args, Debug)]
#[command(after_help = concat!("\
Examples:
  cargo xtask hex --board nrf52840                                build, write target/nrf52840.hex
  cargo xtask hex --board nrf52840 --model model.bundle --slot A  write target/nrf52840-slot_a.hex

", exit_status!()))]
pub struct HexOptions {
    #[command(flatten)]
    pub file: FileOptions,
}

/// A boot loader of an STM32.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Loader {
    /// ST's, in the chip's ROM: takes firmware and models
    St,
    /// That of an OpenMV camera: takes firmware that begins where its own does
    Openmv,
}
