//! GPIO lines of the character device (`/dev/gpiochipN`, ABI v2): found by label and name, lost and
//! found again.
//!
//! A line is written on every tick of the panel, changed or not, so that a chip that went away is
//! noticed at once and a level that something else changed is put right. A line that fails is
//! closed and looked for again; its chip may have another number then.
//!
//! What a line does after the program has ended is the chip's matter: some keep their level, others
//! float. Wire the lamps so that a floating line lights red and amber and not green (pull-ups, or
//! `active_low` with pull-downs).

use crate::config::{Lights as LightsConfig, Line, LineSpec};
use crate::errno::{Asked, Explained};
use crate::signal::PanelLines;
use edge_core::ports::LampDriver;
use edge_core::signal::{ActiveHigh, ActiveLow, Dark, Lamp, LampLine, LampPins, LampSet, Levels};
use embedded_hal::digital::{ErrorKind, ErrorType, OutputPin};
use gpiocdev::line::Value;
use gpiocdev::{Chip, Request};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// The name under which the kernel lists our lines.
pub(crate) const CONSUMER: &str = "pneumoscope";

/// A GPIO chip and its lines as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipInfo {
    /// Its device file; the number in it may be another one tomorrow.
    pub path: PathBuf,
    pub label: String,
    pub lines: Vec<LineInfo>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineInfo {
    /// Its name; empty where it has none.
    pub name: String,
    /// Who uses it; none while it is free. The kernel's own users may be nameless.
    pub user: Option<String>,
}

/// The chips of this machine, and the files of those that may not be opened.
pub fn chips() -> (Vec<ChipInfo>, Vec<PathBuf>) {
    let (mut chips, mut denied) = (Vec::new(), Vec::new());
    for path in gpiocdev::chip::chips().unwrap_or_default() {
        let chip = match Chip::from_path(&path) {
            Ok(chip) => chip,
            Err(gpiocdev::Error::Os(errno))
                if io::Error::from_raw_os_error(errno.0).kind() == io::ErrorKind::PermissionDenied =>
            {
                denied.push(path);
                continue;
            }
            // Gone between listing and opening.
            Err(_) => continue,
        };
        let Ok(info) = chip.info() else { continue };
        let line = |number| {
            chip.line_info(number).map_or(LineInfo::default(), |line| LineInfo {
                name: line.name,
                user: line.used.then_some(line.consumer),
            })
        };
        chips.push(ChipInfo { path, label: info.label, lines: (0..info.num_lines).map(line).collect() });
    }
    (chips, denied)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub chip: PathBuf,
    pub number: u32,
    /// Who uses it; none while it is free.
    pub user: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error(
        "{line}: {chip} may not be opened; add this user to the group gpio (`usermod -aG gpio USER`) and log in again"
    )]
    Permission { line: String, chip: String },
    #[error("{line}: there is no such GPIO chip; {known}")]
    NoChip {
        line: String,
        /// The nearest label, or all.
        known: String,
    },
    #[error("{line}: there is no such GPIO line; {known}")]
    NoLine {
        line: String,
        /// The nearest name, or how many there are.
        known: String,
    },
    #[error("{line}: {count} lines fit; name the chip too, or use another label")]
    Ambiguous { line: String, count: usize },
    #[error("{line}: in use by `{}`; end that program, or choose another line", user.escape_debug())]
    Busy { line: String, user: String },
    /// The kernel refused, or the line failed while in use.
    #[error("{line}: {what}")]
    Failed { line: String, what: String },
}

/// Finds a line on this machine; one in use is found and is no error.
pub fn find(spec: &LineSpec) -> Result<Place, LineError> {
    let (chips, denied) = chips();
    choose(spec, &chips).map_err(|error| match denied.first() {
        // It may well be on a chip that we cannot see.
        Some(chip) => LineError::Permission { line: spec.to_string(), chip: chip.display().to_string() },
        None => error,
    })
}

/// Finds a line among chips.
pub fn choose(spec: &LineSpec, chips: &[ChipInfo]) -> Result<Place, LineError> {
    let line = spec.to_string();
    let (label, wanted) = match &spec.line {
        Line::Name { name, chip } => (chip.as_ref(), name.as_str()),
        Line::Number { chip, .. } => (Some(chip), ""),
    };
    let here: Vec<_> = chips.iter().filter(|chip| label.is_none_or(|label| chip.label == *label)).collect();
    if here.is_empty() {
        let known =
            names(label.map_or("", String::as_str), chips.iter().map(|chip| chip.label.as_str()), "chip");
        return Err(LineError::NoChip { line, known });
    }
    let fits = |number: usize, info: &LineInfo| match &spec.line {
        Line::Name { name, .. } => info.name == *name,
        Line::Number { line, .. } => number as u64 == u64::from(*line),
    };
    let mut places = Vec::new();
    for chip in &here {
        for (number, info) in chip.lines.iter().enumerate().filter(|(number, info)| fits(*number, info)) {
            let (chip, number) = (chip.path.clone(), number as u32);
            places.push(Place { chip, number, user: info.user.clone() });
        }
    }
    match <[Place; 1]>::try_from(places) {
        Ok([place]) => Ok(place),
        Err(places) if !places.is_empty() => Err(LineError::Ambiguous { line, count: places.len() }),
        Err(_) => {
            let known = match &spec.line {
                Line::Number { .. } => format!("that chip has {}, numbered from 0", here[0].lines.len()),
                Line::Name { .. } => {
                    let all = here.iter().flat_map(|chip| &chip.lines).map(|line| line.name.as_str());
                    names(wanted, all.filter(|name| !name.is_empty()), "line with a name")
                }
            };
            Err(LineError::NoLine { line, known })
        }
    }
}

/// The nearest name, else the first few.
fn names<'n>(wanted: &str, all: impl Iterator<Item = &'n str>, what: &str) -> String {
    const SHOWN: usize = 8;
    let all: Vec<&str> = all.collect();
    if let Some(near) = crate::value::nearest(wanted, all.iter().copied()) {
        return format!("did you mean `{}`?", near.escape_debug());
    }
    if all.is_empty() {
        return format!("this machine has no GPIO {what}");
    }
    let shown: Vec<_> = all.iter().take(SHOWN).map(|name| format!("`{}`", name.escape_debug())).collect();
    let more = if all.len() > SHOWN { ", ..." } else { "" };
    format!("there are {}{more}; `edge-runtime devices` lists them", shown.join(", "))
}

/// Opens a line; `output` is the level to begin with, none for an input.
fn open(spec: &LineSpec, output: Option<bool>) -> Result<Request, LineError> {
    let place = find(spec)?;
    let mut builder = Request::builder();
    builder.on_chip(&place.chip).with_consumer(CONSUMER).with_line(place.number);
    match output {
        Some(high) => builder.as_output(Value::from(high)),
        None => builder.as_input(),
    };
    builder.request().map_err(|error| match place.user {
        Some(user) => LineError::Busy { line: spec.to_string(), user },
        None => LineError::Failed { line: spec.to_string(), what: explained(&error) },
    })
}

/// The kernel's answer, what it means and what to do.
pub fn explained(error: &gpiocdev::Error) -> String {
    match error {
        gpiocdev::Error::Os(errno) => {
            Explained(Asked::GpioLine, &io::Error::from_raw_os_error(errno.0)).to_string()
        }
        other => other.to_string(),
    }
}

/// An output line; its levels are the physical ones.
pub struct OutputLine {
    spec: LineSpec,
    /// The level that was asked for last: a line that comes back begins with it.
    high: bool,
    request: Result<Request, LineError>,
}

/// A line cannot be set; [`OutputLine::problem`] knows why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the line cannot be set")
    }
}

impl embedded_hal::digital::Error for Lost {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for OutputLine {
    type Error = Lost;
}

impl OutputLine {
    fn new(spec: &LineSpec) -> Self {
        // Dark, whatever the polarity.
        let high = spec.active_low;
        Self { spec: spec.clone(), high, request: open(spec, Some(high)) }
    }

    fn set(&mut self, high: bool) -> Result<(), Lost> {
        self.high = high;
        let request = self.request.as_ref().map_err(|_| Lost)?;
        request.set_lone_value(Value::from(high)).map_err(|error| {
            let what = format!("failed while in use: {}", explained(&error));
            self.request = Err(LineError::Failed { line: self.spec.to_string(), what });
            Lost
        })
    }

    fn reopen(&mut self) {
        if self.request.is_err() {
            self.request = open(&self.spec, Some(self.high));
        }
    }

    /// Why the line is lost; none while it works.
    pub fn problem(&self) -> Option<&LineError> {
        self.request.as_ref().err()
    }
}

impl OutputPin for OutputLine {
    fn set_low(&mut self) -> Result<(), Lost> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), Lost> {
        self.set(true)
    }
}

enum GpioLamp {
    None(Dark),
    High(ActiveHigh<OutputLine>),
    Low(ActiveLow<OutputLine>),
}

impl GpioLamp {
    fn new(spec: Option<&LineSpec>) -> Self {
        match spec {
            None => Self::None(Dark),
            Some(spec) if spec.active_low => Self::Low(ActiveLow(OutputLine::new(spec))),
            Some(spec) => Self::High(ActiveHigh(OutputLine::new(spec))),
        }
    }

    fn line(&self) -> Option<&OutputLine> {
        match self {
            Self::None(_) => None,
            Self::High(ActiveHigh(line)) | Self::Low(ActiveLow(line)) => Some(line),
        }
    }

    fn line_mut(&mut self) -> Option<&mut OutputLine> {
        match self {
            Self::None(_) => None,
            Self::High(ActiveHigh(line)) | Self::Low(ActiveLow(line)) => Some(line),
        }
    }
}

impl LampLine for GpioLamp {
    type Error = Lost;

    fn light(&mut self, lit: bool) -> Result<(), Lost> {
        match self {
            Self::None(dark) => dark.light(lit).map_err(|never| match never {}),
            Self::High(lamp) => lamp.light(lit),
            Self::Low(lamp) => lamp.light(lit),
        }
    }
}

struct InputLine {
    spec: LineSpec,
    request: Result<Request, LineError>,
}

impl InputLine {
    fn new(spec: &LineSpec) -> Self {
        Self { spec: spec.clone(), request: open(spec, None) }
    }

    /// Whether the contact is closed; none while the line is lost.
    fn closed(&mut self) -> Option<bool> {
        match self.request.as_ref().ok()?.lone_value() {
            Ok(value) => Some((value == Value::Active) != self.spec.active_low),
            Err(error) => {
                let what = format!("failed while in use: {}", explained(&error));
                self.request = Err(LineError::Failed { line: self.spec.to_string(), what });
                None
            }
        }
    }
}

/// The lights and the button of a configuration. It is made in any case; what cannot be opened is
/// looked for again.
pub struct GpioLines {
    lights: LampPins<GpioLamp, GpioLamp, GpioLamp, GpioLamp, GpioLamp>,
    button: Option<InputLine>,
}

impl GpioLines {
    /// Opens the lines, all lamps dark.
    pub fn new(config: &LightsConfig) -> Self {
        let lamp = |spec: &Option<LineSpec>| GpioLamp::new(spec.as_ref());
        Self {
            lights: LampPins {
                red: lamp(&config.red),
                amber: lamp(&config.amber),
                green: lamp(&config.green),
                heartbeat: lamp(&config.heartbeat),
                buzzer: lamp(&config.buzzer),
            },
            button: config.button.as_ref().map(InputLine::new),
        }
    }

    fn lamps(&self) -> [(Lamp, &GpioLamp); 5] {
        let LampPins { red, amber, green, heartbeat, buzzer } = &self.lights;
        [
            (Lamp::Red, red),
            (Lamp::Amber, amber),
            (Lamp::Green, green),
            (Lamp::Heartbeat, heartbeat),
            (Lamp::Buzzer, buzzer),
        ]
    }
}

impl LampDriver for GpioLines {
    fn set(&mut self, levels: &Levels, heartbeat: bool) -> LampSet {
        self.lights.set(levels, heartbeat)
    }
}

impl PanelLines for GpioLines {
    fn closed(&mut self) -> Option<bool> {
        self.button.as_mut()?.closed()
    }

    fn reopen(&mut self) {
        let LampPins { red, amber, green, heartbeat, buzzer } = &mut self.lights;
        for line in [red, amber, green, heartbeat, buzzer].into_iter().filter_map(GpioLamp::line_mut) {
            line.reopen();
        }
        if let Some(button) = &mut self.button
            && button.request.is_err()
        {
            button.request = open(&button.spec, None);
        }
    }

    fn problem(&self) -> Option<String> {
        let lamps = self.lamps();
        let lamps = lamps.iter().filter_map(|(which, lamp)| Some((which.name(), lamp.line()?.problem()?)));
        let button = self.button.iter().filter_map(|button| Some(("button", button.request.as_ref().err()?)));
        lamps.chain(button).next().map(|(name, error)| format!("{name}, {error}"))
    }
}
