//! What the two state machines run.
//!
//! The first waits for a frame's beginning, then takes rows for ever; the task stops it behind the
//! last one. Each row begins at HREF's rising edge, so what one lost cannot shift the next. A row
//! that ends too early raises [`SHORT_ROW`]: bytes were taken that belong to no row.
//!
//! The second only raises [`FRAME_ENDED`] while VSYNC is low. The first puts it down when a frame
//! begins, and takes no row while it is up, so the rows of a camera that starts anew within a frame are never put behind the old ones.

use crate::instruction::{
    If, PULL, X_IS_Y, Y_IS_OSR, clear_flag, in_pins, jump, set_flag, wait, wait_for_no_flag,
};

/// The camera's pixel clock is GP14: a byte is to be taken while it is high.
pub const PCLK: u8 = 14;
/// High while a row comes: GP15.
pub const HREF: u8 = 15;
/// High while a frame comes: GP16.
pub const VSYNC: u8 = 16;
/// D0 is GP6, D1 to D7 are the seven behind it.
pub(crate) const D0: u8 = 6;

/// The flag that says that HREF was low where a byte was due.
pub(crate) const SHORT_ROW: u8 = 0;
/// The flag that says that VSYNC fell since the frame began.
pub(crate) const FRAME_ENDED: u8 = 1;

const ROW: u8 = 5;
const PIXEL: u8 = 9;
const TAKEN: u8 = 13;

/// The words of both programs; the first has address 0.
pub const PROGRAM: [u16; 17] = [
    PULL, // bytes of a row, less one
    Y_IS_OSR,
    wait(false, VSYNC), // between two frames
    wait(true, VSYNC),
    clear_flag(FRAME_ENDED),
    // ROW:
    X_IS_Y,
    wait(false, HREF), // between two rows
    wait(true, HREF),
    wait_for_no_flag(FRAME_ENDED),
    // PIXEL:
    wait(true, PCLK),
    in_pins(8),
    jump(If::Pin, TAKEN), // the pin is HREF
    set_flag(SHORT_ROW),
    // TAKEN:
    wait(false, PCLK),
    jump(If::XThenLess, PIXEL),
    // The second machine's:
    wait(false, VSYNC),
    set_flag(FRAME_ENDED),
];

/// Where each machine begins.
pub(crate) const START: [u8; 2] = [0, 15];
/// Behind its `top` each goes on at its `bottom`.
pub(crate) const WRAP: [Wrap; 2] = [Wrap { bottom: ROW, top: 14 }, Wrap { bottom: 15, top: 16 }];

#[derive(Clone, Copy)]
pub(crate) struct Wrap {
    pub bottom: u8,
    pub top: u8,
}
