//! One program that runs the shared stages on every target: bare Cortex-M4F, M7 and M33 (QEMU's
//! mps2-an386, -an500 and -an505), aarch64 and the host.
//!
//! What it computes is [`program`], the same source on all of them; a target adds only how
//! arguments and files come in and lines go out. `cargo xtask test` compares the lines with the
//! golden vectors; `cargo xtask bench` counts the instructions between the [`::marker`]s.
#![cfg_attr(target_os = "none", no_std, no_main)]

mod classify;
#[cfg(not(target_os = "none"))]
mod hosted;
mod machine;
mod program;
#[cfg(target_os = "none")]
mod semihosted;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    hosted::main()
}
