//! A lamp's line: dark, lit alone, dark again, read back each time.

use super::line::{Line, Value};
use edge_core::ports::LampDriver;
use edge_core::signal::{Lamp, LampSet, Levels};

/// Lights one lamp alone, `hold`s it for somebody to see, and puts it out. What a line that is read
/// back cannot tell, whether light comes out of it, is for that somebody.
pub(super) fn check(lights: &mut impl LampDriver, lamp: Lamp, hold: impl FnOnce()) -> Line {
    let dark = set(lights, None);
    let lit = set(lights, Some(lamp));
    hold();
    let dark_again = set(lights, None);
    let other = lit.iter().find(|other| *other != lamp && !dark.has(*other));
    let fail = |expected, came, wires, look| {
        Line::failed(name(lamp), Value::Word(expected), Value::Word(came), wires, look)
    };
    let wire = [lamp.name(), ""];
    if let Some(other) = other {
        fail("alone", "joined", [lamp.name(), other.name()], "these two lines touch each other")
    } else if dark.has(lamp) || dark_again.has(lamp) {
        fail(
            "dark",
            "lit",
            wire,
            "its line does not go to the level at which the lamp is dark: a short to the other",
        )
    } else if lit.has(lamp) {
        fail(
            "lit",
            "dark",
            wire,
            "its line does not go to the level at which the lamp is lit: a short to the other or to another lamp's \
             line, or it draws too much: 1 kOhm before each lamp, a transistor before a buzzer",
        )
    } else {
        Line::passed(name(lamp), Value::Word("follows"))
    }
}

/// Twice, because a line that touches another moves only after it was read: when the other is set.
fn set(lights: &mut impl LampDriver, lit: Option<Lamp>) -> LampSet {
    let is = |lamp| lit == Some(lamp);
    let levels = Levels {
        red: is(Lamp::Red),
        amber: is(Lamp::Amber),
        green: is(Lamp::Green),
        buzzer: is(Lamp::Buzzer),
    };
    let first = lights.set(&levels, is(Lamp::Heartbeat));
    let second = lights.set(&levels, is(Lamp::Heartbeat));
    second.iter().fold(first, LampSet::with)
}

const fn name(lamp: Lamp) -> &'static str {
    match lamp {
        Lamp::Red => "lamp-red",
        Lamp::Amber => "lamp-amber",
        Lamp::Green => "lamp-green",
        Lamp::Heartbeat => "lamp-heartbeat",
        Lamp::Buzzer => "buzzer",
    }
}
