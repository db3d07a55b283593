//! Puts firmware and models on a board.

fn main() {}
