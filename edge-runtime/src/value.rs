//! Values of the device's configuration that say what they expect, beside those of every one.

pub use base::value::{nearest, say, some_whole, whole};

use edge_model::engine::EngineKind;
use edge_model::prevalence::RANGE;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use std::fmt;

/// A share that [`edge_model::prevalence::RANGE`] holds, for a key that may be absent.
pub(crate) fn some_share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    deserializer.deserialize_f64(Share).map(Some)
}

struct Share;

impl Visitor<'_> for Share {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a share from {} to {}", RANGE.start(), RANGE.end())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        match RANGE.contains(&number) {
            true => Ok(number),
            false => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }
}

struct Engine;

impl Visitor<'_> for Engine {
    type Value = EngineKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", EngineKind::names())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<EngineKind, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

pub(crate) fn engine<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EngineKind, D::Error> {
    deserializer.deserialize_str(Engine)
}
