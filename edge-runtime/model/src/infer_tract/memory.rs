//! Memory of an operator's output that is used again in the next run: a frame then costs no
//! allocation of activations, no clearing, and finds them in the cache.

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

#[cfg(test)]
mod tests {
    use super::*;

    fn write(memory: &mut Memory, value: u8) -> TValue {
        memory
            .write(DatumType::U8, &[2, 3], |bytes| {
                bytes.fill(value);
                Ok(())
            })
            .unwrap()
    }

    #[test]
    fn an_output_that_is_held_stays_as_it_is_and_a_free_one_is_used_again() {
        let mut memory = Memory::default();
        let first = write(&mut memory, 1);
        let second = write(&mut memory, 2);
        assert_eq!((first.as_bytes(), second.as_bytes()), (&[1; 6][..], &[2; 6][..]));
        let place = second.as_bytes().as_ptr();
        drop(second);
        let third = write(&mut memory, 3);
        assert_eq!(third.as_bytes().as_ptr(), place);
        let other = memory.write(DatumType::U8, &[7], |_| Ok(())).unwrap();
        assert_eq!(other.shape(), [7]);
        assert_eq!(third.as_bytes(), [3; 6]);
    }
}
