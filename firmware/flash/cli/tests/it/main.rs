//! The integration tests of the program `flash`, without a board.

mod program;
mod send;
