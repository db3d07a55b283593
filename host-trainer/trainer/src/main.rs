//! The trainer; `cargo run -p host-trainer` puts libtorch in place and runs it.

fn main() -> std::process::ExitCode {
    trainer::cli::main()
}
