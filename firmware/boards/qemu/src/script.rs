//! What happens to the board: a text of the host's, one line after the other. A frame's line lasts
//! until the device has asked for its frames, the others as long as they say; a reset does not
//! start it again.
//!
//! | line | what it does |
//! | --- | --- |
//! | `frames N` | anywhere: frames that must agree; 3 without it |
//! | `button` | anywhere: an answer is shown after a press only |
//! | `cut N` | anywhere: the power is cut in the flash's operation after N more; the run ends with status 5 |
//! | `frame PATH WIDTH HEIGHT FORMAT TIMES` | frames from a file of bare rows; FORMAT is gray8, gray16, rgb8 or rgb16 |
//! | `stuck ...` | as `frame`, all under the number of the one before |
//! | `short-row ...`, `long-row ...` | as `frame`, its middle row a byte short or long |
//! | `missing-row ...`, `row-too-many ...` | as `frame`, a row short or long |
//! | `cut-short ...` | as `frame`, another one begins in its middle |
//! | `halts ...` | as `frame`, nothing comes after its middle |
//! | `quiet MS` | nothing comes |
//! | `lost MS`, `no-signal MS`, `damaged MS`, `overrun MS` | the camera's driver says so |
//! | `break LAMP`, `mend LAMP` | the line of red, amber, green, heartbeat or buzzer does not follow any more, or again |
//! | `deafen`, `hear` | the log's reader takes nothing any more, or again |
//! | `press` | the button is pressed for 50 ms |
//! | `stack BYTES` | the stack is used but for so many bytes |
//! | `hang STAGE`, `panic STAGE`, `hard-fault STAGE` | from now on, at that stage: `wait`, `rows` or `layer N` |
//! | `# ...`, empty | nothing |
//!
//! After the last line the run ends.

use crate::host::{self, Ends};
use crate::trap;
use crate::world::{self, Trap, WORLD};
use core::cell::UnsafeCell;
use core::str::{self, SplitAsciiWhitespace};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use edge_core::PixelFormat;
use edge_core::pipeline::Stage;
use edge_core::ports::SourceError;
use edge_core::signal::Lamp;
use firmware::device::Settings;

/// Bytes of the longest script.
const LONGEST: usize = 16 * 1024;
const PRESS_MS: u32 = 50;

/// The text, outside of the chip's memory.
struct Text(UnsafeCell<[u8; LONGEST]>);

// SAFETY: written at the start alone, by `load`, before anything reads it.
unsafe impl Sync for Text {}

#[unsafe(link_section = ".world")]
static TEXT: Text = Text(UnsafeCell::new([0; LONGEST]));

/// When the current line began, in milliseconds since the start, and 1; 0 where it has not.
static SINCE: AtomicU32 = AtomicU32::new(0);
static ENDED: AtomicU32 = AtomicU32::new(0);

pub enum Standing {
    Quiet,
    Error(SourceError),
    /// Send this frame, when it is asked for.
    Frame(Picture),
}

pub struct Picture {
    pub path: &'static str,
    pub width: u32,
    pub height: u32,
    pub format: PixelFormat,
    pub damage: Damage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    None,
    Stuck,
    ShortRow,
    LongRow,
    MissingRow,
    RowTooMany,
    CutShort,
    Halts,
}

enum Line {
    /// A setting, or no line at all.
    Nothing,
    /// The camera stands so for so many milliseconds.
    Lasts(u32, Option<SourceError>),
    Press,
    Frames(Picture, u32),
    /// Something that is done at once.
    Break(Lamp, bool),
    Deafen(bool),
    Stack(u32),
    Trap(Trap, Stage),
}

pub fn settings() -> Settings {
    let mut settings = Settings::CONTINUOUS;
    for line in text().split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok()) {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), number(&mut words)) {
            (Some("button"), _) => settings.device = Settings::BUTTON.device,
            (Some("frames"), Some(frames)) => {
                settings.device.policy.frames = frames.min(255) as u8;
            }
            _ => {}
        }
    }
    settings
}

/// Reads the script from the host; says when to cut the power. Call it once a start, first.
pub fn load() -> Option<u32> {
    // SAFETY: nothing else runs yet, and no reference to it exists.
    let bytes = unsafe { &mut *TEXT.0.get() };
    bytes.fill(0);
    if host::fill(host::script(), bytes) == LONGEST {
        host::complain(b"the script: it is too long", Ends::Script);
    }
    let mut lines = text().split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
    lines.find_map(|line| number(&mut line.strip_prefix("cut ")?.split_ascii_whitespace()))
}

fn text() -> &'static [u8] {
    // SAFETY: not written any more; see `Text`.
    let bytes = unsafe { &*TEXT.0.get() };
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
    bytes.get(..end).unwrap_or(&[])
}

pub fn ended() -> bool {
    ENDED.load(Relaxed) != 0
}

pub fn frame_begins() {
    WORLD.begun.fetch_add(1, Relaxed);
}

/// Goes on with the script at `now_ms`, as far as time lets it, and says how the camera stands.
pub fn advance(now_ms: u64) -> Standing {
    loop {
        let Some(line) = text().get(WORLD.position.load(Relaxed) as usize..).filter(|rest| !rest.is_empty())
        else {
            ENDED.store(1, Relaxed);
            return Standing::Quiet;
        };
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
        let Some(parsed) = str::from_utf8(line).ok().and_then(parse) else {
            host::complain(line, Ends::Script);
        };
        match parsed {
            Line::Nothing => {}
            Line::Lasts(ms, error) => {
                if !over(ms, now_ms) {
                    return error.map_or(Standing::Quiet, Standing::Error);
                }
            }
            Line::Press => {
                let done = over(PRESS_MS, now_ms);
                WORLD.pressed.store(u32::from(!done), Relaxed);
                if !done {
                    return Standing::Quiet;
                }
            }
            Line::Frames(picture, times) => {
                if WORLD.begun.load(Relaxed) < times {
                    return Standing::Frame(picture);
                }
            }
            Line::Break(which, broken) => world::set_broken(which, broken),
            Line::Deafen(deaf) => WORLD.deaf.store(deaf.into(), Relaxed),
            Line::Stack(left) => trap::use_stack(left),
            Line::Trap(kind, stage) => world::set_trap(kind, stage),
        }
        SINCE.store(0, Relaxed);
        WORLD.begun.store(0, Relaxed);
        WORLD.position.fetch_add(line.len() as u32 + 1, Relaxed);
    }
}

fn over(ms: u32, now_ms: u64) -> bool {
    let now = now_ms as u32 + 1;
    let since = match SINCE.load(Relaxed) {
        0 => {
            SINCE.store(now, Relaxed);
            now
        }
        since => since,
    };
    now.wrapping_sub(since) >= ms
}

fn parse(line: &'static str) -> Option<Line> {
    let mut words = line.split_ascii_whitespace();
    let words = &mut words;
    let Some(first) = words.next() else { return Some(Line::Nothing) };
    let lasts = |words: &mut Words, error| Some(Line::Lasts(number(words)?, error));
    match first {
        "frames" | "button" | "cut" => Some(Line::Nothing),
        "quiet" => lasts(words, None),
        "lost" => lasts(words, Some(SourceError::Lost)),
        "no-signal" => lasts(words, Some(SourceError::NoSignal)),
        "damaged" => lasts(words, Some(SourceError::Damaged)),
        "overrun" => lasts(words, Some(SourceError::Overrun)),
        "press" => Some(Line::Press),
        "break" | "mend" => {
            let name = words.next()?;
            let which = Lamp::ALL.into_iter().find(|which| which.name() == name)?;
            Some(Line::Break(which, first == "break"))
        }
        "deafen" | "hear" => Some(Line::Deafen(first == "deafen")),
        "stack" => Some(Line::Stack(number(words)?)),
        "hang" => Some(Line::Trap(Trap::Hang, stage(words)?)),
        "panic" => Some(Line::Trap(Trap::Panic, stage(words)?)),
        "hard-fault" => Some(Line::Trap(Trap::HardFault, stage(words)?)),
        comment if comment.starts_with('#') => Some(Line::Nothing),
        damage => {
            let damage = damage_of(damage)?;
            let (path, width, height) = (words.next()?, number(words)?, number(words)?);
            let format = format_of(words.next()?)?;
            Some(Line::Frames(Picture { path, width, height, format, damage }, number(words)?))
        }
    }
}

type Words = SplitAsciiWhitespace<'static>;

fn number(words: &mut SplitAsciiWhitespace<'_>) -> Option<u32> {
    words.next()?.parse().ok()
}

fn stage(words: &mut Words) -> Option<Stage> {
    match words.next()? {
        "wait" => Some(Stage::Wait),
        "rows" => Some(Stage::Rows),
        "layer" => Some(Stage::Layer(u8::try_from(number(words)?).ok()?)),
        _ => None,
    }
}

fn damage_of(word: &str) -> Option<Damage> {
    Some(match word {
        "frame" => Damage::None,
        "stuck" => Damage::Stuck,
        "short-row" => Damage::ShortRow,
        "long-row" => Damage::LongRow,
        "missing-row" => Damage::MissingRow,
        "row-too-many" => Damage::RowTooMany,
        "cut-short" => Damage::CutShort,
        "halts" => Damage::Halts,
        _ => return None,
    })
}

fn format_of(word: &str) -> Option<PixelFormat> {
    Some(match word {
        "gray8" => PixelFormat::Gray8,
        "gray16" => PixelFormat::Gray16,
        "rgb8" => PixelFormat::Rgb8,
        "rgb16" => PixelFormat::Rgb16,
        _ => return None,
    })
}
