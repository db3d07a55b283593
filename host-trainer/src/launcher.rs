//! The launcher: what `cargo run -p host-trainer` is before libtorch is there.
//!
//! It makes sure that libtorch lies in `.cache/libtorch` (see [`crate::libtorch`]), has cargo build the trainer in its own
//! place and then *becomes* it. The process is replaced, not started beside this one, so exit status, Ctrl-C and every other
//! signal belong to the trainer without any forwarding.
//!
//! The trainer is built with the features that the tests of the whole workspace give it, and in this program's own profile:
//! who has run the tests has it already.
//!
//! A libtorch of the user's own, named by `LIBTORCH` or `LIBTORCH_USE_PYTORCH=1`, is used as it is.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::debian::Tool;
use crate::{debian, libtorch};

/// What building the trainer needs: a C++ compiler for libtorch's shim, Python with pip to fetch libtorch.
const TOOLS: [Tool; 2] = [
    Tool { ask: &["c++", "--version"], package: "g++" },
    Tool { ask: &["python3", "-m", "pip", "--version"], package: "python3-pip" },
];

/// The launcher's `main`: exit status 1 with a message when libtorch cannot be had, else the trainer's status.
pub fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Fetches libtorch where it is missing and runs the trainer; returns only for `setup` or on failure.
fn run(args: Vec<OsString>) -> anyhow::Result<()> {
    let root = workspace_root()?;
    let ours = root.join(".cache/libtorch");
    let choice = choose(std::env::var_os("LIBTORCH"), std::env::var_os("LIBTORCH_USE_PYTORCH"), &ours);
    debian::ensure_tools(&TOOLS)?;
    match &choice {
        Choice::Ours => libtorch::ensure(&root.join(".cache"))?,
        Choice::Users(name) => eprintln!("libtorch: using {name} from the environment; nothing is fetched"),
    }
    if args.first().is_some_and(|first| first == "setup") {
        if args.len() > 1 {
            bail!("`setup` fetches libtorch and stops; it takes no argument, but got {:?}", args[1]);
        }
        return Ok(());
    }
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let launcher = identity(&program)?;
    let mut cargo = build(&root, &choice);
    let status = cargo
        .status()
        .with_context(|| format!("cannot run {:?}; is cargo installed?", cargo.get_program()))?;
    if !status.success() {
        bail!("the trainer cannot be built ({status}); the reason stands above");
    }
    if identity(&program)? == launcher {
        bail!(
            "expected the trainer at {} after building it, but there is still its launcher: start it with \
             `cargo run -p host-trainer`, and again if another cargo was building it too",
            program.display()
        );
    }
    let error = Command::new(&program).args(args).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}

/// The command that builds the trainer of the workspace `root`.
fn build(root: &Path, choice: &Choice) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--workspace", "--bin=host-trainer", "--features=host-trainer/torch"]);
    cargo.arg("--manifest-path").arg(root.join("Cargo.toml"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    if *choice == Choice::Ours {
        // Cargo sets it too when it is started inside the workspace, but not from elsewhere.
        cargo.env("LIBTORCH", root.join(".cache/libtorch"));
    }
    cargo
}

/// What tells one file from another that takes its place.
fn identity(program: &Path) -> anyhow::Result<(u64, u64)> {
    let file = program.metadata().with_context(|| format!("cannot look at {}", program.display()))?;
    Ok((file.dev(), file.ino()))
}

#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// The one in `.cache/libtorch`, fetched where it is missing.
    Ours,
    /// One that the environment names, as `NAME=value`.
    Users(String),
}

/// The user's libtorch when the environment names one, else ours. torch-sys takes any value of
/// `LIBTORCH_USE_PYTORCH` for a yes. Cargo itself sets `LIBTORCH` to `ours` by
/// `.cargo/config.toml`, so that value is not the user's.
fn choose(libtorch: Option<OsString>, use_pytorch: Option<OsString>, ours: &Path) -> Choice {
    if let Some(value) = use_pytorch {
        return Choice::Users(format!("LIBTORCH_USE_PYTORCH={}", value.display()));
    }
    match libtorch {
        Some(path) if !path.is_empty() && !same_path(Path::new(&path), ours) => {
            Choice::Users(format!("LIBTORCH={}", Path::new(&path).display()))
        }
        _ => Choice::Ours,
    }
}

/// True if both name one place, symbolic links followed where the place exists.
fn same_path(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    a == b || real(a) == real(b)
}

/// The folder of the workspace. Cargo names the package's folder when it runs this program; the place where it was
/// compiled serves when it is started directly.
fn workspace_root() -> anyhow::Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).parent().unwrap_or(Path::new("/")).to_path_buf();
    if !root.join("host-trainer/Cargo.toml").is_file() {
        bail!(
            "{} is not the Pneumoscope workspace; start the trainer with `cargo run -p host-trainer`",
            root.display()
        );
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(libtorch: Option<&str>, use_pytorch: Option<&str>) -> Choice {
        choose(libtorch.map(Into::into), use_pytorch.map(Into::into), Path::new("/w/.cache/libtorch"))
    }

    #[test]
    fn cargos_own_setting_is_not_the_users() {
        assert_eq!(chosen(None, None), Choice::Ours);
        assert_eq!(chosen(Some(""), None), Choice::Ours);
        assert_eq!(chosen(Some("/w/.cache/libtorch"), None), Choice::Ours);
        assert_eq!(chosen(Some("/w/.cache/libtorch/"), None), Choice::Ours);
    }

    #[test]
    fn the_users_libtorch_wins() {
        assert_eq!(chosen(Some("/opt/libtorch"), None), Choice::Users("LIBTORCH=/opt/libtorch".into()));
        assert_eq!(
            chosen(Some("/w/.cache/libtorch"), Some("1")),
            Choice::Users("LIBTORCH_USE_PYTORCH=1".into())
        );
    }

    #[test]
    fn the_trainer_is_built_with_torch_and_our_libtorch() {
        let command = build(Path::new("/w"), &Choice::Ours);
        assert!(command.get_args().any(|arg| arg == "--features=host-trainer/torch"));
        let libtorch = |command: &Command| command.get_envs().any(|(name, _)| name == "LIBTORCH");
        assert!(libtorch(&command));
        assert!(!libtorch(&build(Path::new("/w"), &Choice::Users("LIBTORCH=/opt".into()))));
    }

    #[test]
    fn a_file_that_takes_the_place_of_another_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let [program, next] = ["program", "next"].map(|name| dir.path().join(name));
        std::fs::write(&program, "launcher").unwrap();
        let before = identity(&program).unwrap();
        assert_eq!(before, identity(&program).unwrap());
        std::fs::write(&next, "trainer").unwrap();
        std::fs::rename(&next, &program).unwrap();
        assert_ne!(before, identity(&program).unwrap());
    }

    #[test]
    fn a_link_to_our_folder_is_our_folder() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, dir.path().join("link")).unwrap();
        assert!(same_path(&dir.path().join("link"), &real));
        assert!(!same_path(dir.path(), &real));
    }
}
