//! Puts libtorch in place, then has cargo build and run the trainer.
//!
//! libtorch lies in `.cache/libtorch` (see [`crate::libtorch`]); one of the user's own, named by
//! `LIBTORCH` or `LIBTORCH_USE_PYTORCH=1`, is used as it is. This process *becomes* cargo where the
//! system can do that, and cargo becomes the trainer, so exit status, Ctrl-C and every other signal
//! are the trainer's without any forwarding.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use debian_packages::{Tool, ensure_tools};

use crate::hand_over::hand_over;
use crate::libtorch;

/// What building the trainer needs: a C++ compiler for libtorch's shim, Python with pip to fetch
/// libtorch. On Windows the compiler is found in the registry, and libtorch is the user's own.
const TOOLS: &[Tool] = if cfg!(windows) {
    &[]
} else {
    &[
        Tool { ask: &["c++", "--version"], package: "g++" },
        Tool { ask: &["python3", "-m", "pip", "--version"], package: "python3-pip" },
    ]
};

/// Settings of the GNU C library's allocator, for the trainer: freed memory is kept and used again.
/// By default each large tensor is memory that the kernel maps, clears and takes back, at every
/// step: a third of a teacher's processor time (178 million page faults in two epochs of a Lite0 at
/// 160 pixels; 18 thousand with these).
const ALLOCATOR: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=268435456:\
     glibc.malloc.hugetlb=1",
);

/// Fetches libtorch where it is missing and runs the trainer; returns only for `setup` or on
/// failure.
pub fn run(args: Vec<OsString>) -> anyhow::Result<()> {
    let root = workspace_root()?;
    let ours = root.join(".cache/libtorch");
    let choice = choose(std::env::var_os("LIBTORCH"), std::env::var_os("LIBTORCH_USE_PYTORCH"), &ours);
    ensure_tools(TOOLS)?;
    let setup = setup(&args)?;
    match &choice {
        Choice::Ours => libtorch::ensure(&root.join(".cache"), setup == Some(Setup { cuda: true }))?,
        Choice::Users(name) => eprintln!("libtorch: using {name} from the environment; nothing is fetched"),
    }
    if setup.is_some() {
        return Ok(());
    }
    let mut trainer = trainer(&root, &choice);
    trainer.args(args);
    let program = trainer.get_program().to_owned();
    Err(hand_over(trainer)).with_context(|| format!("cannot run {program:?}; is cargo installed?"))
}

/// The subcommand `setup`, which stops when libtorch is there.
#[derive(Debug, PartialEq, Eq)]
struct Setup {
    /// One that uses CUDA where there is a driver.
    cuda: bool,
}

/// None where the arguments are the trainer's.
fn setup(args: &[OsString]) -> anyhow::Result<Option<Setup>> {
    match args {
        [first] if first == "setup" => Ok(Some(Setup { cuda: false })),
        [first, second] if first == "setup" && second == "--cuda" => Ok(Some(Setup { cuda: true })),
        [first, other, ..] if first == "setup" => {
            bail!("`setup` fetches libtorch and stops; it takes --cuda or nothing, but got {other:?}")
        }
        _ => Ok(None),
    }
}

/// The command that builds the trainer of the workspace `root`, in this program's own profile, and
/// runs it.
fn trainer(root: &Path, choice: &Choice) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--package=trainer", "--manifest-path"]).arg(root.join("Cargo.toml"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    if *choice == Choice::Ours {
        // Cargo sets it too when it is started inside the workspace, but not from elsewhere.
        cargo.env("LIBTORCH", root.join(".cache/libtorch"));
    }
    if std::env::var_os(ALLOCATOR.0).is_none() {
        cargo.env(ALLOCATOR.0, ALLOCATOR.1);
    }
    cargo.arg("--");
    cargo
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

/// The folder of the workspace. Cargo names the package's folder when it runs this program; the
/// place where it was compiled serves when it is started directly.
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
    fn setup_takes_cuda_or_nothing() {
        let of = |args: &[&str]| setup(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["setup"]).unwrap(), Some(Setup { cuda: false }));
        assert_eq!(of(&["setup", "--cuda"]).unwrap(), Some(Setup { cuda: true }));
        assert_eq!(of(&["all", "--cuda"]).unwrap(), None);
        assert_eq!(of(&[]).unwrap(), None);
        assert!(of(&["setup", "--gpu"]).is_err() && of(&["setup", "--cuda", "x"]).is_err());
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
    fn the_trainer_is_run_with_our_libtorch_or_the_users() {
        let command = trainer(Path::new("/w"), &Choice::Ours);
        assert!(command.get_args().any(|arg| arg == "--package=trainer"));
        assert!(command.get_args().last().is_some_and(|arg| arg == "--"));
        let libtorch = |command: &Command| command.get_envs().any(|(name, _)| name == "LIBTORCH");
        assert!(libtorch(&command));
        assert!(!libtorch(&trainer(Path::new("/w"), &Choice::Users("LIBTORCH=/opt".into()))));
    }

    #[cfg(unix)]
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
