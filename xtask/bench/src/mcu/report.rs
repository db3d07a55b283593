//! What was counted on the emulated processors, and what it may mean on the boards.

use super::count::Processor;
use super::estimate::Board;
use serde::Serialize;

#[derive(Serialize)]
pub struct Report {
    pub processors: Vec<Processor>,
    pub boards: Vec<Board>,
}
