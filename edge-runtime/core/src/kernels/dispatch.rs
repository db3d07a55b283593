//! The table of row kernels that an operator calls, and the question whether this machine can run
//! them.

use super::call::{AddCall, PointwiseCall, RowCall, SumsCall};
use core::fmt;

/// One way to compute every operator. Only [`Set::kernels`] and [`Kernels::SCALAR`] hand one out,
/// after the machine was asked for what it needs.
#[derive(Clone, Copy)]
pub struct Kernels {
    pub(super) name: &'static str,
    pub(super) pointwise: fn(PointwiseCall),
    pub(super) single_channel: fn(RowCall),
    pub(super) depthwise: fn(RowCall),
    /// Channels from which on the depthwise kernel reads its rows as signed, `q ^ 0x80`: they are
    /// copied so.
    pub(super) signed_from: usize,
    pub(super) add: fn(AddCall),
    pub(super) sums: fn(SumsCall),
}

impl Kernels {
    /// The name, such as `scalar` or `vnni`.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernels({})", self.name)
    }
}

/// One set and the question whether this machine can run it.
#[derive(Clone, Copy)]
pub struct Set {
    pub(super) kernels: Kernels,
    pub(super) runs_here: fn() -> bool,
}

impl Set {
    /// The name of its kernels, such as `scalar` or `vnni`.
    pub fn name(&self) -> &'static str {
        self.kernels.name
    }

    /// The kernels, where this machine can run them.
    pub fn kernels(&self) -> Option<Kernels> {
        (self.runs_here)().then_some(self.kernels)
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kernels.fmt(f)
    }
}
