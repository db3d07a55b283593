//! The log: whether there is room for it, and whether it is what the device wrote.

use super::Finding;
use crate::config;
use crate::log::{last_decision, verify};
use rustix::fs::statvfs;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Logs up to this size are verified whole, which takes seconds; of a larger one its end.
const VERIFIED_WHOLE: u64 = 256 << 20;

/// A line of the log being written is torn for a moment only.
const MOMENT: Duration = Duration::from_millis(200);

const MAKE_ROOM: &str =
    "copy old log files (`FILE.N`) elsewhere, then remove them, or lower [log] keep; or take a larger card";

/// What a file system has left, and how much more the log may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub free_bytes: u64,
    pub free_files: u64,
    /// Size of the log's files.
    pub log_bytes: u64,
}

/// The room where the log lies.
pub fn room(log: &config::Log) -> Finding {
    let folder = log.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match statvfs(folder) {
        Err(error) => Finding::failed(
            "disk",
            format!("{}: {error}", folder.display()),
            "make the folder, give it to the user pneumoscope",
        ),
        Ok(disk) => {
            let (free_bytes, free_files) = (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_favail);
            // A file system without a table of files, such as btrfs, says 0 of 0.
            let free_files = if disk.f_files == 0 { u64::MAX } else { free_files };
            room_left(Room { free_bytes, free_files, log_bytes: log_bytes(&log.file) }, log)
        }
    }
}

/// Whether that is enough.
pub fn room_left(room: Room, log: &config::Log) -> Finding {
    let Room { free_bytes, free_files, log_bytes } = room;
    let most = log.rotate_bytes.saturating_mul(u64::from(log.keep) + 1);
    let grows = most.saturating_sub(log_bytes);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let found =
        format!("{:.0} MB free; the log may grow by {:.0} MB", megabytes(free_bytes), megabytes(grows));
    match () {
        () if free_files == 0 => Finding::failed("disk", "no more files can be made on it", MAKE_ROOM),
        () if free_bytes < log.rotate_bytes.min(grows.max(1 << 20)) => {
            Finding::failed("disk", found, MAKE_ROOM)
        }
        () if free_bytes < grows => Finding::warning("disk", found, MAKE_ROOM),
        () => Finding::ok("disk", found),
    }
}

/// Size of the log's files together, in bytes.
fn log_bytes(log: &Path) -> u64 {
    let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else { return 0 };
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = files.filter(|file| file.file_name().as_encoded_bytes().starts_with(name.as_encoded_bytes()));
    ours.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

/// Whether every line is as the device wrote it, and follows the one before.
pub fn log_sound(log: &Path) -> Finding {
    const LOOK: &str = "keep a copy of all its files, and find out who or what changed it: `edge-runtime log verify FILE` names each place";
    const READ: &str = "ask as root, or as the user pneumoscope; if it stays so, the card may be failing";
    let bytes = log_bytes(log);
    if !log.exists() {
        return Finding::ok("log", format!("{}: nothing has been written yet", log.display()));
    }
    if bytes > VERIFIED_WHOLE {
        return match last_decision(log) {
            Ok(_) => Finding::ok(
                "log",
                "its end can be read; too large to verify here: `edge-runtime log verify FILE`",
            ),
            Err(error) => Finding::failed("log", error.to_string(), READ),
        };
    }
    let mut verified = verify(log, &[], None);
    if verified.as_ref().is_ok_and(|verified| !verified.is_sound()) {
        std::thread::sleep(MOMENT);
        verified = verify(log, &[], None);
    }
    match verified {
        Err(error) => Finding::failed("log", error.to_string(), READ),
        Ok(verified) if verified.is_sound() => {
            Finding::ok("log", format!("{} lines, each as it was written", verified.lines))
        }
        Ok(verified) => {
            let first = verified.breaks.first();
            let first = first
                .map_or(String::new(), |b| format!(", the first in {}, line {}: {}", b.file, b.line, b.what));
            Finding::failed("log", format!("{} places are not as written{first}", verified.broken), LOOK)
        }
    }
}
