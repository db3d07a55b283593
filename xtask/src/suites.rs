//! The suites of `cargo xtask test`: what each is, what it needs, and how it is run. To add one,
//! add it to [`ALL`].

use std::path::PathBuf;
use std::thread;

use anyhow::Context;
use debian_packages::{Tool, ensure_tools};
use toolbox::{host, node, process, python};

use crate::{deb, fuzz, kernel_sets, panic_free, readme, sanitize};
use toolbox::outcome::{Outcome, run_counted};

/// Which run a suite belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// What this machine can run by itself, before every commit. The first builds everything, and the
    /// others run beside it.
    Commit,
    /// What needs other machines, or time.
    All,
    /// As [`Tier::All`], from builds of its own: for chips, with a sanitizer, for a fuzzer; runs
    /// beside the others.
    OwnBuilds,
}

pub struct Suite {
    pub name: &'static str,
    pub tier: Tier,
    pub about: &'static str,
    /// What it needs beside cargo; what is missing is fetched or installed where that is allowed.
    pub needs: &'static str,
    pub run: fn(&Inputs) -> anyhow::Result<Outcome>,
}

/// What the command line brings.
#[derive(Default)]
pub struct Inputs {
    /// The folder of X-rays.
    pub data: Option<PathBuf>,
}

/// In the order in which they are shown.
pub const ALL: [Suite; 29] = [
    Suite {
        name: "host",
        tier: Tier::Commit,
        about: "unit and integration tests of all crates; every engine and kernel set of this processor",
        needs: "libtorch",
        run: |_| {
            // Some tests wait more than they compute: two for a processor.
            let threads = 2 * thread::available_parallelism().map_or(1, usize::from);
            let mut all = everything(&["--tests"])?;
            let all = run_counted(all.env_remove(DATA).env("RUST_TEST_THREADS", threads.to_string()))?;
            Ok(all.and(run_counted(test_of(&host::FRONT).arg("--no-fail-fast"))?))
        },
    },
    Suite {
        name: "docs",
        tier: Tier::Commit,
        about: "the examples in the documentation of all crates",
        needs: "libtorch",
        run: |_| run_counted(&mut everything(&["--doc"])?),
    },
    Suite {
        name: "onnxruntime",
        tier: Tier::Commit,
        about: "the golden vectors are what onnxruntime gives; onnx.checker passes the model",
        needs: "Python with pip",
        run: |_| ignored("onnxruntime"),
    },
    Suite {
        name: "codecs",
        tier: Tier::Commit,
        about: "a thousand JPEG, PNG, TIFF, BMP and WebP files as libjpeg-turbo, libpng, libtiff and libwebp read them",
        needs: "djpeg, netpbm, dwebp",
        run: |_| {
            ensure_tools(&[
                Tool { ask: &["djpeg", "-version"], package: "libjpeg-turbo-progs" },
                Tool { ask: &["pngtopnm", "-version"], package: "netpbm" },
                Tool { ask: &["dwebp", "-version"], package: "webp" },
            ])?;
            run_counted(&mut ignored_tests("codecs::")?)
        },
    },
    Suite {
        name: "photographs",
        tier: Tier::Commit,
        about: "the gate refuses photographs",
        needs: "Python with pip",
        run: |_| ignored("photographs"),
    },
    Suite {
        name: "metrics",
        tier: Tier::Commit,
        about: "metrics, intervals and calibration are those of scikit-learn and scipy",
        needs: "Python with pip",
        run: |_| ignored("metrics_judge"),
    },
    Suite {
        name: "dicom",
        tier: Tier::Commit,
        about: "DICOM of every form is read as pydicom reads it, its own test files too",
        needs: "Python with pip",
        run: |_| ignored("dicom_judge"),
    },
    Suite {
        name: "ffmpeg",
        tier: Tier::Commit,
        about: "a source that is a program, with ffmpeg as the program",
        needs: "ffmpeg",
        run: |_| {
            ensure_tools(&[Tool { ask: &["ffmpeg", "-version"], package: "ffmpeg" }])?;
            run_counted(&mut ignored_tests("exec_ffmpeg")?)
        },
    },
    Suite {
        name: "pio",
        tier: Tier::Commit,
        about: "an emulator that others wrote takes the same picture with the RP2350's camera program",
        needs: "Node with npm",
        run: |_| {
            let judge = node::packages("firmware/pio-camera/tests/judge")?;
            run_counted(ignored_tests("pio_judge")?.env("PNEUMOSCOPE_PIO_JUDGE", judge))
        },
    },
    Suite {
        name: "readme",
        tier: Tier::Commit,
        about: "the commands of README.md",
        needs: "libtorch",
        run: |_| readme::run(),
    },
    Suite {
        name: "xrays",
        tier: Tier::All,
        about: "accuracy, and what the gate lets pass, on real X-rays",
        needs: "--data DIR",
        run: |inputs| match &inputs.data {
            Some(data) => run_counted(ignored_tests("xrays")?.env(DATA, data)),
            None => Ok(Outcome::NotRun("X-rays are no part of the repository: --data DIR".into())),
        },
    },
    Suite {
        name: "teachers",
        tier: Tier::All,
        about: "ImageNet's weights in our networks give the logits of the published ones",
        needs: "libtorch, 61 MB of weights",
        run: |_| run_counted(&mut ignored_tests("published_weights")?),
    },
    Suite {
        name: "flow",
        tier: Tier::All,
        about: "whole trainings, killed and gone on with, to the same bytes; every golden frame through stock tract",
        needs: "libtorch",
        run: |_| run_counted(&mut ignored_tests("flow_")?),
    },
    Suite {
        name: "soak",
        tier: Tier::All,
        about: "thousands of frames: memory stays flat, no file stays open; `cargo xtask soak` runs a day of them",
        needs: "libtorch",
        run: |_| run_counted(&mut ignored_tests("soak::")?),
    },
    Suite {
        name: "kernel-sets",
        tier: Tier::All,
        about: "every kernel set for this kind of machine, none passed over because the processor lacks it",
        needs: "on x86-64 AVX-512 with VNNI, on arm64 SDOT",
        run: |_| kernel_sets::run(),
    },
    Suite {
        name: "panic-free",
        tier: Tier::OwnBuilds,
        about: "pipeline, gate and core engine link for a Cortex-M only without a path to a panic",
        needs: "a compiler for Cortex-M",
        run: |_| panic_free::run(),
    },
    Suite {
        name: "sizes",
        tier: Tier::OwnBuilds,
        about: "flash, memory and stack of every board, no allocator, no panic in the loop",
        needs: "a compiler for Cortex-M",
        run: |_| Ok(Outcome::checks(tool("sizes", &[])?.status()?, 1)),
    },
    Suite {
        name: "loaders",
        tier: Tier::All,
        about: "UF2, DFU and HEX files as Microsoft's reader, dfu-util and intelhex read them",
        needs: "Python with pip, dfu-util",
        run: |_| {
            ensure_tools(&[Tool { ask: &["dfu-suffix", "--version"], package: "dfu-util" }])?;
            ignored("loaders")
        },
    },
    Suite {
        name: "tools",
        tier: Tier::All,
        about: "the tools' own tests; the firmware on emulated chips, through every fault",
        needs: "QEMU",
        run: |_| run_counted(test_of(&host::TOOLS).args(["--no-fail-fast", "--", "--include-ignored"])),
    },
    Suite {
        name: "on-target",
        tier: Tier::OwnBuilds,
        about: "kernels, golden frames and whole pictures on an emulated A53, A76, M4F, M7 and M33",
        needs: "QEMU",
        run: |_| {
            run_counted(ignored_tests("on_target")?.env("PNEUMOSCOPE_ON_TARGET", prepared("on-target")?))
        },
    },
    Suite {
        name: "arm64",
        tier: Tier::All,
        about: "the device on an emulated arm64 board: end to end, every fault, kills and power cuts",
        needs: "QEMU, Debian's arm64 kernel",
        run: |_| {
            let mut tests = everything(&["--test", "arm64", "--", "--ignored"])?;
            run_counted(tests.env("PNEUMOSCOPE_ARM64", prepared("arm64")?))
        },
    },
    Suite {
        name: "mounts",
        tier: Tier::All,
        about: "a share that is mounted after the device was started brings no old film back",
        needs: "the right to mount in a namespace of one's own",
        run: |_| match std::process::Command::new("unshare")
            .args(["--map-root-user", "--mount", "true"])
            .status()
        {
            Ok(status) if status.success() => run_counted(&mut ignored_tests("folder::a_mount")?),
            _ => Ok(Outcome::NotRun("this machine lets nobody mount in a namespace of one's own".into())),
        },
    },
    Suite {
        name: "packages",
        tier: Tier::All,
        about: "the services' rights as systemd sees them; the packages around placeholders, and that apt takes those for arm64",
        needs: "systemd-analyze, dpkg-dev, Debian's lists for arm64",
        run: |_| {
            ensure_tools(&[Tool { ask: &["systemd-analyze", "--version"], package: "systemd" }])?;
            Ok(deb::try_packages()?.and(run_counted(&mut ignored_tests("systemd")?)?))
        },
    },
    Suite {
        name: "dicom-network",
        tier: Tier::All,
        about: "twenty studies sent by DCMTK's storescu, each answered once though the device is killed",
        needs: "DCMTK, systemd-socket-activate",
        run: |_| {
            ensure_tools(&[
                Tool { ask: &["storescu", "--version"], package: "dcmtk" },
                Tool { ask: &["systemd-socket-activate", "--version"], package: "systemd" },
            ])?;
            run_counted(&mut ignored_tests("dicom_network")?)
        },
    },
    Suite {
        name: "screen",
        tier: Tier::All,
        about: "the screen's pages in Chromium: languages, sizes, axe-core's rules, a hundred changes, cut networks, a kiosk",
        needs: "Chromium, cage, Xvfb, grim, Node with npm",
        run: |_| {
            ensure_tools(&[
                Tool { ask: &["chromium", "--version"], package: "chromium" },
                Tool { ask: &["test", "-x", "/usr/bin/cage"], package: "cage" },
                Tool { ask: &["test", "-x", "/usr/bin/Xwayland"], package: "xwayland" },
                Tool { ask: &["test", "-x", "/usr/bin/Xvfb"], package: "xvfb" },
                Tool { ask: &["test", "-x", "/usr/bin/grim"], package: "grim" },
            ])?;
            let packages = node::packages("edge-runtime/screen/tests/browser")?;
            run_counted(ignored_tests("browser_")?.env("PNEUMOSCOPE_SCREEN_BROWSER", packages))
        },
    },
    Suite {
        name: "delivery",
        tier: Tier::All,
        about: "a thousand decisions to Mosquitto over kills and a full disk; a thousand devices; reports to an archive",
        needs: "Mosquitto, DCMTK, dicom3tools, openssl",
        run: |_| {
            ensure_tools(&[
                Tool { ask: &["test", "-x", "/usr/sbin/mosquitto"], package: "mosquitto" },
                Tool { ask: &["test", "-x", "/usr/bin/mosquitto_sub"], package: "mosquitto-clients" },
                Tool { ask: &["openssl", "version"], package: "openssl" },
                Tool { ask: &["dsrdump", "--version"], package: "dcmtk" },
                Tool { ask: &["test", "-x", "/usr/bin/dciodvfy"], package: "dicom3tools" },
            ])?;
            run_counted(&mut ignored_tests("delivery_")?)
        },
    },
    Suite {
        name: "sanitizer",
        tier: Tier::OwnBuilds,
        about: "edge-core's tests under the address sanitizer",
        needs: "rustup's nightly",
        run: |_| sanitize::address(),
    },
    Suite {
        name: "miri",
        tier: Tier::OwnBuilds,
        about: "the scalar kernels under miri",
        needs: "rustup's nightly with miri",
        run: |_| sanitize::miri(),
    },
    Suite {
        name: "fuzz",
        tier: Tier::OwnBuilds,
        about: "a short run of each fuzz target, and that it finds its planted fault",
        needs: "rustup's nightly",
        run: |_| fuzz::short(),
    },
];

/// Where the tests look for the X-rays.
const DATA: &str = "PNEUMOSCOPE_DATA";

/// `cargo test` of these packages.
fn test_of(packages: &[&str]) -> std::process::Command {
    let mut cargo = process::cargo();
    cargo.arg("test").args(packages.iter().flat_map(|package| ["--package", package]));
    cargo
}

/// `cargo test` of all packages of the host. Every program runs even after one failed, so that one
/// run tells everything.
fn everything(arguments: &[&str]) -> anyhow::Result<std::process::Command> {
    host::libtorch()?;
    let mut cargo = host::cargo("test");
    cargo.arg("--no-fail-fast").args(arguments);
    Ok(cargo)
}

/// Tests that a bare `cargo test` ignores, because they need what the suite brings; chosen by a
/// part of their names.
pub fn ignored_tests(filter: &str) -> anyhow::Result<std::process::Command> {
    everything(&["--test", "it", "--", "--ignored", filter])
}

/// The same with Python and its packages.
fn ignored(filter: &str) -> anyhow::Result<Outcome> {
    let python = python::find()?;
    let packages = python::packages(&python)?;
    let mut cargo = ignored_tests(filter)?;
    cargo.env("PNEUMOSCOPE_PYTHON", &python.program).env("PNEUMOSCOPE_PYTHON_PACKAGES", packages);
    run_counted(&mut cargo)
}

/// One of the tools beside this package, to be run with these arguments where the user is.
pub fn tool(package: &str, arguments: &[&str]) -> anyhow::Result<std::process::Command> {
    let mut cargo = process::cargo();
    cargo.args(["run", "--quiet", "--package", package, "--"]).args(arguments);
    cargo.current_dir(std::env::current_dir()?);
    Ok(cargo)
}

/// Has the tool `emulation` prepare what tests need, and returns the folder that it names last.
fn prepared(what: &str) -> anyhow::Result<PathBuf> {
    let printed = process::output(&mut tool("emulation", &[what])?)?;
    Ok(printed.lines().last().context("the tool named no folder")?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_suite_has_a_name_of_its_own_and_says_what_it_is() {
        let names: BTreeSet<_> = ALL.iter().map(|suite| suite.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|suite| !suite.about.is_empty() && !suite.needs.is_empty()));
    }
}
