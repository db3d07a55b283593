//! TODO
pub(super) fn first(call: crate::kernels::first::Call) { (crate::kernels::Kernels::SCALAR.first)(call) }
