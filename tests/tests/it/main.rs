//! Every engine and board against onnxruntime's golden vectors, in one program; `board.rs` beside it is another, because each file of
//! `tests/arm64/faults` is a test of its own there.

mod core;
mod engines;
mod float_twin;
mod on_target;
mod onnxruntime;
