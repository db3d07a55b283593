//! A camera that follows a script, one line a step. Only when a frame is asked for does it begin
//! the next.
//!
//! | step | what it does |
//! | --- | --- |
//! | `pneumonia N`, `normal N`, `noise N` | N frames of a drawn chest of that class, or of noise |
//! | `stuck CLASS N` | N frames that carry the number of the one before |
//! | `short-row`, `long-row`, `missing-row`, `row-too-many`, `cut`, `slow`, `halts` `CLASS N` | N frames with that damage |
//! | `quiet MS` | no frame for so long |
//! | `lost MS`, `no-signal MS`, `damaged MS`, `overrun MS` | the driver says so for so long |
//! | `break LAMP`, `short LAMP`, `mend LAMP` | the lamp's line cannot be set, cannot be lit, is whole again |
//! | `stack BYTES` | bytes of stack that are left from now on |
//! | `hang CLASS 1` | the driver never returns in the middle of that frame: it panics with [`Hang`], for nothing else can end it |
//! | `press` | the button is pressed, and let go 50 ms later |

use super::world::{STACK_LEFT, World};
use edge_core::agree::FrameStamp;
use edge_core::ports::{FrameSource, SourceError, SourceEvent};
use edge_core::signal::{Lamp, LampSet};
use edge_core::{Geometry, PixelFormat};
use phantoms::{Label, draw};
use std::collections::VecDeque;
use std::rc::Rc;

const SIDE: u16 = 96;

/// What a driver that never returns is ended with.
pub struct Hang;

enum Next {
    Hang,
    Begin(Geometry, FrameStamp),
    Row(Vec<u8>),
    End,
    /// Nothing for so many microseconds.
    Quiet(u64),
}

#[derive(Default)]
pub struct Camera {
    world: Rc<World>,
    script: VecDeque<String>,
    next: VecDeque<Next>,
    held: Vec<u8>,
    wanted: bool,
    sequence: u32,
    /// The driver says this until then.
    error: Option<(SourceError, u64)>,
    quiet_until: u64,
    /// When a button that is pressed is let go.
    let_go_at: Option<u64>,
}

impl Camera {
    pub fn new<S: ToString>(world: &Rc<World>, steps: &[S]) -> Self {
        let script = steps.iter().map(S::to_string).collect();
        Self { world: world.clone(), script, ..Self::default() }
    }

    /// Does what needs no frame, and begins a frame where one is wanted.
    fn advance(&mut self) {
        let now = self.world.now_ms();
        if self.let_go_at.take_if(|at| now >= *at).is_some() {
            self.world.pressed.set(false);
        }
        if self.error.is_some_and(|(_, until)| now >= until) {
            self.error = None;
        }
        if self.error.is_some() || now < self.quiet_until || !self.next.is_empty() || self.world.pressed.get()
        {
            return;
        }
        let Some(step) = self.script.front().cloned() else {
            self.world.ended.set(true);
            return;
        };
        let words: Vec<&str> = step.split(' ').collect();
        let number =
            || words[words.len() - 1].parse::<u64>().unwrap_or_else(|_| panic!("no number in `{step}`"));
        match *words {
            ["quiet", _] => self.quiet_until = now + number(),
            ["lost", _] => self.error = Some((SourceError::Lost, now + number())),
            ["no-signal", _] => self.error = Some((SourceError::NoSignal, now + number())),
            ["damaged", _] => self.error = Some((SourceError::Damaged, now + number())),
            ["overrun", _] => self.error = Some((SourceError::Overrun, now + number())),
            ["break", lamp] => self.world.broken.set(LampSet::NONE.with(which(lamp))),
            ["short", lamp] => self.world.shorted.set(LampSet::NONE.with(which(lamp))),
            ["mend", _] => {
                self.world.broken.set(LampSet::NONE);
                self.world.shorted.set(LampSet::NONE);
            }
            ["stack", _] => STACK_LEFT.set(number() as u32),
            ["press"] => {
                self.world.pressed.set(true);
                self.let_go_at = Some(now + 50);
            }
            [.., class, _] => {
                if !self.wanted {
                    return;
                }
                self.wanted = false;
                let damage = if words.len() == 3 { words[0] } else { "" };
                self.frame(class, damage);
                self.script.pop_front();
                if number() > 1 {
                    self.script
                        .push_front(format!("{damage} {class} {}", number() - 1).trim_start().to_string());
                }
                return;
            }
            _ => panic!("`{step}` is no step"),
        }
        self.script.pop_front();
    }

    fn frame(&mut self, class: &str, damage: &str) {
        let geometry = Geometry::new(SIDE.into(), SIDE.into(), PixelFormat::Gray8).unwrap();
        let mut rows = rows(class);
        if damage != "stuck" {
            self.sequence += 1;
        }
        let stamp = FrameStamp { sequence: self.sequence, micros: 0 };
        self.next.push_back(Next::Begin(geometry, stamp));
        let middle = rows.len() / 2;
        match damage {
            "" | "stuck" | "slow" => {}
            "short-row" => drop(rows[middle].pop()),
            "long-row" => rows[middle].push(0),
            "missing-row" => drop(rows.remove(middle)),
            "row-too-many" => rows.push(rows[0].clone()),
            "cut" | "halts" | "hang" => rows.truncate(middle),
            other => panic!("`{other}` is no damage"),
        }
        for row in rows {
            if damage == "slow" {
                self.next.push_back(Next::Quiet(100_000));
            }
            self.next.push_back(Next::Row(row));
        }
        match damage {
            "cut" => self.next.push_back(Next::Begin(geometry, stamp)),
            "halts" => self.next.push_back(Next::Quiet(10_000_000)),
            "hang" => self.next.push_back(Next::Hang),
            _ => self.next.push_back(Next::End),
        }
    }
}

fn rows(class: &str) -> Vec<Vec<u8>> {
    let drawn = |label, seed| draw(label, seed, SIDE).frame().rows().map(<[u8]>::to_vec).collect();
    let side = usize::from(SIDE);
    match class {
        "pneumonia" => drawn(Label::Pneumonia, 102),
        "normal" => drawn(Label::Normal, 3),
        // Knuth's multiplicative hash of the place: grain without any form.
        "noise" => {
            let grain = |at: usize| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0];
            (0..side).map(|y| (y * side..(y + 1) * side).map(grain).collect()).collect()
        }
        other => panic!("`{other}` is no class"),
    }
}

fn which(lamp: &str) -> Lamp {
    Lamp::ALL.into_iter().find(|which| which.name() == lamp).unwrap_or_else(|| panic!("`{lamp}` is no lamp"))
}

impl FrameSource for Camera {
    fn request(&mut self) {
        self.next.clear();
        self.wanted = true;
    }

    fn poll(&mut self) -> Result<SourceEvent<'_>, SourceError> {
        self.advance();
        if let Some((error, _)) = self.error {
            return Err(error);
        }
        match self.next.pop_front() {
            None => Ok(SourceEvent::Quiet),
            Some(Next::Quiet(micros)) => {
                self.world.pass(micros.min(50_000));
                if micros > 50_000 {
                    self.next.push_front(Next::Quiet(micros - 50_000));
                }
                Ok(SourceEvent::Quiet)
            }
            Some(Next::Begin(geometry, stamp)) => Ok(SourceEvent::Begin(geometry, stamp)),
            Some(Next::Row(row)) => {
                self.held = row;
                Ok(SourceEvent::Row(&self.held))
            }
            Some(Next::End) => Ok(SourceEvent::End),
            Some(Next::Hang) => std::panic::panic_any(Hang),
        }
    }
}
