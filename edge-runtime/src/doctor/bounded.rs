//! What hangs in the kernel, such as a failing card or a camera's driver, must not let the doctor
//! hang.

use super::finding::Finding;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Looks for at most `limit`; what takes longer failed, and goes on in a thread of its own until the
/// program ends.
pub fn within(
    name: &'static str,
    limit: Duration,
    look: impl FnOnce() -> Vec<Finding> + Send + 'static,
) -> Vec<Finding> {
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any more where it came too late.
    thread::spawn(move || sender.send(look()));
    receiver.recv_timeout(limit).unwrap_or_else(|_| {
        let found = format!("no answer within {} s", limit.as_secs_f32());
        let remedy =
            "switch the board off and on, and look at `dmesg`; if it stays so, change card or camera";
        vec![Finding::failed(name, found, remedy)]
    })
}
