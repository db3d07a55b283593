//! Boards made of values: of any camera and one thing that is all their other parts. The one here
//! has a camera that follows a script, lamps whose every change is kept, and a clock that the
//! camera's rows move.

pub mod camera;
pub mod world;

use camera::Camera;
use edge_core::kernels;
use edge_core::packed::Packed;
use edge_core::ports::{Button, Clock, FrameSource, LampDriver, Watchdog};
use edge_core::signal::{Lamp, LampSet, Levels};
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use firmware::boot;
use firmware::crash_record::RetainedRam;
use firmware::device::{Board, Device, Parts, Settings};
use firmware::event_log::{EventLog, LogEvent};
use firmware::slots::Slot;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::OnceLock;
use world::{BEATS, BY_HAND, STACK_LEFT, World};

/// A look at the clock takes this long: without it nothing that waits would end.
const LOOK_MICROS: u64 = 100;

/// A board with this source, whose every other part is a `P`.
pub struct Simulated<S, P>(PhantomData<(S, P)>);

impl<S: FrameSource, P: LampDriver + Button + Clock + Watchdog + EventLog> Board for Simulated<S, P> {
    type Source = S;
    type Lights = P;
    type Button = P;
    type Clock = P;
    type Watchdog = P;
    type Log = P;

    const NAME: &'static str = "simulated";

    fn stack_left() -> u32 {
        STACK_LEFT.get()
    }

    fn beat() {
        BEATS.set(BEATS.get() + 1);
    }

    fn was_reset_by_hand() -> bool {
        BY_HAND.get()
    }
}

/// The parts of such a board.
pub fn parts<S, P>(source: S, part: P) -> Parts<Simulated<S, P>>
where
    S: FrameSource,
    P: LampDriver + Button + Clock + Watchdog + EventLog + Clone,
{
    let [lights, button, clock, watchdog] = [(); 4].map(|()| part.clone());
    Parts { source, lights, button, clock, watchdog, log: part }
}

/// What such a part does, the world keeps.
#[derive(Clone)]
pub struct Part(pub Rc<World>);

impl Clock for Part {
    fn now_ms(&self) -> u64 {
        self.0.pass(LOOK_MICROS);
        self.0.now_ms()
    }
}

impl Watchdog for Part {
    fn feed(&mut self) {
        self.0.fed.set(self.0.fed.get() + 1);
    }
}

impl Button for Part {
    fn is_closed(&mut self) -> bool {
        self.0.pressed.get()
    }
}

impl LampDriver for Part {
    fn set(&mut self, levels: &Levels, heartbeat: bool) -> LampSet {
        let mut lights = self.0.lights.borrow_mut();
        let lit = |which| match which {
            Lamp::Red => levels.red,
            Lamp::Amber => levels.amber,
            Lamp::Green => levels.green,
            Lamp::Heartbeat => heartbeat,
            Lamp::Buzzer => levels.buzzer,
        };
        let shorted = self.0.shorted.get();
        let broken = shorted.iter().filter(|&which| lit(which)).fold(self.0.broken.get(), LampSet::with);
        let (_, before, beat) = lights.last().copied().unwrap_or_default();
        let line = |which, before: bool, now: bool| if broken.has(which) { before } else { now };
        let levels = Levels {
            red: line(Lamp::Red, before.red, levels.red),
            amber: line(Lamp::Amber, before.amber, levels.amber),
            green: line(Lamp::Green, before.green, levels.green),
            buzzer: line(Lamp::Buzzer, before.buzzer, levels.buzzer),
        };
        let heartbeat = line(Lamp::Heartbeat, beat, heartbeat);
        if lights.last().is_none_or(|&(_, at, beat)| at != levels || beat != heartbeat) {
            lights.push((self.0.now_ms(), levels, heartbeat));
        }
        broken
    }
}

impl EventLog for Part {
    fn record(&mut self, event: &LogEvent<'_>) {
        match event {
            LogEvent::Shows { shown, at_ms } => {
                let text = shown
                    .map_or("idle".into(), |shown| format!("{} {}", shown.state.name(), shown.reason.code()));
                self.0.shows.borrow_mut().push((*at_ms, text));
            }
            LogEvent::Frame { judged, at_ms, .. } => {
                self.0.answers.borrow_mut().push((*at_ms, judged.decision.state));
            }
            other => self.0.notes.borrow_mut().push(format!("{other:?}")),
        }
    }
}

pub fn model() -> &'static Packed<&'static [u8]> {
    static MODEL: OnceLock<Packed<&'static [u8]>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/pneumonia/model.onnx");
        let packed =
            pack(&ModelFile::load(path).expect("the shipped model loads")).expect("it can be packed");
        let packed: &'static _ = Box::leak(Box::new(packed));
        Packed::new(packed.bytes()).expect("it was checked when it was packed")
    })
}

/// Memory for the stages, at the address that they want.
pub fn arena() -> &'static mut [u8] {
    let words: &'static mut [u64] = vec![0x5555_5555_5555_5555; model().arena_bytes() / 8 + 1].leak();
    bytemuck::cast_slice_mut(words)
}

/// The memory in which a device keeps what ended it.
pub fn retained_ram() -> &'static RetainedRam {
    Box::leak(Box::new(RetainedRam::new()))
}

/// Switches a simulated device on with the shipped model, and a camera that follows `steps`.
pub fn switch_on<S: ToString>(
    steps: &[S],
    settings: Settings,
    retained_ram: &'static RetainedRam,
) -> (Rc<World>, Device<'static, Simulated<Camera, Part>>) {
    let world = Rc::new(World::default());
    let parts = parts(Camera::new(&world, steps), Part(world.clone()));
    let device =
        boot::start(parts, settings, retained_ram, arena(), kernels::best(), |_, _| Ok((Slot::A, *model())));
    (world, device)
}
