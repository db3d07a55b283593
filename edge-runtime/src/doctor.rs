//! What goes wrong in clinics, gone through one by one: what was found, and what to do.
//!
//! Each check takes what it looks at as a value or asks a [`Machine`], and each is bounded in time.
//! None changes anything, and a device that runs meanwhile is not disturbed: its camera and lines
//! are in use, so what it sees is read from what it tells the screen.

mod board;
mod bounded;
mod certificates;
mod clock;
mod finding;
mod lights;
mod machine;
mod services;
mod sight;
mod storage;

pub use board::{power, temperature};
pub use bounded::within;
pub use certificates::certificates;
pub use clock::clock;
pub use finding::Finding;
pub use lights::{lights, line};
pub use machine::{Answer, Machine};
pub use services::{companions, is_active, service};
pub use sight::{camera, picture, seen_by_device};
pub use storage::{Room, log_sound, room, room_left};
