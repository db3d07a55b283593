//! Programs of other machines, run in QEMU: what they print, what their lamps showed, how many
//! instructions they executed.

pub mod arm64;
pub mod chip;
pub mod emulate;
pub mod instructions;
pub mod machine;
pub mod on_target;
