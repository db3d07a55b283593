//! TODO
pub(super) fn depthwise(call: crate::kernels::depthwise::Call) { (crate::kernels::Kernels::SCALAR.depthwise)(call) }
