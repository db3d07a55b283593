//! Where things lie on the board.

/// The device's program.
pub const PROGRAM: &str = "/bin/edge-runtime";
pub const CONFIG: &str = "/run/pneumoscope.toml";
pub const LOG: &str = "/log/log.jsonl";
