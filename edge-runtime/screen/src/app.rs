//! What all requests share.

use crate::access::{Access, Visitor};
use crate::config::Config;
use crate::connections::Seat;
use crate::form::Form;
use crate::history::History;
use crate::pin::Pin;
use crate::taps::Taps;
use crate::throttle::Throttle;
use crate::watch::Seen;
use base::clock::monotonic_ms;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use texts::Language;
use tokio::sync::{Semaphore, watch};

#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub seen: watch::Receiver<Seen>,
    pub history: History,
    pub pin: Option<Pin>,
    /// One PIN is checked at a time: each takes 2 MiB.
    pub checks: Semaphore,
    access: Mutex<Access>,
    throttle: Mutex<Throttle>,
    taps: Mutex<Taps>,
    started: Instant,
}

/// How a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// Whether the PIN is asked for.
    pub guarded: bool,
    /// Whether it is encrypted.
    pub secure: bool,
}

/// A connection, as each of its requests carries it.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub door: Door,
    pub peer: IpAddr,
    pub seat: Arc<Seat>,
}

/// A request, once it was let in.
#[derive(Clone, Debug)]
pub struct Visit {
    pub arrival: Arrival,
    pub visitor: Visitor,
    pub language: Language,
    /// What it sent, and carried the token; empty where it was no POST.
    pub form: Form,
}

impl App {
    /// # Errors
    /// The system gives no random numbers.
    pub fn new(
        config: Config,
        seen: watch::Receiver<Seen>,
        pin: Option<Pin>,
    ) -> Result<Self, getrandom::Error> {
        let lasts = Duration::from_secs(u64::from(config.access.session_minutes) * 60);
        Ok(Self {
            history: History::new(config.device.log.clone(), config.display.utc_offset),
            taps: Mutex::new(Taps::new(&config.device.acknowledged)),
            access: Mutex::new(Access::new(lasts)?),
            throttle: Mutex::default(),
            checks: Semaphore::new(1),
            started: Instant::now(),
            config,
            seen,
            pin,
        })
    }

    pub fn access(&self) -> MutexGuard<'_, Access> {
        unpoisoned(&self.access)
    }

    pub fn throttle(&self) -> MutexGuard<'_, Throttle> {
        unpoisoned(&self.throttle)
    }

    pub fn taps(&self) -> MutexGuard<'_, Taps> {
        unpoisoned(&self.taps)
    }

    /// Time since the start, on a clock that never steps.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// What is known of the device now.
    pub fn seen(&self) -> Seen {
        let seen = self.seen.borrow().clone();
        seen.at(monotonic_ms())
    }

    /// Whether a visitor may see what is about patients.
    pub fn may_look(&self, door: Door, visitor: &Visitor) -> bool {
        !door.guarded || self.access().knows(visitor, self.now())
    }
}

/// Each of these is changed by one call that leaves it whole.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
