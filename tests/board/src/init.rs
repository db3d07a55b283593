//! From a bare kernel to a machine that programs can run on.

use anyhow::Context;
use rustix::mount::{MountFlags, mount};
use rustix::system::finit_module;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

/// The line to the host, by the name that QEMU gives it.
const LINE: &str = "agent";
/// Where the log's disk is mounted.
pub const DISK: &str = "/log";

/// Mounts, loads the modules, and opens the line to the host.
pub fn prepare() -> anyhow::Result<File> {
    for (kind, path) in
        [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"), ("tmpfs", "/run")]
    {
        mounted(kind, kind, path)?;
    }
    mounted("tracefs", "tracefs", "/sys/kernel/tracing")?;
    modules()?;
    // Every change of a GPIO line, with the clock that the program under test stamps its log with.
    fs::write("/sys/kernel/tracing/trace_clock", "mono")
        .context("no monotonic clock for the kernel's records")?;
    fs::write("/sys/kernel/tracing/buffer_size_kb", "16384").context("no room for the kernel's records")?;
    fs::write("/sys/kernel/tracing/events/gpio/gpio_value/enable", "1")
        .context("no records of GPIO lines")?;
    // A disk that outlives the board where there is one; else one in memory, on which nothing waits for the host.
    let disk = if Path::new("/dev/vda").exists() {
        "/dev/vda"
    } else {
        fs::copy("/disk", "/dev/ram0").context("cannot fill the disk in memory")?;
        "/dev/ram0"
    };
    mounted("ext4", disk, DISK)?;
    let port = port()?;
    OpenOptions::new().read(true).write(true).open(&port).with_context(|| format!("cannot open {port}"))
}

fn mounted(kind: &str, what: &str, path: &str) -> anyhow::Result<()> {
    fs::create_dir_all(path)?;
    mount(what, path, kind, MountFlags::empty(), None)
        .with_context(|| format!("cannot mount {kind} on {path}"))
}

/// Loads the modules in the order of the list that came with them: a file name and its parameters a line.
fn modules() -> anyhow::Result<()> {
    for line in fs::read_to_string("/modules/order").context("no list of modules")?.lines() {
        let (name, parameters) = line.split_once(' ').unwrap_or((line, ""));
        let file = File::open(format!("/modules/{name}")).with_context(|| format!("no module {name}"))?;
        finit_module(&file, &CString::new(parameters)?, 0).with_context(|| format!("cannot load {name}"))?;
    }
    Ok(())
}

/// The virtual serial port with the right name; it appears a moment after its module was loaded.
fn port() -> anyhow::Result<String> {
    let limit = Instant::now() + Duration::from_secs(10);
    while Instant::now() < limit {
        for entry in fs::read_dir("/sys/class/virtio-ports").into_iter().flatten().flatten() {
            let name = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
            if name.trim() == LINE {
                return Ok(format!("/dev/{}", entry.file_name().to_string_lossy()));
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    anyhow::bail!("there is no virtual serial port named {LINE}")
}
