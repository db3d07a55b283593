//! The driver and the very words that it loads, against a model of the chip's PIO and a camera's
//! lines; and the same against an emulator that others wrote.

mod bench;
mod frames;
mod judge;
mod model;
mod waveform;
