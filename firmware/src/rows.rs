//! Rows from a camera's interrupts or tasks to the loop: a queue of a few rows between them, of fixed size, without a lock.
//!
//! The driver holds the [`Sender`]: it begins a frame when [`Sender::is_wanted`], hands in each row as it comes, and ends it. The
//! loop holds the [`Receiver`], which is its [`FrameSource`]. When the loop is too slow for the rows, the frame is void and the loop
//! is told so; a row is never overwritten while it is read, and neither side ever waits for the other.
//!
//! `ROW` is the bytes of the longest row, `QUEUE` one more than the rows that may wait (heapless's queue keeps one place free).

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use edge_core::agree::Stamp;
use edge_core::frame::Geometry;
use edge_core::ports::{Event, FrameSource, SourceError};
use heapless::spsc;

#[derive(Debug)]
enum Item<const ROW: usize> {
    Begin(Geometry, Stamp),
    Row { length: u16, bytes: [u8; ROW] },
    End,
}

/// The memory between driver and loop.
#[derive(Debug)]
pub struct RowPipe<const ROW: usize, const QUEUE: usize> {
    queue: spsc::Queue<Item<ROW>, QUEUE>,
    signs: Signs,
}

/// What one side tells the other beside the rows.
#[derive(Debug)]
struct Signs {
    /// The loop asks for a frame.
    wanted: AtomicBool,
    /// What is wrong with the source; 0 for nothing.
    fault: AtomicU8,
    overrun: AtomicBool,
}

const FAULTS: [(u8, SourceError); 3] =
    [(1, SourceError::Lost), (2, SourceError::NoSignal), (3, SourceError::Damaged)];

impl<const ROW: usize, const QUEUE: usize> Default for RowPipe<ROW, QUEUE> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const ROW: usize, const QUEUE: usize> RowPipe<ROW, QUEUE> {
    /// An empty one.
    pub const fn new() -> Self {
        let signs = Signs {
            wanted: AtomicBool::new(false),
            fault: AtomicU8::new(0),
            overrun: AtomicBool::new(false),
        };
        Self { queue: spsc::Queue::new(), signs }
    }

    /// Its two ends.
    pub fn split(&mut self) -> (Sender<'_, ROW>, Receiver<'_, ROW>) {
        let (queue, signs) = (&mut self.queue, &self.signs);
        let (sender, receiver) = queue.split();
        let held = Held { length: 0, bytes: [0; ROW] };
        (Sender { queue: sender, signs, open: false }, Receiver { queue: receiver, signs, held, open: false })
    }
}

/// The driver's end.
pub struct Sender<'a, const ROW: usize> {
    queue: spsc::Producer<'a, Item<ROW>>,
    signs: &'a Signs,
    /// A frame has begun and none of its rows is lost.
    open: bool,
}

impl<const ROW: usize> Sender<'_, ROW> {
    /// Whether the loop asks for a frame: only then begin one.
    pub fn is_wanted(&self) -> bool {
        self.signs.wanted.load(Relaxed)
    }

    /// Whether another row finds a place: for a driver whose other end can wait.
    pub fn has_room(&self) -> bool {
        self.queue.ready()
    }

    /// A frame begins; what came of one before is void.
    pub fn begin(&mut self, geometry: Geometry, stamp: Stamp) {
        self.signs.wanted.store(false, Relaxed);
        self.signs.fault.store(0, Relaxed);
        self.open = true;
        self.put(Item::Begin(geometry, stamp));
    }

    /// Its next row. Rows of any other length than the geometry's reach the loop as they are: it refuses them.
    pub fn row(&mut self, bytes: &[u8]) {
        let mut row = [0; ROW];
        let Some(to) = row.get_mut(..bytes.len()) else {
            self.damaged();
            return;
        };
        to.copy_from_slice(bytes);
        self.put(Item::Row { length: bytes.len() as u16, bytes: row });
    }

    /// The frame is whole.
    pub fn end(&mut self) {
        self.put(Item::End);
        self.open = false;
    }

    /// What came is no frame of the agreed form; what has come of it is void.
    pub fn damaged(&mut self) {
        self.fail(SourceError::Damaged);
    }

    /// The source fails; it lasts until the next [`Sender::begin`].
    pub fn fail(&mut self, error: SourceError) {
        self.open = false;
        match FAULTS.iter().find(|(_, known)| *known == error) {
            Some((code, _)) => self.signs.fault.store(*code, Relaxed),
            None => self.signs.overrun.store(true, Relaxed),
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
    signs: &'a Signs,
    held: Held<ROW>,
    /// A frame has begun that was asked for.
    open: bool,
}

/// The row that the loop looks at.
struct Held<const ROW: usize> {
    length: usize,
    bytes: [u8; ROW],
}

impl<const ROW: usize> FrameSource for Receiver<'_, ROW> {
    fn request(&mut self) {
        while self.queue.dequeue().is_some() {}
        self.open = false;
        self.signs.overrun.store(false, Relaxed);
        self.signs.wanted.store(true, Relaxed);
    }

    fn poll(&mut self) -> Result<Event<'_>, SourceError> {
        let fault = self.signs.fault.load(Relaxed);
        if let Some((_, error)) = FAULTS.iter().find(|(code, _)| *code == fault) {
            self.open = false;
            return Err(*error);
        }
        if self.signs.overrun.swap(false, Relaxed) {
            // The sender has closed the frame: what is left of it belongs to none.
            while self.queue.dequeue().is_some() {}
            self.open = false;
            return Err(SourceError::Overrun);
        }
        match self.queue.dequeue() {
            Some(Item::Begin(geometry, stamp)) => {
                self.open = true;
                Ok(Event::Begin(geometry, stamp))
            }
            Some(Item::Row { length, bytes }) if self.open => {
                self.held = Held { length: usize::from(length), bytes };
                Ok(Event::Row(self.held.bytes.get(..self.held.length).unwrap_or(&[])))
            }
            Some(Item::End) if self.open => {
                self.open = false;
                Ok(Event::End)
            }
            // Rows of a frame that nobody asked for.
            Some(_) | None => Ok(Event::Quiet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::PixelFormat;

    const STAMP: Stamp = Stamp { sequence: 1, micros: 0 };

    fn geometry() -> Geometry {
        Geometry::new(32, 32, PixelFormat::Gray8).unwrap()
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
        assert_eq!(receiver.poll(), Ok(Event::Begin(geometry(), STAMP)));
        assert_eq!(receiver.poll(), Ok(Event::Row(&[7; 32])));
        assert_eq!(receiver.poll(), Ok(Event::Row(&[8; 31])));
        assert_eq!(receiver.poll(), Ok(Event::End));
        assert_eq!(receiver.poll(), Ok(Event::Quiet));
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
        assert_eq!(receiver.poll(), Ok(Event::Quiet));
        receiver.request();
        assert_eq!(receiver.poll(), Ok(Event::Quiet));
        sender.begin(geometry(), STAMP);
        sender.row(&[9; 32]);
        assert_eq!(receiver.poll(), Ok(Event::Begin(geometry(), STAMP)));
        assert_eq!(receiver.poll(), Ok(Event::Row(&[9; 32])));
    }

    #[test]
    fn a_fault_lasts_until_the_next_frame_and_a_row_too_long_is_one() {
        let mut pipe = RowPipe::<32, 4>::new();
        let (mut sender, mut receiver) = pipe.split();
        receiver.request();
        sender.begin(geometry(), STAMP);
        sender.row(&[7; 33]);
        sender.end();
        assert_eq!(receiver.poll(), Err(SourceError::Damaged));
        sender.fail(SourceError::Lost);
        assert_eq!(receiver.poll(), Err(SourceError::Lost));
        assert_eq!(receiver.poll(), Err(SourceError::Lost));
        receiver.request();
        sender.begin(geometry(), STAMP);
        assert_eq!(receiver.poll(), Ok(Event::Begin(geometry(), STAMP)));
    }

    #[test]
    fn rows_of_a_frame_that_was_given_up_are_dropped() {
        let mut pipe = RowPipe::<32, 5>::new();
        let (mut sender, mut receiver) = pipe.split();
        receiver.request();
        sender.begin(geometry(), STAMP);
        assert!(matches!(receiver.poll(), Ok(Event::Begin(..))));
        receiver.request();
        sender.row(&[1; 32]);
        sender.end();
        assert_eq!(receiver.poll(), Ok(Event::Quiet));
        assert_eq!(receiver.poll(), Ok(Event::Quiet));
    }
}
