//! Talking to systemd: ready, alive, what is shown, ending. Without systemd every call does
//! nothing.

use sd_notify::NotifyState;
use std::io;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Service {
    every: Option<Duration>,
    last_ms: Option<u64>,
}

impl Service {
    pub fn from_environment() -> Self {
        // A third of the limit: two notes may get lost.
        Self { every: sd_notify::watchdog_enabled().map(|limit| limit / 3), last_ms: None }
    }

    /// The self-test is passed and the first state is shown.
    pub fn ready(&self) -> io::Result<()> {
        sd_notify::notify(&[NotifyState::Ready])
    }

    /// The loop has gone round at `now_ms` of a clock that does not step. Call it as often as you
    /// like; it sends as often as is needed, and says whether it did.
    pub fn alive(&mut self, now_ms: u64) -> io::Result<bool> {
        let Some(every) = self.every else { return Ok(false) };
        let due =
            self.last_ms.is_none_or(|last| u128::from(now_ms.saturating_sub(last)) >= every.as_millis());
        if due {
            sd_notify::notify(&[NotifyState::Watchdog])?;
            self.last_ms = Some(now_ms);
        }
        Ok(due)
    }

    /// One line for `systemctl status`.
    pub fn status(&self, text: &str) -> io::Result<()> {
        sd_notify::notify(&[NotifyState::Status(text)])
    }

    pub fn stopping(&self) -> io::Result<()> {
        sd_notify::notify(&[NotifyState::Stopping])
    }
}
