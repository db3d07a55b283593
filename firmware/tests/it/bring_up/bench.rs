//! A board made of values whose wires can be wrong.

use edge_core::agree::FrameStamp;
use edge_core::ports::{Button, Clock, FrameSource, SourceError, SourceEvent, Watchdog};
use edge_core::signal::{ActiveHigh, LampPins};
use edge_core::{Geometry, PixelFormat};
use embedded_hal::digital::{ErrorKind, ErrorType, OutputPin};
use firmware::bring_up::{
    Bench, CameraPort, Line, Pattern, Report, TestSensor, Tested, after_reset, check_records, run,
};
use firmware::capture::{self, FrameError, Sensor};
use firmware::crash_record::RetainedRam;
use firmware::device::{Board, Parts};
use firmware::event_log::{EventLog, LogEvent};
use firmware::rows::{Receiver, RowPipe, Sender};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::flash::{self, Flash};

/// What is wrong with the board.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// A lamp's line, by its place in `Lamp::ALL`.
    StuckLow(usize),
    StuckHigh(usize),
    /// Two of them touch; whichever is driven high wins, or low.
    Joined(usize, usize, bool),
    ButtonClosed,
    NeverPressed,
    NeverLetGo,
    NoCamera,
    CameraAbsent,
    OtherCamera,
    DataLow(u8),
    DataHigh(u8),
    DataSwapped(u8, u8),
    NothingMoves,
    /// So many rows never come, and the driver does not see it.
    RowsMissing(u16),
    /// From the middle on each row has lost its first pixel.
    PixelLost,
    DriverSays(SourceError),
    PatternRefused,
    Flash(flash::Fault),
    WatchdogSleeps,
    /// The start after the checklist is one after a panic.
    Panics,
}

pub const WATCHDOG_MS: u64 = 8_000;

struct World {
    micros: Cell<u64>,
    fed_ms: Cell<u64>,
    fault: Fault,
    /// What each lamp's pin drives.
    driven: Cell<[bool; 5]>,
    /// The camera's task, which runs whenever the clock is looked at.
    task: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
}

/// The watchdog has reset the chip.
struct Reset;

#[derive(Clone)]
struct Shared(Rc<World>);

impl Shared {
    fn ms(&self) -> u64 {
        self.0.micros.get() / 1000
    }
}

impl Clock for Shared {
    fn now_ms(&self) -> u64 {
        self.0.micros.set(self.0.micros.get() + 100);
        // Taken out, because the task looks at the clock too.
        let task = self.0.task.borrow_mut().take();
        if let Some(mut task) = task {
            let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            *self.0.task.borrow_mut() = Some(task);
        }
        if self.0.fault != Fault::WatchdogSleeps && self.ms() - self.0.fed_ms.get() > WATCHDOG_MS {
            // Without the message of a panic, which it is not.
            resume_unwind(Box::new(Reset));
        }
        self.ms()
    }
}

impl Watchdog for Shared {
    fn feed(&mut self) {
        self.0.fed_ms.set(self.ms());
    }
}

impl Button for Shared {
    fn is_closed(&mut self) -> bool {
        // Pressed for half a second, six seconds after the start: the lamps take five.
        let pressed = self.ms() > 6_000;
        match self.0.fault {
            Fault::ButtonClosed => true,
            Fault::NeverPressed => false,
            Fault::NeverLetGo => pressed,
            _ => pressed && self.ms() < 6_500,
        }
    }
}

/// A lamp's pin, read back after it is set.
struct BackPin(Shared, usize);

impl BackPin {
    fn drive(&mut self, high: bool) -> Result<(), ErrorKind> {
        let world = &self.0.0;
        let mut driven = world.driven.get();
        driven[self.1] = high;
        world.driven.set(driven);
        let read = match world.fault {
            Fault::StuckLow(lamp) if lamp == self.1 => false,
            Fault::StuckHigh(lamp) if lamp == self.1 => true,
            Fault::Joined(a, b, high_wins) if [a, b].contains(&self.1) => {
                if high_wins {
                    driven[a] || driven[b]
                } else {
                    driven[a] && driven[b]
                }
            }
            _ => high,
        };
        if read == high { Ok(()) } else { Err(ErrorKind::Other) }
    }
}

impl ErrorType for BackPin {
    type Error = ErrorKind;
}

impl OutputPin for BackPin {
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        self.drive(false)
    }

    fn set_high(&mut self) -> Result<(), ErrorKind> {
        self.drive(true)
    }
}

pub const WIDTH: usize = 45;
pub const HEIGHT: u16 = 40;
/// Bytes of the longest row, as YUYV.
pub const ROW: usize = 2 * WIDTH;

/// Y, U and V of the eight bars, after BT.601, at 100 %.
const BARS: [[u8; 3]; 8] = [
    [235, 128, 128],
    [210, 16, 146],
    [170, 166, 16],
    [145, 54, 34],
    [106, 202, 222],
    [81, 90, 240],
    [41, 240, 110],
    [16, 128, 128],
];

struct SimSensor<const IS_BARS: bool> {
    shared: Shared,
    sender: Sender<'static, ROW>,
    pattern: bool,
}

impl<const IS_BARS: bool> SimSensor<IS_BARS> {
    fn there(&self) -> bool {
        self.shared.0.fault != Fault::CameraAbsent
    }

    /// As the sensor sends it, before the wires.
    fn row(&self, number: usize) -> Vec<u8> {
        let byte = |at: usize| match (self.pattern, IS_BARS) {
            (true, false) => [1, 2, 4, 8, 16, 32, 64, 128, 0][(at + 4) % 9],
            (true, true) => {
                let [y, u, v] = BARS[(at / 2) * 8 / WIDTH];
                [y, u, y, v][at % 4]
            }
            (false, false) => (at * 5 + number * 3) as u8,
            (false, true) => [(at * 5 / 2 + number * 3) as u8, 128][at % 2],
        };
        (0..if IS_BARS { 2 * WIDTH } else { WIDTH }).map(byte).collect()
    }

    fn wired(&self, byte: u8) -> u8 {
        match self.shared.0.fault {
            Fault::DataLow(line) => byte & !(1 << line),
            Fault::DataHigh(line) => byte | 1 << line,
            Fault::NothingMoves => 0,
            Fault::DataSwapped(a, b) => {
                let bit = |from: u8, to: u8| (byte >> from & 1) << to;
                byte & !(1 << a | 1 << b) | bit(a, b) | bit(b, a)
            }
            _ => byte,
        }
    }
}

impl<const IS_BARS: bool> Sensor<ROW> for SimSensor<IS_BARS> {
    async fn wake(&mut self) -> bool {
        self.pattern = false;
        self.there() && self.shared.0.fault != Fault::OtherCamera
    }

    fn answers(&mut self) -> bool {
        self.there()
    }

    async fn frame(&mut self, sequence: u32) -> Result<(), FrameError> {
        let fault = self.shared.0.fault;
        match fault {
            Fault::DriverSays(SourceError::NoSignal) => {
                delay_ms(self.shared.clone(), 400).await;
                return Err(FrameError::Silent);
            }
            Fault::DriverSays(error) => {
                delay_ms(self.shared.clone(), 60).await;
                return Err(FrameError::Void(error));
            }
            _ => {}
        }
        let format = if IS_BARS { PixelFormat::Yuyv } else { PixelFormat::Gray8 };
        let geometry = Geometry::new(WIDTH as u32, HEIGHT.into(), format).unwrap();
        self.sender.begin(geometry, FrameStamp { sequence, micros: 0 });
        let missing = if let Fault::RowsMissing(rows) = fault { rows } else { 0 };
        for number in 0..usize::from(HEIGHT - missing) {
            delay_ms(self.shared.clone(), 1).await;
            let mut row = self.row(number);
            if fault == Fault::PixelLost && number >= usize::from(HEIGHT) / 2 {
                row.rotate_left(if IS_BARS { 12 } else { 1 });
            }
            let row: Vec<u8> = row.into_iter().map(|byte| self.wired(byte)).collect();
            self.sender.row(&row);
        }
        self.sender.end();
        Ok(())
    }

    fn sender(&mut self) -> &mut Sender<'static, ROW> {
        &mut self.sender
    }
}

impl<const IS_BARS: bool> TestSensor<ROW> for SimSensor<IS_BARS> {
    const IDENTITY: u16 = 0x01B0;
    const PATTERN: Pattern = if IS_BARS { Pattern::Bars } else { Pattern::WalkingOnes };

    fn identity(&mut self) -> Option<u16> {
        let other = self.shared.0.fault == Fault::OtherCamera;
        self.there().then_some(if other { 0x2481 } else { Self::IDENTITY })
    }

    fn show_pattern(&mut self) -> bool {
        self.pattern = self.shared.0.fault != Fault::PatternRefused;
        self.pattern
    }
}

async fn delay_ms(shared: Shared, ms: u32) {
    let until = shared.ms() + u64::from(ms);
    poll_fn(|_| if shared.ms() >= until { Poll::Ready(()) } else { Poll::Pending }).await;
}

struct Sim;

struct NoLog;

impl EventLog for NoLog {
    fn record(&mut self, _: &LogEvent<'_>) {}
}

/// The rows of a camera's task, or of a board that has none.
struct Rows(Option<Receiver<'static, ROW>>);

impl FrameSource for Rows {
    fn request(&mut self) {
        if let Some(rows) = &mut self.0 {
            rows.request();
        }
    }

    fn poll(&mut self) -> Result<SourceEvent<'_>, SourceError> {
        self.0.as_mut().map_or(Ok(SourceEvent::Quiet), FrameSource::poll)
    }
}

type Lit = ActiveHigh<BackPin>;

impl Board for Sim {
    type Source = Rows;
    type Lights = LampPins<Lit, Lit, Lit, Lit, Lit>;
    type Button = Shared;
    type Clock = Shared;
    type Watchdog = Shared;
    type Log = NoLog;

    const NAME: &'static str = "sim";

    fn stack_left() -> u32 {
        1 << 16
    }

    fn beat() {}
}

/// What the checklist said.
#[derive(Default)]
pub struct Said {
    pub lines: Vec<Line>,
    pub size: Option<(u16, u16)>,
    /// Grey pixels, row by row.
    pub pixels: Vec<u8>,
}

impl Report for &mut Said {
    fn line(&mut self, line: &Line) {
        self.lines.push(*line);
    }

    fn picture(&mut self, width: u16, height: u16) {
        assert_eq!(self.size.replace((width, height)), None);
    }

    fn pixels(&mut self, row: u16, column: u16, pixels: &[u8]) {
        assert_eq!(usize::from(row) * WIDTH + usize::from(column), self.pixels.len());
        self.pixels.extend_from_slice(pixels);
    }
}

/// Goes through the checklist on a board with this fault, and through the start after its reset.
pub fn go<const IS_BARS: bool>(fault: Fault) -> Said {
    let world = World {
        micros: Cell::new(0),
        fed_ms: Cell::new(0),
        fault,
        driven: Cell::new([false; 5]),
        task: RefCell::new(None),
    };
    let shared = Shared(Rc::new(world));
    let port: &'static CameraPort = Box::leak(Box::new(CameraPort::new()));
    let pipe: &'static mut RowPipe<ROW, 8> = Box::leak(Box::new(RowPipe::new()));
    let (sender, receiver) = pipe.split();
    let camera = SimSensor::<IS_BARS> { shared: shared.clone(), sender, pattern: false };
    if fault != Fault::NoCamera {
        let waits = shared.clone();
        let task = async move {
            let delay = async move |ms: u32| delay_ms(waits.clone(), ms).await;
            let () = capture::run(Tested::new(camera, port), delay).await;
        };
        *shared.0.task.borrow_mut() = Some(Box::pin(task));
    }
    let lit = |place| ActiveHigh(BackPin(shared.clone(), place));
    let parts = Parts::<Sim> {
        source: Rows((fault != Fault::NoCamera).then_some(receiver)),
        lights: LampPins { red: lit(0), amber: lit(1), green: lit(2), heartbeat: lit(3), buzzer: lit(4) },
        button: shared.clone(),
        clock: shared.clone(),
        watchdog: shared.clone(),
        log: NoLog,
    };
    let retained_ram = RetainedRam::new();
    assert_eq!(after_reset(retained_ram.begin_run(false)), None, "nothing was left by a run before");
    let mut said = Said::default();
    let mut flash = Flash::new(if let Fault::Flash(fault) = fault { fault } else { flash::Fault::None });
    said.lines.push(check_records(&mut flash, flash::RECORDS));
    let mut memory = vec![0; ROW * usize::from(HEIGHT)];
    let mut bench = Bench {
        parts,
        report: &mut said,
        camera: port,
        memory: &mut memory,
        retained_ram: &retained_ram,
        watchdog_ms: WATCHDOG_MS,
    };
    let ended = catch_unwind(AssertUnwindSafe(|| run(&mut bench)));
    drop(bench);
    // The task holds the world that holds it.
    shared.0.task.borrow_mut().take();
    if let Err(reset) = ended {
        assert!(reset.is::<Reset>(), "a panic of the checklist's own");
        if fault == Fault::Panics {
            retained_ram.record_cause(firmware::crash_record::ResetCause::Panic(7));
        }
        said.lines.extend(after_reset(retained_ram.begin_run(false)));
        assert_eq!(after_reset(retained_ram.begin_run(false)), None, "it is told once");
    }
    said
}
