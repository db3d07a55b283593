//! Rows from a camera's interrupts or tasks to the loop: a queue of a few rows between them, of
//! fixed size, without a lock.
//!
//! The driver holds the [`Sender`]: it begins a frame when [`Sender::is_wanted`], hands in each row
//! as it comes, and ends it. The loop holds the [`Receiver`], which is its [`FrameSource`]. When
//! the loop is too slow for the rows, the frame is void and the loop is told so; a row is never
//! overwritten while it is read, and neither side ever waits for the other.
//!
//! `ROW` is the bytes of the longest row, `QUEUE` one more than the rows that may wait (heapless's
//! queue keeps one place free).

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use edge_core::agree::FrameStamp;
use edge_core::frame::Geometry;
use edge_core::ports::{FrameSource, SourceError, SourceEvent};
use heapless::spsc;

#[derive(Debug)]
enum Item<const ROW: usize> {
    Begin(Geometry, FrameStamp),
    Row { length: u16, bytes: [u8; ROW] },
    End,
}

/// The memory between driver and loop.
#[derive(Debug)]
pub struct RowPipe<const ROW: usize, const QUEUE: usize> {
    queue: spsc::Queue<Item<ROW>, QUEUE>,
    flags: Flags,
}

/// What one side tells the other beside the rows. An error is its place in [`ERRORS`], from 1; 0 is
/// none.
#[derive(Debug)]
struct Flags {
    /// The loop asks for a frame.
    wanted: AtomicBool,
    /// What is wrong with the source: told as long as it lasts.
    source_error: AtomicU8,
    /// Why the last frame is void: told once.
    frame_error: AtomicU8,
}

/// In the order of their declaration.
const ERRORS: [SourceError; 4] =
    [SourceError::Lost, SourceError::NoSignal, SourceError::Damaged, SourceError::Overrun];

const fn code(error: SourceError) -> u8 {
    error as u8 + 1
}

fn from_code(code: u8) -> Option<SourceError> {
    ERRORS.get(usize::from(code).checked_sub(1)?).copied()
}

impl<const ROW: usize, const QUEUE: usize> Default for RowPipe<ROW, QUEUE> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const ROW: usize, const QUEUE: usize> RowPipe<ROW, QUEUE> {
    /// Nothing asked for, nothing sent.
    pub const fn new() -> Self {
        let flags = Flags {
            wanted: AtomicBool::new(false),
            source_error: AtomicU8::new(0),
            frame_error: AtomicU8::new(0),
        };
        Self { queue: spsc::Queue::new(), flags }
    }

    /// The driver's end and the loop's.
    pub fn split(&mut self) -> (Sender<'_, ROW>, Receiver<'_, ROW>) {
        let (queue, flags) = (&mut self.queue, &self.flags);
        let (sender, receiver) = queue.split();
        let row = CurrentRow { length: 0, bytes: [0; ROW] };
        (Sender { queue: sender, flags, open: false }, Receiver { queue: receiver, flags, row, open: false })
    }
}

/// The driver's end.
pub struct Sender<'a, const ROW: usize> {
    queue: spsc::Producer<'a, Item<ROW>>,
    flags: &'a Flags,
    /// A frame has begun and none of its rows is lost.
    open: bool,
}

impl<const ROW: usize> Sender<'_, ROW> {
    /// Whether the loop asks for a frame: only then begin one.
    pub fn is_wanted(&self) -> bool {
        self.flags.wanted.load(Relaxed)
    }

    /// Whether another row finds a place: for a driver whose other end can wait.
    pub fn has_room(&self) -> bool {
        self.queue.ready()
    }

    /// Begins a frame: the source is well, and what came of a frame before is void.
    pub fn begin(&mut self, geometry: Geometry, stamp: FrameStamp) {
        self.flags.wanted.store(false, Relaxed);
        self.flags.source_error.store(0, Relaxed);
        self.open = true;
        self.put(Item::Begin(geometry, stamp));
    }

    /// Hands in the frame's next row. Rows of any other length than the geometry's reach the loop
    /// as they are: it refuses them.
    pub fn row(&mut self, bytes: &[u8]) {
        let mut row = [0; ROW];
        let Some(to) = row.get_mut(..bytes.len()) else {
            self.damaged();
            return;
        };
        to.copy_from_slice(bytes);
        self.put(Item::Row { length: bytes.len() as u16, bytes: row });
    }

    /// Ends the frame: it is whole.
    pub fn end(&mut self) {
        self.put(Item::End);
        self.open = false;
    }

    /// Voids the frame: what came is none of the agreed form.
    pub fn damaged(&mut self) {
        self.fail(SourceError::Damaged);
    }

    /// Voids the frame. That the source is lost or has no signal lasts until the next
    /// [`Sender::begin`], the former until [`Sender::recover`] too.
    pub fn fail(&mut self, error: SourceError) {
        self.open = false;
        let flag = match error {
            SourceError::Lost | SourceError::NoSignal => &self.flags.source_error,
            SourceError::Damaged | SourceError::Overrun => &self.flags.frame_error,
        };
        flag.store(code(error), Relaxed);
    }

    /// A lost source answers again. It may have no signal still: only a frame shows that it has
    /// one.
    pub fn recover(&mut self) {
        if from_code(self.flags.source_error.load(Relaxed)) == Some(SourceError::Lost) {
            self.flags.source_error.store(0, Relaxed);
        }
    }

    fn put(&mut self, item: Item<ROW>) {
        if self.open && self.queue.enqueue(item).is_err() {
            self.fail(SourceError::Overrun);
        }
    }
}

/// The loop's end.
pub struct Receiver<'a, const ROW: usize> {
    queue: spsc::Consumer<'a, Item<ROW>>,
    flags: &'a Flags,
    row: CurrentRow<ROW>,
    /// A frame has begun that was asked for.
    open: bool,
}

/// The row that the loop reads.
struct CurrentRow<const ROW: usize> {
    length: usize,
    bytes: [u8; ROW],
}

impl<const ROW: usize> FrameSource for Receiver<'_, ROW> {
    fn request(&mut self) {
        while self.queue.dequeue().is_some() {}
        self.open = false;
        self.flags.frame_error.store(0, Relaxed);
        self.flags.wanted.store(true, Relaxed);
    }

    fn poll(&mut self) -> Result<SourceEvent<'_>, SourceError> {
        if let Some(error) = from_code(self.flags.source_error.load(Relaxed)) {
            self.open = false;
            return Err(error);
        }
        if let Some(error) = from_code(self.flags.frame_error.swap(0, Relaxed)) {
            // The sender has closed the frame: what is left of it belongs to none.
            while self.queue.dequeue().is_some() {}
            self.open = false;
            return Err(error);
        }
        match self.queue.dequeue() {
            Some(Item::Begin(geometry, stamp)) => {
                self.open = true;
                Ok(SourceEvent::Begin(geometry, stamp))
            }
            Some(Item::Row { length, bytes }) if self.open => {
                self.row = CurrentRow { length: usize::from(length), bytes };
                Ok(SourceEvent::Row(self.row.bytes.get(..self.row.length).unwrap_or(&[])))
            }
            Some(Item::End) if self.open => {
                self.open = false;
                Ok(SourceEvent::End)
            }
            // Rows of a frame that nobody asked for.
            Some(_) | None => Ok(SourceEvent::Quiet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::PixelFormat;

    const STAMP: FrameStamp = FrameStamp { sequence: 1, micros: 0 };

    fn geometry() -> Geometry {
        Geometry::new(32, 32, PixelFormat::Gray8).unwrap()
    }

    #[test]
    fn every_error_comes_back_from_its_code_and_none_from_zero() {
        assert_eq!(ERRORS.map(|error| from_code(code(error))), ERRORS.map(Some));
        assert_eq!((from_code(0), from_code(5)), (None, None));
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in() {
        let mut pipe = RowPipe::<32, 5>::new();
        let (mut sender, mut receiver) = pipe.split();
        assert!(!sender.is_wanted());
        receiver.request();
        assert!(sender.is_wanted());
        sender.begin(geometry(), STAMP);
        assert!(!sender.is_wanted());
        sender.row(&[7; 32]);
        sender.row(&[8; 31]);
        sender.end();
        assert_eq!(receiver.poll(), Ok(SourceEvent::Begin(geometry(), STAMP)));
        assert_eq!(receiver.poll(), Ok(SourceEvent::Row(&[7; 32])));
        assert_eq!(receiver.poll(), Ok(SourceEvent::Row(&[8; 31])));
        assert_eq!(receiver.poll(), Ok(SourceEvent::End));
        assert_eq!(receiver.poll(), Ok(SourceEvent::Quiet));
    }

    #[test]
    fn rows_that_nobody_takes_make_the_frame_void_and_the_next_one_whole() {
        let mut pipe = RowPipe::<32, 4>::new();
        let (mut sender, mut receiver) = pipe.split();
        receiver.request();
        sender.begin(geometry(), STAMP);
        for _ in 0..9 {
            sender.row(&[7; 32]);
        }
        sender.end();
        assert_eq!(receiver.poll(), Err(SourceError::Overrun));
        assert_eq!(receiver.poll(), Ok(SourceEvent::Quiet));
        receiver.request();
        assert_eq!(receiver.poll(), Ok(SourceEvent::Quiet));
        sender.begin(geometry(), STAMP);
        sender.row(&[9; 32]);
        assert_eq!(receiver.poll(), Ok(SourceEvent::Begin(geometry(), STAMP)));
        assert_eq!(receiver.poll(), Ok(SourceEvent::Row(&[9; 32])));
    }

    #[test]
    fn a_void_frame_is_told_once_and_a_row_too_long_makes_one() {
        let mut pipe = RowPipe::<32, 4>::new();
        let (mut sender, mut receiver) = pipe.split();
        receiver.request();
        sender.begin(geometry(), STAMP);
        sender.row(&[7; 33]);
        sender.end();
        assert_eq!(receiver.poll(), Err(SourceError::Damaged));
        assert_eq!(receiver.poll(), Ok(SourceEvent::Quiet));
    }

    #[test]
    fn a_lost_source_is_an_error_until_it_answers_and_one_without_signal_until_a_frame_begins() {
        let mut pipe = RowPipe::<32, 4>::new();
        let (mut sender, mut receiver) = pipe.split();
        sender.fail(SourceError::Lost);
        assert_eq!(receiver.poll(), Err(SourceError::Lost));
        assert_eq!(receiver.poll(), Err(SourceError::Lost));
        sender.recover();
        assert_eq!(receiver.poll(), Ok(SourceEvent::Quiet));
        receiver.request();
        sender.fail(SourceError::NoSignal);
        sender.recover();
        assert_eq!(receiver.poll(), Err(SourceError::NoSignal));
        sender.begin(geometry(), STAMP);
        assert_eq!(receiver.poll(), Ok(SourceEvent::Begin(geometry(), STAMP)));
    }

    #[test]
    fn rows_of_a_frame_that_was_given_up_are_dropped() {
        let mut pipe = RowPipe::<32, 5>::new();
        let (mut sender, mut receiver) = pipe.split();
        receiver.request();
        sender.begin(geometry(), STAMP);
        assert!(matches!(receiver.poll(), Ok(SourceEvent::Begin(..))));
        receiver.request();
        sender.row(&[1; 32]);
        sender.end();
        assert_eq!(receiver.poll(), Ok(SourceEvent::Quiet));
        assert_eq!(receiver.poll(), Ok(SourceEvent::Quiet));
    }
}
