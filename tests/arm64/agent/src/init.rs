//! From a bare kernel to a machine that programs can run on.

use anyhow::Context;
use arm64_protocol::SCREEN_FOLDER;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use rustix::net::{AddressFamily, SendFlags, SocketType, send, socket};
use rustix::system::finit_module;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

/// The line to the host, by the name that QEMU gives it.
const LINE: &str = "agent";
/// Where the log's disk is mounted.
const DISK: &str = "/log";
const MEMORY: &str = "/dev/ram0";
/// The kernel's groups of programs.
pub const GROUPS: &str = "/sys/fs/cgroup";
/// Room for a few pictures and no more, so that it is soon full.
const SCREEN_FOLDER_SIZE: &std::ffi::CStr = c"size=1m";

/// Mounts, loads the modules, and opens the line to the host.
pub fn prepare() -> anyhow::Result<File> {
    for (kind, path) in
        [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"), ("tmpfs", "/run")]
    {
        mounted(kind, kind, path)?;
    }
    mounted("cgroup2", "cgroup2", GROUPS)?;
    mounted("tracefs", "tracefs", "/sys/kernel/tracing")?;
    modules()?;
    // Every change of a GPIO line, with the clock that the program under test stamps its log with.
    fs::write("/sys/kernel/tracing/trace_clock", "mono")
        .context("no monotonic clock for the kernel's records")?;
    fs::write("/sys/kernel/tracing/buffer_size_kb", "16384").context("no room for the kernel's records")?;
    fs::write("/sys/kernel/tracing/events/gpio/gpio_value/enable", "1")
        .context("no records of GPIO lines")?;
    if disk() == MEMORY {
        fs::copy("/disk", MEMORY).context("cannot fill the disk in memory")?;
    }
    mount_disk()?;
    fs::create_dir_all(SCREEN_FOLDER)?;
    mount("tmpfs", SCREEN_FOLDER, "tmpfs", MountFlags::empty(), Some(SCREEN_FOLDER_SIZE))
        .context("cannot mount the screen's folder")?;
    loopback().context("no loopback network")?;
    let port = port()?;
    OpenOptions::new().read(true).write(true).open(&port).with_context(|| format!("cannot open {port}"))
}

/// A disk that outlives the board where there is one; else the one in memory, on which nothing
/// waits for the host.
fn disk() -> &'static str {
    if Path::new("/dev/vda").exists() { "/dev/vda" } else { MEMORY }
}

fn mount_disk() -> anyhow::Result<()> {
    fs::create_dir_all(DISK)?;
    let options = c"errors=remount-ro";
    mount(disk(), DISK, "ext4", MountFlags::empty(), Some(options)).context("cannot mount the log's disk")
}

/// Has the file system find an error, after which open files are not written any more, and the
/// kernel remount it read-only, after which none is opened for writing. Kernels differ in how much
/// of the second the first brings with it.
pub fn break_disk() -> anyhow::Result<()> {
    let path = disk().replace("/dev/", "/sys/fs/ext4/") + "/trigger_fs_error";
    fs::write(&path, "the test's").with_context(|| format!("cannot write to {path}"))?;
    fs::write("/proc/sysrq-trigger", "u").context("the kernel takes no request for an emergency remount")?;
    let limit = Instant::now() + Duration::from_secs(5);
    let is_read_only = |mounts: String| mounts.lines().any(|line| line.contains(&format!(" {DISK} ext4 ro")));
    while !fs::read_to_string("/proc/mounts").is_ok_and(is_read_only) {
        anyhow::ensure!(Instant::now() < limit, "the log's disk can still be written");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

pub fn remount_disk() -> anyhow::Result<()> {
    // A program that has a file open for a moment is in the way for a moment.
    let limit = Instant::now() + Duration::from_secs(5);
    while let Err(error) = unmount(DISK, UnmountFlags::empty()) {
        anyhow::ensure!(Instant::now() < limit, "the log's disk stays in use: {error}");
        std::thread::sleep(Duration::from_millis(5));
    }
    mount_disk()
}

pub fn remount_screen_folder(writable: bool) -> anyhow::Result<()> {
    let flags = if writable { MountFlags::empty() } else { MountFlags::RDONLY };
    mount_remount(SCREEN_FOLDER, flags, SCREEN_FOLDER_SIZE)
        .context("the screen's folder cannot be mounted otherwise")
}

/// Switches the machine's own network on, by which its programs talk to each other: rtnetlink's
/// RTM_NEWLINK (rtnetlink(7)) with IFF_UP for the first interface.
fn loopback() -> anyhow::Result<()> {
    let (header, kind, flags, up) = (16_u32, 16_u16, 1_u16, 1_u32);
    let mut message = Vec::new();
    // nlmsghdr: length, type, NLM_F_REQUEST, number, sender.
    message.extend_from_slice(&(header + 16).to_ne_bytes());
    message.extend([kind, flags].iter().flat_map(|word| word.to_ne_bytes()));
    message.extend([0_u32, 0].iter().flat_map(|word| word.to_ne_bytes()));
    // ifinfomsg: family and kind of device, its number, its flags, which of them change.
    message.extend([0_u32, 1, up, up].iter().flat_map(|word| word.to_ne_bytes()));
    send(socket(AddressFamily::NETLINK, SocketType::RAW, None)?, &message, SendFlags::empty())?;
    let state = "/sys/class/net/lo/flags";
    let flags = fs::read_to_string(state).with_context(|| format!("cannot read {state}"))?;
    let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16)?;
    anyhow::ensure!(flags & up == up, "{state} says {flags:#x}");
    Ok(())
}

fn mounted(kind: &str, what: &str, path: &str) -> anyhow::Result<()> {
    fs::create_dir_all(path)?;
    mount(what, path, kind, MountFlags::empty(), None)
        .with_context(|| format!("cannot mount {kind} on {path}"))
}

/// Loads the modules in the order of the list that came with them: a file name and its parameters a
/// line.
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
    // While the board waits for the host, its clock runs ahead of the host's.
    let limit = Instant::now() + Duration::from_secs(1000);
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
