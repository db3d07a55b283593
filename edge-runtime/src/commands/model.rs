//! `edge-runtime model`: the models that are installed on this device.

mod install;
mod list;
mod owner;
mod place;
mod restart;
mod roll_back;
mod verify;

pub use place::configuration;

use crate::outcome::Outcome;
use crate::report::Output;
use anyhow::Result;
use clap::Subcommand;
use edge_model::engine::EngineKind;
use place::Place;

const INSTALL: &str = "\
FILE is made by `cargo xtask sign --linux --key KEY model.onnx`; the public half of KEY lies in
/etc/pneumoscope/keys. It is checked (signature, model, version, site file), passes its self-test, and
is copied into the store. The device tries it at its next start and confirms it once it has judged
three pictures and run for a minute; a device that ends or fails twice with it goes back to the one
before by itself. Each change is in the device's log. As root it is written as the owner of the store.

Examples:
  sudo edge-runtime model install new.bundle --restart
  sudo edge-runtime model install - < new.bundle
  edge-runtime calibrate --model new.bundle --labels site.csv --out new.toml   first, for a site's thresholds

Exit codes:
  0  it is tried at the next start, or runs already
  1  it could not be written
  2  the command line is wrong
  4  it was refused, and nothing was changed
  5  the configuration is wrong";

const LIST: &str = "\
States: confirmed (it runs), pending (it is tried at the next start), previous (`rollback` goes back to it),
rejected (with why), built in.

Examples:
  edge-runtime model list
  edge-runtime model list --json";

const ROLLBACK: &str = "\
A model that waits or is on trial is taken back; else the one before the confirmed one runs from the
next start on, once. It is checked first, as at an installation.

Example:
  sudo edge-runtime model rollback --restart

Exit codes:
  0  done
  1  there is none to go back to, or it could not be written
  4  it was refused, and nothing was changed";

const VERIFY: &str = "\
Each file is read again: its signature, its hash, and its self-test in this program. A rejected model
that fails is a warning only.

Exit codes: 0 all are sound; 5 one is not.";

#[derive(Debug, Subcommand)]
pub enum Model {
    /// Take a signed model, which the device tries at its next start.
    #[command(after_help = INSTALL)]
    Install(install::Install),
    /// The models that are kept, with version, hash, state and date.
    #[command(after_help = LIST)]
    List(Place),
    /// Go back to the model before.
    #[command(after_help = ROLLBACK)]
    Rollback(roll_back::RollBack),
    /// Check every kept model again.
    #[command(after_help = VERIFY)]
    Verify(Place),
}

pub fn run(command: &Model, engine: Option<EngineKind>, output: Output) -> Result<Outcome> {
    match command {
        Model::Install(options) => install::run(options, engine, output),
        Model::List(place) => list::run(&place.configuration()?, output),
        Model::Rollback(options) => roll_back::run(options, engine, output),
        Model::Verify(place) => verify::run(&place.configuration()?, engine, output),
    }
}
