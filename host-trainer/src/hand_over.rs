//! The end of this program: another one takes its place, with its terminal, signals and exit status.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::hand_over;

#[cfg(not(unix))]
mod other;
#[cfg(not(unix))]
pub use other::hand_over;
