//! Whether this machine computes what it must and has what it needs: a known picture through preprocessing and engine, the folder of
//! the log, the lines of the lights, the clock.
//!
//! [`golden`] is for every start: some milliseconds. The others are what a device can run without for a while; it shows why.

use crate::config::Lights;
use crate::engine::{Engine, EngineError};
use crate::infer_core::CoreEngine;
use crate::model_file::{ModelFile, sha256_hex};
use crate::phantom::{self, Label};
use crate::signal::gpio;
use edge_core::Scratch;
use edge_core::kernels::Kernels;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What `models/pneumonia/golden.json` holds of its frame `pneumonia-00`: what onnxruntime made of it. A test compares.
pub mod shipped {
    /// SHA-256 of the shipped model.
    pub const MODEL: &str = "8cff722358d73d9bce6988eb9313582e71fd3796b86b72f8d27a0eda73e051de";
    /// SHA-256 of the network's input.
    pub const INPUT: &str = "eeca3323b4f2cb598cc9549be9bd5956b17baa2b46aae3ff53cf3ad60a4f2c6b";
    pub const LOGIT: u32 = 0x3f00_ff75;
    /// Side of the shipped model's input, in pixels.
    pub const SIDE: u16 = 128;
}

/// Seconds from 1970 to the time before which this program was not there: a clock that says so is wrong.
const NOT_BEFORE: u64 = 1_767_225_600; // 2026-01-01

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelfTestError {
    #[error(
        "preprocessing gives SHA-256 {got}, expected {expected}; the program is damaged: install it again"
    )]
    Preprocessing {
        /// SHA-256 of the input as it must be.
        expected: &'static str,
        got: String,
    },
    #[error(
        "{engine} gives a logit with bits {got:08x}, expected {expected:08x} as by {reference}; \
         the program, the memory or the processor is damaged: install it again, and if it stays, change the machine"
    )]
    Logit {
        engine: &'static str,
        reference: &'static str,
        /// Bits of the logit as they must be.
        expected: u32,
        got: u32,
    },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Puts a known picture through preprocessing and engine and compares the bits: with onnxruntime's for the shipped model, with the
/// scalar kernels' for any other. The model's own checksum is checked when it is loaded.
/// [`SelfTestError`]: nothing that this engine says may be shown.
pub fn golden(model: &ModelFile, engine: &mut dyn Engine) -> Result<(), SelfTestError> {
    let side = model.metadata.input_side;
    let input = input(side);
    if side == shipped::SIDE {
        let got = sha256_hex(&input);
        if got != shipped::INPUT {
            return Err(SelfTestError::Preprocessing { expected: shipped::INPUT, got });
        }
    }
    let got = engine.infer(&input)?.to_bits();
    let (reference, expected) = if model.sha256 == shipped::MODEL {
        ("onnxruntime", shipped::LOGIT)
    } else {
        let logit = CoreEngine::load(model, Kernels::SCALAR)?.infer(&input)?;
        ("the scalar kernels", logit.to_bits())
    };
    if got == expected {
        Ok(())
    } else {
        Err(SelfTestError::Logit { engine: engine.name(), reference, expected, got })
    }
}

/// The golden frame `pneumonia-00` as the input of a network of that side, in pixels.
pub fn input(side: u16) -> Vec<u8> {
    let picture = phantom::draw(Label::Pneumonia, 100, 96);
    let n = usize::from(side);
    let (mut row, mut line, mut cells, mut input) = (vec![0; n], vec![0; n], vec![0; n * n], vec![0; n * n]);
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    // Cannot fail on a drawn picture; were it to, the zeros would not pass for it.
    let _ = edge_core::preprocess(&picture.frame(), side, scratch, &mut input);
    input
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// The device works, but somebody should see to it.
    Warning,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub verdict: Verdict,
    /// In words: what is there, or what is wrong and what to do.
    pub detail: String,
}

impl Check {
    /// It is so, or it is not, which is a failure.
    pub fn new<E: ToString>(name: &'static str, result: Result<impl ToString, E>) -> Self {
        match result {
            Ok(detail) => Self { name, verdict: Verdict::Ok, detail: detail.to_string() },
            Err(error) => Self { name, verdict: Verdict::Failed, detail: error.to_string() },
        }
    }

    /// The same, where a failure is worth a warning only.
    #[must_use]
    pub fn or_warn(mut self) -> Self {
        if self.verdict == Verdict::Failed {
            self.verdict = Verdict::Warning;
        }
        self
    }
}

pub fn passed(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.verdict != Verdict::Failed)
}

/// Whether files can be made in the folder of the log.
pub fn log_folder(log: &Path) -> Check {
    let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(b"self-test")?;
        file.sync_all()
    };
    let folder = folder.display();
    Check::new(
        "log",
        write().map(|()| format!("{folder} can be written")).map_err(|error| {
            format!(
                "{folder} cannot be written: {error}; check that it exists, belongs to this user and has room"
            )
        }),
    )
}

/// Where the lines of the lights are; a missing one is a warning, because the device goes on and looks for it.
pub fn lines(lights: &Lights) -> Vec<Check> {
    let mut checks: Vec<_> = lights
        .lines()
        .map(|(name, spec)| {
            let found = gpio::find(spec).map(|place| match place.user {
                Some(user) => format!("{spec}, in use by `{}`", user.escape_debug()),
                None => spec.to_string(),
            });
            Check::new(name, found).or_warn()
        })
        .collect();
    if checks.is_empty() {
        checks.push(Check::new("lights", Ok::<_, String>("none; the screen only")));
    } else if lights.heartbeat.is_none() {
        let why = "no line for a heartbeat: nobody can tell a dead device from a dark one";
        checks.push(Check::new("heartbeat", Err::<&str, _>(why)).or_warn());
    }
    checks
}

/// Whether the clock has been set; the log carries it, so a wrong one is worth a warning.
pub fn clock(now: SystemTime) -> Check {
    let sane =
        now.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|age| age >= Duration::from_secs(NOT_BEFORE));
    let wrong =
        "it stands before this program was made; set it (`timedatectl`), or the log will carry wrong times";
    Check::new("clock", if sane { Ok("set") } else { Err(wrong) }).or_warn()
}
