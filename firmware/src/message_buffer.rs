//! A log that cannot stall: a message is put together in a buffer, then handed over whole or
//! dropped, and both are counted.
//!
//! A board's logger puts the encoded bytes of a message into a [`MessageBuffer`] and gives it a
//! sink that takes all of them at once or none. What a slow reader, a full buffer or a message that
//! is too long costs is that message, never time.

/// What became of the messages since the start. All of them wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Messages that the sink took.
    pub messages: u32,
    /// Bytes of those.
    pub bytes: u32,
    /// Messages that it did not take, or that were too long.
    pub lost: u32,
}

/// One message on its way, at most `N` bytes long.
#[derive(Debug)]
pub struct MessageBuffer<const N: usize> {
    bytes: [u8; N],
    used: usize,
    /// Bytes came that found no place.
    overflown: bool,
    counts: LogCounts,
}

impl<const N: usize> Default for MessageBuffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> MessageBuffer<N> {
    /// Nothing on its way, nothing counted.
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            used: 0,
            overflown: false,
            counts: LogCounts { messages: 0, bytes: 0, lost: 0 },
        }
    }

    /// Begins a message; what came of one before is dropped.
    pub fn begin(&mut self) {
        self.used = 0;
        self.overflown = false;
    }

    /// Appends encoded bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        let end = self.used.saturating_add(bytes.len());
        match self.bytes.get_mut(self.used..end) {
            Some(to) => {
                // The compiler does not see that the lengths are equal, and would link a panic for
                // it.
                to.iter_mut().zip(bytes).for_each(|(to, &from)| *to = from);
                self.used = end;
            }
            None => self.overflown = true,
        }
    }

    /// Ends the message: `sink` takes it whole and returns true, or refuses it. It must not wait.
    pub fn end(&mut self, sink: impl FnOnce(&[u8]) -> bool) {
        let message = self.bytes.get(..self.used).unwrap_or(&[]);
        if !self.overflown && sink(message) {
            self.counts.messages = self.counts.messages.wrapping_add(1);
            self.counts.bytes = self.counts.bytes.wrapping_add(message.len() as u32);
        } else {
            self.lose();
        }
    }

    /// Counts a message that was lost before it came here.
    pub fn lose(&mut self) {
        self.counts.lost = self.counts.lost.wrapping_add(1);
    }

    /// What became of the messages since the start.
    pub const fn counts(&self) -> LogCounts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn say(buffer: &mut MessageBuffer<8>, parts: &[&[u8]], sink: impl FnOnce(&[u8]) -> bool) {
        buffer.begin();
        parts.iter().for_each(|part| buffer.put(part));
        buffer.end(sink);
    }

    #[test]
    fn a_message_comes_out_whole_and_is_counted() {
        let (mut buffer, mut out) = (MessageBuffer::<8>::new(), Vec::new());
        say(&mut buffer, &[b"ab", b"", b"cdefgh"], |message| {
            out.extend_from_slice(message);
            true
        });
        assert_eq!(out, b"abcdefgh");
        assert_eq!(buffer.counts(), LogCounts { messages: 1, bytes: 8, lost: 0 });
    }

    #[test]
    fn a_sink_that_refuses_some_loses_those_and_no_part_of_others() {
        let (mut buffer, mut out) = (MessageBuffer::<8>::new(), Vec::new());
        for number in 0..100_u8 {
            say(&mut buffer, &[&[number], &[number]], |message| {
                let takes = number % 3 != 0;
                if takes {
                    out.extend_from_slice(message);
                }
                takes
            });
        }
        let expected: Vec<u8> = (0..100).filter(|n| n % 3 != 0).flat_map(|n| [n, n]).collect();
        assert_eq!(out, expected);
        assert_eq!(buffer.counts(), LogCounts { messages: 66, bytes: 132, lost: 34 });
    }

    #[test]
    fn a_message_too_long_never_reaches_the_sink_and_the_next_one_does() {
        let mut buffer = MessageBuffer::<8>::new();
        say(&mut buffer, &[b"abcdefgh", b"i"], |_| panic!("a part of a message came out"));
        say(&mut buffer, &[b"abcdefghi", b"j"], |_| panic!("a part of a message came out"));
        say(&mut buffer, &[b"ok"], |message| message == b"ok");
        assert_eq!(buffer.counts(), LogCounts { messages: 1, bytes: 2, lost: 2 });
    }
}
