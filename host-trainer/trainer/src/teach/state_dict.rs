//! Reads a PyTorch state dict in the form of before 2020: five pickles, then the numbers. libtorch
//! itself only reads the zip archives that came after.

use super::pickle::{self, Value};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, HashMap};
use tch::{Kind, Tensor};

/// The integer that such a file starts with, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The tensors of a file by name: f32 ones, and i64 counters.
pub fn read(mut bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
    let magic = pickle::read(&mut bytes)?;
    ensure!(magic == Value::Long(MAGIC.into()), "expected a PyTorch state dict in the form of before 2020");
    let version = pickle::read(&mut bytes)?;
    ensure!(version == Value::Int(1001), "expected version 1001 of the form, got {version:?}");
    let Value::Dict(system) = pickle::read(&mut bytes)? else { bail!("expected a dictionary") };
    let little = (Value::Text("little_endian".into()), Value::Int(1));
    ensure!(system.contains(&little), "expected little-endian numbers");
    let Value::Dict(tensors) = pickle::read(&mut bytes)? else { bail!("expected a dictionary of tensors") };
    let Value::List(keys) = pickle::read(&mut bytes)? else { bail!("expected a list of blocks") };

    let class_of: HashMap<&str, &str> = tensors.iter().filter_map(|(_, v)| class(v)).collect();
    let mut blocks = HashMap::new();
    for key in &keys {
        let Value::Text(key) = key else { bail!("expected the name of a block, got {key:?}") };
        let (kind, bytes_each) = kind(class_of.get(key.as_str()).context("a block that no tensor uses")?)?;
        let count = u64::from_le_bytes(pickle::take(&mut bytes)?);
        let length = usize::try_from(count)?.checked_mul(bytes_each).context("a block without an end")?;
        let numbers = pickle::take_slice(&mut bytes, length)?;
        blocks.insert(key.as_str(), Tensor::f_from_data_size(numbers, &[i64::try_from(count)?], kind)?);
    }
    ensure!(bytes.is_empty(), "{} bytes behind the last block", bytes.len());

    let mut found = BTreeMap::new();
    for (name, value) in &tensors {
        let (Value::Text(name), Value::Tensor { key, offset, shape, strides, .. }) = (name, value) else {
            bail!("expected a name and a tensor, got {name:?} and {value:?}")
        };
        let block = blocks.get(key.as_str()).with_context(|| format!("`{name}`: no block {key}"))?;
        let last =
            last_number(*offset, shape, strides).with_context(|| format!("`{name}`: no view of numbers"))?;
        ensure!(last < block.size()[0], "`{name}` lies outside its block");
        found.insert(name.clone(), block.f_as_strided(shape, strides, *offset)?.f_contiguous()?);
    }
    Ok(found)
}

/// Place of the last number of a view; none where it views nothing.
fn last_number(offset: i64, shape: &[i64], strides: &[i64]) -> Option<i64> {
    if shape.len() != strides.len() || offset < 0 {
        return None;
    }
    shape.iter().zip(strides).try_fold(offset, |last, (&count, &stride)| {
        if count < 1 || stride < 0 {
            return None;
        }
        last.checked_add((count - 1).checked_mul(stride)?)
    })
}

/// Key and class of the block that a tensor views.
fn class(value: &Value) -> Option<(&str, &str)> {
    match value {
        Value::Tensor { class, key, .. } => Some((key, class)),
        _ => None,
    }
}

/// What the numbers of a class are, and the bytes of one.
fn kind(class: &str) -> Result<(Kind, usize)> {
    match class {
        "torch FloatStorage" => Ok((Kind::Float, 4)),
        "torch LongStorage" => Ok((Kind::Int64, 8)),
        other => bail!("expected numbers of f32 or i64, got `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::optimizer::values;

    /// A file with one tensor `w` of 2 x 2 numbers, whose columns lie one behind the other from the
    /// number at `offset` of five on.
    fn file(offset: u8) -> Vec<u8> {
        let text = |text: &str| [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
        [
            &b"\x80\x02\x8a\x0a"[..],
            &MAGIC,
            b".\x80\x02M\xe9\x03.\x80\x02}",
            &text("little_endian"),
            b"\x88s.\x80\x02}",
            &text("w"),
            b"ctorch._utils\n_rebuild_tensor_v2\n((",
            &text("storage"),
            b"ctorch\nFloatStorage\n",
            &text("k"),
            &text("cpu"),
            &[b'K', 5, b'N', b't', b'Q', b'K', offset],
            b"K\x02K\x02\x86K\x01K\x02\x86\x89)tRs.\x80\x02](",
            &text("k"),
            b"e.",
            &5u64.to_le_bytes(),
            &[0f32, 1.0, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat(),
        ]
        .concat()
    }

    #[test]
    fn numbers_are_found_by_offset_and_strides() {
        let found = read(&file(1)).unwrap();
        assert_eq!(found["w"].size(), [2, 2]);
        assert_eq!(values(&found["w"]), [1.0, 3.0, 2.0, 4.0]);
    }

    #[test]
    fn a_file_that_is_cut_or_points_outside_is_an_error() {
        let whole = file(1);
        assert!((0..whole.len()).all(|end| read(&whole[..end]).is_err()));
        let error = read(&file(2)).unwrap_err().to_string();
        assert!(error.contains("outside its block"), "{error}");
    }
}
