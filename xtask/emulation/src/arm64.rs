//! An emulated arm64 board with Debian's kernel, a real camera driver and real GPIO, on which the
//! device's program runs, in the profile of the tests, and beside it the screen and the delivery.
//! What is needed is put together here; `tests/tests/arm64.rs` boots it and tests.

mod image;
mod packages;

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::Context;

use debian_packages::{self as debian, Tool};
use toolbox::cross::{self, ARM64_AGENT, DELIVER, DEVICE, Profile, Program, SCREEN, Target};
use toolbox::{process, root};

/// What booting needs beside what building needs.
const TOOLS: [Tool; 2] = [
    Tool { ask: &["qemu-system-aarch64", "--version"], package: "qemu-system-arm" },
    Tool { ask: &["/usr/sbin/mke2fs", "-V"], package: "e2fsprogs" },
];

/// Kernel modules with their parameters: the bus, the line to the host, disks, and a camera whose
/// output is looped to its input.
const MODULES: [(&str, &str); 7] = [
    ("virtio_mmio", ""),
    ("virtio_console", ""),
    ("virtio_blk", ""),
    ("brd", "rd_nr=1 rd_size=16384"),
    // ext4 asks for it by what it does, not by its name.
    ("crc32c_generic", ""),
    ("ext4", ""),
    ("vivid", "n_devs=1 node_types=0x101 num_inputs=1 input_types=0x3 num_outputs=1 output_types=0x1"),
];

/// Size of the log's disk, in bytes; as large as the disk in memory.
const DISK_BYTES: u64 = 16 << 20;

/// Builds what the board boots; returns the folder with `kernel`, `initramfs` and an empty `disk`,
/// and `initramfs-with-neighbours`, which takes longer to unpack.
pub fn prepare() -> anyhow::Result<PathBuf> {
    debian::ensure_tools(&TOOLS)?;
    let folder = root().join(".cache/arm64");
    let debian = packages::kernel(&folder)?;
    let built = |program: Program<'_>| {
        let (built, stripped) =
            (cross::build(Target::Aarch64, program, Profile::Dev)?, folder.join(program.bin));
        // Its lines for a debugger are more than the board's memory holds.
        let mut strip = process::command("aarch64-linux-gnu-strip");
        process::run(strip.arg("-o").arg(&stripped).arg(built))?;
        anyhow::Ok(stripped)
    };
    let (agent, device) = (built(ARM64_AGENT)?, built(DEVICE)?);
    let neighbours = [(SCREEN, built(SCREEN)?), (DELIVER, built(DELIVER)?)];
    let disk = folder.join("disk");
    File::create(&disk)?.set_len(DISK_BYTES)?;
    process::run(process::command("/usr/sbin/mke2fs").args(["-q", "-F", "-t", "ext4"]).arg(&disk))?;
    let mut image = image::Image::default();
    image.file("init", &agent, 0o755)?;
    image.file("bin/edge-runtime", &device, 0o755)?;
    image.file("disk", &disk, 0o644)?;
    debian.add_modules(&MODULES, &mut image)?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    write("initramfs", &image.clone().finish())?;
    for (program, built) in &neighbours {
        image.file(&format!("bin/{}", program.bin), built, 0o755)?;
    }
    write("initramfs-with-neighbours", &image.finish())?;
    write("kernel", &fs::read(debian.kernel()?)?)?;
    Ok(folder)
}
