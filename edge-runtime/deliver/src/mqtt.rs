//! From the outbox to a broker. A connection is used until anything goes wrong with it, and then
//! thrown away: the next one begins with the first line that was not confirmed.

mod link;
mod tls;
mod window;

pub use tls::config as tls_config;

use crate::backoff::Backoff;
use crate::board::{Phase, Place};
use crate::config::{Loaded, Mqtt};
use crate::cursor_file::CursorStore;
use crate::message::{self, Sender, Topic};
use crate::outbox::Outbox;
use crate::status_message::{Seen, offline};
use anyhow::{Result, ensure};
use base::log::Step;
use link::{Client, Connection, Signal};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::select;
use tokio::time::{MissedTickBehavior, interval};
use window::Window;

/// How often the log is looked at for new lines while the connection is quiet.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A broker that confirms nothing for so long is not there.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(30);

/// Delivers until the flag is set.
pub fn deliver<S: CursorStore>(
    loaded: &Loaded,
    outbox: Outbox<S>,
    place: &Place,
    stop: &AtomicBool,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sender = Sender { site: loaded.site.clone(), device: loaded.device.clone() };
    let seen = Seen::new(loaded);
    let window = Window::default();
    let backoff = Backoff::up_to(loaded.config.mqtt.retry_max_s);
    let (mqtt, connected) = (&loaded.config.mqtt, false);
    let mut destination = Destination { mqtt, sender, outbox, place, stop, seen, window, backoff, connected };
    runtime.block_on(destination.run());
    // What the resolver of names still does is not waited for.
    runtime.shutdown_background();
    Ok(())
}

struct Destination<'a, S> {
    mqtt: &'a Mqtt,
    sender: Sender,
    outbox: Outbox<S>,
    place: &'a Place,
    stop: &'a AtomicBool,
    seen: Seen,
    window: Window<Step>,
    backoff: Backoff,
    connected: bool,
}

impl<S: CursorStore> Destination<'_, S> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    async fn run(&mut self) {
        self.place.set(|place| place.last = self.outbox.last());
        while !self.stopped() {
            self.place.set(|place| (place.phase, place.next_attempt) = (Phase::Connecting, None));
            let ended = self.session().await;
            self.connected = false;
            self.window = Window::default();
            self.outbox.rewind();
            self.outbox.save(true);
            let Err(why) = ended else { continue };
            let wait = self.backoff.failed();
            self.place.waits(&why, wait);
            let until = Instant::now() + wait;
            while !self.stopped() && Instant::now() < until {
                tokio::time::sleep(LOOK_EVERY.min(until - Instant::now())).await;
                // A disk that was full may have room again.
                self.outbox.save(false);
            }
        }
    }

    /// One connection, until something goes wrong or the program ends. It is not closed politely, so
    /// that the broker tells that this device is gone.
    async fn session(&mut self) -> Result<()> {
        let (client, mut connection) =
            link::connect(self.mqtt, &self.sender, offline(&self.sender)?, self.place)?;
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let signal = {
                let mut next = pin!(Connection::next(&mut connection));
                loop {
                    select! {
                        biased;
                        signal = &mut next => break signal?,
                        _ = look.tick() => {
                            if self.stopped() {
                                return Ok(());
                            }
                            self.fill(&client)?;
                        }
                    }
                }
            };
            match signal {
                Signal::Connected => {
                    self.connected = true;
                    self.seen.anew();
                    self.place.set(|place| (place.phase, place.why) = (Phase::Connected, None));
                }
                Signal::Sent(number) => self.window.sent(number),
                Signal::Confirmed(number) => self.confirmed(number),
                Signal::Other => {}
            }
            self.fill(&client)?;
        }
    }

    fn confirmed(&mut self, number: u16) {
        for step in self.window.confirmed(number) {
            self.backoff.succeeded();
            self.outbox.delivered(step);
            self.place.delivered(self.outbox.last());
        }
        self.outbox.save(self.window.is_empty());
    }

    /// Puts lines on their way while there is room, and the status where it is due.
    fn fill(&mut self, client: &Client) -> Result<()> {
        self.outbox.save(false);
        if !self.connected {
            return Ok(());
        }
        let limit = usize::from(self.mqtt.in_flight);
        while self.window.len() < limit {
            let line = match self.outbox.next_line() {
                Ok(line) => line,
                Err(error) => {
                    self.place.set(|place| place.trouble = Some(error.to_string()));
                    return Ok(());
                }
            };
            let Some(line) = line else { break };
            self.seen.line(&line.entry);
            let mut messages = message::of(&self.sender, line.gap, &line.entry)?;
            let last = messages.pop();
            self.place.set(|place| place.gaps += u64::from(line.gap.is_some()));
            for message in messages {
                self.publish(client, message.topic, message.payload, None)?;
            }
            if let Some(message) = last {
                self.publish(client, message.topic, message.payload, Some(line.step))?;
            }
        }
        let trouble = self.outbox.trouble().map(str::to_owned);
        self.place.set(|place| place.trouble = trouble);
        if let Some(status) = self.seen.status(&self.sender, self.outbox.last(), self.mqtt.status_s)? {
            self.publish(client, Topic::Status, status, None)?;
        }
        ensure!(
            self.window.oldest() < CONFIRMED_WITHIN,
            "the broker confirmed nothing for {} s",
            CONFIRMED_WITHIN.as_secs()
        );
        Ok(())
    }

    fn publish(&mut self, client: &Client, topic: Topic, payload: Vec<u8>, step: Option<Step>) -> Result<()> {
        let retain = topic == Topic::Status;
        ensure!(
            client.publish(self.sender.topic(topic), retain, payload),
            "too many messages wait to be sent"
        );
        self.window.push(step);
        Ok(())
    }
}
