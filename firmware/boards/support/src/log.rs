//! The global defmt logger: no critical section, no waiting, no message of which only a part comes
//! out.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use firmware::message_buffer::MessageBuffer;

#[doc(hidden)]
pub use defmt;
pub use firmware::message_buffer::LogCounts;

/// Bytes of the longest message as it is sent: far more than the longest line of the log.
const LONGEST: usize = 512;

/// The memory behind the macro [`logger!`](crate::logger).
pub struct Log {
    /// Messages that are open: one, and those of interrupts that came in the middle of it.
    open: AtomicU32,
    /// Messages of interrupts that came in the middle of another.
    lost: AtomicU32,
    inner: UnsafeCell<Inner>,
}

struct Inner {
    encoder: defmt::Encoder,
    buffer: MessageBuffer<LONGEST>,
}

// SAFETY: only who opened the outermost message touches `inner`, between `acquire` and `release`.
// There is one processor, so whatever comes between is an interrupt: it finds `open` at 1 or more,
// and ends before the outer message goes on.
unsafe impl Sync for Log {}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

impl Log {
    pub const fn new() -> Self {
        let inner = Inner { encoder: defmt::Encoder::new(), buffer: MessageBuffer::new() };
        Self { open: AtomicU32::new(0), lost: AtomicU32::new(0), inner: UnsafeCell::new(inner) }
    }

    /// What became of the messages. Not to be called from an interrupt.
    pub fn counts(&self) -> LogCounts {
        // SAFETY: see `Sync`; no message is open where this is called.
        let mut counts = unsafe { (*self.inner.get()).buffer.counts() };
        counts.lost = counts.lost.wrapping_add(self.lost.load(Relaxed));
        counts
    }

    pub fn acquire(&self) {
        if self.open.fetch_add(1, Relaxed) != 0 {
            return;
        }
        // SAFETY: see `Sync`; this opened the outermost message.
        let Inner { encoder, buffer } = unsafe { &mut *self.inner.get() };
        buffer.begin();
        encoder.start_frame(|bytes| buffer.put(bytes));
    }

    pub fn write(&self, bytes: &[u8]) {
        if self.open.load(Relaxed) != 1 {
            return;
        }
        // SAFETY: see `Sync`; the outermost message is the only one.
        let Inner { encoder, buffer } = unsafe { &mut *self.inner.get() };
        encoder.write(bytes, |bytes| buffer.put(bytes));
    }

    pub fn release(&self, sink: impl FnOnce(&[u8]) -> bool) {
        if self.open.load(Relaxed) == 1 {
            // SAFETY: see `Sync`; the outermost message is the only one.
            let Inner { encoder, buffer } = unsafe { &mut *self.inner.get() };
            encoder.end_frame(|bytes| buffer.put(bytes));
            buffer.end(sink);
        } else {
            self.lost.fetch_add(1, Relaxed);
        }
        self.open.fetch_sub(1, Relaxed);
    }
}

/// Makes a board's global defmt logger over `sink`, a `fn(&[u8]) -> bool` that takes a whole
/// message at once and says so, or does not; it must not wait. Beside it comes `fn log_counts() ->
/// LogCounts`.
#[macro_export]
macro_rules! logger {
    ($sink:path) => {
        #[$crate::log::defmt::global_logger]
        struct Logger;

        static LOG: $crate::log::Log = $crate::log::Log::new();

        // SAFETY: `Log` may be entered from anywhere at any time, and nested: see there.
        unsafe impl $crate::log::defmt::Logger for Logger {
            fn acquire() {
                LOG.acquire();
            }

            unsafe fn flush() {}

            unsafe fn release() {
                LOG.release($sink);
            }

            unsafe fn write(bytes: &[u8]) {
                LOG.write(bytes);
            }
        }

        fn log_counts() -> $crate::log::LogCounts {
            LOG.counts()
        }
    };
}
