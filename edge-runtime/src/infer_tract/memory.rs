//! Memory of an operator's output that is used again in the next run: a frame then costs no allocation of activations, no
//! clearing, and finds them in the cache.

use std::sync::Arc;
use tract_core::internal::*;

/// The output of the run before, which is free again once everything that read it has dropped it.
#[derive(Clone, Debug, Default)]
pub struct Memory(Option<Arc<Tensor>>);

impl Memory {
    /// Lets `fill` write every byte of an output; what is there before means nothing.
    pub fn write(
        &mut self,
        kind: DatumType,
        shape: &[usize],
        fill: impl FnOnce(&mut [u8]) -> TractResult<()>,
    ) -> TractResult<TValue> {
        let fits = |tensor: &Arc<Tensor>| tensor.datum_type() == kind && tensor.shape() == shape;
        // None in the first run, held where someone keeps the last output.
        let kept = self.0.take().filter(|tensor| fits(tensor) && Arc::strong_count(tensor) == 1);
        let mut tensor = kept.map_or_else(|| Tensor::zero_dt(kind, shape).map(Arc::new), Ok)?;
        fill(Arc::get_mut(&mut tensor).context("an output is held twice")?.as_bytes_mut())?;
        self.0 = Some(tensor.clone());
        Ok(tensor.into_tvalue())
    }
}
