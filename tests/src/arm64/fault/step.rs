//! The words in which a fault is written down: one step a line.

use serde::Deserialize;
use std::str::FromStr;

use super::super::lights::{AMBER, GREEN, HEARTBEAT, RED};
use super::super::neighbour::Neighbour;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `start`, or `start still`: under the shim that falsifies what the camera answers.
    Start(bool),
    /// `stop`: SIGTERM; it must end well and leave the lights safe.
    Stop,
    /// `kill`: SIGKILL, and what systemd does then; the lights must be safe.
    Kill,
    /// `show`: the picture is put in front of the camera anew.
    Show,
    /// `hide`: the picture is taken away, and the driver's output closed.
    Hide,
    /// `unplug camera`, `plug gpio` and so on.
    Plug(Part, bool),
    /// `control NAME VALUE`: a control of the camera's driver, one of `CONTROLS`.
    Control(u32, i32),
    /// `often NAME`: a control that acts once acts on every frame; `often off` ends it.
    Often(Option<u32>),
    /// `still WORD`: what the shim falsifies; `still off`: nothing.
    Still(Option<String>),
    /// `film WORD`: what a program that is the camera does wrong; `film off`: nothing.
    Film(Option<String>),
    /// `disk full`, `disk free`, `disk read-only`, `disk writable`.
    Disk(Disk),
    /// `model damaged`, `model whole`: the model that the next start takes.
    Model(bool),
    /// `clock SECONDS`: the clock that people read is set to so many seconds after 1970.
    Clock(i64),
    /// `hold LAMP`: another program takes the lamp's line.
    Hold(u8),
    /// `release`: it gives the line back.
    Release,
    /// `press`: the button.
    Press,
    /// `start screen`, `kill deliver`, `pause screen`, `resume peers` and so on, of a neighbour; or of
    /// all `neighbours`.
    Neighbour(Deed, Option<Neighbour>),
    /// `flood pages`: they are asked for without a pause; `flood off`.
    Flood(bool),
    /// `folder full`, `folder free`, `folder read-only`, `folder writable`: of what a screen reads.
    Folder(Disk),
    /// `install model`: a signed one, newer and otherwise the same, for the next start.
    Install,
    /// `wait MS`.
    Wait(u64),
    /// `lights STATE`: the lights show this state for a second, right or wrong; planted by the
    /// suite's own tests.
    Lights(String),
    /// `lose line`: the log's last line is removed; planted by the suite's own tests.
    LoseLine,
    /// `spoil log`: a digit in the log's first line is changed; planted by the suite's own tests.
    SpoilLog,
    /// `expect ...`, see [`Expected`].
    Expect(Expected),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `expect answer`: the answer on the picture shows soon.
    Answer,
    /// `expect answer throughout`: it has shown without a break since it was expected last.
    Throughout,
    /// `expect fault`: FAULT or INVALID shows within two seconds of the last step that was no
    /// expectation, and stays.
    Fault,
    /// `expect passing fault`: FAULT or INVALID was shown within two seconds of that step, however
    /// shortly.
    Passing,
    /// `expect dark`: only the heart beats, within two seconds or at the end of the answer's time.
    Dark,
    /// `expect three beeps`: the buzzer has sounded three times since what was expected last began
    /// to show.
    ThreeBeeps,
    /// `expect logged fault`: since that step the log tells of a fault.
    Logged,
    /// `expect delivered`: each decision that is in the log now reaches the broker.
    Delivered,
    /// `expect pages`: the screen gives pages, asked for and live.
    Pages,
    /// `expect new model`: the last start was with the model that was installed.
    NewModel,
    /// `expect old model`: it was with the one before, and the log says that the new one is rejected.
    OldModel,
}

/// What is done to a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Start,
    /// SIGKILL.
    Kill,
    /// SIGSTOP: it gets slow, until it is resumed.
    Pause,
    Resume,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Camera,
    /// The chip of the lights' lines.
    Gpio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    Full,
    Free,
    /// The kernel finds an error on it and sets it read-only.
    ReadOnly,
    Writable,
}

/// Controls of the driver that make it fail, by the names that the files use. Those without an end
/// act once.
const CONTROLS: [(&str, u32); 10] = [
    ("sequence-wrap", 0x00f0_f026),
    ("timestamp-wrap", 0x00f0_f027),
    ("signal", 0x00f0_f03e),
    ("dropped-percent", 0x00f0_f040),
    ("disconnect", 0x00f0_f041),
    ("damaged-frame", 0x00f0_f042),
    ("reqbufs-error", 0x00f0_f043),
    ("qbuf-error", 0x00f0_f044),
    ("streamon-error", 0x00f0_f045),
    ("fatal-error", 0x00f0_f046),
];

const EXPECTED: [(&str, Expected); 11] = [
    ("dark", Expected::Dark),
    ("three beeps", Expected::ThreeBeeps),
    ("answer", Expected::Answer),
    ("answer throughout", Expected::Throughout),
    ("fault", Expected::Fault),
    ("passing fault", Expected::Passing),
    ("logged fault", Expected::Logged),
    ("delivered", Expected::Delivered),
    ("pages", Expected::Pages),
    ("new model", Expected::NewModel),
    ("old model", Expected::OldModel),
];

const DISK: [(&str, Disk); 4] =
    [("full", Disk::Full), ("free", Disk::Free), ("read-only", Disk::ReadOnly), ("writable", Disk::Writable)];

const DEEDS: [(&str, Deed); 4] =
    [("start", Deed::Start), ("kill", Deed::Kill), ("pause", Deed::Pause), ("resume", Deed::Resume)];

/// None: all.
const NEIGHBOURS: [(&str, Option<Neighbour>); 4] = [
    ("screen", Some(Neighbour::Screen)),
    ("deliver", Some(Neighbour::Deliver)),
    ("peers", Some(Neighbour::Peers)),
    ("neighbours", None),
];

const LAMPS: [(&str, u8); 4] = [("red", RED), ("amber", AMBER), ("green", GREEN), ("heartbeat", HEARTBEAT)];

pub(super) fn steps<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Step>, D::Error> {
    let lines = Vec::<String>::deserialize(from)?;
    lines.iter().map(|line| line.parse().map_err(serde::de::Error::custom)).collect()
}

fn named<T: Copy>(list: &[(&str, T)], name: &str) -> Option<T> {
    list.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let part = |name| named(&[("camera", Part::Camera), ("gpio", Part::Gpio)], name);
        let step = match words[..] {
            ["start"] => Some(Step::Start(false)),
            ["start", "still"] => Some(Step::Start(true)),
            ["stop"] => Some(Step::Stop),
            ["kill"] => Some(Step::Kill),
            ["show"] => Some(Step::Show),
            ["hide"] => Some(Step::Hide),
            ["unplug", name] => part(name).map(|part| Step::Plug(part, false)),
            ["plug", name] => part(name).map(|part| Step::Plug(part, true)),
            ["control", name, value] => {
                named(&CONTROLS, name).zip(value.parse().ok()).map(|(id, value)| Step::Control(id, value))
            }
            ["often", "off"] => Some(Step::Often(None)),
            ["often", name] => named(&CONTROLS, name).map(|id| Step::Often(Some(id))),
            ["still", "off"] => Some(Step::Still(None)),
            ["still", word] => Some(Step::Still(Some(word.into()))),
            ["film", "off"] => Some(Step::Film(None)),
            ["film", word] => Some(Step::Film(Some(word.into()))),
            ["disk", what] => named(&DISK, what).map(Step::Disk),
            ["folder", what] => named(&DISK, what).map(Step::Folder),
            ["flood", "pages"] => Some(Step::Flood(true)),
            ["flood", "off"] => Some(Step::Flood(false)),
            ["install", "model"] => Some(Step::Install),
            ["model", "damaged"] => Some(Step::Model(false)),
            ["model", "whole"] => Some(Step::Model(true)),
            ["clock", seconds] => seconds.parse().ok().map(Step::Clock),
            ["hold", lamp] => named(&LAMPS, lamp).map(Step::Hold),
            ["release"] => Some(Step::Release),
            ["press"] => Some(Step::Press),
            ["wait", ms] => ms.parse().ok().map(Step::Wait),
            ["lights", state] => Some(Step::Lights(state.into())),
            ["lose", "line"] => Some(Step::LoseLine),
            ["spoil", "log"] => Some(Step::SpoilLog),
            ["expect", ref what @ ..] => named(&EXPECTED, &what.join(" ")).map(Step::Expect),
            [deed, who] => {
                named(&DEEDS, deed).zip(named(&NEIGHBOURS, who)).map(|(deed, who)| Step::Neighbour(deed, who))
            }
            _ => None,
        };
        step.ok_or_else(|| format!("`{text}` is no step; tests/src/arm64/fault/step.rs lists them"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fault;
    use super::*;

    #[test]
    fn a_file_of_steps_is_read_and_a_misspelt_step_is_named() {
        let text = "about = \"x\"\nsteps = [\"start\", \"unplug camera\", \"control signal 1\", \"expect fault\", \"pause deliver\", \"start neighbours\"]";
        let fault: Fault = toml::from_str(text).unwrap();
        let expected = [
            Step::Start(false),
            Step::Plug(Part::Camera, false),
            Step::Control(0x00f0_f03e, 1),
            Step::Expect(Expected::Fault),
            Step::Neighbour(Deed::Pause, Some(Neighbour::Deliver)),
            Step::Neighbour(Deed::Start, None),
        ];
        assert_eq!(fault.steps, expected);
        let error = toml::from_str::<Fault>(&text.replace("unplug", "unplgu")).unwrap_err();
        assert!(error.to_string().contains("`unplgu camera` is no step"), "{error}");
    }
}
