//! One world, two hosts: the chip's loop and the Linux device's are given the same camera, button
//! and lamps, millisecond by millisecond, and must indicate the same at every one of them. The
//! state machine between is one; what is compared is the wiring.

use crate::simulated::world::STACK_LEFT;
use crate::simulated::{Simulated, arena, model, parts, retained_ram};
use edge_core::agree::{FrameStamp, Indication};
use edge_core::kernels;
use edge_core::ports::{Button, Clock, FrameSource, LampDriver, SourceError, SourceEvent, Watchdog};
use edge_core::signal::{Debounce, Lamp, LampSet, Levels, Pattern, PatternPlayer};
use edge_core::{Frame, Geometry, PixelFormat, State};
use edge_model::classify::Classifier;
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::ModelFile;
use edge_runtime::capture::{CaptureError, Shot, Source};
use edge_runtime::log::{Context, Log, Options};
use edge_runtime::run::{FrontPanel, Run};
use firmware::boot;
use firmware::device::{Device, Settings};
use firmware::event_log::{EventLog, LogEvent};
use firmware::slots::Slot;
use phantoms::{Label, draw};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

const SIDE: u32 = 96;
/// The camera sends this often.
const FRAME_MS: u64 = 100;

/// What the camera does from a moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Camera {
    Sends(Label),
    /// The same frame again and again.
    Repeats(Label),
    Silent,
    Lost,
    NoSignal,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Camera(Camera),
    /// For 50 ms.
    Press,
    Break(Lamp),
    Mend,
}

struct World {
    now_ms: u64,
    /// Whether time passes by looking at it: while the chip shows its light test and nothing else
    /// does.
    boots: bool,
    camera: Camera,
    sequence: u32,
    /// Until when the button is held.
    held_ms: u64,
    broken: LampSet,
    /// What the chip's log said last.
    chip_shows: Option<Indication>,
}

/// A part of either device: all of them look at the one world.
#[derive(Clone)]
struct Part(Arc<Mutex<World>>);

impl Part {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    fn closed(&self) -> bool {
        let world = self.world();
        world.now_ms < world.held_ms
    }
}

impl World {
    /// Whether a frame comes in this millisecond, of which class and number.
    fn frame(&self) -> Option<(Label, FrameStamp)> {
        let (Camera::Sends(label) | Camera::Repeats(label)) = self.camera else { return None };
        self.now_ms
            .is_multiple_of(FRAME_MS)
            .then_some((label, FrameStamp { sequence: self.sequence, micros: 0 }))
    }
}

impl Clock for Part {
    fn now_ms(&self) -> u64 {
        let mut world = self.world();
        world.now_ms += u64::from(world.boots);
        world.now_ms
    }
}

impl LampDriver for Part {
    fn set(&mut self, _: &Levels, _: bool) -> LampSet {
        self.world().broken
    }
}

// ---- the chip

impl Button for Part {
    fn is_closed(&mut self) -> bool {
        self.closed()
    }
}

impl Watchdog for Part {
    fn feed(&mut self) {}
}

impl EventLog for Part {
    fn record(&mut self, event: &LogEvent<'_>) {
        if let LogEvent::Shows { shown, .. } = event {
            self.world().chip_shows = *shown;
        }
    }
}

struct ChipCamera {
    part: Part,
    films: [Vec<u8>; 2],
    wanted: bool,
    /// The frame that it is at, and its next row; the number of rows stands for its end.
    row: Option<(Label, usize)>,
}

impl FrameSource for ChipCamera {
    fn request(&mut self) {
        (self.wanted, self.row) = (true, None);
    }

    fn poll(&mut self) -> Result<SourceEvent<'_>, SourceError> {
        if let Some((label, row)) = self.row.take() {
            let rows = SIDE as usize;
            let next = if row < rows { Some((label, row + 1)) } else { None };
            self.row = next;
            let bytes = self.films[label as usize].get(row * rows..(row + 1) * rows);
            return Ok(bytes.map_or(SourceEvent::End, SourceEvent::Row));
        }
        let world = self.part.world();
        match (world.camera, world.frame()) {
            (Camera::Lost, _) => Err(SourceError::Lost),
            (Camera::NoSignal, _) => Err(SourceError::NoSignal),
            (_, Some((label, stamp))) if self.wanted => {
                (self.wanted, self.row) = (false, Some((label, 0)));
                Ok(SourceEvent::Begin(Geometry::new(SIDE, SIDE, PixelFormat::Gray8).unwrap(), stamp))
            }
            _ => Ok(SourceEvent::Quiet),
        }
    }
}

// ---- the Linux device

struct LinuxCamera {
    part: Part,
    films: [Vec<u8>; 2],
    /// When it gave its last frame.
    gave_ms: Option<u64>,
}

impl Source for LinuxCamera {
    fn next(&mut self, _: Duration) -> Result<Shot<'_>, CaptureError> {
        let (now_ms, camera, frame) = {
            let world = self.part.world();
            (world.now_ms, world.camera, world.frame())
        };
        match (camera, frame) {
            (Camera::Lost, _) => {
                Err(CaptureError::Lost { source_name: "camera".into(), what: "lost".into() })
            }
            (Camera::NoSignal, _) => Err(CaptureError::NoSignal("camera".into())),
            (_, Some((label, stamp))) if self.gave_ms != Some(now_ms) => {
                self.gave_ms = Some(now_ms);
                let film = &self.films[label as usize];
                let geometry = Geometry::new(SIDE, SIDE, PixelFormat::Gray8).unwrap();
                let frame = Frame::new(geometry, SIDE as usize, film).unwrap();
                Ok(Shot { frame, stamp, taken_ms: now_ms, name: "", exam: None })
            }
            _ => Err(CaptureError::Nothing),
        }
    }

    fn is_live(&self) -> bool {
        true
    }

    fn name(&self) -> &str {
        "camera"
    }
}

/// The panel's thread, without a thread: it goes on when the loop looks at it.
struct Front(Mutex<(PatternPlayer<Part>, Debounce)>, Part);

impl FrontPanel for Front {
    fn show(&self, shown: Option<Indication>) {
        let now_ms = self.1.now_ms();
        let panel = &mut self.0.lock().unwrap().0;
        panel.show(Pattern::of(shown), now_ms);
        panel.tick(now_ms, true);
    }

    fn pressed(&self) -> bool {
        let (closed, now_ms) = (self.1.closed(), self.1.now_ms());
        self.0.lock().unwrap().1.update(closed, now_ms)
    }

    fn failed(&self) -> LampSet {
        let panel = &mut self.0.lock().unwrap().0;
        panel.tick(self.1.now_ms(), true);
        panel.failed()
    }

    fn problem(&self) -> Option<String> {
        None
    }
}

// ---- both

/// Both devices, and where the log of one of them lies.
struct Both {
    part: Part,
    chip: Device<'static, Simulated<ChipCamera, Part>>,
    linux: Run<Box<dyn Engine>, Part>,
    _log: tempfile::TempDir,
}

fn film(label: Label) -> Vec<u8> {
    let seed = if label == Label::Pneumonia { 102 } else { 3 };
    draw(label, seed, SIDE as u16).frame().rows().flatten().copied().collect()
}

impl Both {
    fn new(settings: Settings, linux: Settings) -> Self {
        STACK_LEFT.set(4096);
        let world = World {
            now_ms: 0,
            boots: true,
            camera: Camera::Silent,
            sequence: 0,
            held_ms: 0,
            broken: LampSet::NONE,
            chip_shows: None,
        };
        let part = Part(Arc::new(Mutex::new(world)));
        let films = [film(Label::Normal), film(Label::Pneumonia)];

        let source = ChipCamera { part: part.clone(), films: films.clone(), wanted: false, row: None };
        let choose = |_: &mut [u8], _: &mut Part| Ok((Slot::A, *model()));
        let chip = boot::start(
            parts(source, part.clone()),
            settings,
            retained_ram(),
            arena(),
            kernels::best(),
            choose,
        );
        part.world().boots = false;

        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/pneumonia/model.onnx");
        let file = ModelFile::load(file).unwrap();
        let engine = EngineKind::Core.load(&file).unwrap();
        let context = Context {
            preprocessing: edge_core::preprocess::NAME,
            model_sha256: file.sha256().to_owned(),
            model_version: file.metadata().version.to_string(),
            engine: engine.name(),
            familiar_widened_to: None,
            thresholds: file.metadata().thresholds,
            site_sha256: None,
            prior: None,
        };
        let source = LinuxCamera { part: part.clone(), films, gave_ms: None };
        let classifier = Classifier::new(&file, engine);
        let device =
            edge_runtime::device::Device::new(Box::new(source), classifier, linux.device, part.clone());
        let panel = PatternPlayer::new(part.clone(), Pattern::LightTest, part.now_ms());
        let front = Front(Mutex::new((panel, Debounce::new(20))), part.clone());
        let folder = tempfile::tempdir().unwrap();
        let log = Log::new(folder.path().join("log.jsonl"), Options::default());
        let linux = Run::new(device, log, context, Some(Box::new(front)));
        Self { part, chip, linux, _log: folder }
    }
}

impl Both {
    /// A millisecond passes; both go around once. What the chip and the Linux device indicate, as
    /// state and code.
    fn step(&mut self) -> [Option<(State, u8)>; 2] {
        {
            let mut world = self.part.world();
            world.now_ms += 1;
            let new = matches!(world.camera, Camera::Sends(_)) && world.now_ms.is_multiple_of(FRAME_MS);
            world.sequence += u32::from(new);
        }
        self.chip.poll();
        let linux = self.linux.step(Duration::ZERO).shown;
        let chip = self.part.world().chip_shows;
        [chip, linux].map(|shown| shown.map(|shown| (shown.state, shown.reason.code())))
    }

    fn happens(&self, step: Step) {
        let mut world = self.part.world();
        match step {
            Step::Camera(camera) => world.camera = camera,
            Step::Press => world.held_ms = world.now_ms + 50,
            Step::Break(which) => world.broken = LampSet::NONE.with(which),
            Step::Mend => world.broken = LampSet::NONE,
        }
    }
}

/// Plays steps, each at its time after the start, and returns all that both showed; or the first
/// difference.
fn play(
    script: &[(u64, Step)],
    ends_ms: u64,
    [chip, linux]: [Settings; 2],
) -> Result<Vec<Option<(State, u8)>>, String> {
    let mut both = Both::new(chip, linux);
    // The times of a script are those of the camera's frames.
    let start = both.part.now_ms().next_multiple_of(FRAME_MS);
    let mut steps = script.iter().peekable();
    let mut shows = Vec::new();
    while both.part.now_ms() < start + ends_ms {
        while let Some((_, step)) = steps.next_if(|(at, _)| start + at <= both.part.now_ms() + 1) {
            both.happens(*step);
        }
        let [chip, linux] = both.step();
        if chip != linux {
            let at = both.part.now_ms() as i64 - start as i64;
            return Err(format!("at {at} ms the chip shows {chip:?}, Linux {linux:?}"));
        }
        if shows.last() != Some(&chip) {
            shows.push(chip);
        }
    }
    Ok(shows)
}

const NORMAL: Step = Step::Camera(Camera::Sends(Label::Normal));
const PNEUMONIA: Step = Step::Camera(Camera::Sends(Label::Pneumonia));

/// A script that comes to everything, for a device that judges all the time.
fn continuous() -> Vec<(u64, Step)> {
    vec![
        (3500, NORMAL), // after it was silent for too long from the start
        (4500, PNEUMONIA),
        (5500, Step::Camera(Camera::Lost)),
        (6000, PNEUMONIA),
        (7000, Step::Camera(Camera::Repeats(Label::Pneumonia))),
        (7500, NORMAL),
        (8300, Step::Break(Lamp::Green)),
        (8900, Step::Mend),
        (10_500, Step::Break(Lamp::Heartbeat)),
        (11_000, Step::Camera(Camera::Silent)),
        (15_000, Step::Camera(Camera::NoSignal)),
        (16_000, PNEUMONIA),
        (16_250, Step::Press), // which nobody asks for
    ]
}

#[test]
fn judging_all_the_time_both_indicate_the_same_at_every_millisecond() {
    let shows = play(&continuous(), 17_000, [Settings::CONTINUOUS; 2]).unwrap();
    let codes: Vec<u8> = shows.iter().map(|shown| shown.unwrap().1).collect();
    // Starting, silent; then answers, each after three frames, between faults.
    assert_eq!(
        codes,
        [30, 32, 4, 2, 4, 1, 31, 4, 1, 33, 4, 2, 43, 2, 32, 34, 4, 1],
        "starting, stale, normal, pneumonia, lost, pneumonia, stuck, normal, lamp, normal, stale, no signal, pneumonia"
    );
}

#[test]
fn with_a_button_both_indicate_the_same_at_every_millisecond() {
    let script = [
        (0, NORMAL),
        (1010, Step::Press),
        (3000, PNEUMONIA),
        (13_000, Step::Camera(Camera::Lost)),
        (13_500, PNEUMONIA),
        (13_620, Step::Press),
        (14_520, Step::Press),
        (16_000, Step::Break(Lamp::Red)),
        (16_500, Step::Mend),
        // It counts 20 ms later, when a frame comes: before it the chip's camera owes none, and the other's
        // always does.
        (24_980, Step::Press),
        (25_100, Step::Camera(Camera::Silent)),
        (29_000, NORMAL),
    ];
    let shows = play(&script, 37_000, [Settings::BUTTON; 2]).unwrap();
    let codes: Vec<Option<u8>> = shows.iter().map(|shown| shown.map(|shown| shown.1)).collect();
    let expected = [0, 4, 2, 4, 1, 0, 31, 0, 4, 1, 0, 4, 1, 43, 1, 0, 4, 32, 4, 2, 0];
    assert_eq!(codes, expected.map(|code| (code > 0).then_some(code)));
}

/// The comparison bites: one frame more that must agree, a hold that is a millisecond longer, an
/// age that is one less.
#[test]
fn planted_differences_are_found() {
    let differ = |script: &[(u64, Step)], chip: Settings, change: fn(&mut Settings)| {
        let mut linux = chip;
        change(&mut linux);
        play(script, 17_000, [chip, linux]).unwrap_err()
    };
    let agree = differ(&continuous(), Settings::CONTINUOUS, |s| s.device.policy.frames += 1);
    assert!(agree.starts_with("at 3700 ms"), "{agree}");
    let age = differ(&continuous(), Settings::CONTINUOUS, |s| s.device.policy.stale_after_ms -= 1);
    assert!(age.contains("(Fault, 30)") && age.contains("(Fault, 32)"), "{age}");
    let press = [(0, NORMAL), (1010, Step::Press)];
    let hold = differ(&press, Settings::BUTTON, |s| s.device.hold_ms = Some(10_001));
    assert!(hold.contains("the chip shows None"), "{hold}");
    let deaf = differ(&press, Settings::BUTTON, |s| s.device.hold_ms = None);
    assert!(deaf.contains("the chip shows None"), "{deaf}");
}
