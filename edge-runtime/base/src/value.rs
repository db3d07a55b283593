//! Values that say what they expect, and what is said of a key or value that is wrong.

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A whole number from `MIN` to `MAX`; both must fit `T`.
pub fn whole<'de, const MIN: u64, const MAX: u64, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    deserializer.deserialize_u64(Whole::<MIN, MAX, T>(PhantomData))
}

/// The same for a key that may be absent.
pub fn some_whole<'de, const MIN: u64, const MAX: u64, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    whole::<MIN, MAX, D, T>(deserializer).map(Some)
}

struct Whole<const MIN: u64, const MAX: u64, T>(PhantomData<T>);

impl<const MIN: u64, const MAX: u64, T: TryFrom<u64>> Visitor<'_> for Whole<MIN, MAX, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        let fits = if (MIN..=MAX).contains(&number) { T::try_from(number).ok() } else { None };
        fits.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}

/// Rewrites serde's message in this project's order: what was expected, what came, and the nearest
/// name.
pub fn say(message: &str) -> String {
    let message = message.trim_end();
    let rest = ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start));
    if let Some((got, expected)) = rest.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("expected {expected}, got {got}");
    }
    let kinds = [("unknown field", "key"), ("unknown variant", "value")];
    let Some((_, kind)) = kinds.iter().find(|(start, _)| message.starts_with(start)) else {
        return message.to_owned();
    };
    // serde quotes all names: "unknown field `nme`, expected one of `name`, `chip`".
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    let nearest = nearest(unknown, known.iter().copied());
    let hint = nearest.map_or(String::new(), |name| format!(" did you mean `{name}`?"));
    format!("there is no {kind} `{}`;{hint} known here: {}", unknown.escape_debug(), known.join(", "))
}

/// The name that `text` was most likely meant to be; none where nothing is close.
pub fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let close = |name| (strsim::jaro_winkler(text, name), name);
    let best = names.into_iter().map(close).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= 0.75).then_some(best.1)
}
