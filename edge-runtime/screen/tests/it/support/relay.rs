//! A network between a browser and the screen, which a test cuts. A browser's own emulation of one that
//! is gone leaves streams alone that are open.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How the cable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cable {
    Whole,
    /// Nothing is carried and nobody is told. What is sent waits, as TCP sends it again later.
    Out,
    /// Whoever comes is turned away.
    Refusing,
}

#[derive(Debug)]
struct State {
    cable: Cable,
    /// Whether only what the screen says is held up.
    answers_alone: bool,
    /// Number of the next connection.
    next: u64,
    /// Connections before this one are carried no more, and never closed.
    dead: u64,
    open: Vec<TcpStream>,
    /// How long what the screen says is on its way.
    delay: Duration,
    ended: bool,
}

#[derive(Debug)]
struct Wires {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToScreen,
    ToBrowser,
}

/// Listens on the loopback and carries every connection to the screen; ended when dropped.
pub struct Relay {
    pub port: u16,
    wires: Arc<Wires>,
}

impl Relay {
    /// To the screen at this port of the loopback.
    pub fn to(screen: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let cable = Cable::Whole;
        let state = State {
            cable,
            answers_alone: false,
            next: 0,
            dead: 0,
            open: Vec::new(),
            delay: Duration::ZERO,
            ended: false,
        };
        let wires = Arc::new(Wires { state: Mutex::new(state), changed: Condvar::new() });
        let its = Arc::clone(&wires);
        thread::spawn(move || its.serve(&listener, screen));
        Self { port, wires }
    }

    /// Pulls the cable: no end of a connection is told, and no new one is answered.
    pub fn pull(&self) {
        self.wires.change(|state| (state.cable, state.answers_alone) = (Cable::Out, false));
    }

    /// What browsers ask comes to the screen; nothing that it says comes back.
    pub fn hold_answers(&self) {
        self.wires.change(|state| (state.cable, state.answers_alone) = (Cable::Out, true));
    }

    /// From now on what the screen says is so long on its way.
    pub fn slow(&self, delay: Duration) {
        self.wires.change(|state| state.delay = delay);
    }

    /// Closes every connection, and each that comes.
    pub fn close(&self) {
        self.wires.change(|state| {
            state.cable = Cable::Refusing;
            for stream in state.open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    /// The cable is whole: what has waited comes, in its order.
    pub fn mend(&self) {
        self.wires.change(|state| state.cable = Cable::Whole);
    }

    /// The same, where nobody knows the connections of before any more, as behind a router that was
    /// started anew: they stay open, and nothing ever comes by them.
    pub fn mend_for_new_connections(&self) {
        self.wires.change(|state| (state.cable, state.dead) = (Cable::Whole, state.next));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.wires.change(|state| {
            state.ended = true;
            for stream in state.open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        // Whoever waits for the next one is woken by it.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Wires {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn serve(self: &Arc<Self>, listener: &TcpListener, screen: u16) {
        for browser in listener.incoming().flatten() {
            let out = |state: &mut State| state.cable == Cable::Out && !state.answers_alone && !state.ended;
            let mut state = self.changed.wait_while(self.state(), out).unwrap();
            if state.ended {
                return;
            }
            let both = || Some((browser.try_clone().ok()?, TcpStream::connect(("127.0.0.1", screen)).ok()?));
            let Some((also, to)) = both().filter(|_| state.cable != Cable::Refusing) else { continue };
            let number = state.next;
            state.next += 1;
            state.open.extend([also.try_clone().unwrap(), to.try_clone().unwrap()]);
            drop(state);
            let (its, back) = (Arc::clone(self), to.try_clone().unwrap());
            thread::spawn(move || its.carry(number, Way::ToScreen, browser, to));
            let its = Arc::clone(self);
            thread::spawn(move || its.carry(number, Way::ToBrowser, back, also));
        }
    }

    /// Waits while the cable is out, for ever where the connection is dead; whether it is carried.
    fn carries(&self, number: u64, way: Way) -> bool {
        let waits = |state: &mut State| {
            let out = state.cable == Cable::Out && (way == Way::ToBrowser || !state.answers_alone);
            !state.ended && (out || number < state.dead)
        };
        let state = self.changed.wait_while(self.state(), waits).unwrap();
        state.cable != Cable::Refusing && !state.ended
    }

    fn carry(&self, number: u64, way: Way, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 16 << 10];
        loop {
            let count = from.read(&mut bytes).unwrap_or(0);
            if way == Way::ToBrowser {
                let delay = self.state().delay;
                thread::sleep(delay);
            }
            // The end of one is carried as what it says.
            if !self.carries(number, way) {
                return;
            }
            if count == 0 || to.write_all(&bytes[..count]).is_err() {
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}
