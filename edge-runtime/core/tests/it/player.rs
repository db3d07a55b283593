//! The lamps over time: when the lines are written, what they then show, what is said of those that
//! fail.

use edge_core::State;
use edge_core::ports::LampDriver;
use edge_core::signal::{Lamp, LampSet, Levels, Pattern, PatternPlayer};

const NEGATIVE: Pattern = Pattern::State(State::Negative);
const FAULT: Pattern = Pattern::State(State::Fault);

/// Lines of which some are broken, with all that was written to them.
#[derive(Default)]
struct Lines {
    written: Vec<(Levels, bool)>,
    broken: LampSet,
}

impl LampDriver for Lines {
    fn set(&mut self, levels: &Levels, heartbeat: bool) -> LampSet {
        self.written.push((*levels, heartbeat));
        self.broken
    }
}

/// The lines written last, by their letters.
fn lit(player: &mut PatternPlayer<Lines>) -> String {
    let &(levels, heartbeat) = player.lamps().written.last().expect("a new player writes at once");
    let lamps = [("R", levels.red), ("A", levels.amber), ("G", levels.green), ("h", heartbeat)];
    lamps.iter().filter(|(_, lit)| *lit).map(|(letter, _)| *letter).collect()
}

#[test]
fn lines_are_written_at_every_change_and_otherwise_twenty_times_a_second() {
    let mut player = PatternPlayer::new(Lines::default(), NEGATIVE, 20);
    assert_eq!(lit(&mut player), "Gh");
    let mut times = Vec::new();
    for now in 21..=600 {
        let before = player.lamps().written.len();
        player.tick(now, true);
        times.extend((player.lamps().written.len() > before).then_some(now));
    }
    assert_eq!(times, [70, 120, 170, 220, 270, 320, 370, 420, 470, 500, 550, 600], "500: the heartbeat");
    assert_eq!(lit(&mut player), "G");
}

#[test]
fn a_pattern_begins_when_it_is_shown_first() {
    let mut player = PatternPlayer::new(Lines::default(), NEGATIVE, 0);
    let mut at = |pattern, now| {
        player.show(pattern, now);
        player.tick(now, false);
        lit(&mut player)
    };
    assert_eq!(at(FAULT, 1100), "A");
    assert_eq!(at(FAULT, 1349), "A");
    assert_eq!(at(FAULT, 1350), "R", "to show it again begins nothing anew");
    assert_eq!(at(NEGATIVE, 1360), "G");
    assert_eq!(at(FAULT, 1370), "A");
}

#[test]
fn what_is_dead_stops_the_heartbeat_at_once_and_leaves_the_lamps() {
    let mut player = PatternPlayer::new(Lines::default(), NEGATIVE, 0);
    player.tick(1, false);
    assert_eq!(lit(&mut player), "G");
}

#[test]
fn a_line_fails_until_it_can_be_written() {
    let mut player = PatternPlayer::new(Lines::default(), NEGATIVE, 0);
    assert!(player.failed().is_empty());
    player.lamps().broken = LampSet::NONE.with(Lamp::Green);
    player.tick(49, true);
    assert!(player.failed().is_empty(), "nothing was written yet");
    player.tick(50, true);
    assert_eq!(player.failed(), LampSet::NONE.with(Lamp::Green));
    player.lamps().broken = LampSet::NONE;
    player.tick(99, true);
    assert!(!player.failed().is_empty());
    player.tick(100, true);
    assert!(player.failed().is_empty());
}
