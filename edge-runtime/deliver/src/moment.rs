//! A time as messages and reports write it: RFC 3339, UTC, milliseconds.

use base::certificate::days_left;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(Timestamp);

impl Moment {
    pub fn now() -> Self {
        Self(Timestamp::now())
    }

    /// None beyond the calendar.
    pub fn after(wait: Duration) -> Option<Self> {
        Timestamp::now().checked_add(wait).ok().map(Self)
    }

    /// Whole days until then; negative once it has passed.
    pub fn days_left(&self) -> i64 {
        days_left(self.0, Timestamp::now())
    }

    /// Seconds since then; negative for what is to come.
    pub fn age_s(&self) -> i64 {
        Timestamp::now().as_second().saturating_sub(self.0.as_second())
    }
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}
