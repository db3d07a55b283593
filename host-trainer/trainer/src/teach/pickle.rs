//! The stack machine of Python's pickles, without Python: of all that a pickle may call, only what
//! makes a dictionary and a tensor is known, so no file can make it do anything else. Protocol 2;
//! Python's `pickletools` lists the instructions.

use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    None,
    Int(i64),
    Text(String),
    /// An integer of more than 64 bits, little-endian.
    Long(Vec<u8>),
    /// A class or a function: module, a space, name.
    Global(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// A block of numbers: its class and its key.
    Storage {
        class: String,
        key: String,
    },
    /// A view of a block of numbers.
    Tensor {
        class: String,
        key: String,
        /// Numbers before the first one.
        offset: i64,
        shape: Vec<i64>,
        /// Numbers from one to the next along each axis.
        strides: Vec<i64>,
    },
    /// What lies below the arguments of an instruction.
    Mark,
}

/// Reads one pickle from the front of `bytes`, which then start behind it.
pub fn read(bytes: &mut &[u8]) -> Result<Value> {
    let mut machine = Machine::default();
    loop {
        let [instruction] = take(bytes)?;
        if instruction == b'.' {
            return machine.pop();
        }
        machine.step(instruction, bytes)?;
    }
}

/// The next `N` bytes.
pub fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk().context("cut short")?;
    *bytes = rest;
    Ok(*first)
}

/// The next `count` bytes.
pub fn take_slice<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (first, rest) = bytes.split_at_checked(count).context("cut short")?;
    *bytes = rest;
    Ok(first)
}

fn line(bytes: &mut &[u8]) -> Result<String> {
    let end = bytes.iter().position(|&b| b == b'\n').context("cut short")?;
    let text = String::from_utf8(take_slice(bytes, end)?.to_vec())?;
    let [_] = take(bytes)?;
    Ok(text)
}

#[derive(Default)]
struct Machine {
    stack: Vec<Value>,
    /// Values put aside. A copy: containers are put aside while they are empty, and of none is the
    /// copy read again for what came into it later.
    memo: HashMap<u32, Value>,
}

impl Machine {
    fn pop(&mut self) -> Result<Value> {
        self.stack.pop().context("an instruction lacks its arguments")
    }

    /// What was pushed since the last mark.
    fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.stack.iter().rposition(|v| *v == Value::Mark).context("no mark")?;
        let values = self.stack.split_off(mark + 1);
        self.pop()?;
        Ok(values)
    }

    fn tuple(&mut self, count: usize) -> Result<Value> {
        let from = self.stack.len().checked_sub(count).context("an instruction lacks its arguments")?;
        Ok(Value::Tuple(self.stack.split_off(from)))
    }

    fn put(&mut self, number: u32) -> Result<()> {
        self.memo.insert(number, self.stack.last().context("nothing to put aside")?.clone());
        Ok(())
    }

    fn get(&self, number: u32) -> Result<Value> {
        self.memo.get(&number).cloned().context("nothing was put aside there")
    }

    fn step(&mut self, instruction: u8, bytes: &mut &[u8]) -> Result<()> {
        let value = match instruction {
            // PROTO, then values by themselves.
            0x80 => {
                let [protocol] = take(bytes)?;
                ensure!(protocol == 2, "expected a pickle of protocol 2, got {protocol}");
                return Ok(());
            }
            b'N' => Value::None,
            0x88 => Value::Int(1),
            0x89 => Value::Int(0),
            b'K' => Value::Int(take::<1>(bytes)?[0].into()),
            b'M' => Value::Int(u16::from_le_bytes(take(bytes)?).into()),
            b'J' => Value::Int(i32::from_le_bytes(take(bytes)?).into()),
            0x8a => {
                let [length] = take(bytes)?;
                Value::Long(take_slice(bytes, length.into())?.to_vec())
            }
            b'X' => {
                let length = u32::from_le_bytes(take(bytes)?);
                Value::Text(String::from_utf8(take_slice(bytes, length as usize)?.to_vec())?)
            }
            b'c' => Value::Global(format!("{} {}", line(bytes)?, line(bytes)?)),
            b'(' => Value::Mark,
            b')' => Value::Tuple(vec![]),
            b'}' => Value::Dict(vec![]),
            b']' => Value::List(vec![]),
            // Tuples of what is on the stack.
            b't' => Value::Tuple(self.pop_to_mark()?),
            0x85..=0x87 => self.tuple(usize::from(instruction - 0x84))?,
            // The memo.
            b'q' => return self.put(take::<1>(bytes)?[0].into()),
            b'r' => return self.put(u32::from_le_bytes(take(bytes)?)),
            b'h' => self.get(take::<1>(bytes)?[0].into())?,
            b'j' => self.get(u32::from_le_bytes(take(bytes)?))?,
            // Into a container.
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return self.set_items([key, value].into());
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                return self.set_items(items);
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                let Some(Value::List(list)) = self.stack.last_mut() else { bail!("no list to add to") };
                list.extend(items);
                return Ok(());
            }
            // An object's attributes: PyTorch's dictionaries carry versions of their modules in them.
            b'b' => return self.pop().map(drop),
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                call(&function, arguments)?
            }
            b'Q' => storage(self.pop()?)?,
            other => bail!("an instruction {other:#04x}, which no state dict needs"),
        };
        self.stack.push(value);
        Ok(())
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<()> {
        let Some(Value::Dict(dict)) = self.stack.last_mut() else { bail!("no dictionary to add to") };
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            dict.push((key, value));
        }
        Ok(())
    }
}

/// A block of numbers by `('storage', class, key, place, numbers, view)`.
fn storage(id: Value) -> Result<Value> {
    let Value::Tuple(id) = id else { bail!("expected a block of numbers, got {id:?}") };
    match id.as_slice() {
        [Value::Text(what), Value::Global(class), Value::Text(key), _, _, Value::None]
            if what == "storage" =>
        {
            Ok(Value::Storage { class: class.clone(), key: key.clone() })
        }
        other => bail!("expected a block of numbers, got {other:?}"),
    }
}

fn call(function: &Value, arguments: Value) -> Result<Value> {
    let (Value::Global(name), Value::Tuple(arguments)) = (function, arguments) else {
        bail!("expected a function and its arguments, got {function:?}")
    };
    match (name.as_str(), arguments.as_slice()) {
        ("collections OrderedDict", []) => Ok(Value::Dict(vec![])),
        (
            "torch._utils _rebuild_tensor_v2",
            [
                Value::Storage { class, key },
                Value::Int(offset),
                Value::Tuple(shape),
                Value::Tuple(strides),
                ..,
            ],
        ) => {
            let (shape, strides) = (integers(shape)?, integers(strides)?);
            Ok(Value::Tensor { class: class.clone(), key: key.clone(), offset: *offset, shape, strides })
        }
        _ => bail!("the file calls `{name}`, which is no part of a state dict; nothing of it was run"),
    }
}

fn integers(values: &[Value]) -> Result<Vec<i64>> {
    let int = |v: &Value| if let Value::Int(i) = v { Ok(*i) } else { bail!("expected a number, got {v:?}") };
    values.iter().map(int).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_containers_are_read() {
        // {"a": (1, 2), "b": [None, 300]} with the first key put aside and read again.
        let pickle = b"\x80\x02}q\0(X\x01\0\0\0aq\x01K\x01K\x02\x86X\x01\0\0\0b](NM\x2c\x01h\x01eu.rest";
        let mut bytes = &pickle[..];
        let [a, b] = ["a", "b"].map(|t| Value::Text(t.into()));
        let list = Value::List(vec![Value::None, Value::Int(300), a.clone()]);
        let tuple = Value::Tuple(vec![Value::Int(1), Value::Int(2)]);
        assert_eq!(read(&mut bytes).unwrap(), Value::Dict(vec![(a, tuple), (b, list)]));
        assert_eq!(bytes, b"rest");
    }

    #[test]
    fn what_a_pickle_would_run_is_not_run() {
        let error = read(&mut &b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R."[..]).unwrap_err().to_string();
        assert!(error.contains("`os system`"), "{error}");
    }

    #[test]
    fn a_cut_or_senseless_pickle_is_an_error() {
        let whole = b"\x80\x02}q\0(X\x01\0\0\0aK\x01K\x02\x86u.";
        assert!((0..whole.len()).all(|end| read(&mut &whole[..end]).is_err()));
        for senseless in [
            &b"\x80\x02."[..],
            b"\x80\x04N.",
            b"\x80\x02u.",
            b"\x80\x02K\x01K\x02K\x03s.",
            b"\x80\x02h\x05.",
            b"i",
        ] {
            assert!(read(&mut &senseless[..]).is_err(), "{senseless:?}");
        }
    }
}
