//! The constants of board.toml, of which not every board needs all.
#![allow(dead_code)]

include!(concat!(env!("OUT_DIR"), "/board.rs"));
