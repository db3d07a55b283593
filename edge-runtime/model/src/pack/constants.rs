//! Constants of an ONNX graph by name, in the types that the exact form has.

use super::error::PackError;
use std::collections::HashMap;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, TensorProto};

pub(super) struct Constants<'m>(HashMap<&'m str, &'m TensorProto>);

impl<'m> Constants<'m> {
    pub fn new(graph: &'m GraphProto) -> Self {
        Self(graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect())
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The raw little-endian bytes of a constant of that type, `size` bytes an element.
    fn raw(&self, name: &str, kind: DataType, size: usize) -> Result<&'m TensorProto, PackError> {
        let wrong = |what: String| PackError::Node { node: name.to_owned(), what };
        let tensor = self.0.get(name).ok_or_else(|| wrong("expected a constant".to_owned()))?;
        let count = tensor.dims.iter().try_fold(1usize, |all, &d| all.checked_mul(usize::try_from(d).ok()?));
        if tensor.data_type != kind as i32
            || count.and_then(|n| n.checked_mul(size)) != Some(tensor.raw_data.len())
        {
            return Err(wrong(format!(
                "expected a constant of {} with its numbers as raw bytes",
                kind.as_str_name()
            )));
        }
        Ok(tensor)
    }

    pub fn floats(&self, name: &str) -> Result<Vec<f32>, PackError> {
        let raw = &self.raw(name, DataType::Float, 4)?.raw_data;
        Ok(raw.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    pub fn int32(&self, name: &str) -> Result<Vec<i32>, PackError> {
        let raw = &self.raw(name, DataType::Int32, 4)?.raw_data;
        Ok(raw.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    pub fn int8(&self, name: &str) -> Result<(&'m [i64], Vec<i8>), PackError> {
        let tensor = self.raw(name, DataType::Int8, 1)?;
        Ok((&tensor.dims, tensor.raw_data.iter().map(|&b| b as i8).collect()))
    }

    pub fn float(&self, name: &str) -> Result<f32, PackError> {
        match self.floats(name)?[..] {
            [one] => Ok(one),
            ref all => Err(PackError::Node {
                node: name.to_owned(),
                what: format!("expected one number, got {}", all.len()),
            }),
        }
    }

    /// Scale and unsigned 8-bit zero point.
    pub fn grid(&self, scale: &str, zero: &str) -> Result<(f32, u8), PackError> {
        match self.raw(zero, DataType::Uint8, 1)?.raw_data[..] {
            [zero] => Ok((self.float(scale)?, zero)),
            _ => Err(PackError::Node { node: zero.to_owned(), what: "expected one zero point".to_owned() }),
        }
    }
}
