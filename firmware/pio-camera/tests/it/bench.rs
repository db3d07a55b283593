//! The driver under the device's own camera task, over the model and the camera's lines.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use edge_core::ports::{FrameSource, SourceError, SourceEvent};
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use firmware::capture;
use firmware::rows::{Receiver, RowPipe};
use pio_camera::{Camera, ROW, Register, Registers, Row, RowDma, StateMachines, TimedOut};

use crate::model::Pio;
use crate::waveform::Waveform;

/// The chip's clock.
pub const CYCLES_A_MS: u64 = 150_000;
/// Cycles between two words that DMA moves, at the least.
const DMA_CYCLES: u64 = 6;
const QUEUE: usize = 10;

/// What a driver may do wrong: what the one before this did, and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    Nothing,
    /// The receive queue has the transmit queue's places.
    JoinedQueue,
    /// FDEBUG is never cleared.
    StallStays,
    /// The flag of a short row is never cleared.
    FlagStays,
    /// The machine's shift register keeps what it had.
    NoRestart,
    /// This word of the program does nothing.
    Word(u8),
}

/// What the chip does, as the judge is told it.
pub enum Step {
    Write(usize, u32),
    Levels(u32),
    Dma(usize),
}

pub struct World {
    pub pio: Pio,
    pub camera: Waveform,
    pub now: u64,
    /// Words that DMA is to move, and those that it has.
    wanted: usize,
    words: Vec<u32>,
    /// All words that were moved.
    pub moved: Vec<u32>,
    /// Cycles before each row's DMA begins: interrupt, executor, code from serial flash.
    pub gap: u64,
    /// The camera answers on its control bus.
    pub answers: bool,
    pub wakes: u32,
    planted: Planted,
    pub steps: Option<Vec<(u64, Step)>>,
}

impl World {
    pub fn new(camera: Waveform, planted: Planted) -> Self {
        Self {
            pio: Pio::default(),
            camera,
            now: 0,
            wanted: 0,
            words: Vec::new(),
            moved: Vec::new(),
            gap: 3 * CYCLES_A_MS / 1000,
            answers: true,
            wakes: 0,
            planted,
            steps: None,
        }
    }

    fn note(&mut self, step: Step) {
        let now = self.now;
        if let Some(steps) = &mut self.steps {
            steps.push((now, step));
        }
    }

    /// Runs until DMA has what it wants, or until `end`.
    fn run(&mut self, end: u64) {
        while self.now < end && (self.wanted == 0 || self.words.len() < self.wanted) {
            while self.camera.next() <= self.now {
                let levels = self.camera.change();
                self.pio.set_pins(levels);
                self.note(Step::Levels(levels));
            }
            let moves = self.wanted > 0 && self.pio.has_word();
            if self.pio.rests() && !moves {
                self.now = self.camera.next().min(end);
                // The levels of this moment, then a cycle for the machine to see them.
                continue;
            }
            if moves && self.now.is_multiple_of(DMA_CYCLES) {
                let word = self.pio.read(Register::RXF0);
                self.words.push(word);
                self.moved.push(word);
            }
            self.pio.step();
            self.now += 1;
        }
    }
}

type Shared = Rc<RefCell<World>>;

struct Block(Shared);

impl Registers for Block {
    fn read(&mut self, register: Register) -> u32 {
        self.0.borrow_mut().pio.read(register)
    }

    fn write(&mut self, register: Register, value: u32) {
        const JOIN_RX: u32 = 1 << 31;
        const RESTART: u32 = 0b11 << 4;
        let mut world = self.0.borrow_mut();
        let value = match (world.planted, register) {
            (Planted::JoinedQueue, register) if register == Register::SHIFTCTRL[0] => value ^ JOIN_RX,
            (Planted::StallStays, Register::FDEBUG) | (Planted::FlagStays, Register::IRQ) => 0,
            (Planted::NoRestart, Register::CTRL) => value & !RESTART,
            (Planted::Word(address), register) if register == Register::instruction(address) => {
                // A jump to the next one.
                u32::from(address) + 1
            }
            _ => value,
        };
        world.note(Step::Write(register.offset(), value));
        world.pio.write(register, value);
    }
}

struct Dma(Shared);

impl RowDma for Dma {
    fn row<'a>(
        &'a mut self,
        into: &'a mut Row,
        limit_ms: u32,
    ) -> impl Future<Output = Result<(), TimedOut>> + 'a {
        let mut world = self.0.borrow_mut();
        let (began, gap) = (world.now, world.gap);
        world.run(began + gap);
        world.note(Step::Dma(ROW / 4));
        world.wanted = ROW / 4;
        drop(world);
        let end = began + u64::from(limit_ms) * CYCLES_A_MS;
        async move {
            let words = {
                let mut world = self.0.borrow_mut();
                world.run(end);
                world.wanted = 0;
                std::mem::take(&mut world.words)
            };
            // The loop has its turn between two rows.
            turn().await;
            for (bytes, word) in into.0.chunks_exact_mut(4).zip(&words) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            if words.len() == ROW / 4 { Ok(()) } else { Err(TimedOut) }
        }
    }
}

/// Lets whoever else there is have a turn.
async fn turn() {
    let mut had = false;
    poll_fn(|_| if std::mem::replace(&mut had, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// A control bus on which an HM01B0 answers, or nobody.
struct Control(Shared);

impl ErrorType for Control {
    type Error = ErrorKind;
}

impl I2c for Control {
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        const MODE: [u8; 2] = [0x01, 0x00];
        let mut world = self.0.borrow_mut();
        if !world.answers {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        let mut at = [0, 0];
        for operation in operations {
            match operation {
                Operation::Write(bytes) => {
                    at = [bytes[0], bytes[1]];
                    if bytes[..2] == MODE && bytes.get(2) == Some(&1) {
                        world.wakes += 1;
                        let now = world.now;
                        world.camera.start(now);
                    }
                }
                Operation::Read(bytes) => {
                    bytes[0] = match at {
                        [0, 0] => 0x01,
                        [0, 1] => 0xB0,
                        // Standby, and whatever else.
                        _ => 0,
                    }
                }
            }
        }
        Ok(())
    }
}

struct Wait(Shared);

impl DelayNs for Wait {
    fn delay_ns(&mut self, ns: u32) {
        let mut world = self.0.borrow_mut();
        let end = world.now + u64::from(ns) * CYCLES_A_MS / 1_000_000;
        world.run(end);
    }
}

/// The camera's task and the loop's end of its rows.
pub struct Bench {
    pub world: Shared,
    receiver: Receiver<'static, ROW>,
    task: Pin<Box<dyn Future<Output = ()>>>,
}

impl Bench {
    pub fn new(world: World) -> Self {
        let world = Rc::new(RefCell::new(world));
        let pipe = Box::leak(Box::new(RowPipe::<ROW, QUEUE>::new()));
        let (sender, receiver) = pipe.split();
        let camera = Camera {
            machines: StateMachines::load(Block(world.clone())),
            dma: Dma(world.clone()),
            rows: Box::leak(Box::new([Row::BLACK; 2])),
            bus: Control(world.clone()),
            delay: Wait(world.clone()),
            micros: || 0,
            sender,
        };
        let clock = world.clone();
        let task = Box::pin(async move {
            let delay_ms = async |ms: u32| {
                Wait(clock.clone()).delay_ms(ms);
                turn().await;
            };
            capture::run(camera, delay_ms).await;
        });
        Self { world, receiver, task }
    }

    /// Asks for a frame and takes it.
    pub fn frame(&mut self) -> Result<Vec<u8>, SourceError> {
        self.receiver.request();
        self.poll_until_told()
    }

    /// What comes next of what was asked for.
    fn poll_until_told(&mut self) -> Result<Vec<u8>, SourceError> {
        let mut context = Context::from_waker(Waker::noop());
        let mut picture = Vec::new();
        for _ in 0..5000 {
            assert!(self.task.as_mut().poll(&mut context).is_pending());
            loop {
                match self.receiver.poll()? {
                    SourceEvent::Quiet => break,
                    SourceEvent::Begin(..) => picture.clear(),
                    SourceEvent::Row(row) => picture.extend_from_slice(row),
                    SourceEvent::End => return Ok(picture),
                }
            }
        }
        panic!("neither frame nor error")
    }
}
